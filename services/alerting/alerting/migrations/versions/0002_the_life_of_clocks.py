"""The life of a clock: submissions with their answers, signed decisions, duplicates, reconciliations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tocsin.store.types import Instant, Json

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """A clock kept before was known when it started, and is open while it runs."""
    op.add_column("clocks", sa.Column("known_at", Instant))
    op.add_column("clocks", sa.Column("is_open", sa.Boolean))
    op.add_column("clocks", sa.Column("questions", Json))
    clocks = sa.table(
        "clocks", sa.column("known_at"), sa.column("started_at"), sa.column("is_open"), sa.column("status")
    )
    op.execute(clocks.update().values(known_at=clocks.c.started_at, is_open=clocks.c.status == "RUNNING"))
    op.create_table(
        "submissions",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("clock_id", sa.Uuid, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("sent_at", Instant, nullable=False),
        sa.Column("kind", sa.String(13), nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("event_ids", Json, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("entered_by", sa.Text, nullable=False),
        sa.Column("entered_at", Instant, nullable=False),
        sa.Column("answer", sa.String(8)),
        sa.Column("answered_at", Instant),
        sa.Column("answer_reference", sa.Text),
        sa.Column("answer_reason", sa.Text),
        sa.Column("signed_by", sa.Text),
        sa.Column("answer_entered_by", sa.Text),
        sa.Column("answer_entered_at", Instant),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
    )
    op.create_index("ix_submissions_clock_id", "submissions", ["clock_id"])
    op.create_index("ix_submissions_case_id", "submissions", ["case_id"])
    op.create_table(
        "signed",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("deed", sa.String(20), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("signatures", Json, nullable=False),
        sa.Column("needs", sa.Integer, nullable=False),
        sa.Column("asked_at", Instant, nullable=False),
        sa.Column("signed_at", Instant),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signed")),
    )
    op.create_index("ix_signed_case_id", "signed", ["case_id"])
    op.create_table(
        "duplicates",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("other_case_id", sa.Text, nullable=False),
        sa.Column("reasons", Json, nullable=False),
        sa.Column("found_at", Instant, nullable=False),
        sa.Column("decision", sa.String(9)),
        sa.Column("kept_case_id", sa.Text),
        sa.Column("decided_at", Instant),
        sa.Column("decided_by", sa.Text),
        sa.Column("why", sa.Text),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicates")),
    )
    op.create_index("ix_duplicates_case_id", "duplicates", ["case_id"])
    op.create_index("ix_duplicates_other_case_id", "duplicates", ["other_case_id"])
    op.create_table(
        "reconciliations",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("site", sa.Text),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("agreed", sa.Integer, nullable=False),
        sa.Column("differences", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliations")),
    )
    op.create_index("ix_reconciliations_study", "reconciliations", ["study"])
    # SQLite cannot change a column: the table is made anew.
    with op.batch_alter_table("queries") as queries:
        queries.alter_column("case_id", existing_type=sa.Text, nullable=True)
