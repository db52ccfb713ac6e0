"""Fixtures for what needs a database: both kinds, empty, one test at a time. A pytest plugin.

With `TOCSIN_REQUIRE_POSTGRES=1` a missing PostgreSQL fails the tests that need it; otherwise they are skipped, and
the report's header says why.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.postgres_server import (
    ForeignServer,
    NoPostgres,
    PostgresServer,
    Programs,
    find,
    find_programs,
)


def chosen_postgres() -> str:
    """One line for the report's header: which PostgreSQL, or why none."""
    found = find()
    return f"PostgreSQL: none ({found.why})" if isinstance(found, NoPostgres) else f"PostgreSQL: {found.title}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer | ForeignServer]:
    """The session's PostgreSQL. Do not stop it: others use it too; take `own_postgres` for that."""
    found = find()
    if isinstance(found, NoPostgres):
        _left_out(found.why)
    if isinstance(found, ForeignServer):
        yield found
        found.stop()
        return
    server = PostgresServer(found)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def need_programs() -> Programs:
    """The programs of a server that may be stopped. Without them the test is left out; it fails where they must be."""
    found = find_programs()
    if isinstance(found, NoPostgres):
        _left_out(f"a server that may be stopped is needed; {found.why}")
    return found


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server for this test alone, running, which it may stop, kill and start."""
    server = PostgresServer(need_programs())
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def fresh_database(postgres: PostgresServer | ForeignServer) -> Iterator[Callable[[], str]]:
    """Call it for the URL of an empty PostgreSQL database, this test's own until it ends."""
    given: list[str] = []

    def fresh() -> str:
        given.append(postgres.fresh_database())
        return given[-1]

    yield fresh
    for url in given:
        postgres.give_back(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def any_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Call it for the URL of a new, empty database; the test runs once per kind."""
    if request.param == "sqlite":
        numbers = iter(range(1, 1000))
        return lambda: f"sqlite:///{tmp_path}/{next(numbers)}.db"
    make: Callable[[], str] = request.getfixturevalue("fresh_database")
    return make


def _left_out(why: str) -> NoReturn:
    if os.environ.get("TOCSIN_REQUIRE_POSTGRES") == "1":
        pytest.fail(f"PostgreSQL is required and missing: {why}")
    pytest.skip(f"no PostgreSQL: {why}")
