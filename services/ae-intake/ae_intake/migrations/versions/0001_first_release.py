"""The first release: the ledger, keys, cases with their revisions, queries, doses, observations, receipts."""

import sqlalchemy as sa
from alembic import op

from tocsin.store.ledger_migrations import create_ledger
from tocsin.store.tables import BigKey
from tocsin.store.types import Instant, Json

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_ledger(op)
    _keys_and_counters()
    _cases()
    _queries()
    _records()


def _keys_and_counters() -> None:
    op.create_table(
        "keys",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("site", sa.Text, comment="NULL: every site of the study"),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("revoked_at", Instant),
        sa.PrimaryKeyConstraint("key_id", name="pk_keys"),
        sa.UniqueConstraint("hash", name="uq_keys_hash"),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )
    op.execute("INSERT INTO counters (name, value) VALUES ('case', 0)")


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("is_nullified", sa.Boolean, nullable=False),
        sa.Column("is_complete", sa.Boolean, nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.Column("revised_at", Instant, nullable=False),
        sa.Column("system", sa.Text),
        sa.Column("batch", sa.Text),
        sa.Column("reference", sa.Text),
        sa.Column("reporter", sa.Text),
        sa.PrimaryKeyConstraint("case_id", name="pk_cases"),
        sa.UniqueConstraint("number", name="uq_cases_number"),
    )
    op.create_index("ix_cases_whose", "cases", ["study", "site", "number"])
    op.create_index("ix_cases_subject", "cases", ["study", "subject"])
    op.create_table(
        "revisions",
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("how", sa.Text, nullable=False, comment="report, follow_up, answer, moved"),
        sa.Column("received_at", Instant, nullable=False, comment="when these facts reached the server"),
        sa.Column("recorded_at", Instant, nullable=False),
        sa.Column("sent_by", sa.Text, nullable=False),
        sa.Column("statement", sa.Text),
        sa.Column("sent", sa.Text, nullable=False, comment="the request, as sent"),
        sa.Column("body", sa.Text, nullable=False, comment="ReportReceivedV1, as said on the bus"),
        sa.PrimaryKeyConstraint("case_id", "revision", name="pk_revisions"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name="fk_revisions_case_id"),
    )
    op.create_table(
        "events",
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("verbatim", sa.Text, nullable=False),
        sa.Column("onset", sa.Text),
        sa.Column("is_nullified", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_events"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name="fk_events_case_id"),
    )
    op.create_index("ix_events_subject", "events", ["study", "subject"])
    op.create_index("ix_events_case_id", "events", ["case_id"])
    op.create_table(
        "duplicate_links",
        sa.Column("link_id", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("other_case_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("reasons", Json, nullable=False),
        sa.Column("found_at", Instant, nullable=False),
        sa.Column("status", sa.Text, nullable=False, comment="open until a person decides"),
        sa.PrimaryKeyConstraint("link_id", name="pk_duplicate_links"),
        sa.UniqueConstraint("case_id", "other_case_id", name="uq_duplicate_links_case_id_other_case_id"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.case_id"], name="fk_duplicate_links_case_id"),
        sa.ForeignKeyConstraint(["other_case_id"], ["cases.case_id"], name="fk_duplicate_links_other_case_id"),
    )
    op.create_index("ix_duplicate_links_other_case_id", "duplicate_links", ["other_case_id"])


def _queries() -> None:
    op.create_table(
        "queries",
        sa.Column("seq", BigKey, autoincrement=True, nullable=False),
        sa.Column("query_id", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("raised_by", sa.Text, nullable=False),
        sa.Column("raised_at", Instant, nullable=False),
        sa.Column("batch", sa.Text),
        sa.Column(
            "status",
            sa.Text,
            nullable=False,
            comment="open, answered, or settled (the facts answer it by now)",
        ),
        sa.Column("settled_at", Instant),
        sa.Column("settled_by", sa.Text),
        sa.Column("settled_revision", sa.Integer),
        sa.PrimaryKeyConstraint("seq", name="pk_queries"),
        sa.UniqueConstraint("query_id", name="uq_queries_query_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_queries_whose", "queries", ["study", "site", "status", "seq"])
    op.create_index("ix_queries_case_id", "queries", ["case_id"])


def _records() -> None:
    op.create_table(
        "doses",
        sa.Column("record_id", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.Column("sent_by", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("record_id", name="pk_doses"),
    )
    op.create_index("ix_doses_subject", "doses", ["study", "subject"])
    op.create_table(
        "observations",
        sa.Column("record_id", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.Column("sent_by", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("record_id", name="pk_observations"),
    )
    op.create_index("ix_observations_subject", "observations", ["study", "subject"])
    op.create_table(
        "receipts",
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False, comment="the key's site, or * for a key of all sites"),
        sa.Column("key", sa.Text, nullable=False, comment="the Idempotency-Key"),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("answered_at", Instant, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("study", "scope", "key", name="pk_receipts"),
    )
