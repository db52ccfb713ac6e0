"""A case as far as it is known: what the site reported, what the coder made of it, what the subject was given.

Facts only. What follows from them is in `seriousness`, `clocks`, `dlt` and `assess`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tocsin.domain.calendars import Partial
from tocsin.domain.known import Known
from tocsin.domain.words import (
    Action,
    Agent,
    Criterion,
    Outcome,
    Party,
    Relation,
    ReportKind,
    Scale,
    Severity,
)


@dataclass(frozen=True, slots=True)
class Opinion:
    """One party's judgement of one agent."""

    agent: Agent
    party: Party
    relation: Relation


@dataclass(frozen=True, slots=True)
class GradeStep:
    """From when on an event had a grade, by the site."""

    grade: int
    scale: Scale
    since: Partial


@dataclass(frozen=True, slots=True)
class Event:
    """One adverse event as the site describes it. `verbatim` is never changed."""

    event_id: str
    verbatim: str
    onset: Partial | None = None
    end: Partial | None = None
    stated_serious: Known = Known.UNKNOWN
    criteria: frozenset[Criterion] = frozenset()
    outcome: Outcome | None = None
    action: Action | None = None
    severity: Severity | None = None
    grades: tuple[tuple[Scale, int], ...] = ()
    course: tuple[GradeStep, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    investigator_aware_at: Partial | None = None
    treated: Known = Known.UNKNOWN
    asymptomatic: Known = Known.UNKNOWN
    culture_positive: Known = Known.UNKNOWN
    component_of: str | None = None
    alternative_cause: str | None = None
    is_nullified: bool = False

    def worst_grade(self, scale: Scale | None = None) -> int | None:
        """The highest grade the site states, on one scale or on any; None when it states none."""
        stated = [grade for of, grade in self.grades if scale in (None, of)]
        stated += [step.grade for step in self.course if scale in (None, step.scale)]
        return max(stated, default=None)

    def relation(self, agent: Agent, party: Party) -> Relation | None:
        """The party's latest opinion on the agent, None when it has given none."""
        given = [o.relation for o in self.opinions if o.agent is agent and o.party is party]
        return given[-1] if given else None


@dataclass(frozen=True, slots=True)
class Report:
    """One revision of a case, whole. `received_at` is the server's receipt of this revision, aware, UTC."""

    case_id: str
    revision: int
    study: str
    site: str
    kind: ReportKind
    received_at: datetime
    subject: str | None
    patient_denied: bool
    has_reporter: bool
    product: str | None
    events: tuple[Event, ...]
    is_nullified: bool = False


@dataclass(frozen=True, slots=True)
class Coded:
    """What the coder made of one event. `code` is an LLT code and None while nobody has decided."""

    event_id: str
    revision: int
    is_coded: bool
    code: str | None
    term: str | None
    soc: str | None
    dictionary: str


@dataclass(frozen=True, slots=True)
class Infusion:
    """The product given to a subject. `started` as the site wrote it."""

    started: Partial
    level: str


@dataclass(frozen=True, slots=True)
class Case:
    """Everything known so far of one case, its revisions oldest first. The last one counts; the first starts clocks."""

    revisions: tuple[Report, ...]
    codings: tuple[Coded, ...] = field(default=())
    infusions: tuple[Infusion, ...] = field(default=())

    @property
    def latest(self) -> Report:
        return self.revisions[-1]

    def coding_of(self, event_id: str) -> Coded | None:
        """The coding of the newest revision that was coded; None while the coder has not answered."""
        found = [c for c in self.codings if c.event_id == event_id]
        return max(found, key=lambda c: c.revision, default=None)
