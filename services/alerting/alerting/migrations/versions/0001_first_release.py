"""The first release: the ledger, and all that alerting keeps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tocsin.store.ledger_migrations import create_ledger
from tocsin.store.tables import BigKey
from tocsin.store.types import Instant, Json

revision = "0001"
down_revision = None


def upgrade() -> None:
    """From nothing. A step is history: what changes later is a step of its own."""
    create_ledger(op)
    op.create_table(
        "accounts",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("roles", Json, nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("added_at", Instant, nullable=False),
        sa.Column("changed_at", Instant, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until", Instant),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_accounts")),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("dedupe_key", sa.Text, nullable=False),
        sa.Column("group_key", sa.Text),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text),
        sa.Column("revision", sa.Integer),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("level", sa.String(10), nullable=False),
        sa.Column("roles", Json, nullable=False),
        sa.Column("avoid", Json),
        sa.Column("reasons", Json, nullable=False),
        sa.Column("assumptions", Json, nullable=False),
        sa.Column("is_provisional", sa.Boolean, nullable=False),
        sa.Column("due", Json),
        sa.Column("state", sa.String(14), nullable=False),
        sa.Column("raised_at", Instant, nullable=False),
        sa.Column("settled_at", Instant),
        sa.Column("settled_by", sa.Text),
        sa.Column("nobody_since", Instant),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_alerts_dedupe_key")),
    )
    op.create_index("ix_alerts_case_id", "alerts", ["case_id"])
    op.create_index("ix_alerts_group_key", "alerts", ["group_key"])
    op.create_index("ix_alerts_state_raised_at", "alerts", ["state", "raised_at"])
    op.create_table(
        "clocks",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("clause", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("day_zero", sa.Date, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.Column("due_at", Instant, nullable=False),
        sa.Column("started_at", Instant, nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("superseded_by", sa.Uuid),
        sa.Column("in_question", sa.Boolean, nullable=False),
        sa.Column("reasons", Json, nullable=False),
        sa.Column("confidence", sa.Text, nullable=False),
        sa.Column("is_provisional", sa.Boolean, nullable=False),
        sa.Column("kept_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clocks")),
    )
    op.create_index("ix_clocks_case_id", "clocks", ["case_id"])
    op.create_index("ix_clocks_status_due_at", "clocks", ["status", "due_at"])
    op.create_table(
        "decisions",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index(op.f("ix_decisions_about"), "decisions", ["about"])
    op.create_table(
        "doses",
        sa.Column("record_id", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_doses")),
    )
    op.create_index("ix_doses_study_subject", "doses", ["study", "subject"])
    op.create_table(
        "observations",
        sa.Column("record_id", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_observations")),
    )
    op.create_index("ix_observations_study_subject", "observations", ["study", "subject"])
    op.create_table(
        "snapshots",
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("at", Instant, nullable=False),
        sa.Column("message_id", sa.Uuid, nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "source", "revision", name=op.f("pk_snapshots")),
    )
    op.create_index("ix_snapshots_study_subject", "snapshots", ["study", "subject"])
    op.create_table(
        "studies", sa.Column("id", sa.Text, nullable=False), sa.PrimaryKeyConstraint("id", name=op.f("pk_studies"))
    )
    op.create_table(
        "timers",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("due_at", Instant, nullable=False),
        sa.Column("urgency", sa.Integer, nullable=False),
        sa.Column("done_at", Instant),
        sa.Column("outcome", sa.Text),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timers")),
    )
    op.create_index(
        "ix_timers_due",
        "timers",
        ["kind", "due_at"],
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("added_at", Instant, nullable=False),
        sa.Column("disabled_at", Instant),
        sa.Column("disabled_why", sa.Text),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_table(
        "acknowledgements",
        sa.Column("alert_id", sa.Uuid, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("roles", Json, nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_acknowledgements_alert_id")),
        sa.PrimaryKeyConstraint("alert_id", "by", name=op.f("pk_acknowledgements")),
    )
    op.create_table(
        "clock_history",
        sa.Column("seq", BigKey, autoincrement=True, nullable=False),
        sa.Column("clock_id", sa.Uuid, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("before", Json),
        sa.Column("after", Json),
        sa.Column("reason", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["clock_id"], ["clocks.id"], name=op.f("fk_clock_history_clock_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_clock_history")),
    )
    op.create_index(op.f("ix_clock_history_clock_id"), "clock_history", ["clock_id"])
    op.create_table(
        "concerns",
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("level", sa.String(10), nullable=False),
        sa.Column("alert_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text),
        sa.Column("reasons", Json, nullable=False),
        sa.Column("is_provisional", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_concerns_alert_id")),
        sa.PrimaryKeyConstraint("case_id", "key", "level", name=op.f("pk_concerns")),
    )
    op.create_index(op.f("ix_concerns_alert_id"), "concerns", ["alert_id"])
    op.create_table(
        "dead_letters",
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("offset", BigKey, autoincrement=False, nullable=False),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("alert_id", sa.Uuid, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_dead_letters_alert_id")),
        sa.PrimaryKeyConstraint("topic", "partition", "offset", "consumer", name=op.f("pk_dead_letters")),
    )
    op.create_index(op.f("ix_dead_letters_alert_id"), "dead_letters", ["alert_id"])
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("alert_id", sa.Uuid),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("rung_role", sa.Text),
        sa.Column("at", Instant, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("bell", Json, nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_notices_alert_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index(op.f("ix_notices_alert_id"), "notices", ["alert_id"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("notice_id", sa.Uuid, nullable=False),
        sa.Column("alert_id", sa.Uuid),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("urgency", sa.Integer, nullable=False),
        sa.Column("state", sa.String(9), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("forgiven", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", Instant, nullable=False),
        sa.Column("lease_until", Instant),
        sa.Column("holder", sa.Text),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("ended_at", Instant),
        sa.Column("why", sa.Text),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name=op.f("fk_deliveries_notice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("notice_id", "channel", "address", name=op.f("uq_deliveries_notice_id_channel_address")),
    )
    op.create_index("ix_deliveries_alert_id", "deliveries", ["alert_id"])
    op.create_index("ix_deliveries_state_next_attempt_at", "deliveries", ["state", "channel", "next_attempt_at"])
    op.create_table(
        "queries",
        sa.Column("query_id", sa.Text, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("batch", sa.Text),
        sa.Column("raised_at", Instant, nullable=False),
        sa.Column("letter", sa.Uuid, nullable=False),
        sa.Column("notice_id", sa.Uuid),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name=op.f("fk_queries_notice_id")),
        sa.PrimaryKeyConstraint("query_id", name=op.f("pk_queries")),
    )
    op.create_index(op.f("ix_queries_letter"), "queries", ["letter"])
    op.create_table(
        "attempts",
        sa.Column("delivery_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("begun_at", Instant, nullable=False),
        sa.Column("ended_at", Instant),
        sa.Column("outcome", sa.String(9)),
        sa.Column("why", sa.Text),
        sa.Column("took_ms", sa.Integer),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_attempts_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_attempts")),
    )
