"""Toxicity by preferred term, worst grade and dose level: what counts, at which grade, and what is only listed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain.calendars import Partial
from tocsin.domain.case import Coded, Event
from tocsin.domain.known import Known
from tocsin.domain.toxicity import (
    Assumed,
    Choice,
    Counted,
    Onset,
    Period,
    ScaleGrade,
    ToxicityEvent,
    Treated,
    Why,
    graded,
    known_as,
    onset_of,
    scale_of,
)
from tocsin.domain.toxicity_table import Month, Row, Toxicity, by_month, toxicity
from tocsin.domain.words import Scale

SHANGHAI = ZoneInfo("Asia/Shanghai")
LEVELS = ("DL1", "DL2")
EIGHT = [Treated(f"S01-00{n}", "DL1" if n <= 3 else "DL2") for n in range(1, 9)]
"""Three at the first level, five at the second."""


def ctcae(grade: int) -> tuple[ScaleGrade, ...]:
    return (ScaleGrade(Scale.CTCAE, grade, grade),)


def event(number: int, subject: str | None = "S01-001", term: str | None = "Pyrexia", **facts: Any) -> ToxicityEvent:
    """An event of day 3 with grade 2, serious and related."""
    plain = ToxicityEvent(
        case_id=f"TOC-{number:04d}", event_id=f"TOC-{number:04d}-E1", subject=subject, verbatim="fever", term=term,
        soc="General disorders" if term is not None else None, wanted=Scale.CTCAE, grades=ctcae(2),
        onset=Onset(3, 3, Known.YES), ends=5, began="2026-05-14", month="2026-05", serious=Known.YES,
        related=Known.YES,
    )  # fmt: skip
    return replace(plain, **facts)


def table(*events: ToxicityEvent, choice: Choice = Choice()) -> Toxicity:
    return toxicity(events, EIGHT, LEVELS, choice)


def numbers(row: Row) -> list[tuple[list[int], int, int]]:
    """Of each level: subjects by grade 1 to 5, without a grade, and any."""
    return [([len(found) for found in one.by_grade], len(one.unknown), one.any) for one in row.levels]


def test_a_subject_counts_once_for_a_term_at_its_worst_grade() -> None:
    found = table(
        event(1, "S01-001", grades=ctcae(1)), event(2, "S01-001", grades=ctcae(3)), event(3, "S01-002", grades=ctcae(1))
    )
    (row,) = found.rows
    assert numbers(row) == [([1, 0, 1, 0, 0], 0, 2), ([0, 0, 0, 0, 0], 0, 0)]
    assert row.levels[0].by_grade[2] == ("S01-001",)
    assert (row.severe, row.any) == (1, 2)
    assert found.treated == (3, 5)


def test_the_last_row_counts_each_subject_once_over_all_terms() -> None:
    found = table(
        event(1, "S01-001", grades=ctcae(1)),
        event(2, "S01-001", "Pneumonia", soc="Infections and infestations", grades=ctcae(4)),
        event(3, "S01-007", "Pneumonia", soc="Infections and infestations", grades=ctcae(3)),
    )
    assert numbers(found.total) == [([0, 0, 0, 1, 0], 0, 1), ([0, 0, 1, 0, 0], 0, 1)]
    assert found.total.severe == 2


def test_rows_stand_by_their_class_the_gravest_first() -> None:
    found = table(
        event(1, "S01-001", "Nausea", soc="Gastrointestinal disorders", grades=ctcae(1)),
        event(2, "S01-002", "Vomiting", soc="Gastrointestinal disorders", grades=ctcae(2)),
        event(3, "S01-003", "Vomiting", soc="Gastrointestinal disorders", grades=ctcae(2)),
        event(4, "S01-004", "Pneumonia", soc="Infections and infestations", grades=ctcae(3)),
        event(5, "S01-005", None, verbatim="felt  odd", grades=ctcae(1)),
    )
    assert [(soc, [row.term for row in rows]) for soc, rows in found.groups] == [
        ("Infections and infestations", ["Pneumonia"]),
        ("Gastrointestinal disorders", ["Vomiting", "Nausea"]),
        (None, ["felt odd"]),
    ]


def test_what_nobody_coded_is_one_row_for_the_same_words() -> None:
    found = table(event(1, term=None, verbatim="Felt  odd"), event(2, "S01-002", None, verbatim="felt odd"))
    (row,) = found.rows
    assert (row.term, row.is_coded, row.any) == ("Felt odd", False, 2)
    assert all(Assumed.NOT_CODED in one.assumed for one in found.counted)


@pytest.mark.parametrize(
    ("verbatim", "expected"),
    [
        ("ICANS grade 4", "ICANS"),
        ("suspected IEC-HS", "IEC-HS"),
        ("CRS with ICANS", None),
        ("CRS", None),
        ("odd", None),
    ],
)
def test_words_that_name_a_syndrome_without_a_term_in_ctcae_are_one_row(verbatim: str, expected: str | None) -> None:
    assert known_as(Event("E1", verbatim)) == expected


def test_icans_in_other_words_counts_a_subject_once() -> None:
    found = table(
        event(1, term=None, verbatim="ICANS", known_as="ICANS", grades=ctcae(2)),
        event(2, term=None, verbatim="neurotoxicity", known_as="ICANS", grades=ctcae(3)),
    )
    (row,) = found.rows
    assert (row.term, row.is_coded, row.any, row.severe) == ("ICANS", False, 1, 1)


def test_an_event_without_a_grade_is_never_grade_0() -> None:
    found = table(event(1, grades=()))
    assert numbers(found.rows[0]) == [([0, 0, 0, 0, 0], 1, 1), ([0, 0, 0, 0, 0], 0, 0)]
    assert found.counted[0].assumed == (Assumed.NO_GRADE,)


def test_a_grade_that_is_known_stands_before_one_that_is_not() -> None:
    found = table(event(1, grades=()), event(2, grades=ctcae(2)))
    assert numbers(found.rows[0])[0] == ([0, 1, 0, 0, 0], 0, 1)


def test_a_value_of_which_no_grade_is_reached_leaves_the_event_without_a_grade() -> None:
    assert graded(event(1, grades=ctcae(0))) == (None, (Assumed.NO_GRADE,))


@pytest.mark.rule("rules.md 3.2")
@pytest.mark.parametrize(
    ("wanted", "astct", "in_ctcae", "counts", "assumed"),
    [
        (Scale.ASTCT, 2, 3, 2, (Assumed.SCALES_DIFFER,)),
        (Scale.ASTCT, 3, 2, 3, (Assumed.SCALES_DIFFER,)),
        (Scale.ASTCT, 2, 2, 2, ()),
        (Scale.ASTCT, None, 3, 3, (Assumed.OTHER_SCALE,)),
        (Scale.CTCAE, 4, 2, 2, (Assumed.SCALES_DIFFER,)),
    ],
)
def test_the_scale_that_counts_gives_the_grade_and_a_difference_is_said(
    wanted: Scale, astct: int | None, in_ctcae: int, counts: int, assumed: tuple[Assumed, ...]
) -> None:
    told = () if astct is None else (ScaleGrade(Scale.ASTCT, astct, astct),)
    assert graded(event(1, wanted=wanted, grades=(*ctcae(in_ctcae), *told))) == (counts, assumed)


@pytest.mark.rule("rules.md 3.4")
@pytest.mark.parametrize(
    ("verbatim", "code", "term", "scale"),
    [
        ("CRS", None, None, Scale.ASTCT),
        ("a storm", "10052015", "Cytokine release syndrome", Scale.ASTCT),
        ("ICANS", None, None, Scale.ASTCT),
        ("IEC-HS", None, None, Scale.IEC_HS),
        ("headache", "10019211", "Headache", Scale.CTCAE),
    ],
)
def test_astct_counts_for_crs_and_icans_and_ctcae_for_the_rest(
    verbatim: str, code: str | None, term: str | None, scale: Scale
) -> None:
    coded = None if code is None else Coded("E1", 1, True, code, term, None, "CTCAE 5.0")
    assert scale_of(Event("E1", verbatim), coded) is scale


def test_what_the_observations_leave_open_is_read_at_its_worst_and_says_so() -> None:
    assert graded(event(1, grades=(ScaleGrade(Scale.CTCAE, 2, 4),))) == (4, (Assumed.GRADE_OPEN,))


def test_a_death_is_grade_5_whatever_grade_is_stated() -> None:
    assert graded(event(1, fatal=Known.YES, grades=ctcae(3))) == (5, ())
    assert graded(event(1, fatal=Known.UNKNOWN, grades=())) == (5, (Assumed.FATAL_OPEN,))


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"subject": None}, Why.NO_SUBJECT),
        ({"subject": "S01-099"}, Why.NOT_TREATED),
        ({"subject": "S01-009"}, Why.NO_LEVEL),
        ({"duplicate_of": "TOC-0001"}, Why.DUPLICATE),
        ({"onset": Onset(-2, -2, Known.NO)}, Why.BEFORE),
        ({"related": Known.NO}, Why.NOT_RELATED),
        ({"serious": Known.NO}, Why.NOT_SERIOUS),
    ],
)
def test_what_does_not_count_is_listed_with_its_reason(facts: dict[str, Any], why: Why) -> None:
    choice = Choice(related_only=True, serious_only=True)
    found = toxicity([event(1, **facts)], [*EIGHT, Treated("S01-009", None)], LEVELS, choice)
    assert [(one.event.event_id, one.why) for one in found.left_out] == [("TOC-0001-E1", why)]
    assert (found.counted, found.rows) == ((), ())


@pytest.mark.parametrize(
    ("onset", "period", "counts", "assumed"),
    [
        (Onset(-1, -1, Known.NO), Period.WHOLE, True, ()),
        (Onset(-1, -1, Known.NO), Period.TREATMENT_EMERGENT, False, ()),
        (Onset(0, 0, Known.UNKNOWN), Period.TREATMENT_EMERGENT, True, (Assumed.ONSET_OPEN,)),
        (Onset(0, 0, Known.YES), Period.WINDOW, True, ()),
        (Onset(28, 28, Known.YES), Period.WINDOW, True, ()),
        (Onset(29, 29, Known.YES), Period.WINDOW, False, ()),
        (Onset(29, 29, Known.YES), Period.TREATMENT_EMERGENT, True, ()),
        (Onset(20, 50, Known.YES), Period.WINDOW, True, (Assumed.ONSET_OPEN,)),
        (Onset(), Period.WINDOW, True, (Assumed.NO_ONSET,)),
        (Onset(), Period.WHOLE, True, (Assumed.NO_ONSET,)),
    ],
)
def test_the_period_goes_by_the_onset_and_what_is_open_counts_and_is_listed(
    onset: Onset, period: Period, counts: bool, assumed: tuple[Assumed, ...]
) -> None:
    found = table(event(1, onset=onset), choice=Choice(period))
    assert [one.assumed for one in found.counted] == ([assumed] if counts else [])
    assert len(found.left_out) == (0 if counts else 1)


def test_a_relation_and_a_seriousness_that_nobody_told_count_and_say_so() -> None:
    found = table(
        event(1, related=Known.UNKNOWN, serious=Known.UNKNOWN), choice=Choice(related_only=True, serious_only=True)
    )
    assert found.counted[0].assumed == (Assumed.RELATION_OPEN, Assumed.SERIOUSNESS_OPEN)


@pytest.mark.parametrize(
    ("began", "started", "expected"),
    [
        ("2026-05-14", "2026-05-11T10:00+08:00", Onset(3, 3, Known.YES)),
        ("2026-05-11", "2026-05-11T10:00+08:00", Onset(0, 0, Known.UNKNOWN)),
        ("2026-05-11T10:00+08:00", "2026-05-11T10:00+08:00", Onset(0, 0, Known.YES)),
        ("2026-05-11T09:59+08:00", "2026-05-11T10:00+08:00", Onset(0, 0, Known.NO)),
        ("2026-05-10", "2026-05-11T10:00+08:00", Onset(-1, -1, Known.NO)),
        ("2026-05", "2026-05-11T10:00+08:00", Onset(-10, 20, Known.UNKNOWN)),
        ("--05-14", "2026-05-11T10:00+08:00", Onset()),
        ("2026-05-14", None, Onset()),
        (None, "2026-05-11T10:00+08:00", Onset()),
    ],
)
def test_study_days_count_from_the_date_of_the_first_infusion(
    began: str | None, started: str | None, expected: Onset
) -> None:
    parsed = [None if text is None else Partial.parse(text) for text in (began, started)]
    assert onset_of(parsed[0], parsed[1], SHANGHAI) == expected


def test_where_the_protocol_counts_from_day_1_the_date_of_infusion_is_day_1() -> None:
    began, started = Partial.parse("2026-05-14"), Partial.parse("2026-05-11T10:00+08:00")
    assert onset_of(began, started, SHANGHAI, 1) == Onset(4, 4, Known.YES)


def test_months_add_up_and_an_onset_without_a_month_stands_last() -> None:
    found = table(
        event(1, "S01-001", grades=ctcae(3), month="2026-03"),
        event(2, "S01-001", grades=ctcae(4), month="2026-05"),
        event(3, "S01-002", grades=ctcae(3), month="2026-05"),
        event(4, "S01-003", grades=ctcae(3), month=None),
        event(5, "S01-004", grades=ctcae(2), month="2026-04"),
    )
    infused = {"S01-001": "2026-02", "S01-002": "2026-03", "S01-003": "2026-05", "S01-004": None}
    assert by_month(found.counted, infused) == (
        Month("2026-02", infused_so_far=1, events=0, events_so_far=0, subjects=0, subjects_so_far=0),
        Month("2026-03", infused_so_far=2, events=1, events_so_far=1, subjects=1, subjects_so_far=1),
        Month("2026-05", infused_so_far=3, events=2, events_so_far=3, subjects=1, subjects_so_far=2),
        Month(None, infused_so_far=4, events=1, events_so_far=4, subjects=1, subjects_so_far=3),
    )


GRADES = st.lists(
    st.builds(ScaleGrade, st.sampled_from(list(Scale)), st.integers(0, 2), st.integers(2, 5)), max_size=3
).map(tuple)
DAYS = st.integers(-5, 60) | st.none()
ANY_EVENT = st.builds(
    ToxicityEvent,
    case_id=st.sampled_from(["TOC-1", "TOC-2"]),
    event_id=st.uuids().map(str),
    subject=st.sampled_from([*(one.subject for one in EIGHT), "S01-009", "S01-099", None]),
    verbatim=st.sampled_from(["fever", "Fever ", "felt odd"]),
    term=st.sampled_from(["Pyrexia", "pyrexia", "Pneumonia", None]),
    soc=st.sampled_from(["General disorders", "Infections and infestations", None]),
    wanted=st.sampled_from(list(Scale)),
    grades=GRADES,
    fatal=st.sampled_from(list(Known)),
    onset=st.builds(Onset, DAYS, DAYS, st.sampled_from(list(Known))),
    serious=st.sampled_from(list(Known)),
    related=st.sampled_from(list(Known)),
    duplicate_of=st.sampled_from([None, None, "TOC-3"]),
)  # fmt: skip
EVENTS = st.lists(ANY_EVENT, max_size=25, unique_by=lambda one: one.event_id)
CHOICES = st.builds(Choice, st.sampled_from(list(Period)), st.just(28), st.booleans(), st.booleans())
SUBJECTS = [*EIGHT, Treated("S01-009", None)]


@given(EVENTS, CHOICES)
def test_every_subject_counts_at_most_once_for_each_term_and_level(events: list[ToxicityEvent], choice: Choice) -> None:
    found = toxicity(events, SUBJECTS, LEVELS, choice)
    for row in (*found.rows, found.total):
        for tally, treated in zip(row.levels, found.treated, strict=True):
            named = [subject for subjects in (*tally.by_grade, tally.unknown) for subject in subjects]
            assert max(Counter(named).values(), default=0) <= 1
            assert len(named) == tally.any <= treated


@given(EVENTS, CHOICES)
def test_the_order_of_events_does_not_matter(events: list[ToxicityEvent], choice: Choice) -> None:
    found = toxicity(events, SUBJECTS, LEVELS, choice)
    assert toxicity(events[::-1], SUBJECTS[::-1], LEVELS, choice) == found
    assert by_month(found.counted[::-1], {}) == by_month(found.counted, {})


@given(EVENTS, CHOICES)
def test_no_event_is_dropped_and_none_counts_twice(events: list[ToxicityEvent], choice: Choice) -> None:
    found = toxicity(events, SUBJECTS, LEVELS, choice)
    told = [*(one.event for one in found.counted), *(one.event for one in found.left_out)]
    assert sorted(one.event_id for one in told) == sorted(one.event_id for one in events)


@given(EVENTS)
def test_a_narrower_question_never_counts_more(events: list[ToxicityEvent]) -> None:
    def ids(choice: Choice) -> set[str]:
        return {one.event.event_id for one in toxicity(events, SUBJECTS, LEVELS, choice).counted}

    whole, emergent, window = (ids(Choice(period)) for period in Period)
    assert window <= emergent <= whole
    assert ids(Choice(Period.WHOLE, related_only=True)) <= whole
    assert ids(Choice(Period.WHOLE, serious_only=True)) <= whole


def test_a_counted_event_of_grade_3_is_severe_and_one_without_a_grade_is_not() -> None:
    assert Counted(event(1), "DL1", 3).is_severe
    assert not Counted(event(1), "DL1", 2).is_severe
    assert not Counted(event(1), "DL1", None).is_severe
