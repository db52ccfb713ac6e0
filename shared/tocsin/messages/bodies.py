"""The bodies of the messages of the first release, one class a message, each a full snapshot."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from tocsin.domain.words import Scale
from tocsin.messages.envelope import Body
from tocsin.messages.facts import (
    DoseFacts,
    EventFacts,
    Observation,
    ReportFacts,
)


class KeptEvent(Body):
    """An event with the number it has here: `TOC-0031-E2`. It keeps that number over all revisions."""

    event_id: str
    facts: EventFacts


class Contradiction(Body):
    """Two facts that cannot both be. `read_as` is the worse reading, which counts until the site answers."""

    pointer: str
    problem: str
    read_as: str


class DuplicateLink(Body):
    """A case that may tell of the same event, and why. A person decides, by the pair's `id`."""

    id: str | None = None
    case_id: str
    reasons: list[str]


class ReportReceivedV1(Body):
    """A whole report as the site sent it, with the numbers we gave. A follow-up raises `revision`.

    `statement` is what the site said in words when this revision answered a query.
    """

    case_id: str
    revision: int = Field(ge=1)
    study: str
    site: str
    subject: str | None = None
    received_at: datetime
    facts: ReportFacts
    events: list[KeptEvent]
    is_nullified: bool = False
    reason: str | None = None
    statement: str | None = None
    missing: list[str] = Field(default_factory=list)
    contradictions: list[Contradiction] = Field(default_factory=list)
    possible_duplicates: list[DuplicateLink] = Field(default_factory=list)


class DoseRecordedV1(Body):
    """Who was enrolled, dosed or withdrawn, or what went wrong with a product."""

    record_id: str
    study: str
    site: str
    subject: str | None = None
    received_at: datetime
    facts: DoseFacts


class ObservationsRecordedV1(Body):
    """Observations of one subject, as posted together."""

    record_id: str
    study: str
    site: str
    subject: str
    received_at: datetime
    observations: list[Observation]


class CandidateTerm(Body):
    code: str
    term: str
    soc: str
    score: float
    why: str


class ToldBeside(Body):
    """What a verbatim says beside its event, in its own words: a grade, a date, a value, a relation, a side ..."""

    kind: str
    words: str


class EventPart(Body):
    """One of several events that a verbatim names, and the code proposed for it."""

    words: str
    code: str


class CodedEvent(Body):
    """What the coder made of one event. `grades` carries the site's grade on, per scale, unchanged.

    `path` leads from the lowest level term up to the system organ class, as far as the dictionary gives it; `smqs` are
    the standardised queries that the term belongs to. `synonyms` is the revision of the synonyms that were asked.
    """

    event_id: str
    verbatim: str
    status: Literal["coded", "needs_review", "corrected"]
    llt_code: str | None = None
    term: str | None = None
    soc: str | None = None
    method: str
    confidence: float | None = None
    reasons: list[str]
    candidates: list[CandidateTerm] = Field(default_factory=list)
    grades: dict[str, int] = Field(default_factory=dict)
    path: list[str] = Field(default_factory=list)
    smqs: list[str] = Field(default_factory=list)
    told: list[ToldBeside] = Field(default_factory=list)
    split: list[EventPart] = Field(default_factory=list)
    dictionary: str | None = None
    synonyms: str | None = None


class EventsCodedV1(Body):
    """Every event of one revision of a case, coded or held for a person."""

    case_id: str
    revision: int = Field(ge=1)
    study: str
    dictionary: str
    coded_at: datetime
    coder: str
    events: list[CodedEvent]


class DerivedGrade(Body):
    """A grade found from observations, on one scale, from `lowest` to `highest`; both none where it cannot be graded.

    `grade_id` stays the same when the observation is corrected: the statement of it with the highest `number` counts,
    and `is_withdrawn` says that the observation it rested on is gone. `evidence` are observations,
    `record_id/place`; `said` is what was measured, in words.
    """

    grade_id: str
    number: int = Field(1, ge=1)
    scale: Scale
    edition: str
    term: str
    code: str | None = None
    at: str
    lowest: int | None = Field(None, ge=0, le=5)
    highest: int | None = Field(None, ge=0, le=5)
    because: str | None = None
    reasons: list[str] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)
    evidence: list[str]
    said: str
    is_withdrawn: bool = False


class GradesDerivedV1(Body):
    """What the observations of one subject were graded as: every grade that a record made, changed or took back.

    `record_id` is the record that caused it, `part` of `parts` where one message would be too long.
    """

    record_id: str
    part: int = 1
    parts: int = 1
    study: str
    site: str
    subject: str
    derived_at: datetime
    grader: str
    grades: list[DerivedGrade]


QueryKind = Literal[
    "missing", "contradiction", "duplicate", "awareness", "grade", "follow_up", "reconciliation", "coding"
]


class QueryRaisedV1(Body):
    """What is asked of a site. `about` is a JSON Pointer into the report.

    `case_id` is none where a list of the site names an event that we hold no case of: then the site is asked for one.
    """

    query_id: str
    case_id: str | None = None
    study: str
    site: str
    kind: QueryKind
    about: str
    question: str
    raised_at: datetime
    batch: str | None = None


class DecisionRecordedV1(Body):
    """What a person decided or a timer did: on the log, so that a rebuild knows it too."""

    decision_id: str
    case_id: str | None = None
    study: str
    what: str
    by: str
    at: datetime
    about: str
    reason: str | None = None
    detail: dict[str, str | int | float | bool | list[str] | None] = Field(default_factory=dict)


class AlertRaisedV1(Body):
    """The bell rang, and why. Stays inside the walls: webhooks and mail carry less."""

    alert_id: str
    case_id: str | None
    study: str
    kind: str
    level: str
    reasons: list[str]
    raised_at: datetime


class AlertSettledV1(Body):
    """Who answered."""

    alert_id: str
    case_id: str | None
    study: str
    how: Literal["acknowledged", "closed"]
    by: str
    at: datetime
    reason: str | None = None
