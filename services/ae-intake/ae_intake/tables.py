"""What ae-intake keeps beside the ledger. Facts are kept as JSON text, to the byte; nothing here is ever deleted but a
draft, which is no record: it goes when it is sent or thrown away.

`keys`             who may post, as hashes
`counters`         the last case number given; its one row is also the turn that every writer takes
`cases`            one row a case: whose it is, and its newest revision
`revisions`        every revision: what was sent, and the whole snapshot that went onto the bus
`events`           the newest state of each event, as far as likely duplicates are looked for
`duplicate_links`  two cases that may tell of one event; a person decides
`queries`          what is asked of a site, by whichever service asks
`doses`, `observations`  what was recorded, as sent
`receipts`         what was answered under an Idempotency-Key
`drafts`           reports that a site has begun on the form and not yet sent
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    DDL,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)

from tocsin.store.tables import NAMES, BigKey
from tocsin.store.types import Instant, Json

HEAD = "0004"
MIGRATIONS = Path(__file__).parent / "migrations"

FIRST_COUNT = "INSERT INTO counters (name, value) VALUES ('case', 0)"

metadata = MetaData(naming_convention=NAMES)

keys = Table(
    "keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("study", Text, nullable=False),
    Column("site", Text, comment="NULL: every site of the study"),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)
event.listen(counters, "after_create", DDL(FIRST_COUNT))  # type: ignore[no-untyped-call]

cases = Table(
    "cases",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("study", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("subject", Text),
    Column("kind", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("is_nullified", Boolean, nullable=False),
    Column("is_complete", Boolean, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("revised_at", Instant, nullable=False),
    Column("system", Text),
    Column("batch", Text),
    Column("reference", Text),
    Column("reporter", Text),
)
Index("ix_cases_whose", cases.c.study, cases.c.site, cases.c.number)
Index("ix_cases_subject", cases.c.study, cases.c.subject)

revisions = Table(
    "revisions",
    metadata,
    Column("case_id", Text, ForeignKey(cases.c.case_id), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("how", Text, nullable=False, comment="report, follow_up, answer, moved"),
    Column("received_at", Instant, nullable=False, comment="when these facts reached the server"),
    Column("recorded_at", Instant, nullable=False),
    Column("sent_by", Text, nullable=False),
    Column("statement", Text),
    Column("sent", Text, nullable=False, comment="the request, as sent"),
    Column("body", Text, nullable=False, comment="ReportReceivedV1, as said on the bus"),
)

events = Table(
    "events",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("case_id", Text, ForeignKey(cases.c.case_id), nullable=False),
    Column("study", Text, nullable=False),
    Column("subject", Text),
    Column("verbatim", Text, nullable=False),
    Column("onset", Text),
    Column("is_nullified", Boolean, nullable=False),
)
Index("ix_events_subject", events.c.study, events.c.subject)
Index("ix_events_case_id", events.c.case_id)

duplicate_links = Table(
    "duplicate_links",
    metadata,
    Column("link_id", Text, primary_key=True),
    Column("case_id", Text, ForeignKey(cases.c.case_id), nullable=False),
    Column("other_case_id", Text, ForeignKey(cases.c.case_id), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("reasons", Json, nullable=False),
    Column("found_at", Instant, nullable=False),
    Column("status", Text, nullable=False, comment="open until a person decides"),
    UniqueConstraint("case_id", "other_case_id"),
)
Index("ix_duplicate_links_other_case_id", duplicate_links.c.other_case_id)

queries = Table(
    "queries",
    metadata,
    Column("seq", BigKey, primary_key=True, autoincrement=True),
    Column("query_id", Text, nullable=False, unique=True),
    Column("case_id", Text, comment="none: a list of the site names an event that we hold no case of"),
    Column("study", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("raised_by", Text, nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("batch", Text),
    Column("status", Text, nullable=False, comment="open, answered, or settled (the facts answer it by now)"),
    Column("settled_at", Instant),
    Column("settled_by", Text),
    Column("settled_revision", Integer),
    Column("statement", Text, comment="the answer in words, where there is no case to keep it with"),
    sqlite_autoincrement=True,
)
Index("ix_queries_whose", queries.c.study, queries.c.site, queries.c.status, queries.c.seq)
Index("ix_queries_case_id", queries.c.case_id)

doses = Table(
    "doses",
    metadata,
    Column("record_id", Text, primary_key=True),
    Column("study", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("subject", Text),
    Column("kind", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("sent_by", Text, nullable=False),
    Column("facts", Text, nullable=False),
)
Index("ix_doses_subject", doses.c.study, doses.c.subject)

observations = Table(
    "observations",
    metadata,
    Column("record_id", Text, primary_key=True),
    Column("study", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("sent_by", Text, nullable=False),
    Column("facts", Text, nullable=False),
)
Index("ix_observations_subject", observations.c.study, observations.c.subject)

receipts = Table(
    "receipts",
    metadata,
    Column("study", Text, primary_key=True),
    Column("scope", Text, primary_key=True, comment="the key's site, or * for a key of all sites"),
    Column("key", Text, primary_key=True, comment="the Idempotency-Key"),
    Column("digest", String(64), nullable=False),
    Column("answered_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
)

drafts = Table(
    "drafts",
    metadata,
    Column("study", Text, primary_key=True),
    Column("site", Text, primary_key=True),
    Column("draft_id", String(36), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("page", String(36), nullable=False, comment="the opened page that saved it last"),
    Column("fields", Text, nullable=False, comment="what was typed, as JSON"),
    Column("saved_at", Instant, nullable=False),
    Column("saved_by", Text, nullable=False),
)
