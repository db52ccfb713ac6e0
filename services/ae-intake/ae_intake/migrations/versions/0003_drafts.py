"""Reports that somebody of a site has begun and not yet sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tocsin.store.types import Instant

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "drafts",
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("draft_id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("page", sa.String(36), nullable=False, comment="the opened page that saved it last"),
        sa.Column("fields", sa.Text, nullable=False, comment="what was typed, as JSON"),
        sa.Column("saved_at", Instant, nullable=False),
        sa.Column("saved_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("study", "site", "draft_id", name="pk_drafts"),
    )
