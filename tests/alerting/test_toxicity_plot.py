"""The timeline of the toxicity page: where bars and shapes stand, and what finds no room is counted."""

from __future__ import annotations

from dataclasses import replace

from alerting.desk.toxicity_facts import Infused
from alerting.desk.toxicity_plot import MOST_MARKS, plot
from tests.domain.test_toxicity import event
from tocsin.domain.calendars import Partial
from tocsin.domain.known import Known
from tocsin.domain.toxicity import Choice, Counted, Onset, Period, ToxicityEvent, Treated

TREATED = [
    Infused(Treated("S01-001", "DL1"), Partial.parse("2026-05-04"), 10, "2026-05"),
    Infused(Treated("S01-002", "DL2"), Partial.parse("2026-05-11"), None, "2026-05"),
]
WINDOW = Choice(Period.WINDOW)


def on_day(day: int | None, ends: int | None = None, number: int = 1, subject: str = "S01-001") -> ToxicityEvent:
    onset = Onset() if day is None else Onset(day, day, Known.YES)
    return event(number, subject, onset=onset, ends=ends)


def counted(one: ToxicityEvent, grade: int | None = 2) -> Counted:
    return Counted(one, "DL1", grade)


def test_a_bar_lasts_from_the_onset_to_the_end_and_is_open_until_today_where_no_end_is_told() -> None:
    row = plot(TREATED, [counted(on_day(0, 7)), counted(on_day(7, number=2))], WINDOW).rows[0]
    assert [(mark.x, mark.width, mark.is_open) for mark in row.marks] == [(156, 195, False), (351, 84, True)]


def test_a_death_is_not_drawn_on_until_today() -> None:
    row = plot(TREATED, [counted(on_day(2), 5)], WINDOW).rows[0]
    assert [(mark.width, mark.is_open, mark.corners != "") for mark in row.marks] == [(0, False, True)]


def test_events_that_overlap_stand_under_each_other_the_gravest_first() -> None:
    row = plot(TREATED, [counted(on_day(1, 5), 1), counted(on_day(2, 9, 2), 4)], WINDOW).rows[0]
    assert {mark.grade: mark.y for mark in row.marks} == {4: 46, 1: 70}
    assert row.height == 58


def test_what_has_no_day_or_no_room_is_counted_and_stands_in_the_table() -> None:
    many = [counted(on_day(3, 3, n)) for n in range(MOST_MARKS + 6)]
    row = plot(TREATED, [*many, counted(on_day(None, number=99), None), counted(on_day(40, number=98))], WINDOW).rows[0]
    assert len(row.marks) + row.beside == MOST_MARKS + 8
    assert row.events.count("; ") == MOST_MARKS + 7
    assert row.events.endswith("not graded Pyrexia, onset 2026-05-14, study day not known")


def test_a_subject_without_an_event_has_a_row_and_the_order_is_that_of_infusion() -> None:
    found = plot(TREATED, [counted(on_day(3, subject="S01-002"), 3)], WINDOW)
    assert [(row.subject, row.worst, row.severe_so_far) for row in found.rows] == [
        ("S01-001", "No event", 0), ("S01-002", "Grade 3", 1),
    ]  # fmt: skip


def test_the_axis_goes_as_far_as_the_question_and_the_onsets() -> None:
    late = [counted(on_day(60))]
    assert [label for _, label in plot(TREATED, late, WINDOW).ticks] == [
        "Infusion", "Day 7", "Day 14", "Day 21", "Day 28",
    ]  # fmt: skip
    assert plot(TREATED, late, Choice()).axis.last == 63
    assert plot(TREATED, [counted(on_day(900))], Choice()).axis.last == 182
    before = replace(on_day(-3), onset=Onset(-3, -3, Known.NO))
    whole = [label for _, label in plot(TREATED, [counted(before)], Choice(Period.WHOLE)).ticks]
    assert whole == ["Day -14", "Infusion", "Day 7", "Day 14", "Day 21", "Day 28"]
    from_day_1 = [label for _, label in plot(TREATED, [], Choice(), day_base=1).ticks]
    assert from_day_1 == ["Infusion", "Day 7", "Day 14", "Day 21", "Day 28"]
