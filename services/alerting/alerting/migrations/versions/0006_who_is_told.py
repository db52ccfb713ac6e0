"""Call plans and overrides, alarms handed over and closed, heartbeats."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tocsin.store.types import Instant, Json

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("alerts", sa.Column("policy", Json))
    op.add_column("alerts", sa.Column("closed_why", sa.Text))
    op.add_column("acknowledgements", sa.Column("settles", sa.Boolean, nullable=False, server_default=sa.true()))
    op.add_column("acknowledgements", sa.Column("handed", sa.Integer, nullable=False, server_default="0"))
    op.add_column("notices", sa.Column("cause", sa.String(8), nullable=False, server_default="policy"))
    op.add_column("notices", sa.Column("people", Json))
    op.add_column("notices", sa.Column("everyone", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "assignments",
        sa.Column("alert_id", sa.Uuid, sa.ForeignKey("alerts.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("to", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "call_plans",
        sa.Column("study", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("saved_at", Instant, nullable=False),
        sa.Column("saved_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "overrides",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("begins", Instant, nullable=False),
        sa.Column("ends", Instant, nullable=False),
        sa.Column("made_at", Instant, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("withdrawn_at", Instant),
        sa.Column("withdrawn_by", sa.Text),
    )
    op.create_index(op.f("ix_overrides_study"), "overrides", ["study"])
    op.create_table(
        "heartbeats",
        sa.Column("leg", sa.String(8), primary_key=True),
        sa.Column("beat_at", Instant, nullable=False),
        sa.Column("arrived_at", Instant, nullable=False),
    )
