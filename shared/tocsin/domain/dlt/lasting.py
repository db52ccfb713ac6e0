"""How bad an event got by the scales a rule goes by, and how long it stayed so.

A grade that the site gives no date for holds from the onset of the event to its end: that is how a site reports one
grade for one event. Where the site dates other grades of it, that is an assumption and marked so. Limits are
inclusive, and a fall of less than 24 h does not stop the time (readings.md DLT 4 and 12).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from tocsin.domain.calendars import Partial, local_minute
from tocsin.domain.case import GradeStep
from tocsin.domain.course import Course, course_of, time_at_or_above
from tocsin.domain.dlt.definition import GradedBy
from tocsin.domain.dlt.subject import Reported
from tocsin.domain.known import Known
from tocsin.domain.stretches import GradeSpan, moments
from tocsin.domain.words import CrsScale, Scale

A_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Grades:
    """The courses of one event on the scales that count.

    `least` and `most`: what its worst grade is at least, and may be; None while nobody grades it. `assumed`: what was
    taken for granted of its dates; `notes`: what is only told.
    """

    courses: tuple[Course, ...]
    least: int | None
    most: int | None
    assumed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def spans(self, grade: int) -> tuple[GradeSpan, ...]:
        """When it was of this grade or more."""
        return time_at_or_above(self.courses, grade)

    def last_news(self, grade: int) -> datetime | None:
        """The last moment of which somebody says that it was of this grade or more."""
        said = [step.since.earliest for c in self.courses for step in c.steps if step.since and step.lowest >= grade]
        return max(said, default=None)


def grades_of(reported: Reported, zone: ZoneInfo, by: GradedBy, crs: CrsScale) -> Grades:
    """The grades that count for a rule: on the scale it goes by, or on all where nobody graded by that one."""
    told, assumed, notes = reported.event, list[str](), list[str]()
    event = told
    for scale, grade in told.grades:
        dated = [step.grade for step in told.course if step.scale is scale]
        if grade in dated or told.onset is None:
            continue
        if told.course and not dated:
            event = replace(event, course=(*event.course, *_along(told.course, grade, scale)))
            notes.append(f"{scale.upper()} grade {grade} goes with the course that is told on another scale")
            continue
        event = replace(event, course=(*event.course, GradeStep(grade, scale, told.onset)))
        if dated and not _begins_later(told.course, scale, told.onset, zone):
            assumed.append(f"{scale.upper()} grade {grade} has no date: taken from the onset on")
    derived = reported.derived
    if told.worst_grade() is not None:
        derived = tuple(replace(one, grading=replace(one.grading, highest=one.grading.lowest)) for one in derived)
    all_of = [course_of(event, derived, zone, scale=scale) for scale in Scale]
    graded = [course for course in all_of if any(not step.is_end for step in course.steps)]
    wanted = _scale(by, crs)
    own = [course for course in graded if course.scale is wanted]
    counting = tuple(own or graded)
    peaks = [peak for course in counting if (peak := course.peak) is not None]
    least = max((peak.lowest for peak in peaks if peak.lowest is not None), default=None)
    return Grades(counting, least, max((peak.highest for peak in peaks), default=None), tuple(assumed), tuple(notes))


def _begins_later(course: tuple[GradeStep, ...], scale: Scale, onset: Partial, zone: ZoneInfo) -> bool:
    """Whether the dated grades of a scale all come surely after the onset: then the other one was there before them."""
    began = moments(onset, zone)
    dated = [moments(step.since, zone) for step in course if step.scale is scale]
    return began is not None and all(at is not None and at.earliest > began.latest for at in dated)


def _along(course: tuple[GradeStep, ...], grade: int, scale: Scale) -> list[GradeStep]:
    """The grade of one scale over the course that is told on another: at its worst with it, and no higher beside."""
    worst = max(step.grade for step in course)
    return [GradeStep(grade if s.grade == worst else min(s.grade, grade), scale, s.since) for s in course]


def _scale(by: GradedBy, crs: CrsScale) -> Scale | None:
    named = crs.value if by is GradedBy.CRS_SCALE else by.value
    return next((scale for scale in Scale if scale.value == named), None)


class Lasts(StrEnum):
    """Whether a limit was passed: waited for, passed, or over within it."""

    WAITS = "waits"
    PASSED = "passed"
    WITHIN = "within"
    UNDATED = "undated"


@dataclass(frozen=True, slots=True)
class Lasting:
    """How a limit stands at a moment. `is_provisional`: the dates leave it open, or nothing later is known.

    `passes_at`: the first moment after the limit, or of a fall that was told beforehand, while it is waited for.
    """

    how: Lasts
    passes_at: datetime | None = None
    is_provisional: bool = False
    said: str = ""
    asks: tuple[str, ...] = ()


def lasting(grades: Grades, grade: int, limit: timedelta, as_of: datetime, zone: ZoneInfo) -> Lasting:
    """Whether the event was of this grade or more for longer than a limit, in any one stretch."""
    spans = grades.spans(grade)
    if not spans:
        return Lasting(Lasts.UNDATED, is_provisional=True, said=f"no date is known of its grade {grade} or more")
    found = [_of_span(span, grades, grade, limit, as_of, zone) for span in spans]
    passed = [one for one in found if one.how is Lasts.PASSED]
    if passed:
        return min(passed, key=lambda one: one.is_provisional)
    waits = [one for one in found if one.how is Lasts.WAITS and one.passes_at is not None]
    return min(waits, key=lambda one: one.passes_at or as_of) if waits else found[-1]


def _of_span(
    span: GradeSpan, grades: Grades, grade: int, limit: timedelta, as_of: datetime, zone: ZoneInfo
) -> Lasting:  # fmt: skip
    since, until = span.longest.since, span.longest.until
    began = f"grade {grade} or more since {local_minute(since, zone)}"
    is_longer = span.lasts_longer_than(limit, as_of)
    is_over = until is not None and until <= as_of
    hours = hours_of(limit)
    if is_longer is Known.NO and is_over:
        assert until is not None
        return Lasting(Lasts.WITHIN, said=f"{began}, below it again {local_minute(until, zone)}: within {hours}")
    passes = since + limit + A_SECOND
    if is_longer is Known.NO and until is not None and until < passes:
        said = f"{began}: it is told beforehand that it falls on {local_minute(until, zone)}, within {hours}"
        return Lasting(Lasts.WAITS, until, said=said)
    if is_longer is Known.NO:
        return Lasting(Lasts.WAITS, passes, said=f"{began}: {hours} are over on {local_minute(since + limit, zone)}")
    if is_longer is Known.UNKNOWN:
        said = f"{began}: the dates leave open whether it lasted longer than {hours}, and it is taken so"
        return Lasting(Lasts.PASSED, is_provisional=True, said=said, asks=(_ask(grade),))
    news = grades.last_news(grade)
    if until is not None or (news is not None and news > since + limit):
        return Lasting(Lasts.PASSED, said=f"{began}: longer than {hours}")
    said = f"{began}: {hours} are over and nothing later is known of its grade: taken as still so"
    return Lasting(Lasts.PASSED, is_provisional=True, said=said, asks=(_ask(grade),))


def _ask(grade: int) -> str:
    return f"when did it fall below grade {grade}, with the time of day, or is it still grade {grade} or more?"


def hours_of(limit: timedelta) -> str:
    """A limit as a sentence tells it: "72 h"."""
    return f"{limit.total_seconds() / 3600:g} h"
