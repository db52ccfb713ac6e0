"""One claim for every service's tests: its migrations, taken from nothing, give what its `tables.py` says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, MetaData, inspect, text

from tocsin.store import migrate
from tocsin.store.engine import Store, open_store


def assert_same_schema(any_database: Callable[[], str], metadata: MetaData, *, migrations: str, head: str) -> None:
    """Migrate one empty database step by step, make another at once, and compare all that the database knows."""
    by_steps, at_once = (open_store(any_database(), "same_schema") for _ in range(2))
    try:
        migrate.upgrade_from_empty(by_steps, metadata, migrations=migrations, head=head)
        with at_once.altering() as tx:
            migrate.make(tx, metadata, head=head)
        assert schema_of(by_steps) == schema_of(at_once)
    finally:
        by_steps.close()
        at_once.close()


def schema_of(store: Store) -> Mapping[str, Any]:
    """Everything that can be told of a schema: tables, columns, keys, checks, indexes, triggers, first rows."""
    with store.reading() as connection:
        there = inspect(connection)
        found: dict[str, Any] = {}
        for table in sorted(there.get_table_names()):
            found[table] = {
                "columns": [
                    (c["name"], str(c["type"]), c["nullable"], c["default"], c.get("autoincrement"))
                    for c in there.get_columns(table)
                ],
                "primary key": there.get_pk_constraint(table),
                "unique": _sorted(there.get_unique_constraints(table)),
                "foreign keys": _sorted(there.get_foreign_keys(table)),
                "checks": _sorted(there.get_check_constraints(table)),
                "indexes": _sorted(there.get_indexes(table)),
                "options": there.get_table_options(table),
                "rows": connection.execute(text(f'SELECT * FROM "{table}"')).all(),
            }
        found["triggers"] = _triggers(store, connection)
        return found


def _sorted(things: Any) -> list[str]:
    """In an order of its own; SQL text inside is compared by its words."""
    return sorted(_words(repr(sorted(_plain(dict(thing)).items()))) for thing in things)


def _plain(thing: dict[str, Any]) -> dict[str, Any]:
    return {key: _plain(value) if isinstance(value, dict) else str(value) for key, value in thing.items()}


def _words(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).strip()


def _triggers(store: Store, connection: Connection) -> list[tuple[str, str]]:
    if store.dialect == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' OR sql LIKE '%AUTOINCREMENT%'"
    else:
        query = (
            "SELECT tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE NOT tgisinternal AND n.nspname = current_schema()"
        )
    # The text of an AUTOINCREMENT table is not compared, only that it is one.
    return sorted(
        (name, "" if sql.startswith("CREATE TABLE") else _words(sql)) for name, sql in connection.execute(text(query))
    )
