"""The grade of an event by time, on one scale, from what the site says and what the observations show, together.

Each says its own and neither overwrites the other: at any moment the worse of the two counts. A value holds until the
next value of the same term, or until the site says something of a later time (a new grade, the end of the event); what
the site says holds until the site says otherwise. What has no place in time is part of the peak and of nothing else.
A partial date is read both ways. Sources: readings.md DLT 4 and 12. What a duration means for a rule is left to `dlt`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from tocsin.domain.calendars import Span
from tocsin.domain.case import Event
from tocsin.domain.derived import Derived
from tocsin.domain.stretches import GradeSpan, Stretch, bridged, moments
from tocsin.domain.words import Outcome, Scale

A_DAY = timedelta(hours=24)


class SaidBy(StrEnum):
    """Whose grade it is."""

    SITE = "site"
    COMPUTED = "computed"


@dataclass(frozen=True, slots=True)
class Step:
    """From when on the event has a grade, and who says so. `is_end`: it is over, which is grade 0.

    `since` None: no place in time. `track` is whose steps follow one another: the site's, or those of one term.
    """

    lowest: int
    highest: int
    said_by: SaidBy
    track: str
    since: Span | None
    said: str
    is_end: bool = False


@dataclass(frozen=True, slots=True)
class GradeAt:
    """What is known of the grade at one moment. `lowest` None: perhaps nobody had said anything yet.

    `steps` are all that may be in force.
    """

    lowest: int | None
    highest: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """The steps of one event on one scale, in order of time, those without a place in time last."""

    scale: Scale
    steps: tuple[Step, ...]

    @property
    def peak(self) -> GradeAt | None:
        """The highest grade of the whole course, with the steps that reach it; None when nothing is graded."""
        if not self.steps:
            return None
        highest = max(step.highest for step in self.steps)
        reached = tuple(step for step in self.steps if step.highest == highest)
        return GradeAt(max(step.lowest for step in self.steps), highest, reached)

    @property
    def undated(self) -> tuple[Step, ...]:
        """The grades that nobody gave a date for: reached at some time, nobody said when."""
        return tuple(step for step in self.steps if step.since is None)

    def by(self, said_by: SaidBy) -> Course:
        """What one of the two says alone."""
        return replace(self, steps=tuple(step for step in self.steps if step.said_by is said_by))

    def grade_at(self, moment: datetime) -> GradeAt | None:
        """The grade at a moment, the worse of all that say something; None when nobody says anything of then."""
        return _grade_at(_lives(self.steps), moment)

    def at_or_above(self, grade: int, bridging: timedelta = A_DAY) -> tuple[GradeSpan, ...]:
        """When the event is of this grade or more, first to last."""
        return time_at_or_above([self], grade, bridging)


def time_at_or_above(courses: Sequence[Course], grade: int, bridging: timedelta = A_DAY) -> tuple[GradeSpan, ...]:
    """When the event is of this grade or more on any of these scales, first to last.

    A fall to a lower grade for less than `bridging` does not part two spans; one of exactly as long does.
    """
    lives = [_lives(course.steps) for course in courses]
    edges = sorted({edge for own in lives for life in own for edge in (life.since.earliest, life.since.latest)})
    found = [(edge, [at for own in lives if (at := _grade_at(own, edge)) is not None]) for edge in edges]
    may_be = [(edge, any(at.highest >= grade for at in ats)) for edge, ats in found]
    is_sure = [(edge, any(at.lowest is not None and at.lowest >= grade for at in ats)) for edge, ats in found]
    sure = bridged(is_sure, bridging)
    return tuple(GradeSpan(one, tuple(s for s in sure if _lies_in(s, one))) for one in bridged(may_be, bridging))


def course_of(event: Event, derived: Sequence[Derived], zone: tzinfo, *, scale: Scale) -> Course:
    """The course of the event as it stands; `derived` are the graded observations that belong to it."""
    steps = {*_of_site(event, zone, scale), *_computed(derived, zone, scale)}
    return Course(scale, tuple(sorted(steps, key=_place)))


def _of_site(event: Event, zone: tzinfo, scale: Scale) -> Iterable[Step]:
    """A step of the event lies within the event, which narrows a date that the site gave in part."""
    onset = moments(event.onset, zone) if event.onset else None
    end = moments(event.end, zone) if event.end else None
    own = [step for step in event.course if step.scale is scale]
    for step in own:
        since = _within(moments(step.since, zone), onset, end)
        said = f"the site says grade {step.grade} since {step.since}"
        yield Step(step.grade, step.grade, SaidBy.SITE, SaidBy.SITE, since, said)
    for of, grade in event.grades:
        if of is scale and grade not in {step.grade for step in own}:
            said = f"the site says grade {grade} and no date of it"
            yield Step(grade, grade, SaidBy.SITE, SaidBy.SITE, None, said)
    # The end of a fatal event is the death: nothing falls to a lower grade by it.
    if end is not None and event.outcome is not Outcome.FATAL:
        yield Step(0, 0, SaidBy.SITE, SaidBy.SITE, end, f"the site says that it ended {event.end}", is_end=True)


def _computed(derived: Iterable[Derived], zone: tzinfo, scale: Scale) -> Iterable[Step]:
    for one in derived:
        if one.grading.scale is scale:
            said = f"{one.said} of {one.at} is {one.grade_said} of {one.grading.term}"
            yield Step(one.grading.lowest, one.grading.highest, SaidBy.COMPUTED, one.term, one.span(zone), said)


def _within(since: Span | None, onset: Span | None, end: Span | None) -> Span | None:
    if since is None:
        return None
    earliest = since.earliest if onset is None else max(since.earliest, onset.earliest)
    latest = since.latest if end is None else min(since.latest, end.latest)
    return Span(earliest, latest) if earliest <= latest else since


@dataclass(frozen=True, slots=True)
class _Life:
    """A step with its place in time, and when something of a certainly later time has certainly come."""

    step: Step
    since: Span
    over: datetime | None

    def may_hold_at(self, moment: datetime) -> bool:
        return self.since.earliest <= moment and (self.over is None or moment < self.over)


def _lives(steps: Iterable[Step]) -> list[_Life]:
    dated = [(step, step.since) for step in steps if step.since is not None]
    return [
        _Life(step, since, min((s.latest for other, s in dated if _ends(other, s, step, since)), default=None))
        for step, since in dated
    ]


def _ends(later: Step, then: Span, step: Step, since: Span) -> bool:
    """Whether a step ends another: it is certainly of a later time, and of the same track or by the site.

    The end of the event comes after whatever the site says of it, and after a value of its last day.
    """
    if later.is_end and step.said_by is SaidBy.SITE:
        return not step.is_end and since.earliest <= then.latest
    if later.is_end and since.latest <= then.latest:
        return True
    is_heard = later.track == step.track or later.said_by is SaidBy.SITE
    return is_heard and then.earliest > since.latest


def _grade_at(lives: Sequence[_Life], moment: datetime) -> GradeAt | None:
    may_hold = [life for life in lives if life.may_hold_at(moment)]
    if not may_hold:
        return None
    lowest: int | None = None
    for track in {life.step.track for life in may_hold}:
        own = [life for life in may_hold if life.step.track == track]
        if any(life.since.latest <= moment for life in own):
            least = min(life.step.lowest for life in (*own, *_may_end(own, may_hold)))
            lowest = least if lowest is None else max(lowest, least)
    return GradeAt(lowest, max(life.step.highest for life in may_hold), tuple(life.step for life in may_hold))


def _may_end(own: Sequence[_Life], may_hold: Sequence[_Life]) -> list[_Life]:
    """What the site says, perhaps of a later time than these, where it is open whether it is."""
    first = min(life.since.earliest for life in own)
    return [life for life in may_hold if life.step.said_by is SaidBy.SITE and life.since.latest > first]


def _lies_in(part: Stretch, whole: Stretch) -> bool:
    ends = part.until is not None and (whole.until is None or part.until <= whole.until)
    return part.since >= whole.since and (ends or whole.until is None)


def _place(step: Step) -> tuple[bool, str, str, str, int, int, str]:
    when = ("", "") if step.since is None else (step.since.earliest.isoformat(), step.since.latest.isoformat())
    return step.since is None, *when, step.track, step.lowest, step.highest, step.said
