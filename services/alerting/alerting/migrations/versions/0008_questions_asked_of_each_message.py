"""What a report is about stands in a column, and open clocks in an index: two questions that grew with the history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tocsin.store.types import Json

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """The kind is what the site wrote: a report that says nothing of it has none."""
    op.add_column("snapshots", sa.Column("kind", sa.Text))
    kept = sa.table("snapshots", sa.column("kind"), sa.column("source"), sa.column("body", Json))
    said = kept.c.body["facts"]["kind"].as_string()
    op.execute(kept.update().where(kept.c.source == "report").values(kind=said))
    op.create_index(op.f("ix_snapshots_study_kind"), "snapshots", ["study", "kind"])
    op.create_index(
        op.f("ix_clocks_due_at"),
        "clocks",
        ["due_at"],
        sqlite_where=sa.text("is_open IS 1"),
        postgresql_where=sa.text("is_open IS true"),
    )
