"""What may be read back, as it is shown: cases with their history, and queries."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from ae_intake.receipts import AskedQuery, DayZero, MissingElement, Part, StartedClock
from tocsin.domain.words import ReportKind
from tocsin.messages.bodies import Contradiction, DuplicateLink, KeptEvent, QueryKind
from tocsin.messages.facts import ReportFacts

Status = Literal["open", "answered", "settled"]


class Revision(Part):
    """One entry of a case's history: what was sent, when, by which key."""

    revision: int
    how: Literal["report", "follow_up", "answer", "moved"]
    received_at: datetime
    recorded_at: datetime
    sent_by: str
    reason: str | None
    statement: str | None
    is_nullified: bool
    sent: Any = Field(description="the request, as sent")


class CaseLine(Part):
    """One case in a list."""

    case_id: str
    study: str
    site: str
    subject: str | None
    kind: ReportKind
    revision: int
    received_at: datetime
    revised_at: datetime
    complete: bool
    is_nullified: bool


class CaseList(Part):
    """Cases by number. `next` is the `after` of the next page, null on the last."""

    reports: list[CaseLine]
    next: str | None


class HeldCase(Part):
    """What we hold of a case: its newest facts, what is open, and its history, oldest first."""

    case_id: str
    study: str
    site: str
    subject: str | None
    revision: int
    received_at: datetime
    revised_at: datetime
    is_nullified: bool
    complete: bool
    missing: list[MissingElement]
    contradictions: list[Contradiction]
    possible_duplicates: list[DuplicateLink]
    queries: list[AskedQuery]
    day_zero: list[DayZero]
    clocks: list[StartedClock]
    facts: ReportFacts
    events: list[KeptEvent]
    history: list[Revision]


class QueryLine(Part):
    """One query: what is asked of a site, by whom, and whether it is settled."""

    query_id: str
    case_id: str | None = Field(description="none where a list of yours names an event that we hold no case of")
    study: str
    site: str
    kind: QueryKind
    about: str = Field(description="a JSON Pointer into the report's facts; empty for the whole")
    question: str
    raised_by: str
    raised_at: datetime
    status: Status
    settled_at: datetime | None
    settled_revision: int | None


class QueryList(Part):
    """Queries, oldest first. `next` is the `after` of the next page, null on the last."""

    queries: list[QueryLine]
    next: int | None
