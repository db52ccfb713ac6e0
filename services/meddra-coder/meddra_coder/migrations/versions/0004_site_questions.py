"""What a person asks a site of an event, and of each revision which site sent it and of whom it tells."""

import sqlalchemy as sa
from alembic import op

from tocsin.store.types import Instant

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("revisions", sa.Column("site", sa.Text))
    op.add_column("revisions", sa.Column("subject", sa.Text))
    op.create_table(
        "site_questions",
        sa.Column("query_id", sa.Uuid, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("query_id", name="pk_site_questions"),
    )
    op.create_index("ix_site_questions_case", "site_questions", ["case_id", "event_id"])
