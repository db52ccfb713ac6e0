"""Toxicity by preferred term, worst grade and dose level: which events count, each at which grade, and where.

A subject counts once for each preferred term, at its worst grade. Nothing is dropped in silence: what does not count is
listed with why, and what counts although a fact of it is missing is listed with what was assumed. The table describes;
what a toxicity means for the dose is left to `dlt` and `board`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from tocsin.domain.calendars import Partial, local_day
from tocsin.domain.case import Coded, Event
from tocsin.domain.known import Known
from tocsin.domain.stretches import moments
from tocsin.domain.syndromes import Syndrome, recognise
from tocsin.domain.words import Scale

SEVERE = 3
"""From which grade on an event is counted among the severe."""


class Period(StrEnum):
    """Which onsets count. Treatment-emergent is an onset on or after the first infusion."""

    WHOLE = "all"
    TREATMENT_EMERGENT = "infusion"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a table is asked for. `last_day`: the study day with which the window ends, that day included."""

    period: Period = Period.TREATMENT_EMERGENT
    last_day: int = 28
    related_only: bool = False
    serious_only: bool = False


@dataclass(frozen=True, slots=True)
class ScaleGrade:
    """The worst grade of an event on one scale, by the site and by what was observed: at least, and at most."""

    scale: Scale
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Onset:
    """When an event began: the first and the last study day that the dates allow; None where they leave it open.

    `is_after`: whether it began on or after the first infusion.
    """

    first: int | None = None
    last: int | None = None
    is_after: Known = Known.UNKNOWN


@dataclass(frozen=True, slots=True)
class ToxicityEvent:
    """One event as last told and coded, with what the sponsor signed of it.

    `term` and `soc` None: nobody has coded it; `known_as`: the syndrome without a term in CTCAE v5.0 that is named.
    `wanted` is the scale that counts. `fatal`, `serious` and `related` UNKNOWN: a fact is missing and was taken at its
    worst. `ends`: the last study day of it, None while it may go on. `began`: the onset as written, `month` its month
    at the site, "2026-05". `duplicate_of`: the case that stays, of two that tell of the same.
    """

    case_id: str
    event_id: str
    subject: str | None
    verbatim: str
    term: str | None
    soc: str | None
    wanted: Scale
    known_as: str | None = None
    grades: tuple[ScaleGrade, ...] = ()
    fatal: Known = Known.NO
    onset: Onset = Onset()
    ends: int | None = None
    began: str = ""
    month: str | None = None
    serious: Known = Known.UNKNOWN
    related: Known = Known.UNKNOWN
    duplicate_of: str | None = None


@dataclass(frozen=True, slots=True)
class Treated:
    """Somebody who was infused. `level`: that of the first infusion; None where it is no level of the protocol."""

    subject: str
    level: str | None


class Why(StrEnum):
    """Why an event does not count."""

    NO_SUBJECT = "no_subject"
    NOT_TREATED = "not_treated"
    NO_LEVEL = "no_level"
    DUPLICATE = "duplicate"
    BEFORE = "before"
    AFTER = "after"
    NOT_RELATED = "not_related"
    NOT_SERIOUS = "not_serious"


class Assumed(StrEnum):
    """What stands beside an event that counts."""

    NO_GRADE = "no_grade"
    OTHER_SCALE = "other_scale"
    SCALES_DIFFER = "scales_differ"
    GRADE_OPEN = "grade_open"
    FATAL_OPEN = "fatal_open"
    NO_ONSET = "no_onset"
    ONSET_OPEN = "onset_open"
    RELATION_OPEN = "relation_open"
    SERIOUSNESS_OPEN = "seriousness_open"
    NOT_CODED = "not_coded"


@dataclass(frozen=True, slots=True)
class Counted:
    """An event that counts, at a grade from 1 to 5; None: nobody graded it, which is never grade 0."""

    event: ToxicityEvent
    level: str
    grade: int | None
    assumed: tuple[Assumed, ...] = ()

    @property
    def is_severe(self) -> bool:
        return self.grade is not None and self.grade >= SEVERE


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An event that does not count, and why."""

    event: ToxicityEvent
    why: Why


def scale_of(event: Event, coded: Coded | None) -> Scale:
    """The scale that counts: ASTCT for CRS and ICANS, that of IEC-HS for IEC-HS, CTCAE for the rest."""
    found = recognise(event, coded)
    if found & {Syndrome.CRS, Syndrome.ICANS}:
        return Scale.ASTCT
    return Scale.IEC_HS if Syndrome.IEC_HS in found else Scale.CTCAE


def known_as(event: Event) -> str | None:
    """ICANS or IEC-HS by the site's words, which have no term in CTCAE v5.0; None where several are named."""
    found = recognise(event, None) & {Syndrome.CRS, Syndrome.ICANS, Syndrome.IEC_HS}
    return min(found).value if len(found) == 1 and Syndrome.CRS not in found else None


def onset_of(began: Partial | None, started: Partial | None, zone: tzinfo, day_base: int = 0) -> Onset:
    """Where an onset lies from the start of the first infusion; the date of infusion is study day `day_base`."""
    when = moments(began, zone) if began is not None else None
    start = moments(started, zone) if started is not None else None
    if when is None or start is None:
        return Onset()
    is_after = Known.YES if when.earliest >= start.latest else Known.NO if when.latest < start.earliest else None
    low, high = local_day(when.earliest, zone), local_day(when.latest, zone)
    return Onset(
        (low - local_day(start.latest, zone)).days + day_base,
        (high - local_day(start.earliest, zone)).days + day_base,
        is_after or Known.UNKNOWN,
    )


def graded(event: ToxicityEvent) -> tuple[int | None, tuple[Assumed, ...]]:
    """The grade at which an event counts, and what it rests on.

    A death is grade 5. Else it is the worst on the scale that counts, and on the others only where nobody graded by
    that one: the same grade that the rules on dose-limiting toxicity go by. What the observations leave open is read at
    its worst.
    """
    told = [one for one in event.grades if one.most > 0]
    own = [one for one in told if one.scale is event.wanted]
    counting = own or told
    grade = max((one.most for one in counting), default=None)
    assumed = []
    if len({one.most for one in told}) > 1:
        assumed.append(Assumed.SCALES_DIFFER)
    if event.fatal is not Known.NO:
        return 5, (*assumed, *([Assumed.FATAL_OPEN] if event.fatal is Known.UNKNOWN else []))
    if grade is None:
        return None, (Assumed.NO_GRADE,)
    if not own:
        assumed.append(Assumed.OTHER_SCALE)
    if max(one.least for one in counting) < grade:
        assumed.append(Assumed.GRADE_OPEN)
    return grade, tuple(assumed)


def look(event: ToxicityEvent, treated: Treated | None, choice: Choice) -> Counted | LeftOut:
    """Whether an event counts. `treated`: its subject, None where nobody of that number was infused."""
    if event.duplicate_of is not None:
        return LeftOut(event, Why.DUPLICATE)
    if event.subject is None or treated is None:
        return LeftOut(event, Why.NO_SUBJECT if event.subject is None else Why.NOT_TREATED)
    if treated.level is None:
        return LeftOut(event, Why.NO_LEVEL)
    late = outside(event.onset, choice)
    if late is not None:
        return LeftOut(event, late)
    if choice.related_only and event.related is Known.NO:
        return LeftOut(event, Why.NOT_RELATED)
    if choice.serious_only and event.serious is Known.NO:
        return LeftOut(event, Why.NOT_SERIOUS)
    grade, assumed = graded(event)
    return Counted(event, treated.level, grade, (*assumed, *_assumed(event, choice)))


def outside(onset: Onset, choice: Choice) -> Why | None:
    """Why an onset is surely not of the period; None where it is, or may be."""
    if choice.period is Period.WHOLE:
        return None
    if onset.is_after is Known.NO:
        return Why.BEFORE
    is_late = choice.period is Period.WINDOW and onset.first is not None and onset.first > choice.last_day
    return Why.AFTER if is_late else None


def _assumed(event: ToxicityEvent, choice: Choice) -> list[Assumed]:
    onset, found = event.onset, []
    if event.term is None:
        found.append(Assumed.NOT_CODED)
    if onset.first is None:
        found.append(Assumed.NO_ONSET)
    elif choice.period is not Period.WHOLE:
        may_be_late = choice.period is Period.WINDOW and (onset.last is None or onset.last > choice.last_day)
        if onset.is_after is Known.UNKNOWN or may_be_late:
            found.append(Assumed.ONSET_OPEN)
    if choice.related_only and event.related is Known.UNKNOWN:
        found.append(Assumed.RELATION_OPEN)
    if choice.serious_only and event.serious is Known.UNKNOWN:
        found.append(Assumed.SERIOUSNESS_OPEN)
    return found
