"""A case as far as it is known: what the site reported, what the coder made of it, what the subject was given.

Facts only. What follows from them is in `seriousness`, `clocks`, `dlt` and `assess`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from tocsin.domain.calendars import Partial
from tocsin.domain.facet_words import Intervention, Limits, Symptoms
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
    is_suspected,
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
    treatment: str | None = None
    treated: Known = Known.UNKNOWN
    asymptomatic: Known = Known.UNKNOWN
    symptoms: Symptoms | None = None
    limits: Limits | None = None
    intervention: Intervention | None = None
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
        """The party's opinion on the agent, None when it has given none; of two that contradict, the worse."""
        given = [o.relation for o in self.opinions if o.agent is agent and o.party is party]
        worse = [relation for relation in given if is_suspected(relation) is not Known.NO]
        return next(iter([*worse, *given]), None)


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
    narrative: str | None = None


@dataclass(frozen=True, slots=True)
class Coded:
    """What the coder made of one event's words in one revision. `code` is an LLT code, None while nobody has decided.

    `at` is when it was coded, aware, UTC: of two codings of one revision the later counts.
    """

    event_id: str
    revision: int
    is_coded: bool
    code: str | None
    term: str | None
    soc: str | None
    dictionary: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Infusion:
    """The product given to a subject. `started` as the site wrote it."""

    started: Partial
    level: str


@dataclass(frozen=True, slots=True)
class Case:
    """Everything known so far of one case. The last revision counts, the first that qualifies starts clocks.

    Facts may be handed over in any order and more than once: they are put in order here, so that nothing that reads
    a case can depend on the order of arrival.
    """

    revisions: tuple[Report, ...]
    codings: tuple[Coded, ...] = field(default=())
    infusions: tuple[Infusion, ...] = field(default=())

    def __post_init__(self) -> None:
        once = {(r.revision, r.received_at): r for r in self.revisions}
        _set(self, "revisions", tuple(once[key] for key in sorted(once)))
        _set(self, "codings", tuple(sorted(set(self.codings), key=_age_of_coding)))
        _set(self, "infusions", tuple(sorted(set(self.infusions), key=lambda i: (i.started.text, i.level))))

    @property
    def latest(self) -> Report:
        if not self.revisions:
            raise ValueError("nothing is known of this case yet: no revision of its report has arrived")
        return self.revisions[-1]

    @property
    def standing(self) -> tuple[tuple[Event, Report], ...]:
        """Each event as last told, with the revision that told it.

        An event that a follow-up does not mention stands as it was: only a nullification takes it away.
        """
        if self.latest.is_nullified:
            return ()
        told = {event.event_id: (event, r) for r in self.revisions if not r.is_nullified for event in r.events}
        return tuple(found for found in told.values() if not found[0].is_nullified)

    def coding_of(self, event: Event, by: datetime | None = None) -> Coded | None:
        """The newest coding of these words of the event, of those made `by` a moment; None while there is none.

        A coding is of words. One of another revision counts only where that revision has the same words; so a later
        rewording is never used to judge what was first reported.
        """
        if not self.codings:
            return None
        worded = {r.revision for r in self.revisions for e in r.events if _same_words(e, event)}
        found = [
            c
            for c in self.codings
            if c.event_id == event.event_id
            and c.revision in worded
            and (by is None or (c.at is not None and c.at <= by))
        ]
        return found[-1] if found else None


_set = object.__setattr__


def _same_words(one: Event, other: Event) -> bool:
    return one.event_id == other.event_id and one.verbatim == other.verbatim


def _age_of_coding(coded: Coded) -> tuple[str, int, str, bool, str]:
    at = "" if coded.at is None else coded.at.astimezone(UTC).isoformat(timespec="microseconds")
    return coded.event_id, coded.revision, at, coded.is_coded, repr(coded)
