"""Two years of follow-up of each subject after infusion: due, done, missed, overdue, ended."""

from __future__ import annotations

from datetime import date

import pytest

from tests.domain.board.trial import STUDY, subject
from tests.domain.cases import at
from tocsin.domain.board.facts import SubjectFacts
from tocsin.domain.board.follow_up import Calendar, VisitState, calendar, months_after


def kept(one: SubjectFacts, as_of: str) -> Calendar:
    found = calendar(one, STUDY, at(as_of))
    assert found is not None
    return found


def states(one: SubjectFacts, as_of: str) -> str:
    """The first letters of each visit's state, from month 1 to 24."""
    letters = {VisitState.TO_COME: ".", VisitState.DUE: "?", VisitState.DONE: "d", VisitState.MISSED: "m",
               VisitState.OVERDUE: "!", VisitState.ENDED: "e"}  # fmt: skip
    return "".join(letters[visit.state] for visit in kept(one, as_of).visits)


@pytest.mark.rule("NCT06223646, public record")
def test_the_calendar_goes_on_for_two_years_from_infusion() -> None:
    found = kept(subject(1), "2026-01-06T10:00")
    assert [visit.due_on.isoformat() for visit in found.visits] == [
        "2026-02-05", "2026-03-05", "2026-04-05", "2026-07-05", "2026-10-05", "2027-01-05", "2027-07-05", "2028-01-05",
    ]  # fmt: skip
    assert found.next is not None
    assert found.next.month == 1


def test_a_visit_is_overdue_when_its_grace_is_over_without_any_contact() -> None:
    assert states(subject(1), "2026-03-05T23:59")[0] == "?"
    assert states(subject(1), "2026-03-06T00:00")[0] == "!"
    assert [visit.month for visit in kept(subject(1), "2026-03-06T00:00").overdue] == [1]


@pytest.mark.parametrize(
    ("seen", "state"),
    [(date(2026, 6, 7), "d"), (date(2026, 8, 2), "d"), (date(2026, 6, 6), "!"), (date(2026, 8, 3), "m")],
)
def test_any_contact_within_the_window_does_and_a_later_one_makes_it_missed(seen: date, state: str) -> None:
    """Month 6 is due on 5 July, give or take 28 days."""
    assert states(subject(1, contacts=(seen,)), "2026-09-01T10:00")[3] == state


def test_one_contact_does_not_stand_for_a_visit_that_was_not_open_yet() -> None:
    assert states(subject(1, contacts=(date(2026, 2, 5),)), "2026-02-10T10:00")[:3] == "d?."


def test_a_contact_that_is_to_come_does_for_nothing() -> None:
    assert states(subject(1, contacts=(date(2026, 2, 5),)), "2026-02-04T10:00")[0] == "?"


def test_after_a_death_or_a_withdrawal_nothing_more_is_due() -> None:
    assert states(subject(1, died="2026-02-20"), "2028-06-01T10:00") == "eeeeeeee"
    seen = (date(2026, 2, 5), date(2026, 3, 1))
    assert states(subject(1, left="2026-03-20", contacts=seen), "2028-06-01T10:00") == "ddeeeeee"
    assert kept(subject(1, left="2026-03-20"), "2028-06-01T10:00").ended == "withdrew on 2026-03-20"


def test_a_visit_that_was_overdue_before_the_subject_left_stays_so() -> None:
    assert states(subject(1, left="2026-05-20"), "2028-06-01T10:00")[:3] == "!!!"


def test_of_an_infusion_of_which_the_month_is_known_the_last_day_counts() -> None:
    found = kept(subject(1, on="2026-01"), "2026-02-10T10:00")
    assert found.infused_on == date(2026, 1, 31)
    assert found.visits[0].due_on == date(2026, 2, 28)
    assert found.reasons == ("infused on 2026-01: counted from 2026-01-31",)


def test_who_was_not_infused_has_no_calendar_and_one_without_a_year_no_visits() -> None:
    assert calendar(subject(1, on=None), STUDY, at("2026-02-10T10:00")) is None
    assert kept(subject(1, on="--01-05"), "2026-02-10T10:00").visits == ()


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        (date(2026, 12, 15), 12, date(2027, 12, 15)),
    ],
)
def test_a_month_that_is_too_short_ends_with_its_last_day(day: date, months: int, later: date) -> None:
    assert months_after(day, months) == later
