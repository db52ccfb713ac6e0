"""A table, and a foreign key to it: what a service might add."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer, autoincrement=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
    )
    op.create_table(
        "answers",
        sa.Column("id", sa.Integer, autoincrement=False),
        sa.Column("note", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_answers"),
        sa.ForeignKeyConstraint(["note"], ["notes.id"], name="fk_answers_note"),
    )
