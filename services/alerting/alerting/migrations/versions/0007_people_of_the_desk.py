"""Sessions that can be ended, people of a site, accounts that are closed, drafts of assessments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tocsin.store.types import Instant, Json

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index(op.f("ix_snapshots_source_at"), "snapshots", ["source", "at"])
    op.add_column("accounts", sa.Column("study", sa.Text))
    op.add_column("accounts", sa.Column("site", sa.Text))
    op.add_column("accounts", sa.Column("closed_at", Instant))
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("account", sa.Text, sa.ForeignKey("accounts.name"), nullable=False),
        sa.Column("begun_at", Instant, nullable=False),
        sa.Column("until", Instant, nullable=False),
        sa.Column("ended_at", Instant),
        sa.Column("ended_because", sa.Text),
    )
    op.create_index(op.f("ix_sessions_account"), "sessions", ["account"])
    op.create_table(
        "drafts",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("about", sa.Text, primary_key=True),
        sa.Column("body", Json, nullable=False),
        sa.Column("saved_at", Instant, nullable=False),
    )
