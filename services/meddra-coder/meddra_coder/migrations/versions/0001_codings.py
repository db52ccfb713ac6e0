"""The first release: the ledger, the revisions seen, every coding given."""

import sqlalchemy as sa
from alembic import op

from tocsin.store.ledger_migrations import create_ledger
from tocsin.store.tables import BigKey
from tocsin.store.types import Instant, Json

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_ledger(op)
    op.create_table(
        "revisions",
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "revision", name="pk_revisions"),
    )
    op.create_table(
        "codings",
        sa.Column("seq", BigKey, autoincrement=True, nullable=False),
        sa.Column("decision_id", sa.Uuid, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("verbatim", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("llt_code", sa.Text),
        sa.Column("term", sa.Text),
        sa.Column("soc", sa.Text),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("confidence", sa.Float),
        sa.Column("reasons", Json, nullable=False),
        sa.Column("candidates", Json, nullable=False),
        sa.Column("grades", Json, nullable=False),
        sa.Column("dictionary", sa.Text, nullable=False),
        sa.Column("coded_at", Instant, nullable=False),
        sa.Column("coded_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_codings"),
    )
    op.create_index("ix_codings_case", "codings", ["case_id", "revision", "seq"])
    op.create_index("ix_codings_decision", "codings", ["decision_id", "event_id"], unique=True)
    op.create_index("ix_codings_status", "codings", ["status", "coded_at"])
