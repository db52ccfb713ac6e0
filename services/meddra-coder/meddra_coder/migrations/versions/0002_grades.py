"""Grades from observations: what was observed, when a subject was infused, each grade, and NCI's text where loaded."""

import sqlalchemy as sa
from alembic import op

from tocsin.store.tables import BigKey
from tocsin.store.types import Instant, Json

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "criteria_texts",
        sa.Column("edition", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("grade", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("term", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("loaded_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("edition", "code", "grade", name="pk_criteria_texts"),
    )
    op.create_table(
        "observations",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("kind", sa.String(14), nullable=False),
        sa.Column("analyte", sa.Text),
        sa.Column("ref", sa.Text),
        sa.Column("is_correction", sa.Boolean, nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_observations"),
    )
    op.create_index("ix_observations_subject", "observations", ["study", "subject", "kind", "analyte"])
    op.create_table(
        "infusions",
        sa.Column("record_id", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("record_id", name="pk_infusions"),
    )
    op.create_index("ix_infusions_subject", "infusions", ["study", "subject"])
    op.create_table(
        "grades",
        sa.Column("seq", BigKey, autoincrement=True, nullable=False),
        sa.Column("grade_id", sa.Text, nullable=False),
        sa.Column("record_id", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("derived_at", Instant, nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_grades"),
    )
    op.create_index("ix_grades_subject", "grades", ["study", "subject", "about", "seq"])
    op.create_index("ix_grades_grade", "grades", ["grade_id", "record_id"], unique=True)
