"""Who is evaluable, who is waited for, and who is replaced: both sides of every edge."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.domain.board.trial import (
    CONFIRMED,
    LATE,
    MET,
    NOT_DLT,
    PENDING,
    POTENTIAL,
    REJECTED,
    STUDY,
    protocol,
    subject,
    verdict,
)
from tests.domain.cases import at
from tocsin.domain.board.facts import Enrolled, Given, SubjectFacts
from tocsin.domain.board.given import Dosed
from tocsin.domain.board.standing import Standing, Status, standing
from tocsin.domain.calendars import Partial
from tocsin.domain.dlt.verdict import State


def stands(one: SubjectFacts, as_of: str | None = None) -> Standing:
    return standing(one, STUDY, LATE if as_of is None else at(as_of))


@pytest.mark.rule("readings.md DLT 2")
@pytest.mark.parametrize(
    ("as_of", "status", "day"),
    [
        ("2026-02-02T23:59:58", Status.PENDING, 28),
        ("2026-02-02T23:59:59", Status.PENDING, 28),
        ("2026-02-03T00:00:00", Status.EVALUABLE, 29),
    ],
)
def test_day_28_is_complete_with_its_last_second(as_of: str, status: Status, day: int) -> None:
    found = stands(subject(1), as_of)
    assert (found.status, found.window_day) == (status, day)


def test_a_subject_in_the_window_is_waited_for_until_its_last_day() -> None:
    found = stands(subject(1), "2026-01-22T08:00")
    assert (found.status, found.window_day, found.earliest_on) == (Status.PENDING, 17, date(2026, 2, 2))
    assert found.waits_for == ("day 28 is not complete",)


@pytest.mark.rule("rules.md 4.2: evaluable")
@pytest.mark.parametrize(
    ("percent", "status"),
    [
        ("79", Status.NOT_EVALUABLE),
        ("79.99", Status.NOT_EVALUABLE),
        ("80", Status.EVALUABLE),
        ("120", Status.EVALUABLE),
        ("120.01", Status.NOT_EVALUABLE),
        ("121", Status.NOT_EVALUABLE),
    ],
)
def test_80_to_120_percent_of_the_planned_dose_counts_as_that_dose(percent: str, status: Status) -> None:
    assert stands(subject(1, percent=percent)).status is status


@pytest.mark.rule("readings.md DLT 2")
@pytest.mark.parametrize("percent", ["79", "121"])
def test_a_dlt_after_a_dose_outside_the_plan_is_put_before_the_committee(percent: str) -> None:
    found = stands(subject(1, MET, percent=percent))
    assert found.status is Status.DLT
    assert not found.counts
    assert found.for_committee == (
        f"a DLT, and {percent} % of the planned dose was given, outside 80 to 120 %: "
        "whether it counts against the level is the committee's",
    )


@pytest.mark.parametrize(("percent", "planned"), [(None, "1.0"), ("100", None)])
def test_a_dose_that_nobody_told_is_waited_for_and_never_taken_as_planned(
    percent: str | None, planned: str | None
) -> None:
    found = stands(subject(1, percent=percent, planned=planned))
    assert (found.status, found.dosed) == (Status.PENDING, Dosed.UNKNOWN)
    missing = "given" if percent is None else "planned"
    assert found.waits_for == (f"the {missing} dose is not known: not known to be as planned",)
    assert found.asks == (f"the {missing} dose is not known: what was planned, and what was given?",)


def test_where_only_the_given_dose_is_told_with_its_unit_the_protocol_says_what_was_planned() -> None:
    dose = Given(Partial.parse("2026-01-05T10:00"), "DL2", None, Decimal("1.5"), "10^6 cells/kg")
    found = stands(replace(subject(1, level="DL2"), given=(dose,)))
    assert found.status is Status.NOT_EVALUABLE
    assert "75 % of the dose of DL2 by the protocol was given, outside 80 to 120 %" in found.reasons[0]


def test_two_records_of_one_dose_that_disagree_are_not_known() -> None:
    started = Partial.parse("2026-01-05T10:00")
    doses = (Given(started, "DL1", Decimal(1), Decimal(1)), Given(started, "DL1", Decimal(1), Decimal("0.7")))
    found = stands(replace(subject(1), given=doses))
    assert found.status is Status.PENDING
    assert "contradict one another" in found.waits_for[0]


@pytest.mark.rule("readings.md DLT 2")
@pytest.mark.parametrize(
    ("state", "status"),
    [
        (MET, Status.DLT),
        (CONFIRMED, Status.DLT),
        (REJECTED, Status.EVALUABLE),
        (NOT_DLT, Status.EVALUABLE),
        (POTENTIAL, Status.PENDING),
        (PENDING, Status.PENDING),
        (State.NONE, Status.EVALUABLE),
    ],
)
def test_what_is_met_counts_until_it_is_rejected_and_what_is_open_is_waited_for(state: State, status: Status) -> None:
    assert stands(subject(1, state)).status is status


def test_a_dlt_counts_at_once_before_day_28() -> None:
    found = stands(subject(1, MET), "2026-01-14T08:00")
    assert (found.status, found.counts, found.is_confirmed) == (Status.DLT, True, False)


@pytest.mark.rule("readings.md DLT 2")
def test_a_component_before_the_committee_keeps_a_subject_from_being_evaluable() -> None:
    component = verdict(NOT_DLT, for_committee=("a component of grade 4",))
    found = stands(subject(1, component))
    assert found.status is Status.PENDING
    assert found.waits_for == (
        "before the committee: E1 is NOT_DLT by DLT-11: a component of grade 4",
    )  # fmt: skip
    assert found.earliest_on is None


def test_a_limit_that_passes_after_day_28_is_the_earliest_date() -> None:
    waits = verdict(PENDING, due_at=at("2026-02-06T10:01"))
    found = stands(subject(1, waits), "2026-02-01T10:00")
    assert found.earliest_on == date(2026, 2, 6)


@pytest.mark.rule("rules.md 4.2: evaluable")
@pytest.mark.parametrize(
    ("left", "status"),
    [
        ("2026-02-01", Status.NOT_EVALUABLE),
        ("2026-02-02", Status.EVALUABLE),
        ("2026-01", Status.NOT_EVALUABLE),
        ("2026-02", Status.PENDING),
        ("2026", Status.PENDING),
    ],
)
def test_who_left_before_day_28_without_a_dlt_is_replaced_and_an_open_date_is_asked_for(
    left: str, status: Status
) -> None:
    assert stands(subject(1, left=left)).status is status


@pytest.mark.rule("rules.md 4.2: evaluable")
def test_a_withdrawal_by_a_dlt_counts() -> None:
    assert stands(subject(1, MET, left="2026-01-12")).status is Status.DLT


def test_who_left_while_something_is_open_is_not_replaced_yet() -> None:
    assert stands(subject(1, POTENTIAL, left="2026-01-12")).status is Status.PENDING


def test_who_left_before_infusion_is_replaced_and_who_did_not_is_enrolled() -> None:
    assert stands(subject(1, on=None)).status is Status.ENROLLED
    assert stands(subject(1, on=None, left="2026-01-03")).status is Status.NOT_EVALUABLE


def test_a_start_of_which_only_the_month_is_known_is_complete_by_every_reading_only() -> None:
    assert stands(subject(1, on="2026-01"), "2026-02-28T23:59:59").status is Status.PENDING
    assert stands(subject(1, on="2026-01"), "2026-03-01T00:00:00").status is Status.EVALUABLE


def test_a_start_without_a_year_is_waited_for() -> None:
    found = stands(subject(1, on="--01-05"))
    assert (found.status, found.waits_for[1]) == (Status.PENDING, "the start of infusion is not known")


def test_a_dlt_of_a_subject_without_an_infusion_is_asked_about_and_counts_in_no_table() -> None:
    found = stands(subject(1, MET, on=None))
    assert (found.status, found.counts) == (Status.DLT, False)
    assert found.asks == ("a DLT is told, and no infusion: when was the product given?",)


def test_what_contradicts_itself_is_asked() -> None:
    twice = replace(
        subject(1, planned="2.0"),
        given=(
            Given(Partial.parse("2026-01-05T10:00"), "DL1", Decimal(2), Decimal(2), "10^6 cells/kg"),
            Given(Partial.parse("2026-01-09T10:00"), "DL1", Decimal(2), Decimal(2), "10^6 cells/kg"),
        ),
        enrolled=(Enrolled("DL2", Partial.parse("2026-01-01")),),
        contacts=frozenset({date(2026, 1, 20)}),
    )
    assert stands(twice).asks == (
        "enrolled at DL2 and infused at DL1: which level was assigned?",
        "infusions on 2026-01-05T10:00, 2026-01-09T10:00: the product is given once; which is right?",
        "the planned dose that was told is 200 % of the dose of DL1 by the protocol: which is right?",
        "nothing is known of the subject after 2026-01-20: was the last day of the window completed?",
    )


def test_a_study_without_a_window_calls_nobody_evaluable() -> None:
    found = standing(subject(1), replace(protocol(), dlt=None), LATE)
    assert found.status is Status.PENDING
    assert "this study defines no window for DLTs" in found.waits_for
