"""The services' databases, for commands that work beside a running house."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tocsin.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from alerting.parts import Parts
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
def alerting_parts(data: Path | None) -> Iterator[Parts]:
    """Alerting as a command works with it beside a running house: its store, the studies and the time of the house."""
    from alerting.parts import Parts
    from standalone.rehearsal import time_of
    from standalone.study_files import load_studies
    from tocsin.now import wall
    from tocsin.settings import Settings

    settings = Settings(**({"data": data} if data else {}))
    with open_existing(settings, "alerting") as store:
        yield Parts(store, load_studies(settings.studies), time_of(settings), wall, settings.public_url)


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
