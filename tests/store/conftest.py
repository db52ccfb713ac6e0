"""A store with the ledger in it, on each database in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import MetaData

from tocsin.store import migrate
from tocsin.store.engine import Store, open_store

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
"""Noon in Shanghai."""


on_sqlite = pytest.mark.parametrize("any_database", ["sqlite"], indirect=True)
"""For what only SQLite has."""

on_postgresql = pytest.mark.parametrize(
    "any_database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
"""For what only PostgreSQL has."""


@pytest.fixture
def any_database_url(any_database: Callable[[], str]) -> str:
    """Where this test's database is."""
    return any_database()


@pytest.fixture
def open_ledger(any_database_url: str) -> Iterator[Callable[[], Store]]:
    """Call it for a store on this test's database; call it again for another, as a second process would have."""
    stores: list[Store] = []

    def open_one() -> Store:
        store = open_store(any_database_url, "ledger")
        stores.append(store)
        migrate.bring_up(store, MetaData(), migrations="unused: there is nothing to upgrade", head="0001")
        return store

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def store(open_ledger: Callable[[], Store]) -> Store:
    return open_ledger()
