"""Verdicts on dose-limiting toxicity with their history and signatures; holds on infusions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tocsin.store.types import Instant, Json

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text),
        sa.Column("event_id", sa.Text),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("rule_id", sa.Text),
        sa.Column("is_provisional", sa.Boolean, nullable=False),
        sa.Column("matters", sa.Boolean, nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdicts")),
    )
    op.create_index("ix_verdicts_study_subject", "verdicts", ["study", "subject"])
    op.create_index("ix_verdicts_case_id", "verdicts", ["case_id"])
    op.create_table(
        "verdict_history",
        sa.Column("verdict_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("rule_id", sa.Text),
        sa.Column("is_provisional", sa.Boolean, nullable=False),
        sa.Column("reasons", Json, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("verdict_id", "number", name=op.f("pk_verdict_history")),
    )
    op.create_table(
        "dlt_decisions",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("verdict_id", sa.Uuid, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("rule_id", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("roles", Json, nullable=False),
        sa.Column("meaning", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dlt_decisions")),
    )
    op.create_index(op.f("ix_dlt_decisions_verdict_id"), "dlt_decisions", ["verdict_id"])
    op.create_index("ix_dlt_decisions_event_id", "dlt_decisions", ["event_id"])
    op.create_index("ix_dlt_decisions_study_subject", "dlt_decisions", ["study", "subject"])
    op.create_table(
        "subject_watch",
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("as_of", Instant, nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.PrimaryKeyConstraint("study", "subject", name=op.f("pk_subject_watch")),
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("level", sa.Text),
        sa.Column("levels", Json, nullable=False),
        sa.Column("reasons", Json, nullable=False),
        sa.Column("raised_at", Instant, nullable=False),
        sa.Column("alert_id", sa.Uuid),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index(op.f("ix_holds_study"), "holds", ["study"])
    op.create_table(
        "hold_deeds",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("what", sa.String(12), nullable=False),
        sa.Column("party", sa.Text),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("roles", Json, nullable=False),
        sa.Column("meaning", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold_deeds")),
    )
    op.create_index(op.f("ix_hold_deeds_study"), "hold_deeds", ["study"])
