"""What the coder keeps: every coding and every grade it ever gave, and the observations that grades rest on.

Rows are added, never changed: the newest coding of an event and the newest statement of a grade count.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text, Uuid

from tocsin.store.tables import NAMES, BigKey
from tocsin.store.types import Instant, Json

HEAD = "0002"
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

# NCI's own words, where whoever runs this house has loaded them; grade 0 is the definition.
criteria_texts = Table(
    "criteria_texts",
    metadata,
    Column("edition", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("grade", Integer, primary_key=True, autoincrement=False),
    Column("term", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("loaded_at", Instant, nullable=False),
)

# What was observed, as it was said. Which of them count is found when they are read: a correction takes the place of
# what has the same `ref`. `analyte` is none where no analyte has this name, and for what is no measurement.
observations = Table(
    "observations",
    metadata,
    Column("id", Text, primary_key=True),  # record_id/place
    Column("study", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("kind", String(14), nullable=False),
    Column("analyte", Text),
    Column("ref", Text),
    Column("is_correction", Boolean, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("body", Json, nullable=False),
)
Index(
    "ix_observations_subject", observations.c.study, observations.c.subject, observations.c.kind, observations.c.analyte
)

# When a subject was infused: before that a value may be a baseline, and no syndrome is the product's.
infusions = Table(
    "infusions",
    metadata,
    Column("record_id", Text, primary_key=True),
    Column("study", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("started_at", Text, nullable=False),  # as the site wrote it
    Column("received_at", Instant, nullable=False),
)
Index("ix_infusions_subject", infusions.c.study, infusions.c.subject)

# Every statement of a grade, newest last; `is_withdrawn`: the observation it rested on is gone.
grades = Table(
    "grades",
    metadata,
    Column("seq", BigKey, primary_key=True, autoincrement=True),
    Column("grade_id", Text, nullable=False),
    Column("record_id", Text, nullable=False),  # what made it, changed it or took it back
    Column("study", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("about", Text, nullable=False),  # the analyte, or the syndrome
    Column("derived_at", Instant, nullable=False),
    Column("body", Json, nullable=False),
)
Index("ix_grades_subject", grades.c.study, grades.c.subject, grades.c.about, grades.c.seq)
Index("ix_grades_grade", grades.c.grade_id, grades.c.record_id, unique=True)
