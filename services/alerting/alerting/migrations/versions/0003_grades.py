"""Grades found from observations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tocsin.store.types import Instant, Json

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "grades",
        sa.Column("grade_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("known_at", Instant, nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.PrimaryKeyConstraint("grade_id", name=op.f("pk_grades")),
    )
    op.create_index("ix_grades_study_subject", "grades", ["study", "subject"])
