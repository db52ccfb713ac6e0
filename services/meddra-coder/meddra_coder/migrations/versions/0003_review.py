"""Dictionaries that are loaded and used, synonyms, held phrases, proposals; what a coding says beside its term."""

import sqlalchemy as sa
from alembic import op

from tocsin.store.tables import BigKey
from tocsin.store.types import Instant, Json

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for name in ("path", "smqs", "told", "split"):
        op.add_column("codings", sa.Column(name, Json))
    op.add_column("codings", sa.Column("synonyms", sa.Text))
    op.add_column("revisions", sa.Column("serious", Json))
    op.create_table(
        "dictionaries",
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("encoding", sa.Text, nullable=False),
        sa.Column("terms", sa.Integer, nullable=False),
        sa.Column("current_terms", sa.Integer, nullable=False),
        sa.Column("loaded_at", Instant, nullable=False),
        sa.Column("loaded_by", sa.Text, nullable=False),
        sa.Column("image", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_dictionaries"),
    )
    op.create_table(
        "dictionary_uses",
        sa.Column("seq", BigKey, autoincrement=True, nullable=False),
        sa.Column("decision_id", sa.Uuid, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("version", sa.Text),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_dictionary_uses"),
        sa.UniqueConstraint("decision_id", name="uq_dictionary_uses_decision_id"),
    )
    op.create_table(
        "synonyms",
        sa.Column("seq", BigKey, autoincrement=True, nullable=False),
        sa.Column("decision_id", sa.Uuid, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("phrase", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("scope", sa.String(6), nullable=False),
        sa.Column("study", sa.Text),
        sa.Column("state", sa.String(9), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_synonyms"),
        sa.UniqueConstraint("decision_id", name="uq_synonyms_decision_id"),
    )
    op.create_index("ix_synonyms_text", "synonyms", ["text", "scope", "study", "seq"])
    op.create_table(
        "held_phrases",
        sa.Column("seq", BigKey, autoincrement=True, nullable=False),
        sa.Column("decision_id", sa.Uuid, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("phrase", sa.Text, nullable=False),
        sa.Column("study", sa.Text),
        sa.Column("is_held", sa.Boolean, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_held_phrases"),
        sa.UniqueConstraint("decision_id", name="uq_held_phrases_decision_id"),
    )
    op.create_index("ix_held_phrases_text", "held_phrases", ["text", "study", "seq"])
    op.create_table(
        "proposals",
        sa.Column("decision_id", sa.Uuid, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("llt_code", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("second", sa.Text),
        sa.Column("second_at", Instant),
        sa.Column("second_reason", sa.Text),
        sa.PrimaryKeyConstraint("decision_id", name="pk_proposals"),
    )
    op.create_index("ix_proposals_case", "proposals", ["case_id", "event_id"])
