"""The decision at each level as a trial goes on: 3+3, BOIN and TITE-BOIN told as stories."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from tests.domain.board.trial import (
    CONFIRMED,
    LATE,
    MET,
    POTENTIAL,
    REJECTED,
    at_board,
    cohort,
    protocol,
    reviewed,
    subject,
)
from tests.domain.cases import at
from tocsin.domain.board.decision import outside_key
from tocsin.domain.board.facts import Lifted, Reviewed, TrialFacts
from tocsin.domain.board.settings import Design

BOIN = protocol(design=Design.BOIN)
TITE = protocol(design=Design.TITE_BOIN, target=Fraction(1, 5))
MARCH = "2026-03-02T10:00"


@pytest.mark.rule("rules.md 5.5: ST-02")
def test_none_of_three_escalates_once_the_review_is_signed() -> None:
    found = at_board(cohort(1, None, None, None)).decision("DL1")
    assert (found.word, found.goes_to, found.needs_review) == ("ESCALATE", "DL2", True)
    assert found.action == "escalate to DL2, once the review is signed"
    assert found.reasons == (
        "0 of 3 evaluable with a DLT",
        "no DLT in the first three, and the next higher dose is open",
        "going up needs the signed review of the committee (ST-02)",
    )


@pytest.mark.rule("rules.md 5.5: ST-02")
def test_with_the_review_signed_the_next_dose_is_the_higher_one() -> None:
    before, after = at_board(cohort(1, None, None, None)), at_board(cohort(1, None, None, None), reviewed())
    assert (before.next.current, before.next.level) == ("DL1", None)
    assert (after.next.current, after.next.level, after.next.places) == ("DL1", "DL2", 3)
    assert after.next.may_be_infused
    assert after.decision("DL1").reasons[-1] == "review signed by A. Chair on 2026-02-10: three without a DLT"


@pytest.mark.rule("rules.md 5.1")
@pytest.mark.parametrize(
    ("states", "word", "next_level", "places"),
    [
        ((), "CONTINUE_COHORT", "DL1", 3),
        ((None,), "CONTINUE_COHORT", "DL1", 2),
        ((None, None, MET), "EXPAND_TO_6", "DL1", 3),
        ((None, None, MET, None), "CONTINUE_COHORT", "DL1", 2),
        ((MET, MET), "STOP_ALL_DOSES_TOO_TOXIC", None, 0),
        ((None, MET, CONFIRMED), "STOP_ALL_DOSES_TOO_TOXIC", None, 0),
        ((None, None, None, None, None, MET), "ESCALATE", None, 0),
        ((None, None, REJECTED), "ESCALATE", None, 0),
        ((None,) * 7, "COMMITTEE", None, 0),
        ((None,) * 6 + (MET, MET, CONFIRMED), "STOP_ALL_DOSES_TOO_TOXIC", None, 0),
    ],
)
def test_the_lowest_dose_is_decided_as_the_table_of_3_plus_3_says(
    states: tuple[object, ...], word: str, next_level: str | None, places: int
) -> None:
    found = at_board(cohort(1, *states))  # type: ignore[arg-type]
    assert found.decision("DL1").word == word
    assert (found.next.level, found.next.places) == (next_level, places)


@pytest.mark.rule("rules.md 5.1")
def test_the_highest_dose_is_expanded_to_six_and_then_declared() -> None:
    lower = [*cohort(1, None, None, None), *cohort(4, None, None, None, level="DL2", on=MARCH)]
    facts = TrialFacts(reviewed=(*reviewed().reviewed, Reviewed("DL2", ("A. Chair",), at("2026-04-10T09:00"), "ok")))
    three = at_board([*lower, *cohort(7, None, None, None, level="DL3", on="2026-05-04T10:00")], facts)
    assert (three.decision("DL3").word, three.next.level, three.next.places) == ("EXPAND_TO_6", "DL3", 3)
    six = at_board([*lower, *cohort(7, None, None, None, None, MET, None, level="DL3", on="2026-05-04T10:00")], facts)
    assert six.decision("DL3").word == "DECLARE_MTD_NOT_EXCEEDED"
    assert (six.mtd.level, six.mtd.is_declared, six.next.level) == ("DL3", True, None)


@pytest.mark.rule("rules.md 5.1")
def test_a_dose_that_is_too_toxic_sends_back_to_six_at_the_lower_one() -> None:
    upper = cohort(4, MET, CONFIRMED, level="DL2", on=MARCH)
    three = at_board([*cohort(1, None, None, None), *upper], reviewed())
    assert three.decision("DL2").word == "DE_ESCALATE"
    assert three.decision("DL1").word == "EXPAND_TO_6"
    assert (three.next.current, three.next.level, three.next.places) == ("DL1", "DL1", 3)
    assert three.next.may_be_infused
    six = at_board([*cohort(1, None, None, None, None, MET, None), *upper], reviewed())
    assert (six.mtd.level, six.decision("DL1").word) == ("DL1", "DECLARE_MTD")


@pytest.mark.rule("rules.md 5.4")
def test_while_one_is_in_the_window_the_board_waits_and_says_until_when() -> None:
    waiting = [*cohort(1, None, None), subject(3, on="2026-01-20T10:00")]
    found = at_board(waiting, as_of="2026-02-10T10:00")
    assert (found.decision("DL1").word, found.decision("DL1").action) == (
        "WAIT",
        "wait for 1 pending, 2026-02-17 at the earliest",
    )
    assert found.count("DL1").earliest_on == date(2026, 2, 17)
    assert (found.next.level, found.next.places) == (None, 0)


def test_while_the_cohort_has_a_place_left_one_may_be_infused_although_another_is_waited_for() -> None:
    found = at_board(cohort(1, None, None), as_of="2026-02-02T10:00")
    assert (found.decision("DL1").word, found.next.level, found.next.places) == ("WAIT", "DL1", 1)


@pytest.mark.rule("readings.md DLT 2")
def test_an_open_verdict_after_day_28_keeps_the_board_waiting() -> None:
    found = at_board(cohort(1, None, None, POTENTIAL)).decision("DL1")
    assert (found.word, found.action) == ("WAIT", "wait for 1 pending")


def test_a_replaced_subject_counts_for_nothing_and_leaves_its_place() -> None:
    two_and_one_left = [*cohort(1, None, None), subject(3, left="2026-01-12")]
    found = at_board(two_and_one_left)
    assert (found.count("DL1").evaluable, found.count("DL1").replaced) == (2, ("S01-003",))
    assert (found.decision("DL1").word, found.next.level, found.next.places) == ("CONTINUE_COHORT", "DL1", 1)
    assert at_board([*two_and_one_left, subject(4)]).decision("DL1").word == "ESCALATE"


@pytest.mark.rule("readings.md DLT 14")
def test_a_late_upgrade_flips_escalate_to_stop() -> None:
    before = at_board(cohort(1, None, None, MET, None, None, None))
    assert before.decision("DL1").word == "ESCALATE"
    after = at_board(cohort(1, None, None, MET, None, MET, None))
    assert after.decision("DL1").word == "STOP_ALL_DOSES_TOO_TOXIC"
    assert after.hold("second_dlt:DL1") is not None
    assert after.next.level is None


def test_a_level_above_one_that_turns_out_too_toxic_is_closed_too() -> None:
    trial = [*cohort(1, None, MET, MET), *cohort(4, None, None, None, level="DL2", on=MARCH)]
    found = at_board(trial, reviewed())
    assert found.decision("DL2").word == "DE_ESCALATE"
    assert found.decision("DL2").reasons[0] == "DL1, a lower dose, is too toxic by itself"
    assert found.decision("DL2").action == "no infusion at this level: no lower dose is left"
    assert (found.next.level, found.mtd.level, found.mtd.is_declared) == (None, None, True)


@pytest.mark.rule("readings.md DLT 2")
def test_a_dlt_after_another_dose_than_planned_blocks_going_up_until_the_committee_has_signed() -> None:
    trial = [*cohort(1, None, None, None), subject(4, MET, percent="150")]
    found = at_board(trial)
    assert (found.count("DL1").evaluable, found.count("DL1").dlt, found.count("DL1").outside) == (3, (), ("S01-004",))
    assert found.decision("DL1").word == "WAIT"
    assert "by the table alone: ESCALATE" in found.decision("DL1").reasons
    key = outside_key("DL1", "S01-004")
    signed = TrialFacts(lifted=(Lifted(key, ("A. Chair",), at("2026-03-01T10:00"), "an overdose"),))
    assert at_board(trial, signed).decision("DL1").word == "ESCALATE"


@pytest.mark.rule("rules.md 5.5: ST-02")
def test_nobody_goes_up_while_one_who_was_given_too_little_is_still_in_the_window() -> None:
    trial = [*cohort(1, None, None, None), subject(4, percent="70", on="2026-02-20T10:00")]
    inside, after = at_board(trial, as_of="2026-03-10T10:00"), at_board(trial, as_of="2026-03-21T00:00")
    assert (inside.decision("DL1").word, after.decision("DL1").word) == ("WAIT", "ESCALATE")
    assert inside.count("DL1").pending == ()


def test_a_level_that_nobody_has_opened_says_what_opens_it() -> None:
    found = at_board(cohort(1, None)).decision("DL2")
    assert (found.word, found.action) == ("NOT_OPEN", "opens when DL1 goes up and the review is signed")


def test_the_table_is_printed_with_the_place_where_the_level_stands() -> None:
    table = at_board(cohort(1, None, None, MET)).decision("DL1").table
    assert table is not None
    assert table.here is not None
    assert table.rows[table.here[0]] == ("3", "1", "EXPAND_TO_6", "enrol 3 more at the same dose")


@pytest.mark.rule("rules.md 5.2: boundaries")
@pytest.mark.parametrize(
    ("states", "word", "next_level", "places"),
    [
        ((), "CONTINUE_COHORT", "DL1", 3),
        ((None,), "CONTINUE_COHORT", "DL1", 2),
        ((None, None, None), "E", None, 0),
        ((None, None, MET), "S", "DL1", 3),
        ((None, MET, MET), "D", "DL1", 3),
        ((MET, MET, MET), "DU", None, 0),
        ((None, None, None, None, MET, MET), "S", "DL1", 3),
    ],
)
def test_boin_decides_by_whole_cohorts(
    states: tuple[object, ...], word: str, next_level: str | None, places: int
) -> None:  # fmt: skip
    found = at_board(cohort(1, *states), of=BOIN)  # type: ignore[arg-type]
    assert found.decision("DL1").word == word
    assert (found.next.level, found.next.places) == (next_level, places)


def test_boin_prints_its_bounds_as_they_are_computed_and_the_place() -> None:
    found = at_board(cohort(1, None, None, MET), of=BOIN)
    assert ("lambda_e", "0.2364907") in found.parameters
    assert ("lambda_d", "0.3585195") in found.parameters
    table = found.decision("DL1").table
    assert table is not None
    assert table.here == (2, 2)


def test_boin_goes_back_up_after_it_went_down_with_a_review_of_its_own() -> None:
    trial = [*cohort(1, None, None, None), *cohort(4, None, MET, MET, level="DL2", on=MARCH)]
    down = at_board(trial, reviewed(), of=BOIN)
    assert (down.decision("DL2").word, down.next.level) == ("D", "DL1")
    trial += cohort(7, None, None, None, on="2026-05-04T10:00")
    unsigned = at_board(trial, reviewed(), of=BOIN)
    assert (unsigned.decision("DL1").word, unsigned.next.current, unsigned.next.level) == ("E", "DL1", None)
    assert "review:DL2:again" in [hold.key for hold in unsigned.standing_holds]
    signed = TrialFacts(reviewed=(*reviewed().reviewed, *reviewed(on="2026-06-10T09:00").reviewed))
    again = at_board(trial, signed, of=BOIN)
    assert (again.next.current, again.next.level, again.next.may_be_infused) == ("DL1", "DL2", True)


@pytest.mark.rule("rules.md 5.2: final MTD")
def test_boin_shows_the_mtd_as_if_the_trial_ended_now() -> None:
    trial = [*cohort(1, *[None] * 6), *cohort(7, None, None, None, None, MET, MET, level="DL2", on=MARCH)]
    found = at_board(trial, reviewed(), of=BOIN).mtd
    assert (found.level, found.is_declared, found.reasons[0]) == ("DL2", False, "if the trial ended now")


@pytest.mark.rule("TITE-BOIN")
def test_tite_boin_suspends_when_too_many_are_pending_and_decides_by_follow_up_when_few_are() -> None:
    six = cohort(1, None, None, None, None, None, MET)
    early = [*six, *cohort(7, None, None, None, on="2026-11-25T12:00")]
    # 1 of 9 with 3 pending at target 0.20: escalate from 0.77 windows on. 3 times 6 days are 0.64; 3 times 8, 0.86.
    assert at_board(early, as_of="2026-12-01T12:00", of=TITE).decision("DL1").word == "S"
    later = at_board(early, as_of="2026-12-03T12:00", of=TITE).decision("DL1")
    assert (later.word, later.action) == ("E", "escalate to DL2, once the review is signed")
    assert later.table is not None
    assert later.table.here is not None
    assert later.table.rows[later.table.here[0]][:4] == ("9", "1", "3", ">=0.77")
    many = at_board(cohort(1, None, None, None), as_of="2026-01-10T10:00", of=TITE).decision("DL1")
    assert (many.word, many.action) == ("SUSPEND", "suspend accrual until more are complete")


@pytest.mark.rule("TITE-BOIN")
def test_one_with_an_open_verdict_counts_as_followed_for_no_time() -> None:
    trial = [*cohort(1, None, None, None, None, None, MET), *cohort(7, None, None, POTENTIAL)]
    assert at_board(trial, of=TITE).count("DL1").follow_up_days == (Fraction(0),)


def test_subjects_at_no_level_of_the_protocol_are_named_and_counted_nowhere() -> None:
    found = at_board([subject(1, level="DL9"), replace(subject(2, on=None), enrolled=())], as_of=LATE)
    assert found.unplaced == ("S01-001", "S01-002")
    assert found.count("DL1").evaluable == 0


def test_what_the_board_rests_on_is_said() -> None:
    assert at_board([]).assumptions == (
        "ASSUMED RULES, not approved by the sponsor: dose design 3+3, its numbers, and the calendar of follow-up",
        "ASSUMED RULES, not approved by the sponsor: DLT definition dlt-default-0.1",
    )
