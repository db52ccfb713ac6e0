"""The ledger's own steps, for the migrations of every service: `0001` calls `create_ledger(op)`.

A step is history: never edit it. When `tables.py` changes, add a function here, and to each service a migration that
calls it. A test holds that all steps together give what `tables.py` says.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from tocsin.store.tables import FIRST_HEAD, GUARDS, UNSENT_INDEX, BigKey
from tocsin.store.types import Instant, Json


def create_ledger(op: Any) -> None:
    """Outbox, inbox, audit with its guards, audit_head with its one row, leases. `op` is `alembic.op`, a module."""
    op.create_table(
        "outbox",
        sa.Column("seq", BigKey, autoincrement=True),
        sa.Column("message_id", sa.Uuid, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("headers", Json, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("sent_at", Instant),
        sa.PrimaryKeyConstraint("seq", name="pk_outbox"),
        sa.UniqueConstraint("message_id", name="uq_outbox_message_id"),
        sqlite_autoincrement=True,
    )
    op.execute(UNSENT_INDEX)
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.Text),
        sa.Column("message_id", sa.Uuid),
        sa.Column("at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("consumer", "message_id", name="pk_inbox"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit",
        sa.Column("seq", BigKey, autoincrement=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("did", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("study", sa.Text),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_index("ix_audit_about", "audit", ["about", "seq"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_one_row")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", Instant, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.execute(FIRST_HEAD)
    for statements in GUARDS[op.get_bind().dialect.name].values():
        for statement in statements:
            op.execute(statement)


def know_what_was_said_before(op: Any) -> None:
    """The inbox says after which own message each was handled. NULL for what was handled before this step."""
    op.add_column("inbox", sa.Column("after_seq", sa.BigInteger))
