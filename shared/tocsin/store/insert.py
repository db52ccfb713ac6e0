"""INSERT that leaves a row alone which is there already, or changes it: one name for what both dialects spell."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Executable, Table


@cache
def insert_unless_there(table: Table, dialect: str) -> Executable:
    """The statement; its `rowcount` is 1 when the row is new, 0 when one of its keys was taken."""
    insert = _insert(dialect)
    # SQLAlchemy lets go of an INSERT's rowcount unless told to keep it; psycopg's cursor would then say -1.
    statement: Executable = insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    return statement


@cache
def insert_or_change(table: Table, dialect: str, *columns: str) -> Executable:
    """The statement; where the row is there by its primary key, these columns of it are set and no others."""
    statement = _insert(dialect)(table)
    told = {name: statement.excluded[name] for name in columns}
    changed: Executable = statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=told)
    return changed


def _insert(dialect: str) -> Any:
    # Imported late: each house needs one dialect only (start-up time).
    insert: Any
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert
    return insert
