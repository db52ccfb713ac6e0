"""The grade of an event by time: what the site says and what the observations show, each said by its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.cases import NEW_YORK, SHANGHAI, at, event
from tests.domain.observed import ALT, ANC, AST, anc, derived
from tocsin.domain.calendars import Partial, Span
from tocsin.domain.case import Event, GradeStep
from tocsin.domain.course import Course, SaidBy, course_of
from tocsin.domain.derived import Derived
from tocsin.domain.known import Known
from tocsin.domain.stretches import GradeSpan, Stretch
from tocsin.domain.words import Outcome, Scale

HOURS = timedelta(hours=1)


def steps(*said: tuple[int, str], scale: Scale = Scale.CTCAE) -> tuple[GradeStep, ...]:
    return tuple(GradeStep(grade, scale, Partial.parse(since)) for grade, since in said)


def ended(text: str) -> Partial:
    return Partial.parse(text)


def course(of: Event, *found: Derived, scale: Scale = Scale.CTCAE) -> Course:
    return course_of(of, found, SHANGHAI, scale=scale)


def grade(of: Course, text: str) -> tuple[int | None, int] | None:
    found = of.grade_at(at(text))
    return None if found is None else (found.lowest, found.highest)


def longest(of: Course, at_least: int, bridging: timedelta = 24 * HOURS) -> list[tuple[str, str | None]]:
    """The widest readings, in the time of Shanghai."""
    found = []
    for span in of.at_or_above(at_least, bridging):
        until = span.longest.until
        found.append((_local(span.longest.since), None if until is None else _local(until)))
    return found


def _local(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%m-%d %H:%M")


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_the_site_and_the_values_make_one_course_and_the_worse_of_both_counts() -> None:
    crs = event(
        "neutropenia", onset="2026-03-02T08:00", course=steps((2, "2026-03-02T08:00"), (3, "2026-03-04T08:00")),
        end=ended("2026-03-09T08:00"),
    )  # fmt: skip
    found = course(crs, anc("2026-03-03T07:30", "0.4", 4), anc("2026-03-06T07:30", "1.2", 2))
    assert grade(found, "2026-03-02T07:59") is None
    assert grade(found, "2026-03-02T08:00") == (2, 2)
    assert grade(found, "2026-03-03T07:30") == (4, 4)
    assert grade(found, "2026-03-04T08:00") == (3, 3), "the site said something of a later time than the value"
    assert grade(found, "2026-03-07T08:00") == (3, 3), "a lower value does not overwrite the site's grade"
    assert grade(found, "2026-03-09T08:00") == (0, 0)
    assert found.peak is not None
    assert (found.peak.lowest, found.peak.highest) == (4, 4)
    assert [step.said_by for step in found.peak.steps] == [SaidBy.COMPUTED]
    assert found.peak.steps[0].said == "neutrophils 0.4 10*9/L of 2026-03-03T07:30 is grade 4 of " + ANC


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_each_of_the_two_can_be_read_alone() -> None:
    found = course(event("neutropenia", course=steps((2, "2026-03-02"))), anc("2026-03-03T07:30", "0.4", 4))
    assert grade(found.by(SaidBy.SITE), "2026-03-05T08:00") == (2, 2)
    assert grade(found.by(SaidBy.COMPUTED), "2026-03-05T08:00") == (4, 4)


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_the_values_of_two_terms_do_not_end_one_another() -> None:
    found = course(event("transaminases"), derived(ALT, "2026-03-02T08:00", 3), derived(AST, "2026-03-03T08:00", 1))
    assert grade(found, "2026-03-04T08:00") == (3, 3)


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_a_grade_without_a_date_is_part_of_the_peak_and_has_no_place_in_time() -> None:
    found = course(event("rash", grade=4, onset="2026-03-02", course=steps((2, "2026-03-03T08:00"))))
    assert found.peak is not None
    assert found.peak.highest == 4
    assert [step.highest for step in found.undated] == [4]
    assert grade(found, "2026-03-05T08:00") == (2, 2)
    assert found.at_or_above(3) == ()


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_grades_of_another_scale_are_left_out() -> None:
    both = event("CRS", grade=2, astct=3, course=steps((3, "2026-03-02"), scale=Scale.ASTCT))
    peak = course(both).peak
    assert peak is not None
    assert (peak.lowest, peak.highest) == (2, 2)
    assert grade(course(both), "2026-03-05T08:00") is None
    assert grade(course(both, scale=Scale.ASTCT), "2026-03-05T08:00") == (3, 3)


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_nothing_said_is_no_grade_and_not_grade_0() -> None:
    found = course(event("rash", onset="2026-03-02"))
    assert found.peak is None
    assert found.grade_at(at("2026-03-05T08:00")) is None


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_a_day_without_a_time_leaves_the_hours_of_that_day_open() -> None:
    found = course(event("rash", course=steps((3, "2026-03-05"), (1, "2026-03-08"))))
    assert grade(found, "2026-03-05T12:00") == (None, 3)
    assert grade(found, "2026-03-06T00:00") == (3, 3)
    assert grade(found, "2026-03-08T12:00") == (1, 3)
    assert grade(found, "2026-03-09T00:00") == (1, 1)
    (span,) = found.at_or_above(3)
    assert span.began == Span(at("2026-03-05T00:00"), at("2026-03-05T23:59:59"))
    assert span.ended == Span(at("2026-03-08T00:00"), at("2026-03-08T23:59:59"))


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_a_month_is_narrowed_by_onset_and_end() -> None:
    found = course(event("rash", onset="2026-03-10T09:00", end=ended("2026-03-20T09:00"), course=steps((3, "2026-03"))))
    assert longest(found, 3) == [("03-10 09:00", "03-20 09:00")]


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_two_grades_of_one_day_leave_both_open() -> None:
    found = course(event("rash", course=steps((1, "2026-03-05"), (3, "2026-03-05"))))
    assert grade(found, "2026-03-07T08:00") == (1, 3)


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_a_value_of_the_day_on_which_the_site_says_less_leaves_both_open() -> None:
    found = course(event("neutropenia", course=steps((2, "2026-03-05"))), anc("2026-03-05T07:30", "0.4", 4))
    assert grade(found, "2026-03-05T07:00") == (None, 2)
    assert grade(found, "2026-03-05T08:00") == (2, 4)
    assert grade(found, "2026-03-09T08:00") == (2, 4)


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_a_value_that_lacks_a_fact_leaves_its_grades_open() -> None:
    found = course(event("creatinine"), derived("Creatinine increased", "2026-03-05T08:00", 1, 3))
    assert grade(found, "2026-03-06T08:00") == (1, 3)
    (span,) = found.at_or_above(3)
    assert (span.sure, span.began) == ((), None)
    assert span.lasts_longer_than(168 * HOURS, at("2026-04-05T08:00")) is Known.UNKNOWN


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_the_end_of_a_fatal_event_is_no_fall_of_its_grade() -> None:
    died = event("sepsis", course=steps((4, "2026-03-05T08:00")), end=ended("2026-03-06"), outcome=Outcome.FATAL)
    assert longest(course(died), 4) == [("03-05 08:00", None)]


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_an_event_of_one_day_is_over_when_that_day_is() -> None:
    one_day = event("neutropenia", onset="2026-03-05", course=steps((3, "2026-03-05")), end=ended("2026-03-05"))
    found = course(one_day, anc("2026-03-05T07:30", "0.4", 4))
    assert longest(found, 3) == [("03-05 00:00", "03-05 23:59")]
    assert longest(found, 4) == [("03-05 07:30", "03-05 23:59")]
    assert grade(found, "2026-03-06T00:00") == (0, 0)


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_a_value_after_the_sites_end_speaks_again() -> None:
    over = event("neutropenia", course=steps((4, "2026-03-02T08:00")), end=ended("2026-03-05T08:00"))
    found = course(over, anc("2026-03-04T08:00", "0.3", 4), anc("2026-03-10T08:00", "0.3", 4))
    assert longest(found, 4) == [("03-02 08:00", "03-05 08:00"), ("03-10 08:00", None)]


@pytest.mark.parametrize(
    ("until", "is_longer"),
    [("2026-03-09T08:00", Known.NO), ("2026-03-09T08:01", Known.YES), ("2026-03-09", Known.UNKNOWN)],
)
@pytest.mark.rule("course: the grade at any time, and its peak")
def test_exactly_168_hours_is_still_within(until: str, is_longer: Known) -> None:
    found = course(event("rash", course=steps((3, "2026-03-02T08:00"), (2, until))))
    (span,) = found.at_or_above(3)
    assert span.lasts_longer_than(168 * HOURS, at("2026-04-01T08:00")) is is_longer


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_what_goes_on_is_counted_up_to_now_and_no_further() -> None:
    (span,) = course(event("rash", course=steps((3, "2026-03-02T08:00")))).at_or_above(3)
    assert span.lasts_longer_than(72 * HOURS, at("2026-03-05T08:00")) is Known.NO
    assert span.lasts_longer_than(72 * HOURS, at("2026-03-05T08:01")) is Known.YES
    assert span.ended is None


@pytest.mark.parametrize(
    ("again", "spans"),
    [
        ("2026-03-06T07:59", [("03-02 08:00", None)]),
        ("2026-03-06T08:00", [("03-02 08:00", "03-05 08:00"), ("03-06 08:00", None)]),
    ],
)
@pytest.mark.rule("course: the grade at any time, and its peak")
def test_a_fall_of_under_24_hours_does_not_stop_a_duration(again: str, spans: list[tuple[str, str | None]]) -> None:
    found = course(event("rash", course=steps((3, "2026-03-02T08:00"), (2, "2026-03-05T08:00"), (3, again))))
    assert longest(found, 3) == spans


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_the_bridging_is_a_parameter() -> None:
    found = course(
        event("rash", course=steps((3, "2026-03-02T08:00"), (2, "2026-03-03T08:00"), (3, "2026-03-03T12:00")))
    )
    assert len(found.at_or_above(3, timedelta(0))) == 2
    assert len(found.at_or_above(3, 5 * HOURS)) == 1


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_a_fall_that_may_have_been_short_leaves_the_duration_open() -> None:
    """Down on the 5th and up on the 6th, no times: between no hour and two days."""
    found = course(event("rash", course=steps((3, "2026-03-02T08:00"), (2, "2026-03-05"), (3, "2026-03-06"))))
    (span,) = found.at_or_above(3)
    assert len(span.sure) == 2
    assert span.lasts_longer_than(96 * HOURS, at("2026-03-07T08:00")) is Known.UNKNOWN


@pytest.mark.rule("course: the grade at any time, and its peak")
def test_days_are_those_of_the_site() -> None:
    found = course_of(event("rash", course=steps((3, "2026-03-05"))), (), NEW_YORK, scale=Scale.CTCAE)
    (span,) = found.at_or_above(3)
    assert span.longest == Stretch(datetime(2026, 3, 5, 5, tzinfo=UTC), None)


def _text(hour: int, how: int) -> str:
    """An hour of March, written exactly, or as its day, or as its month."""
    moment = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hour)
    return moment.strftime(("%Y-%m-%dT%H:%M", "%Y-%m-%d", "%Y-%m")[how])


when = st.tuples(st.integers(0, 400), st.integers(0, 2))
said = st.tuples(st.integers(0, 4), when)


When = tuple[int, int]
History = tuple[list[tuple[int, When]], list[tuple[int, int, str, When]]]
"""Steps of the site as (grade, when), and values as (lowest, how much more, term, when); `when` as in `_text`."""


@st.composite
def histories(draw: st.DrawFn) -> History:
    by_site = draw(st.lists(said, max_size=4))
    values = draw(
        st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.sampled_from([ALT, AST]), when), max_size=5)
    )
    return by_site, values


def _course(by_site: list[tuple[int, When]], values: list[tuple[int, int, str, When]], *, exactly: bool) -> Course:
    def text(hour: int, how: int) -> str:
        return _text(hour, 0 if exactly else how)

    own = [(grade_, text(*when_)) for grade_, when_ in by_site]
    found = [
        derived(term, text(*when_), least, least if exactly else min(least + more, 4))
        for least, more, term, when_ in values
    ]
    return course_of(event("transaminases", course=steps(*own)), found, UTC, scale=Scale.CTCAE)


@given(histories(), st.randoms(use_true_random=False))
@pytest.mark.rule("course: the grade at any time, and its peak")
def test_the_order_in_which_facts_arrive_changes_nothing(history: History, random: Random) -> None:
    by_site, values = history
    before = _course(by_site, values, exactly=False)
    random.shuffle(by_site)
    random.shuffle(values)
    again = _course([*by_site, *by_site[:1]], [*values, *values[:1]], exactly=False)
    assert again == before
    assert again.at_or_above(3) == before.at_or_above(3)


@given(histories(), st.integers(0, 900))
@pytest.mark.rule("course: the grade at any time, and its peak")
def test_whatever_the_partial_dates_meant_the_grade_lies_in_what_was_answered(history: History, hour: int) -> None:
    """The same history with every date known: at each moment its grade is one that the partial dates allow."""
    moment = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hour)
    exact = _course(*history, exactly=True).grade_at(moment)
    open_ = _course(*history, exactly=False).grade_at(moment)
    if exact is not None:
        assert open_ is not None
        assert exact.highest <= open_.highest
    if open_ is not None and open_.lowest is not None:
        assert exact is not None
        assert exact.highest >= open_.lowest


@given(histories(), st.integers(1, 4))
@pytest.mark.rule("course: the grade at any time, and its peak")
def test_sure_parts_lie_in_the_widest_reading_and_spans_lie_apart(history: History, at_least: int) -> None:
    spans = _course(*history, exactly=False).at_or_above(at_least)
    for span in spans:
        assert all(part.since >= span.longest.since for part in span.sure)
        assert span.longest.until is None or all(p.until and p.until <= span.longest.until for p in span.sure)
    for one, later in pairwise(spans):
        assert one.longest.until is not None
        assert later.longest.since - one.longest.until >= 24 * HOURS


@given(histories(), st.integers(1, 4), st.sampled_from([0, 24, 72]))
@pytest.mark.rule("course: the grade at any time, and its peak")
def test_whatever_the_partial_dates_meant_the_spans_lie_between_the_two_readings(
    history: History,
    at_least: int,
    bridging: int,
) -> None:
    exact = [span.longest for span in _course(*history, exactly=True).at_or_above(at_least, bridging * HOURS)]
    open_ = _course(*history, exactly=False).at_or_above(at_least, bridging * HOURS)
    assert all(any(_holds(span.longest, true) for span in open_) for true in exact)
    assert all(any(_holds(true, part) for true in exact) for span in open_ for part in span.sure)


def _holds(whole: Stretch, part: Stretch) -> bool:
    ends = whole.until is None or (part.until is not None and part.until <= whole.until)
    return whole.since <= part.since and ends


def test_a_span_without_a_sure_part_never_says_that_it_lasted() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    never_sure = GradeSpan(Stretch(start, start + 10 * HOURS), ())
    assert never_sure.lasts_longer_than(9 * HOURS, start + 20 * HOURS) is Known.UNKNOWN
    assert never_sure.lasts_longer_than(10 * HOURS, start + 20 * HOURS) is Known.NO
    assert replace(never_sure, longest=Stretch(start, None)).ended is None
