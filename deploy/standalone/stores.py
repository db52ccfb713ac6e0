"""The services' databases, for commands that work beside a running house."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tocsin.errors import SettingsError

if TYPE_CHECKING:
    from tocsin.settings import Settings
    from tocsin.store.engine import Store


def _has_its_tables(store: Store) -> None:
    from sqlalchemy import inspect

    with store.reading() as connection:
        if not inspect(connection).has_table("audit"):
            raise SettingsError(
                f"{store.name} has no tables of {store.schema} yet: start `tocsin serve {store.schema}` once"
            )


@contextmanager
def open_existing(settings: Settings, schema: str) -> Iterator[Store]:
    """The store of one service, which must be there already: a mistyped folder is an error, not a new database."""
    from tocsin.store.engine import open_store

    if not settings.database:
        file = settings.data.absolute() / f"{schema}.db"
        if not file.is_file():
            raise SettingsError(
                f"{file}: no such database; name the folder of `tocsin up` with --data, or the database in "
                "TOCSIN_DATABASE (the house must have been started once)"
            )
    store = open_store(settings.database_for(schema), schema)
    try:
        _has_its_tables(store)
        yield store
    finally:
        store.close()
