"""What alerting keeps. Snapshots are facts as they came; everything else follows from them, from time, and from people.

`studies` has one row a study: whoever judges its cases locks it first. Nothing here is ever deleted but a site's
questions that were mailed; statuses change and history rows say from what to what.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    true,
)

from tocsin.store.tables import NAMES, BigKey
from tocsin.store.types import Instant, Json

HEAD = "0009"
MIGRATIONS = "alerting.migrations"

metadata = MetaData(naming_convention=NAMES)

studies = Table("studies", metadata, Column("id", Text, primary_key=True))

# What is known of cases: the latest snapshot for each (case, source, revision).
snapshots = Table(
    "snapshots",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("source", String(8), primary_key=True),  # "report" or "coding"
    Column("revision", Integer, primary_key=True),
    Column("study", Text, nullable=False),
    Column("subject", Text),  # of a report; a coding names none
    Column("at", Instant, nullable=False),  # received, or coded
    Column("message_id", Uuid, nullable=False),
    Column("body", Json, nullable=False),
    Column("kind", Text),  # what a report is about, where it says so; a coding says nothing of it
)
Index("ix_snapshots_study_kind", snapshots.c.study, snapshots.c.kind)
Index("ix_snapshots_study_subject", snapshots.c.study, snapshots.c.subject)
Index("ix_snapshots_source_at", snapshots.c.source, snapshots.c.at)

doses = Table(
    "doses",
    metadata,
    Column("record_id", Text, primary_key=True),
    Column("study", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("subject", Text),
    Column("kind", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("body", Json, nullable=False),
)
Index("ix_doses_study_subject", doses.c.study, doses.c.subject)

observations = Table(
    "observations",
    metadata,
    Column("record_id", Text, primary_key=True),
    Column("study", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("body", Json, nullable=False),
)
Index("ix_observations_study_subject", observations.c.study, observations.c.subject)

# The grades found from observations: of each the statement with the highest number.
grades = Table(
    "grades",
    metadata,
    Column("grade_id", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("study", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("known_at", Instant, nullable=False),  # receipt of what last made it what it is
    Column("body", Json, nullable=False),
)
Index("ix_grades_study_subject", grades.c.study, grades.c.subject)

# The regulatory clocks. Never deleted; `clock_history` holds each change with the old and the new facts.
clocks = Table(
    "clocks",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("event_id", Text),
    Column("study", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("clause", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("day_zero", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("status", String(12), nullable=False),
    Column("superseded_by", Uuid),
    Column("in_question", Boolean, nullable=False),
    Column("reasons", Json, nullable=False),
    Column("confidence", Text, nullable=False),
    Column("is_provisional", Boolean, nullable=False),
    Column("kept_at", Instant, nullable=False),
    Column("known_at", Instant),  # receipt of what started it: timed notices count from here
    Column("is_open", Boolean),  # something is still owed: it runs, or its late report was rejected
    Column("questions", Json),  # why a person must look, where it is in question
)
_OPEN = clocks.c.is_open.is_(True)
Index("ix_clocks_case_id", clocks.c.case_id)
Index("ix_clocks_due_at", clocks.c.due_at, sqlite_where=_OPEN, postgresql_where=_OPEN)
Index("ix_clocks_status_due_at", clocks.c.status, clocks.c.due_at)

clock_history = Table(
    "clock_history",
    metadata,
    Column("seq", BigKey, primary_key=True, autoincrement=True),
    Column("clock_id", Uuid, ForeignKey("clocks.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("status", String(12), nullable=False),
    Column("what", Text, nullable=False),
    Column("before", Json),
    Column("after", Json),
    Column("reason", Text, nullable=False),
)

# What was sent to whom, and what the other side said. A wrong entry is answered by another, never changed.
submissions = Table(
    "submissions",
    metadata,
    Column("id", Uuid, primary_key=True),
    # Where it was entered. No foreign key: on a rebuild the log may tell of it before the clock is there again.
    Column("clock_id", Uuid, nullable=False, index=True),
    Column("case_id", Text, nullable=False, index=True),
    Column("study", Text, nullable=False),
    Column("sent_at", Instant, nullable=False),
    Column("kind", String(13), nullable=False),
    Column("recipient", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("event_ids", Json, nullable=False),
    Column("revision", Integer, nullable=False),  # the newest report of the case when it was sent
    Column("entered_by", Text, nullable=False),
    Column("entered_at", Instant, nullable=False),
    Column("answer", String(8)),  # accepted, rejected
    Column("answered_at", Instant),
    Column("answer_reference", Text),
    Column("answer_reason", Text),
    Column("signed_by", Text),  # who signed for it at the other side
    Column("answer_entered_by", Text),
    Column("answer_entered_at", Instant),
)

# What people signed about a case. `signatures` are [{by, roles, meaning, at}]; it counts from `signed_at` on.
signed = Table(
    "signed",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Text, nullable=False, index=True),
    Column("study", Text, nullable=False),
    Column("deed", String(20), nullable=False),
    Column("body", Json, nullable=False),
    Column("reason", Text, nullable=False),
    Column("signatures", Json, nullable=False),
    Column("needs", Integer, nullable=False),  # how many different people must sign
    Column("asked_at", Instant, nullable=False),
    Column("signed_at", Instant),
)

# Two cases that may tell of the same event, as intake found them. `decision` is a person's: duplicate or distinct.
duplicates = Table(
    "duplicates",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("study", Text, nullable=False),
    Column("case_id", Text, nullable=False, index=True),
    Column("other_case_id", Text, nullable=False, index=True),
    Column("reasons", Json, nullable=False),
    Column("found_at", Instant, nullable=False),
    Column("decision", String(9)),
    Column("kept_case_id", Text),
    Column("decided_at", Instant),
    Column("decided_by", Text),
    Column("why", Text),
)

# Lists of the site's or EDC's serious events that were compared with ours, whole, with what differed.
reconciliations = Table(
    "reconciliations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("study", Text, nullable=False, index=True),
    Column("site", Text),  # none: the list was of all sites
    Column("source", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("agreed", Integer, nullable=False),
    Column("differences", Json, nullable=False),
)

# What the rules on dose-limiting toxicity say of each event, and of each finding that no report tells of.
verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("study", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("key", Text, nullable=False),  # the event's id, or what was measured and the day on which it began
    Column("case_id", Text),
    Column("event_id", Text),
    Column("state", String(16), nullable=False),
    Column("rule_id", Text),
    Column("is_provisional", Boolean, nullable=False),
    Column("matters", Boolean, nullable=False),  # to what a rule says of another event
    Column("body", Json, nullable=False),
)
Index("ix_verdicts_study_subject", verdicts.c.study, verdicts.c.subject)
Index("ix_verdicts_case_id", verdicts.c.case_id)

# Each change of a verdict, as it stands on the log. No foreign key: on a rebuild the log may tell of it first.
verdict_history = Table(
    "verdict_history",
    metadata,
    Column("verdict_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("rule_id", Text),
    Column("is_provisional", Boolean, nullable=False),
    Column("reasons", Json, nullable=False),
    Column("why", Text, nullable=False),  # what changed it
)

# What people signed of a verdict; the last word counts.
dlt_decisions = Table(
    "dlt_decisions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("verdict_id", Uuid, nullable=False, index=True),
    Column("study", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("event_id", Text),  # goes with the event, also to another subject
    Column("decision", String(16), nullable=False),  # CONFIRMED, REJECTED
    Column("rule_id", Text),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("roles", Json, nullable=False),
    Column("meaning", Text, nullable=False),
    Column("at", Instant, nullable=False),
)
Index("ix_dlt_decisions_event_id", dlt_decisions.c.event_id)
Index("ix_dlt_decisions_study_subject", dlt_decisions.c.study, dlt_decisions.c.subject)

# As of when the verdicts on a subject stand: the latest of all that was told of it, and of the limits that passed.
# `body` holds what the dose board needs of its events: deaths, days of contact, findings that pause the trial.
subject_watch = Table(
    "subject_watch",
    metadata,
    Column("study", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("as_of", Instant, nullable=False),
    Column("body", Json, nullable=False),
)

# Each time that a hold on infusions was set; it stays until it is lifted by signature, and may then be set anew.
holds = Table(
    "holds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("study", Text, nullable=False, index=True),
    Column("key", Text, nullable=False),  # what sets it: second_dlt:DL2, death:TOC-0031-E1
    Column("kind", String(40), nullable=False),
    Column("level", Text),
    Column("levels", Json, nullable=False),  # those that it stops; [] all
    Column("reasons", Json, nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("alert_id", Uuid),  # the alert that told a physician; none for what is only shown
)

# What people did about a hold: `lifted` by signature; `confirmed` by a site or the cell lab, which knows of it.
hold_deeds = Table(
    "hold_deeds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("study", Text, nullable=False, index=True),
    Column("key", Text, nullable=False),
    Column("what", String(12), nullable=False),
    Column("party", Text),  # who confirms: a site's id, or cell_lab
    Column("by", Text, nullable=False),
    Column("roles", Json, nullable=False),
    Column("meaning", Text),
    Column("reason", Text),
    Column("at", Instant, nullable=False),
)

# One thing that a person must do. `concerns` says which facts it has rung for, so that equal ones do not ring again.
alerts = Table(
    "alerts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dedupe_key", Text, nullable=False, unique=True),
    Column("group_key", Text),  # like things join one open alert of the same group
    Column("study", Text, nullable=False),
    Column("case_id", Text),
    Column("revision", Integer),
    Column("kind", Text, nullable=False),
    Column("level", String(10), nullable=False),
    Column("roles", Json, nullable=False),  # who, where the level's own policy is not meant; [] otherwise
    Column("avoid", Json),  # the [channel, address] whose failure this alert is about
    Column("reasons", Json, nullable=False),
    Column("assumptions", Json, nullable=False),
    Column("is_provisional", Boolean, nullable=False),
    Column("due", Json),  # the soonest clock when it rang: what the mail says
    Column("state", String(14), nullable=False),  # open, acknowledged, closed
    Column("raised_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("settled_by", Text),
    Column("nobody_since", Instant),
    Column("policy", Json),  # of the call plan, as it was when it was raised; none: the house's own
    Column("closed_why", Text),  # what a person said who closed it; none where it ended by itself
)
Index("ix_alerts_case_id", alerts.c.case_id)
Index("ix_alerts_group_key", alerts.c.group_key)
Index("ix_alerts_state_raised_at", alerts.c.state, alerts.c.raised_at)

concerns = Table(
    "concerns",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("level", String(10), primary_key=True),
    Column("alert_id", Uuid, ForeignKey("alerts.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("event_id", Text),
    Column("reasons", Json, nullable=False),
    Column("is_provisional", Boolean, nullable=False),
)

acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("alert_id", Uuid, ForeignKey("alerts.id"), primary_key=True),
    Column("by", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("roles", Json, nullable=False),
    # Whether the ringing stops with it: false while others on the same step must acknowledge, too.
    Column("settles", Boolean, nullable=False, server_default=true()),
    Column("handed", Integer, nullable=False, server_default="0"),  # how often it had been handed over by then
)

# To whom an alert was handed over. The person with the highest number has it.
assignments = Table(
    "assignments",
    metadata,
    Column("alert_id", Uuid, ForeignKey("alerts.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("to", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)

# One notice is one step of one alert to one role (or one letter to a site). `bell` is all that may leave the house.
notices = Table(
    "notices",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("alert_id", Uuid, ForeignKey("alerts.id"), index=True),  # none for a site's questions
    Column("step", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("rung_role", Text),  # who was rung instead, where nobody is reachable as `role`; none when nobody at all
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("bell", Json, nullable=False),
    Column("cause", String(8), nullable=False, server_default="policy"),  # policy, assigned, reminder
    Column("people", Json),  # the names of those whom it rang, where a call plan names them
    Column("everyone", Boolean, nullable=False, server_default=false()),  # all of these must acknowledge
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("notice_id", Uuid, ForeignKey("notices.id"), nullable=False),
    Column("alert_id", Uuid),
    Column("channel", String(8), nullable=False),  # mail or webhook
    Column("address", Text, nullable=False),  # a mail address, or the id of a webhook
    Column("urgency", Integer, nullable=False),
    Column("state", String(9), nullable=False),  # pending, sending, delivered, dead
    Column("attempts", Integer, nullable=False),
    Column("forgiven", Integer, nullable=False),  # attempts before a person asked for another: not counted for back-off
    Column("next_attempt_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("holder", Text),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("why", Text),
    UniqueConstraint("notice_id", "channel", "address"),
)
Index("ix_deliveries_state_next_attempt_at", deliveries.c.state, deliveries.c.channel, deliveries.c.next_attempt_at)
Index("ix_deliveries_alert_id", deliveries.c.alert_id)

# The intent is written and committed before the send; the outcome after it. No outcome: the process ended in between.
attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", Uuid, ForeignKey("deliveries.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("begun_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", String(9)),  # delivered, try_again, give_up
    Column("why", Text),
    Column("took_ms", Integer),
)

# What time owes: "due and not done", never equality with a day.
timers = Table(
    "timers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("about", Text, nullable=False),
    Column("study", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("done_at", Instant),
    Column("outcome", Text),
)
_WAITING = timers.c.done_at.is_(None)
Index("ix_timers_due", timers.c.kind, timers.c.due_at, sqlite_where=_WAITING, postgresql_where=_WAITING)

queries = Table(
    "queries",
    metadata,
    Column("query_id", Text, primary_key=True),
    Column("study", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("case_id", Text),  # none: a list of the site names an event that we hold no case of
    Column("batch", Text),
    Column("raised_at", Instant, nullable=False),
    Column("letter", Uuid, nullable=False, index=True),  # the timer that gathers questions into one letter
    Column("notice_id", Uuid, ForeignKey("notices.id")),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigKey, primary_key=True, autoincrement=False),
    Column("consumer", Text, primary_key=True),  # two may have given up the same message
    Column("alert_id", Uuid, ForeignKey("alerts.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)

# What people and timers did, as it stands on the log. Written with the deed; on a rebuild it comes from the log.
decisions = Table(
    "decisions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("about", Text, nullable=False, index=True),
    Column("what", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("body", Json, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("study", Text, nullable=False),
    Column("role", Text, nullable=False),  # a role, or "all"
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("disabled_why", Text),
    # While a secret is exchanged both sign, so that the receiver may change over at any moment until then.
    Column("earlier_secret", Text),
    Column("earlier_until", Instant),
    Column("failing_since", Instant),  # the first failed try after which none succeeded
)

# Who is told in a study: the whole document of each version. The one with the highest version counts.
call_plans = Table(
    "call_plans",
    metadata,
    Column("study", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", Text, nullable=False),
    Column("saved_at", Instant, nullable=False),
    Column("saved_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

# Somebody has a role in place of whoever the rota names. Of several the one that was made last counts.
overrides = Table(
    "overrides",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("study", Text, nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("begins", Instant, nullable=False),
    Column("ends", Instant, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("withdrawn_at", Instant),
    Column("withdrawn_by", Text),
)

# The last heartbeat that arrived, by what brought it: the report itself, or its coding.
heartbeats = Table(
    "heartbeats",
    metadata,
    Column("leg", String(8), primary_key=True),
    Column("beat_at", Instant, nullable=False),
    Column("arrived_at", Instant, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("roles", Json, nullable=False),
    Column("password", Text, nullable=False),  # argon2id
    Column("added_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Instant),
    Column("study", Text),  # of a site's person, with the site
    Column("site", Text),
    Column("closed_at", Instant),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account", Text, ForeignKey(accounts.c.name), nullable=False),
    Column("begun_at", Instant, nullable=False),  # by the machine's time, as logins are
    Column("until", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_because", Text),
)
Index("ix_sessions_account", sessions.c.account)

# What somebody wrote and has not signed: nobody else sees it, and no rule reads it.
drafts = Table(
    "drafts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("about", Text, primary_key=True),
    Column("body", Json, nullable=False),
    Column("saved_at", Instant, nullable=False),
)
