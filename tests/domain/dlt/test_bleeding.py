"""A bleeding and the platelets beside it: case histories by DLT-10, exactly at the 24 hours."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.dlt.counted import Values, counts, march, rule_about, with_platelets
from tests.domain.dlt.told import DEFINITION, NO, YES, nullified, subject, told
from tocsin.domain.case import Opinion
from tocsin.domain.dlt.definition import About
from tocsin.domain.dlt.of_bleeding import of_bleeding
from tocsin.domain.dlt.subject import Reported
from tocsin.domain.dlt.verdict import State, Verdict
from tocsin.domain.words import Agent, Outcome, Party

POTENTIAL, MET = State.POTENTIAL_DLT, State.MET_BY_RULE
AT = "2026-03-10T08:00"
RULE = rule_about(About.BLEEDING)


def bleeding(**facts: Any) -> Reported:
    """A gastric bleeding of grade 3 on 10 March at 08:00."""
    given: dict[str, Any] = {"onset": AT, "grade": 3, "term": "Gastric hemorrhage", **facts}
    return told("gastric bleeding", **given)


def thrombocytopenia(grade: int | None = 3, **facts: Any) -> Reported:
    given: dict[str, Any] = {"onset": "2026-03-05", "term": "Platelet count decreased", **facts}
    return told("thrombocytopenia", n=2, grade=grade, **given)


def judged(one: Reported, *others: Reported, values: Values = (), **facts: Any) -> Verdict | None:
    of = with_platelets(one, *others, values=values, **facts)
    return of_bleeding(one, of, RULE, DEFINITION, one.event.worst_grade())


def state(one: Reported, *others: Reported, values: Values = (), **facts: Any) -> tuple[State, bool] | None:
    found = judged(one, *others, values=values, **facts)
    return None if found is None else (found.state, found.is_provisional)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([(AT, "49.9")], (MET, False)),
        ([(AT, "50")], None),
        # 24 h before and after the onset, both included.
        ([("2026-03-09T08:00", "20")], (MET, False)),
        ([("2026-03-09T07:59", "20")], (MET, True)),
        ([("2026-03-11T08:00", "20")], (MET, False)),
        ([("2026-03-11T08:01", "20")], (POTENTIAL, True)),
        # The lowest counts, not the nearest; a value outside stands for nothing while one inside is known.
        ([("2026-03-09T09:00", "30"), (AT, "80"), ("2026-03-11T07:00", "90")], (MET, False)),
        ([("2026-03-09T07:59", "20"), (AT, "80")], None),
        # If there is neither, the last known value before: the last, not the lowest.
        ([("2026-03-04T08:00", "90"), ("2026-03-08T08:00", "20")], (MET, True)),
        ([("2026-03-04T08:00", "20"), ("2026-03-08T08:00", "90")], None),
        ([("2026-03-08T08:00", "90"), ("2026-03-08T08:00", "20")], (MET, True)),
        ([], (POTENTIAL, True)),
        # A day without a time may be within 24 h, and is taken so.
        ([("2026-03-10", "20")], (MET, False)),
        ([("2026-03-09", "20")], (MET, True)),
        ([("2026-03-09", "20"), (AT, "50")], (MET, True)),
        ([("2026-03-08", "20"), ("2026-03-09", "80")], None),
        # Some day of March shows nothing of this day, unless it is low.
        ([("2026-03", "80"), ("2026-03-08", "20")], (MET, True)),
        ([("2026-03", "20")], (MET, True)),
    ],
)
@pytest.mark.rule("rules.md 4.2: bleeding with few platelets; readings.md DLT 12")
def test_the_lowest_platelets_around_the_bleeding_decide(values: Values, expected: tuple[State, bool] | None) -> None:
    assert state(bleeding(), values=values) == expected


@pytest.mark.rule("rules.md 4.2: bleeding with few platelets; readings.md DLT 12")
def test_of_a_bleeding_with_a_day_only_the_24_h_are_around_the_whole_day() -> None:
    one = bleeding(onset="2026-03-10")
    assert state(one, values=[("2026-03-10T03:00", "20")]) == (MET, False)
    assert state(one, values=[("2026-03-09T00:00", "20")]) == (MET, True)
    assert state(one, values=[("2026-03-11T23:59:59", "20")]) == (MET, True)
    assert state(one, values=[("2026-03-12T00:00", "20")]) == (POTENTIAL, True)
    # The platelets rose in the course of that day.
    rose = thrombocytopenia(None, course=[(3, "2026-03-05T08:00"), (2, "2026-03-10T12:00")])
    assert state(one, rose) == (MET, True)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (thrombocytopenia(3), (MET, False)),
        (thrombocytopenia(4), (MET, False)),
        (thrombocytopenia(2), (POTENTIAL, True)),
        (thrombocytopenia(None), (POTENTIAL, True)),
        (thrombocytopenia(3, end="2026-03-11"), (MET, False)),
        (thrombocytopenia(3, end="2026-03-10"), (MET, True)),
        (thrombocytopenia(3, end="2026-03-09"), (POTENTIAL, True)),
        (thrombocytopenia(3, onset="2026-03-11"), (POTENTIAL, True)),
        (thrombocytopenia(3, onset=None), (MET, True)),
        # It was of grade 3, and of grade 2 again when the bleeding began.
        (thrombocytopenia(None, course=[(3, "2026-03-05T08:00"), (2, "2026-03-08T08:00")]), (POTENTIAL, True)),
        (thrombocytopenia(None, course=[(2, "2026-03-05T08:00"), (3, "2026-03-09T08:00")]), (MET, False)),
        (nullified(thrombocytopenia(4)), (POTENTIAL, True)),
        (told("anaemia", n=2, term="Anemia", grade=4, onset="2026-03-05"), (POTENTIAL, True)),
    ],
)
@pytest.mark.rule("rules.md 4.2: bleeding with few platelets; readings.md DLT 12")
def test_an_open_platelet_event_of_grade_3_is_enough(other: Reported, expected: tuple[State, bool]) -> None:
    assert state(bleeding(), other) == expected


@pytest.mark.rule("rules.md 4.2: bleeding with few platelets")
def test_either_the_event_or_the_value_is_enough_and_what_is_sure_stands_first() -> None:
    assert state(bleeding(), thrombocytopenia(3), values=[(AT, "90")]) == (MET, False)
    assert state(bleeding(), thrombocytopenia(2), values=[(AT, "20")]) == (MET, False)
    assert state(bleeding(), thrombocytopenia(3, onset=None), values=[(AT, "20")]) == (MET, False)


@pytest.mark.rule("rules.md 4.2: bleeding with few platelets")
def test_it_says_the_rule_the_platelets_and_what_would_change_it() -> None:
    found = judged(bleeding(), values=[(AT, "20"), ("2026-03-10T12:00", "22")])
    assert found is not None
    assert (found.key, found.case_id, found.rule_id, found.about) == (
        "TOC-0031-E1", "TOC-0031", "DLT-10", About.BLEEDING,
    )  # fmt: skip
    assert (found.grade, found.study_day) == (3, 8)
    assert found.reasons == (
        "DLT-10: bleeding grade 3 or more with platelets of grade 3 or more",
        "coded as Gastric hemorrhage",
        "grade 3",
        "the lowest platelets within 24 h of its onset were 20 10*9/L of 2026-03-10T08:00",
        "onset 2026-03-10T08:00 is inside the window of 28 days from 2026-03-02T10:00 (study day 8)",
        "investigator judges it related",
        "sponsor judges it related",
    )
    assert found.would_change == (
        "the platelets were at or above 50 10*9/L: the rules on any other event decide",
        "both parties judge it not related: NOT_DLT by DLT-10",
    )


@pytest.mark.rule("rules.md 4.2: bleeding with few platelets; readings.md DLT 7")
def test_without_a_count_or_without_a_grade_it_is_potential_and_the_site_is_asked() -> None:
    no_count = judged(bleeding())
    no_grade = judged(bleeding(grade=None), values=[(AT, "20")])
    assert no_count is not None
    assert no_grade is not None
    assert (no_count.state, no_grade.state) == (POTENTIAL, POTENTIAL)
    assert no_count.asks == ("which platelet count was measured in the 24 h before or after the bleeding began?",)
    assert no_grade.asks == ("which grade was it at its worst?",)
    assert state(bleeding(grade=None), values=[(AT, "80")]) is None


@pytest.mark.rule("rules.md 4.2: bleeding with few platelets")
def test_what_is_no_grave_bleeding_of_the_window_goes_by_other_rules() -> None:
    low = [(AT, "20"), ("2026-03-31T08:00", "20"), ("2026-03-01T08:00", "20")]
    assert state(bleeding(grade=2), values=low) is None
    assert state(told("myocarditis", grade=4, onset=AT), values=low) is None
    assert state(bleeding(onset="2026-03-31T00:00"), values=low) is None
    assert state(bleeding(onset="2026-03-02T09:59"), values=low) is None
    assert state(nullified(bleeding()), values=low) is None
    assert state(bleeding(onset="2026-03-30T23:59"), values=low) == (MET, False)


@pytest.mark.rule("readings.md DLT 7")
def test_both_parties_must_judge_it_not_related_before_it_is_no_dlt() -> None:
    low = [(AT, "20")]
    unrelated = bleeding(investigator=NO, sponsor=NO)
    assert state(unrelated, values=low) == (State.NOT_DLT, False)
    assert state(unrelated, values=[(AT, "80")]) is None
    assert state(bleeding(investigator=NO, sponsor=None), values=low) == (MET, True)
    blamed = Opinion(Agent.LYMPHODEPLETION, Party.SPONSOR, YES)
    alone = replace(unrelated, event=replace(unrelated.event, opinions=(*unrelated.event.opinions, blamed)))
    found = judged(alone, values=low)
    assert found is not None
    assert (found.state, found.is_provisional, len(found.for_committee)) == (MET, True, 1)


@pytest.mark.rule("readings.md DLT 7")
def test_what_is_not_known_of_its_dates_is_taken_at_its_worst() -> None:
    undated = bleeding(onset=None)
    assert state(undated, values=march((10, "80"), (20, "20"))) == (MET, True)
    assert state(undated, values=march((10, "80"), (20, "90"))) is None
    assert state(undated) == (POTENTIAL, True)
    assert state(undated, thrombocytopenia(3)) == (MET, True)
    assert state(bleeding(), values=[(AT, "20")], infused=()) == (POTENTIAL, True)


@pytest.mark.rule("rules.md 4.2: bleeding with few platelets")
def test_a_fatal_bleeding_is_judged_too_and_a_baseline_count_may_be_the_last_known() -> None:
    assert state(bleeding(grade=5, outcome=Outcome.FATAL), values=[(AT, "20")]) == (MET, False)
    assert state(bleeding(), baseline=[("2026-02-20", "40")]) == (MET, True)
    assert state(bleeding(), baseline=[("2026-02-20", "120")]) is None


taken = st.lists(
    st.tuples(st.integers(7, 12), st.integers(0, 23), st.sampled_from(["20", "49", "50", "90"])), max_size=8
)


@given(taken, st.randoms(use_true_random=False))
@pytest.mark.rule("rules.md 4.2: bleeding with few platelets")
def test_the_order_in_which_counts_come_and_that_they_come_twice_changes_nothing(
    values: list[tuple[int, int, str]], shuffled: random.Random
) -> None:
    once = [(f"2026-03-{day:02d}T{hour:02d}:00", value) for day, hour, value in values]
    twice = [*once, *once]
    shuffled.shuffle(twice)
    assert judged(bleeding(), values=once) == judged(bleeding(), values=twice)


@given(taken, st.sampled_from(["20", "90"]))
@pytest.mark.rule("rules.md 4.2: bleeding with few platelets")
def test_one_more_low_count_around_it_always_makes_it_met(values: list[tuple[int, int, str]], value: str) -> None:
    once = [(f"2026-03-{day:02d}T{hour:02d}:00", v) for day, hour, v in values]
    one = bleeding()
    of = subject(one, platelets=counts([*once, (AT, value)]))
    found = of_bleeding(one, of, RULE, DEFINITION, 3)
    has_low = value == "20" or any(
        float(v) < 50 and "2026-03-09T08:00" <= when <= "2026-03-11T08:00" for when, v in once
    )
    assert (found is not None and found.state is MET and not found.is_provisional) is has_low
