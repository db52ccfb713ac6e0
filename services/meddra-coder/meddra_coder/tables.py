"""What the coder keeps: one row for each coding it ever gave, the newest of which counts.

Rows are added, never changed: a person's decision is a row of its own beside the machine's.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, MetaData, Table, Text, Uuid

from tocsin.store.tables import NAMES, BigKey
from tocsin.store.types import Instant, Json

HEAD = "0001"
"""The newest migration."""

metadata = MetaData(naming_convention=NAMES)

revisions = Table(
    "revisions",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("study", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
)

codings = Table(
    "codings",
    metadata,
    Column("seq", BigKey, primary_key=True, autoincrement=True),
    # One decision codes one event once: a second delivery of the same finds its row here.
    Column("decision_id", Uuid, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("study", Text, nullable=False),
    Column("verbatim", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("llt_code", Text),
    Column("term", Text),
    Column("soc", Text),
    Column("method", Text, nullable=False),
    Column("confidence", Float),
    Column("reasons", Json, nullable=False),
    Column("candidates", Json, nullable=False),
    Column("grades", Json, nullable=False),
    Column("dictionary", Text, nullable=False),
    Column("coded_at", Instant, nullable=False),
    Column("coded_by", Text, nullable=False),
)
Index("ix_codings_case", codings.c.case_id, codings.c.revision, codings.c.seq)
Index("ix_codings_decision", codings.c.decision_id, codings.c.event_id, unique=True)
Index("ix_codings_status", codings.c.status, codings.c.coded_at)
