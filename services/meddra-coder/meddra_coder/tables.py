"""What the coder keeps: every coding and every grade it ever gave, and the observations that grades rest on.

Rows are added, never changed: the newest coding of an event and the newest statement of a grade count. A proposal alone
gets its answer in its own row, once.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text, Uuid

from tocsin.store.tables import NAMES, BigKey
from tocsin.store.types import Instant, Json

HEAD = "0005"
"""The newest migration."""

metadata = MetaData(naming_convention=NAMES)

revisions = Table(
    "revisions",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("study", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    # {event_id: "yes", "no" or "unknown"}: a serious event is reviewed first. None before this was kept.
    Column("serious", Json),
    # Whom to ask, and of whom it tells. None before this was kept; a rebuild knows it from the log.
    Column("site", Text),
    Column("subject", Text),
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
    # None in codings from before the path and the synonyms were kept.
    Column("path", Json),
    Column("smqs", Json),
    Column("told", Json),
    Column("split", Json),
    Column("synonyms", Text),
)
Index("ix_codings_case", codings.c.case_id, codings.c.revision, codings.c.seq)
Index("ix_codings_decision", codings.c.decision_id, codings.c.event_id, unique=True)
Index("ix_codings_status", codings.c.status, codings.c.coded_at)

# A version of a licensed dictionary, whole and never changed: `image` holds its terms and its index.
dictionaries = Table(
    "dictionaries",
    metadata,
    Column("version", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("encoding", Text, nullable=False),
    Column("terms", Integer, nullable=False),
    Column("current_terms", Integer, nullable=False),
    Column("loaded_at", Instant, nullable=False),
    Column("loaded_by", Text, nullable=False),
    Column("image", LargeBinary, nullable=False),
)

# With which version a study is coded from when on, by whose decision; the newest counts. None: the shipped dictionary.
dictionary_uses = Table(
    "dictionary_uses",
    metadata,
    Column("seq", BigKey, primary_key=True, autoincrement=True),
    Column("decision_id", Uuid, nullable=False, unique=True),
    Column("study", Text, nullable=False),
    Column("version", Text),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)

# What people said of a (phrase, scope, study). `state`: proposed, approved, refused, withdrawn; the newest that is
# approved or withdrawn counts, and a proposal waits as long as nothing newer was said.
synonyms = Table(
    "synonyms",
    metadata,
    Column("seq", BigKey, primary_key=True, autoincrement=True),
    Column("decision_id", Uuid, nullable=False, unique=True),
    Column("text", Text, nullable=False),  # the phrase in its normal form
    Column("phrase", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("scope", String(6), nullable=False),  # study or global
    Column("study", Text),
    Column("state", String(9), nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)
Index("ix_synonyms_text", synonyms.c.text, synonyms.c.scope, synonyms.c.study, synonyms.c.seq)

# Phrases that are never coded automatically; the newest of a (phrase, study) counts. Study none: in all.
held_phrases = Table(
    "held_phrases",
    metadata,
    Column("seq", BigKey, primary_key=True, autoincrement=True),
    Column("decision_id", Uuid, nullable=False, unique=True),
    Column("text", Text, nullable=False),
    Column("phrase", Text, nullable=False),
    Column("study", Text),
    Column("is_held", Boolean, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)
Index("ix_held_phrases_text", held_phrases.c.text, held_phrases.c.study, held_phrases.c.seq)

# A coder's decision that waits for a second person; `state`: proposed, approved, refused.
proposals = Table(
    "proposals",
    metadata,
    Column("decision_id", Uuid, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("study", Text, nullable=False),
    Column("llt_code", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("second", Text),
    Column("second_at", Instant),
    Column("second_reason", Text),
)
Index("ix_proposals_case", proposals.c.case_id, proposals.c.event_id)

# What a person asked a site of an event; the site answers at intake, where every question stands.
site_questions = Table(
    "site_questions",
    metadata,
    Column("query_id", Uuid, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("study", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
)
Index("ix_site_questions_case", site_questions.c.case_id, site_questions.c.event_id)

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
