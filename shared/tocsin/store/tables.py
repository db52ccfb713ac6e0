"""The ledger: the tables that every service keeps beside its own, the same in each database or schema.

`outbox`  what this service has said and the bus may not know yet; written in the transaction of the fact itself.
`inbox`   which messages each consumer has handled; a second copy finds its own id here. Never pruned: a replay may
          bring back any message, however old.
`audit`   who did what, when and why; each row carries the hash of the one before. Never changed, never deleted.
`audit_head`  one row: how many audit rows there are and the hash of the last, so that a cut-off tail shows.
`leases`  who may do what only one process should do at a time, and until when.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    event,
)

from tocsin.store.types import Instant, Json

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""How constraints are named, so that a migration can find them. For each service's own MetaData too."""

FIRST_HASH = "0" * 64
"""What the first audit row continues from."""

BigKey = BigInteger().with_variant(Integer, "sqlite")
"""A key that counts up. SQLite counts only in a column declared exactly INTEGER."""

ledger = MetaData(naming_convention=NAMES)

outbox = Table(
    "outbox",
    ledger,
    Column("seq", BigKey, primary_key=True, autoincrement=True),
    Column("message_id", Uuid, nullable=False, unique=True),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("headers", Json, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant),
    sqlite_autoincrement=True,  # A pruned number is never given again.
)
inbox = Table(
    "inbox",
    ledger,
    Column("consumer", Text, primary_key=True),
    Column("message_id", Uuid, primary_key=True),
    Column("at", Instant, nullable=False),
    # The last message that this service had said by then: so that a replay can tell which came first, a message of
    # others or a deed of its own. No clock can say it, where one waits for the other. 0: it had said nothing yet.
    # NULL: it was handled by a version that did not note it.
    Column("after_seq", BigInteger),
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    ledger,
    # Given by us, not by the database: a sequence would leave gaps that look like missing rows.
    Column("seq", BigKey, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("did", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("study", Text),
    # Text, not Json: what was hashed must come back to the byte, and JSONB writes numbers its own way.
    Column("before", Text),
    Column("after", Text),
    Column("reason", Text),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
Index("ix_audit_about", audit.c.about, audit.c.seq)

audit_head = Table(
    "audit_head",
    ledger,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

leases = Table(
    "leases",
    ledger,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Instant, nullable=False),
)

# The triggers stop a hand that slips, and an application that goes wrong. Against one who may drop them there is the
# chain, see decision 0007. By dialect, then by the table that they guard. (They are part of
# the first migration, so these texts stay as they are; a change is a new text and a new step in `ledger_migrations`.)
_NEVER = "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
_WHEN_THERE = "WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)"
_NEVER_FUNCTION = (
    "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'audit is append-only' USING ERRCODE = 'restrict_violation'; END $$"
)
_BY_FUNCTION = "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
GUARDS: dict[str, dict[str, tuple[str, ...]]] = {
    "sqlite": {
        "audit": (
            f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit {_NEVER}",
            f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit {_NEVER}",
            # INSERT OR REPLACE deletes without calling the trigger above.
            f"CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit {_WHEN_THERE} {_NEVER}",
        ),
        "audit_head": (f"CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head {_NEVER}",),
    },
    "postgresql": {
        "audit": (
            _NEVER_FUNCTION,
            f"CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit {_BY_FUNCTION}",
        ),
        "audit_head": (
            _NEVER_FUNCTION,
            f"CREATE TRIGGER audit_head_no_delete BEFORE DELETE OR TRUNCATE ON audit_head {_BY_FUNCTION}",
        ),
    },
}

FIRST_HEAD = f"INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '{FIRST_HASH}')"  # noqa: S608  only constants


def when_made(table: Table, statement: str, dialect: str | None = None) -> None:
    """Say this too when `table` is made (on one dialect only, if named). For what both databases spell alike."""
    event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]


# Holds only what waits: finding it stays cheap however many sent rows are kept. Said as text, because
# `Index(postgresql_where=…)` would load the PostgreSQL dialect into every house on SQLite (75 ms at each start).
UNSENT_INDEX = "CREATE INDEX ix_outbox_unsent ON outbox (seq) WHERE sent_at IS NULL"

when_made(outbox, UNSENT_INDEX)
when_made(audit_head, FIRST_HEAD)
for _dialect, _by_table in GUARDS.items():
    for _name, _statements in _by_table.items():
        for _statement in _statements:
            when_made(ledger.tables[_name], _statement, _dialect)
