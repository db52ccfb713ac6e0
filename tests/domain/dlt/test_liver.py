"""Transaminases and bilirubin above their limits together: case histories by DLT-13, exactly at 168 hours."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.cases import at
from tests.domain.dlt.counted import rule_about
from tests.domain.dlt.told import DEFINITION, NO, nullified, subject, told
from tocsin.domain.calendars import Partial
from tocsin.domain.dlt.definition import About
from tocsin.domain.dlt.of_liver import of_liver
from tocsin.domain.dlt.subject import LiverTest, LiverValue, Reported
from tocsin.domain.dlt.verdict import State, Verdict

NOT, POTENTIAL, PENDING, MET = State.NOT_DLT, State.POTENTIAL_DLT, State.PENDING_DURATION, State.MET_BY_RULE
ALT, AST, BILIRUBIN, ALP = LiverTest.ALT, LiverTest.AST, LiverTest.BILIRUBIN, LiverTest.ALP

START = "2026-03-05T08:00"
"""Both are above from here on. 168 h are over on 12 March at 08:00."""
LATER = "2026-04-20T09:00"
Value = tuple[LiverTest, str, str | None]
HIGH: list[Value] = [(ALT, START, "5"), (BILIRUBIN, START, "3")]


def liver(*values: Value) -> tuple[LiverValue, ...]:
    return tuple(
        LiverValue(test, Partial.parse(when), None if times is None else Decimal(times), f"{test} {when} {times}")
        for test, when, times in values
    )


def judged(values: Sequence[Value], as_of: str = LATER, *events: Reported, **facts: object) -> list[Verdict]:
    of = subject(*events, liver=liver(*values), **facts)  # type: ignore[arg-type]
    return of_liver(of, rule_about(About.LIVER), DEFINITION, at(as_of))


def only(values: Sequence[Value], as_of: str = LATER, *events: Reported, **facts: object) -> Verdict:
    (one,) = judged(values, as_of, *events, **facts)
    return one


@pytest.mark.parametrize(
    ("fell", "as_of", "state"),
    [
        (None, "2026-03-06T09:00", PENDING),
        (None, "2026-03-12T08:00", PENDING),
        (None, "2026-03-12T08:00:01", MET),
        ((ALT, "2026-03-12T08:00", "2"), LATER, NOT),
        ((ALT, "2026-03-12T08:01", "2"), LATER, MET),
        ((BILIRUBIN, "2026-03-12T08:00", "1"), LATER, NOT),
        ((BILIRUBIN, "2026-03-12T08:01", "1"), LATER, MET),
        # Exactly at a limit is not above it.
        ((ALT, "2026-03-07T08:00", "3"), LATER, NOT),
        ((ALT, "2026-03-07T08:00", "3.01"), LATER, MET),
        ((BILIRUBIN, "2026-03-07T08:00", "2"), LATER, NOT),
        ((BILIRUBIN, "2026-03-07T08:00", "2.01"), LATER, MET),
    ],
)
@pytest.mark.rule("rules.md 4.2: liver injury; readings.md DLT 4")
def test_both_above_for_more_than_168_h_is_met_and_exactly_168_h_is_within(
    fell: Value | None, as_of: str, state: State
) -> None:
    found = only([*HIGH, *([fell] if fell else [])], as_of)
    assert (found.state, found.rule_id, found.key) == (state, "DLT-13", "liver|2026-03-05"), found.reasons
    assert found.due_at == (at("2026-03-12T08:00:01") if state is PENDING else None)


@pytest.mark.rule("rules.md 4.2: liver injury; readings.md DLT 8")
def test_without_a_newer_value_it_is_provisional_and_asked_for_and_nobody_has_judged_the_relation() -> None:
    silent = only(HIGH)
    assert silent.asks == ("which ALT, AST and bilirubin were measured since, and when exactly?",)
    assert silent.reasons[-1] == "168 h are over and nothing newer was measured: taken as still above"
    newer = only([*HIGH, (ALT, "2026-03-13T08:00", "4")])
    assert (newer.state, newer.is_provisional, newer.asks) == (MET, True, ())
    assert newer.reasons[-1] == "no report tells of it, so nobody has judged the relation: taken as related"
    within = only([*HIGH, (ALT, "2026-03-07T08:00", "1")])
    assert (within.state, within.is_provisional) == (NOT, False)


@pytest.mark.parametrize(
    ("report", "state", "is_provisional"),
    [
        (told("Alanine aminotransferase increased", term="Alanine aminotransferase increased"), MET, False),
        (told("药物性肝损伤"), MET, False),
        (told("jaundice", investigator=None, sponsor=None), MET, True),
        (told("liver injury", investigator=NO, sponsor=None), MET, True),
        (told("liver injury", investigator=NO, sponsor=NO), NOT, False),
        # What tells of something else, was over before, or was taken back says nothing of these values.
        (told("cough", investigator=NO, sponsor=NO), MET, True),
        (told("liver injury", investigator=NO, sponsor=NO, onset="2026-02-01", end="2026-02-03"), MET, True),
        (nullified(told("liver injury", investigator=NO, sponsor=NO)), MET, True),
    ],
)
@pytest.mark.rule("rules.md 4.2: liver injury")
def test_the_relation_is_that_of_the_reports_that_tell_of_the_liver(
    report: Reported, state: State, is_provisional: bool
) -> None:
    found = only([*HIGH, (ALT, "2026-03-13T08:00", "4")], LATER, report)
    assert (found.state, found.rule_id, found.is_provisional) == (state, "DLT-13", is_provisional), found.reasons


@pytest.mark.rule("rules.md 4.2: liver injury")
def test_of_two_reports_of_the_liver_the_one_that_suspects_the_product_counts() -> None:
    values = [*HIGH, (ALT, "2026-03-13T08:00", "4")]
    unrelated, suspected = told("jaundice", investigator=NO, sponsor=NO), told("liver injury", n=2)
    for events in ((unrelated, suspected), (suspected, unrelated)):
        found = only(values, LATER, *events)
        assert (found.state, found.is_provisional) == (MET, False)
        assert "TOC-0031-E2 (liver injury) tells of it" in found.reasons


@pytest.mark.rule("rules.md 4.2: liver injury")
def test_it_says_the_values_the_hours_and_the_study_day() -> None:
    found = only([*HIGH, (ALT, "2026-03-07T08:00", "1.5")])
    assert (found.about, found.study_day, found.event_id) == (About.LIVER, 3, None)
    assert found.reasons == (
        "DLT-13: liver injury: ALT or AST above 3 times and bilirubin above 2 times the upper limit of normal "
        "for more than 168 hours",
        "ALT 5 times the upper limit of normal, 2026-03-05T08:00",
        "bilirubin 3 times the upper limit of normal, 2026-03-05T08:00",
        "ALT 1.5 times the upper limit of normal, 2026-03-07T08:00",
        "both above since 2026-03-05 08:00, not both above 2026-03-07 08:00: within 168 h",
        "onset 2026-03-05T08:00 is inside the window of 28 days from 2026-03-02T10:00 (study day 3)",
    )


@pytest.mark.rule("rules.md 4.2: liver injury; readings.md DLT 12")
def test_it_begins_when_both_are_first_above_and_alt_or_ast_is_enough() -> None:
    assert judged([(ALT, START, "5"), (AST, START, "9")]) == []
    assert judged([(BILIRUBIN, START, "5"), (ALT, START, "3")]) == []
    later = only([(ALT, START, "5"), (BILIRUBIN, "2026-03-06T08:00", "3")], "2026-03-12T09:00")
    assert (later.state, later.key) == (PENDING, "liver|2026-03-06")
    # AST takes over while ALT falls.
    taken_over = [*HIGH, (AST, "2026-03-08T08:00", "4"), (ALT, "2026-03-09T08:00", "1"), (AST, "2026-03-13T08:00", "4")]
    assert only(taken_over).state is MET
    # A value of one test says nothing of the other.
    assert only([*HIGH, (AST, "2026-03-06T08:00", "1"), (ALT, "2026-03-13T08:00", "4")]).state is MET


@pytest.mark.rule("readings.md DLT 12")
def test_a_pause_of_less_than_24_h_does_not_part_a_stretch_and_one_of_24_h_does() -> None:
    def with_pause(until: str) -> list[tuple[str, State]]:
        values = [*HIGH, (ALT, "2026-03-10T08:00", "2"), (ALT, until, "5"), (ALT, "2026-03-14T08:00", "2")]
        return [(one.key, one.state) for one in judged(values)]

    assert with_pause("2026-03-11T07:59") == [("liver|2026-03-05", MET)]
    assert with_pause("2026-03-11T08:00") == [("liver|2026-03-05", NOT), ("liver|2026-03-11", NOT)]


@pytest.mark.rule("rules.md 4.2: liver injury; readings.md DLT 1")
def test_it_must_begin_in_the_window_and_may_be_over_after_it() -> None:
    def begun(when: str) -> list[State]:
        return [one.state for one in judged([(ALT, when, "5"), (BILIRUBIN, when, "3")])]

    assert begun("2026-03-30T23:59") == [MET]
    assert begun("2026-03-31T00:00") == []
    assert begun("2026-03-02T09:59") == []
    assert begun("2026-03-02T10:00") == [MET]


@pytest.mark.parametrize(
    ("alp", "is_told"),
    [
        ((ALP, "2026-03-07T08:00", "2.1"), True),
        ((ALP, "2026-03-07T08:00", "2"), False),
        ((ALP, "2026-03-04T08:00", "3"), True),
        ((ALP, "2026-03-04T07:59", "3"), False),
        ((ALP, "2026-03-15T08:00", "3"), True),
        ((ALP, "2026-03-15T08:01", "3"), False),
        ((ALP, "2026-03-07T08:00", None), False),
    ],
)
@pytest.mark.rule("rules.md 4.2: liver injury")
def test_that_cholestasis_explains_it_is_the_committees_to_say(alp: Value, is_told: bool) -> None:
    found = only([*HIGH, (ALT, "2026-03-14T08:00", "1"), alp])
    assert found.state is (POTENTIAL if is_told else MET)
    assert bool(found.for_committee) is is_told


@pytest.mark.rule("rules.md 4.2: liver injury")
def test_that_crs_or_iec_hs_explains_it_is_the_committees_to_say() -> None:
    over = [*HIGH, (ALT, "2026-03-14T08:00", "1")]
    for words in ("CRS", "HLH"):
        beside = told(words, onset="2026-03-03", end="2026-03-06", grade=2)
        assert only(over, LATER, beside).state is POTENTIAL
        assert only(HIGH, "2026-03-06T09:00", beside).state is POTENTIAL
        assert len(only(over, LATER, beside).for_committee) == 1
        assert only([*HIGH, (ALT, "2026-03-07T08:00", "1")], LATER, beside).state is NOT
    assert only(over, LATER, told("CRS", onset=None, grade=2)).state is POTENTIAL
    for apart in (
        told("CRS", onset="2026-03-03", end="2026-03-04", grade=2),
        told("CRS", onset="2026-03-15", grade=2),
        nullified(told("CRS", onset="2026-03-03", grade=2)),
        told("rash", onset="2026-03-03", grade=2),
    ):
        assert only(over, LATER, apart).state is MET


@pytest.mark.rule("rules.md 4.2: liver injury")
def test_values_without_a_limit_or_a_year_are_not_used() -> None:
    assert judged([(ALT, START, None), (BILIRUBIN, START, None)]) == []
    assert judged([(ALT, "--03-05", "5"), (BILIRUBIN, START, "3")]) == []
    between = only([*HIGH, (ALT, "2026-03-07T08:00", None), (ALT, "2026-03-13T08:00", "5")])
    assert between.state is MET


@pytest.mark.rule("readings.md DLT 8")
def test_what_the_dates_leave_open_is_taken_as_longer_and_asked_for() -> None:
    days: list[Value] = [(ALT, "2026-03-05", "5"), (BILIRUBIN, "2026-03-05", "3")]
    # From 144 to 192 h; never more than 168 h; always more than 168 h.
    open_ = only([*days, (ALT, "2026-03-12", "1")])
    assert (open_.state, open_.is_provisional, len(open_.asks)) == (MET, True, 1)
    assert only([*days, (ALT, "2026-03-11", "1")]).state is NOT
    sure = only([*days, (ALT, "2026-03-13", "1")])
    assert (sure.state, sure.asks) == (MET, ())


@pytest.mark.rule("readings.md DLT 7")
def test_without_an_infusion_nothing_is_met_and_nothing_is_waited_for() -> None:
    found = only(HIGH, LATER, infused=())
    assert (found.state, found.is_provisional, found.due_at) == (POTENTIAL, True, None)


measured = st.lists(
    st.tuples(
        st.sampled_from([ALT, AST, BILIRUBIN, ALP]), st.integers(3, 25), st.sampled_from(["1", "2", "2.5", "3", "4"])
    ),
    max_size=14,
)


@given(measured, st.randoms(use_true_random=False))
@pytest.mark.rule("rules.md 4.2: liver injury")
def test_the_order_in_which_values_come_and_that_they_come_twice_changes_nothing(
    values: list[tuple[LiverTest, int, str]], shuffled: random.Random
) -> None:
    once: list[Value] = [(test, f"2026-03-{day:02d}T08:00", times) for test, day, times in values]
    twice = [*once, *once]
    shuffled.shuffle(twice)
    assert judged(once) == judged(twice)


@given(measured, st.integers(0, 40))
@pytest.mark.rule("readings.md DLT 4")
def test_what_is_pending_is_met_or_over_once_its_moment_has_come(
    values: list[tuple[LiverTest, int, str]], day: int
) -> None:
    once: list[Value] = [
        (test, f"2026-03-{taken:02d}T08:00", times) for test, taken, times in values if test is not ALP
    ]
    as_of = f"2026-{3 + (day > 27):02d}-{day + 3 if day <= 27 else day - 27:02d}T12:00"
    for one in judged(once, as_of):
        assert (one.due_at is not None) is (one.state is PENDING)
        if one.due_at is not None:
            assert one.due_at > at(as_of)
