"""Bring a database up to the version that this code expects: made whole when empty, upgraded when older.

Alembic is imported only when there is something to upgrade (it takes a fifth of the start-up time that a house may
take). All steps of an upgrade are one transaction, on both databases: it happens whole or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import structlog
from sqlalchemy import Connection, MetaData, inspect, text

from tocsin.errors import SettingsError
from tocsin.store.engine import Store
from tocsin.store.tables import ledger

log = structlog.get_logger(__name__)

Outcome = Literal["made", "upgraded", "as it was"]

# As Alembic itself would make it; so that an empty database can be stamped without Alembic.
_VERSION_TABLE = """
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)
"""


def bring_up(store: Store, metadata: MetaData, *, migrations: str, head: str) -> Outcome:
    """Make or upgrade the ledger and the tables of `metadata`, as far as version `head`.

    `migrations` is the path of the service's folder with `versions/` in it. Two processes may call this at once.
    SettingsError, naming what to do, when the database is newer than this code or holds somebody else's tables.
    """
    with store.reading() as connection:
        if _version(store, connection) == head:
            return "as it was"
    with store.altering() as tx:
        _one_at_a_time(store, tx)
        found = _version(store, tx)
        if found == head:
            return "as it was"
        if found is None:
            make(tx, metadata, head=head)
            log.info("database_made", schema=store.schema, version=head)
            return "made"
        _upgrade(store, tx, metadata, migrations, found, head)
    log.info("database_upgraded", schema=store.schema, before=found, version=head)
    return "upgraded"


def make(tx: Connection, metadata: MetaData, *, head: str) -> None:
    """Every table at once, stamped as version `head`. Inside `Store.altering()`, in an empty database."""
    ledger.create_all(tx, checkfirst=False)
    metadata.create_all(tx, checkfirst=False)
    tx.execute(text(_VERSION_TABLE))
    tx.execute(text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": head})


def upgrade_from_empty(store: Store, metadata: MetaData, *, migrations: str, head: str) -> None:
    """Take every migration's step from nothing to `head`: what tests compare with `make`."""
    with store.altering() as tx:
        _upgrade(store, tx, metadata, migrations, None, head)


def _version(store: Store, connection: Connection) -> str | None:
    """The version of what is there; None when nothing is."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    versions: Sequence[str] = []
    if "alembic_version" in tables:
        versions = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
    if len(versions) != 1:
        raise SettingsError(
            f"{store.name} holds {len(tables)} tables in schema {store.schema!r} but no single version number: it is "
            "not one of Tocsin's, or was made by hand; name an empty one"
        )
    return versions[0]


def _one_at_a_time(store: Store, tx: Connection) -> None:
    """Wait for another process that is making or upgrading the same schema. (SQLite: BEGIN IMMEDIATE has waited.)"""
    if store.dialect == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(hashtext(:what))"), {"what": f"tocsin: schema {store.schema}"})


def _upgrade(store: Store, tx: Connection, metadata: MetaData, migrations: str, found: str | None, head: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": tx, "metadata": metadata})
    for name, value in (
        ("script_location", str(Path(__file__).parent / "alembic_env")),
        ("version_locations", str(Path(migrations).resolve() / "versions")),
        ("path_separator", "newline"),
    ):
        config.set_main_option(name, value.replace("%", "%%"))  # The ini format behind it reads % as its own.
    steps = ScriptDirectory.from_config(config)
    known = {step.revision for step in steps.walk_revisions()}
    if head not in known:
        raise RuntimeError(f"{migrations} has no version {head!r}; it has {', '.join(sorted(known)) or 'none'}")
    if found is not None and found not in known:
        raise SettingsError(
            f"{store.name} is at version {found!r}, which this program does not know (it knows up to {head!r}): it "
            "was written by a newer program; run that one, or restore the backup taken before it"
        )
    command.upgrade(config, head)
