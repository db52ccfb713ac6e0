"""SQLite can only do this by making the table anew, while `answers` refers to it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("notes", recreate="auto") as table:
        table.add_column(sa.Column("author", sa.Text, nullable=False, server_default="unknown"))
        table.create_unique_constraint("uq_notes_text", ["text"])
