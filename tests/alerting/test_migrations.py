"""The tables come to be in two ways, and both give the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import alerting
from alerting.tables import HEAD, metadata
from tests.store.same_schema import assert_same_schema

STEPS = str(Path(alerting.__file__).parent / "migrations")


def test_the_migrations_give_what_the_tables_say(any_database: Callable[[], str]) -> None:
    assert_same_schema(any_database, metadata, migrations=STEPS, head=HEAD)
