"""Grade 4 neutrophils and platelets: case histories by DLT-08, DLT-09, EX-02 and EX-08, exactly at the limits."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.cases import at, coded
from tests.domain.dlt.counted import (
    AFTER,
    LAST_SECOND,
    LATER,
    Values,
    by_count,
    by_counts,
    dates,
    march,
    with_neutrophils,
    with_platelets,
)
from tests.domain.dlt.told import DEFINITION, NO, YES, nullified, told
from tocsin.domain.calendars import Partial
from tocsin.domain.case import GradeStep, Opinion
from tocsin.domain.dlt.definition import About
from tocsin.domain.dlt.subject import Marrow, Reported
from tocsin.domain.dlt.verdict import State
from tocsin.domain.known import Known
from tocsin.domain.words import Agent, Party, Scale

NONE, NOT, POTENTIAL, PENDING, MET = (
    State.NONE, State.NOT_DLT, State.POTENTIAL_DLT, State.PENDING_DURATION, State.MET_BY_RULE,
)  # fmt: skip

FIRST = "2026-03-06"
KEY = f"neutrophils|{FIRST}"
RECOVERED = march((6, "0.3"), (12, "0.6"), (14, "0.7"), (17, "0.9"))
LOW = march((6, "0.3"), (20, "0.2"), (31, "0.4"))
DUE = at("2026-03-31T00:00")


def neutropenia(**facts: Any) -> Reported:
    """Reported from 6 March on, of grade 4 unless it says otherwise."""
    given: dict[str, Any] = {"onset": FIRST, "grade": 4, "term": "Neutrophil count decreased", **facts}
    return told("neutropenia", **given)


NEUTROPHILS = [
    # Waited for until the last second of day 28.
    ("low on day 4, day 20", march((6, "0.3")), "2026-03-22T09:00", PENDING, "DLT-08"),
    ("low still, last second of day 28", march((6, "0.3"), (30, "0.2")), LAST_SECOND, PENDING, "DLT-08"),
    ("low still, first second after it", march((6, "0.3"), (30, "0.2")), AFTER, MET, "DLT-08"),
    ("low still, and low after it", LOW, LATER, MET, "DLT-08"),
    # Recovered on the first of three values of different days.
    ("recovered on day 10", RECOVERED, "2026-03-18T09:00", NOT, "EX-02"),
    ("recovered on day 10, later", RECOVERED, LATER, NOT, "EX-02"),
    ("recovered on day 28, proved on day 31", march((6, "0.3"), (30, "0.5"), (31, "0.5"), (33, "0.5")), LATER, NOT,
     "EX-02"),
    ("recovered on day 29", march((6, "0.3"), (31, "0.6"), (32, "0.6"), (33, "0.6")), LATER, MET, "DLT-08"),
    ("the third value is low", march((6, "0.3"), (30, "0.5"), (31, "0.5"), (33, "0.49")), LATER, MET, "DLT-08"),
    # A first value fewer than 14 days before the limit is the committee's.
    ("first low 14 days before", march((16, "0.3"), (30, "0.3")), LATER, MET, "DLT-08"),
    ("first low 14 days before, waited for", march((16, "0.3")), "2026-03-22T09:00", PENDING, "DLT-08"),
    ("first low 13 days before", march((17, "0.3"), (30, "0.3")), LATER, POTENTIAL, "DLT-08"),
    ("first low 13 days before, at once", march((17, "0.3")), "2026-03-18T09:00", POTENTIAL, "DLT-08"),
    ("first low 13 days before, recovered", march((17, "0.3"), (20, "0.5"), (21, "0.5"), (22, "0.5")), LATER, NOT,
     "EX-02"),
    ("first low on day 28", [("2026-03-30T23:59", "0.3")], LATER, POTENTIAL, "DLT-08"),
    # Begun before the infusion: counts where it is still of grade 4 on day 28.
    ("low since before", [("2026-02-28", "0.3"), ("2026-03-30", "0.3")], LATER, MET, "DLT-08"),
    ("low since an hour before", [("2026-03-02T09:00", "0.3"), ("2026-03-30", "0.3")], LATER, MET, "DLT-08"),
    ("low since before, waited for", [("2026-02-28", "0.3")], "2026-03-22T09:00", PENDING, "DLT-08"),
    ("low since before, recovered", [("2026-02-28", "0.3"), *march((5, "0.6"), (6, "0.6"), (7, "0.6"))], LATER, NOT,
     "EX-02"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "as_of", "state", "rule_id"), [row[1:] for row in NEUTROPHILS], ids=[row[0] for row in NEUTROPHILS]
)
@pytest.mark.rule("rules.md 4.2: grade 4 cell counts; readings.md DLT 11")
def test_each_course_of_neutrophils_comes_out_as_the_rule_says(
    values: Values, as_of: str, state: State, rule_id: str
) -> None:
    of_counts = by_count(with_neutrophils(values=values), as_of)
    reported = by_count(with_neutrophils(neutropenia(onset=values[0][0]), values=values), as_of)
    for found in (of_counts, reported):
        assert (found.state, found.rule_id) == (state, rule_id), found.reasons
        assert (found.due_at == DUE) is (state is PENDING)
        assert found.grade == 4
    assert (of_counts.key, of_counts.event_id) == (f"neutrophils|{values[0][0][:10]}", None)
    assert (reported.key, reported.case_id) == ("TOC-0031-E1", "TOC-0031")


@pytest.mark.parametrize(
    "values",
    [
        # Over by the infusion, or begun after the window, or never below the limit.
        [("2026-02-20", "0.3"), ("2026-02-24", "0.6"), ("2026-02-25", "0.6"), ("2026-02-26", "0.6")],
        [("2026-03-31T00:00", "0.3")],
        march((6, "0.5"), (9, "0.500")),
    ],
)
@pytest.mark.rule("rules.md 4.2: grade 4 cell counts")
def test_what_lies_outside_the_window_or_is_not_below_the_limit_is_no_verdict_of_its_own(values: Values) -> None:
    assert by_counts(with_neutrophils(values=values), LATER) == {}


BEFORE = "2026-03-13T07:30"
PLATELETS = [
    ("a value of exactly 25", march((6, "24.9"), (12, "25")), (), NOT, "EX-02"),
    ("a value just below 25", march((6, "24.9"), (30, "24.9")), (), MET, "DLT-09"),
    ("transfused exactly 7 days before", march((6, "18"), (20, "30")), (BEFORE,), MET, "DLT-09"),
    ("transfused 7 days and a minute before", march((6, "18"), (20, "30")), ("2026-03-13T07:29",), NOT, "EX-02"),
    ("recovered on day 28", march((6, "18"), (30, "30")), (), NOT, "EX-02"),
    ("recovered on day 29", march((6, "18"), (31, "30")), (), MET, "DLT-09"),
]


@pytest.mark.parametrize(
    ("values", "transfused", "state", "rule_id"), [row[1:] for row in PLATELETS], ids=[row[0] for row in PLATELETS]
)
@pytest.mark.rule("rules.md 4.2: grade 4 cell counts; readings.md DLT 11")
def test_each_course_of_platelets_comes_out_as_the_rule_says(
    values: Values, transfused: tuple[str, ...], state: State, rule_id: str
) -> None:
    found = by_count(with_platelets(values=values, transfusions=dates(*transfused)), LATER, About.PLATELETS)
    assert (found.state, found.rule_id, found.key) == (state, rule_id, "platelets|2026-03-06"), found.reasons


@pytest.mark.rule("rules.md 4.2: grade 4 cell counts")
def test_what_is_met_says_the_rule_the_values_the_day_and_what_would_change_it() -> None:
    found = by_count(with_neutrophils(neutropenia(), values=LOW, g_csf=dates("2026-03-07")), LATER)
    assert (found.study_day, found.is_provisional, found.for_committee, found.asks) == (4, False, (), ())
    assert found.reasons == (
        "DLT-08: neutrophil count decreased grade 4, if not recovered by day 28",
        "neutrophils 0.3 10*9/L of 2026-03-06T07:30 is below 0.5 10*9/L: the episode begins",
        "the lowest is 0.2 10*9/L of 2026-03-20T07:30",
        "no value that we hold proves a recovery",
        "onset 2026-03-06T07:30 is inside the window of 28 days from 2026-03-02T10:00 (study day 4)",
        "not recovered by the end of study day 28, 2026-03-30",
        "investigator judges it related",
        "sponsor judges it related",
    )
    assert found.would_change == (
        "3 values in a row, each of another day, at or above 0.5 10*9/L, the first by 2026-03-30: NOT_DLT by EX-02",
        "both parties judge it not related: NOT_DLT by DLT-08",
    )


@pytest.mark.rule("readings.md DLT 11")
def test_values_of_the_limit_or_before_that_may_still_prove_a_recovery_leave_it_provisional() -> None:
    values = march((6, "0.3"), (30, "0.6"), (31, "0.6"))
    found = by_count(with_neutrophils(neutropenia(), values=values), LATER)
    assert (found.state, found.is_provisional) == (MET, True)
    assert "the next counts go on as those from 2026-03-30 on: 3 in a row prove a recovery" in found.would_change
    firm = by_count(with_neutrophils(neutropenia(), values=march((6, "0.3"), (31, "0.6"), (32, "0.6"))), LATER)
    assert (firm.state, firm.is_provisional) == (MET, False)


@pytest.mark.rule("readings.md DLT 8")
def test_where_nothing_was_measured_after_the_low_value_it_is_provisional_and_the_site_is_asked() -> None:
    silent = by_count(with_neutrophils(neutropenia(), values=march((6, "0.3"), (29, "0.2"))), AFTER)
    assert (silent.state, silent.is_provisional) == (MET, True)
    assert silent.asks == ("which neutrophils were measured after 2026-03-29, up to 2026-03-30 and beyond?",)
    low_then = by_count(with_neutrophils(neutropenia(), values=march((6, "0.3"), (30, "0.2"))), AFTER)
    assert (low_then.state, low_then.is_provisional, low_then.asks) == (MET, False, ())
    waits = by_count(with_neutrophils(neutropenia(), values=march((6, "0.3"))), LAST_SECOND)
    assert (waits.state, waits.is_provisional, waits.asks) == (PENDING, False, ())


@pytest.mark.rule("readings.md DLT 11")
def test_what_began_late_says_so_to_the_committee() -> None:
    found = by_count(with_neutrophils(neutropenia(onset="2026-03-17"), values=march((17, "0.3"))), "2026-03-18T09:00")
    assert found.for_committee == (
        "grade 4 since 2026-03-17, fewer than 14 days before the limit of 2026-03-30: "
        "the committee says whether it counts",
    )
    assert (found.due_at, found.is_provisional) == (None, False)


@pytest.mark.rule("readings.md DLT 11")
def test_each_later_fall_is_an_episode_of_its_own_and_of_one_event_the_worst_counts() -> None:
    values = [*RECOVERED, *march((18, "0.4"), (31, "0.4"))]
    apart = by_counts(with_neutrophils(values=values), LATER)
    assert {key: one.state for key, one in apart.items()} == {KEY: NOT, "neutrophils|2026-03-18": POTENTIAL}
    together = by_count(with_neutrophils(neutropenia(), values=values), LATER)
    assert (together.state, together.study_day) == (POTENTIAL, 16)
    assert "recovered on 2026-03-12 with 0.6 10*9/L of 2026-03-12T07:30, proved on 2026-03-17" in together.reasons


@pytest.mark.rule("rules.md 4.2: grade 4 cell counts")
def test_an_episode_belongs_to_the_event_whose_time_with_a_day_around_it_overlaps() -> None:
    def keys(onset: str | None, end: str | None = None) -> set[str]:
        one = neutropenia(onset=onset, end=end)
        return set(by_counts(with_neutrophils(one, values=RECOVERED), LATER)) - {"TOC-0031-E1"}

    assert keys(None) == keys(FIRST) == keys("2026-03-04", "2026-03-05") == keys("2026-03-12") == set()
    assert keys("2026-03-03", "2026-03-04") == keys("2026-03-13") == {KEY}
    gone = with_neutrophils(nullified(neutropenia()), values=RECOVERED)
    assert set(by_counts(gone, LATER)) == {KEY}


@pytest.mark.rule("readings.md DLT 1")
def test_an_event_of_the_window_whose_count_falls_to_grade_4_after_it_is_the_committees() -> None:
    fell = march((32, "0.3"), (33, "0.3"))
    found = by_count(with_neutrophils(neutropenia(onset="2026-03-28"), values=fell), LATER)
    assert (found.state, len(found.for_committee)) == (POTENTIAL, 2)
    assert found.for_committee[1] == (
        "the event began earlier, and the count fell to grade 4 only after the window, on 2026-04-01"
    )
    outside = by_count(with_neutrophils(neutropenia(onset="2026-03-31"), values=fell), LATER)
    assert (outside.state, outside.rule_id) == (NONE, None)
    assert outside.reasons == ("onset 2026-03-31 is outside the window of 28 days after infusion",)


@pytest.mark.rule("rules.md 4.2: EX-08")
def test_the_same_grade_before_lymphodepletion_is_no_dlt_by_ex_08_and_says_which_value() -> None:
    same = by_count(with_neutrophils(neutropenia(), values=LOW, baseline=[("2026-02-20", "0.49")]), LATER)
    assert (same.state, same.rule_id, same.is_provisional) == (NOT, "EX-08", False)
    assert "of the same grade before lymphodepletion: neutrophils 0.49 10*9/L of 2026-02-20" in same.reasons
    for baseline in ([("2026-02-20", "0.5")], [("2026-02-01", "0.3"), ("2026-02-20", "1.1")]):
        other = by_count(with_neutrophils(neutropenia(), values=LOW, baseline=baseline), LATER)
        assert (other.state, other.rule_id) == (MET, "DLT-08")
    platelets = with_platelets(values=march((6, "18"), (30, "19")), baseline=[("2026-02-20", "24")])
    assert by_count(platelets, LATER, About.PLATELETS).rule_id == "EX-08"


@pytest.mark.rule("rules.md 4.2: EX-08")
def test_myeloma_in_the_marrow_is_told_to_the_committee_and_excludes_nothing_by_itself() -> None:
    for known, told_of in ((Known.YES, 1), (Known.NO, 0), (Known.UNKNOWN, 0)):
        marrow = (Marrow(Partial.parse("2026-03-25"), known),)
        found = by_count(with_neutrophils(neutropenia(), values=LOW, marrow=marrow), LATER)
        assert (found.state, found.rule_id, len(found.for_committee)) == (MET, "DLT-08", told_of)
    # What recovered needs no committee, or the subject would never be evaluable.
    recovered = with_neutrophils(values=RECOVERED, marrow=(Marrow(Partial.parse("2026-03-25"), Known.YES),))
    assert by_count(recovered, LATER).for_committee == ()


@pytest.mark.rule("rules.md 4.2: EX-08; rules.md 4.2: EX-02")
def test_an_exclusion_that_the_rule_does_not_admit_takes_nothing_from_it() -> None:
    rules = tuple(replace(rule, exclusions=frozenset()) if rule.id == "DLT-08" else rule for rule in DEFINITION.rules)
    bare = replace(DEFINITION, rules=rules)
    low = with_neutrophils(neutropenia(), values=LOW, baseline=[("2026-02-20", "0.3")])
    assert by_count(low, LATER, definition=bare).rule_id == "DLT-08"
    assert by_count(low, LATER, definition=bare).state is MET
    recovered = by_count(with_neutrophils(values=RECOVERED), LATER, definition=bare)
    assert (recovered.state, recovered.rule_id) == (NOT, "DLT-08")
    lower = by_count(with_neutrophils(neutropenia(grade=3)), LATER, definition=bare)
    assert (lower.state, lower.rule_id) == (NONE, None)


@pytest.mark.rule("rules.md 4.2: EX-02")
def test_what_recovered_in_time_says_the_exclusion_of_its_own_kind_and_the_rule_that_it_would_match() -> None:
    for one in (with_neutrophils(values=RECOVERED), with_neutrophils(neutropenia(), values=RECOVERED)):
        found = by_count(one, LATER)
        assert found.reasons[0] == "EX-02: neutropenia and thrombocytopenia other than by DLT-08, DLT-09 and DLT-10"
        assert found.reasons[-2:] == (
            "recovered by the end of study day 28, 2026-03-30",
            "it would match DLT-08: neutrophil count decreased grade 4, if not recovered by day 28",
        )
        assert (found.is_provisional, found.for_committee) == (False, ())


@pytest.mark.parametrize(("grade", "state", "rule_id"), [(1, NONE, None), (2, NONE, None), (3, NOT, "EX-02")])
@pytest.mark.rule("rules.md 4.2: EX-02", "readings.md DLT 3")
def test_what_the_site_grades_lower_without_a_low_count_is_ex_02_where_a_rule_on_any_event_would_hold_and_else_none(
    grade: int, state: State, rule_id: str | None
) -> None:
    one = neutropenia(grade=grade)
    for values in ((), march((6, "0.6"))):
        found = by_count(with_neutrophils(one, values=values), LATER)
        assert (found.state, found.rule_id, found.grade, found.study_day) == (state, rule_id, grade, 4)
    found = by_count(with_neutrophils(one, values=LOW), LATER)
    assert (found.state, found.rule_id, found.grade) == (MET, "DLT-08", 4)


@pytest.mark.rule("readings.md DLT 8; rules.md 4.2: grade 4 cell counts")
def test_grade_4_by_the_site_without_a_count_waits_and_is_then_met_provisionally_and_counts_are_asked_for() -> None:
    one = with_neutrophils(neutropenia(end="2026-03-12"))
    waits = by_count(one, LAST_SECOND)
    assert (waits.state, waits.due_at, waits.is_provisional, waits.asks) == (PENDING, DUE, False, ())
    met = by_count(one, AFTER)
    assert (met.state, met.rule_id, met.is_provisional, met.grade) == (MET, "DLT-08", True, 4)
    assert met.asks == ("which neutrophils were measured, and on which days?",)
    assert met.reasons[-1] == (
        "no count shows that it recovered: taken as not recovered "
        "(that it ended 2026-03-12, as the site says, is no recovery as the rule has it)"
    )
    proved = by_count(with_neutrophils(neutropenia(), values=march((8, "0.5"), (9, "0.6"), (12, "0.7"))), AFTER)
    assert (proved.state, proved.rule_id) == (NOT, "EX-02")
    # A value of the day on which it was of grade 4 is no value after it.
    for values in (march((8, "0.5"), (9, "0.6")), march((6, "0.6"), (8, "0.5"), (9, "0.6"))):
        two = by_count(with_neutrophils(neutropenia(), values=values), AFTER)
        assert (two.state, two.is_provisional) == (MET, True)


@pytest.mark.rule("readings.md DLT 11")
def test_grade_4_by_the_site_since_fewer_than_14_days_before_the_limit_is_the_committees() -> None:
    def since(day: str) -> State:
        step = GradeStep(4, Scale.CTCAE, Partial.parse(day))
        one = neutropenia(grade=None)
        return by_count(with_neutrophils(replace(one, event=replace(one.event, course=(step,)))), AFTER).state

    assert (since("2026-03-16"), since("2026-03-17")) == (MET, POTENTIAL)
    assert by_count(with_neutrophils(neutropenia(onset="2026-03-17")), AFTER).state is POTENTIAL


@pytest.mark.rule("readings.md DLT 11")
def test_grade_4_by_the_site_since_before_the_infusion_counts_where_it_was_not_over_then() -> None:
    def since_february(as_of: str, **facts: Any) -> tuple[State, bool]:
        found = by_count(with_neutrophils(neutropenia(onset="2026-02-27", **facts)), as_of)
        return found.state, found.is_provisional

    assert since_february(LAST_SECOND) == (PENDING, False)
    assert since_february(AFTER) == since_february(AFTER, end="2026-03-03") == (MET, True)
    assert since_february(AFTER, end="2026-03-02") == (NONE, False)
    assert since_february(AFTER, grade=3) == since_february(AFTER, grade=None) == (NONE, False)


@pytest.mark.rule("readings.md DLT 7")
def test_without_a_grade_and_without_a_count_it_is_potential_and_never_met() -> None:
    for as_of in ("2026-03-08T09:00", LATER):
        found = by_count(with_neutrophils(neutropenia(grade=None)), as_of)
        assert (found.state, found.is_provisional, found.due_at) == (POTENTIAL, True, None)
        assert found.asks == (
            "which grade was it at its worst?",
            "which neutrophils were measured, and on which days?",
        )
    assert by_count(with_neutrophils(neutropenia(grade=None), values=LOW), LATER).state is MET


@pytest.mark.rule("readings.md DLT 7")
def test_the_relation_decides_and_what_is_missing_of_it_is_taken_as_related() -> None:
    def related(investigator: object, sponsor: object) -> tuple[State, str | None, bool]:
        one = neutropenia(investigator=investigator, sponsor=sponsor)
        found = by_count(with_neutrophils(one, values=LOW), LATER)
        return found.state, found.rule_id, found.is_provisional

    assert related(NO, NO) == (NOT, "DLT-08", False)
    assert related(NO, YES) == (MET, "DLT-08", False)
    assert related(NO, None) == related(None, None) == (MET, "DLT-08", True)
    nobody = by_count(with_neutrophils(values=LOW), LATER)
    assert (nobody.state, nobody.is_provisional) == (MET, True)
    one = neutropenia(investigator=NO, sponsor=NO)
    blamed = Opinion(Agent.LYMPHODEPLETION, Party.INVESTIGATOR, YES)
    alone = replace(one, event=replace(one.event, opinions=(*one.event.opinions, blamed)))
    found = by_count(with_neutrophils(alone, values=LOW), LATER)
    assert (found.state, found.is_provisional, len(found.for_committee)) == (MET, True, 1)


@pytest.mark.rule("readings.md DLT 11")
def test_that_no_g_csf_is_noted_changes_nothing_and_is_flagged() -> None:
    flag = "that no G-CSF is noted changes nothing: the committee sees it flagged"
    without = by_count(with_neutrophils(neutropenia(), values=LOW), LATER)
    given = by_count(with_neutrophils(neutropenia(), values=LOW, g_csf=dates("2026-03-08")), LATER)
    assert (without.state, given.state) == (MET, MET)
    assert (flag in without.reasons, flag in given.reasons) == (True, False)
    platelets = by_count(with_platelets(values=march((6, "18"), (30, "18"))), LATER, About.PLATELETS)
    assert flag not in platelets.reasons


@pytest.mark.rule("readings.md DLT 7")
def test_without_a_dated_infusion_nothing_is_met_and_nothing_is_waited_for() -> None:
    for infused in ((), ("--03-02",)):
        for one in (with_neutrophils(values=LOW, infused=infused), with_neutrophils(neutropenia(), infused=infused)):
            found = by_count(one, LATER)
            assert (found.state, found.is_provisional, found.due_at) == (POTENTIAL, True, None)
    month = by_count(with_neutrophils(neutropenia(), values=LOW, infused=("2026-03",)), LATER)
    assert (month.state, month.is_provisional) == (MET, True)


@pytest.mark.rule("readings.md DLT 4")
def test_the_day_of_the_limit_and_the_days_before_it_are_the_studys_to_set() -> None:
    rules = tuple(replace(rule, by_day=42, late_days=7) if rule.id == "DLT-08" else rule for rule in DEFINITION.rules)
    longer = replace(DEFINITION, rules=rules)
    one = with_neutrophils(neutropenia(), values=LOW)
    waits = by_count(one, LATER, definition=longer)
    # Day 42 is 13 April.
    assert by_count(one, "2026-04-13T23:59:59", definition=longer).state is PENDING
    assert (waits.state, waits.rule_id) == (MET, "DLT-08")
    # Counted from day 1, day 28 is 29 March.
    by_day_1 = replace(DEFINITION, day_base=1)
    assert by_count(one, "2026-03-29T23:59:59", definition=by_day_1).due_at == at("2026-03-30T00:00")
    assert by_count(one, "2026-03-30T00:00", definition=by_day_1).state is MET


@pytest.mark.rule("rules.md 4.2: grade 4 cell counts")
def test_of_two_infusions_each_fall_goes_by_the_one_in_whose_window_it_lies() -> None:
    twice = with_neutrophils(values=march((6, "0.3")), infused=("2026-01-10T10:00", "2026-03-02T10:00"))
    found = by_count(twice, "2026-03-20T09:00")
    assert (found.state, found.due_at, found.study_day) == (PENDING, DUE, 4)


@pytest.mark.rule("rules.md 4.2: grade 4 cell counts")
def test_an_event_coded_to_something_else_is_none_of_this_rule() -> None:
    one = replace(neutropenia(), coded=coded("Anemia"))
    other = replace(one, event=replace(one.event, verbatim="anaemia"))
    assert set(by_counts(with_neutrophils(other, values=LOW), LATER)) == {KEY}


days = st.lists(st.tuples(st.integers(1, 45), st.sampled_from(["0.1", "0.3", "0.5", "0.9", "18", "30"])), max_size=14)
about = st.sampled_from([About.NEUTROPHILS, About.PLATELETS])


@given(days, about, st.integers(1, 31), st.randoms(use_true_random=False))
@pytest.mark.rule("rules.md 4.2: grade 4 cell counts")
def test_the_order_in_which_counts_come_and_that_they_come_twice_changes_nothing(
    values: list[tuple[int, str]], kind: About, given_on: int, shuffled: random.Random
) -> None:
    def verdicts(these: list[tuple[str, str]]) -> object:
        builder = with_neutrophils if kind is About.NEUTROPHILS else with_platelets
        given_at = dates(f"2026-03-{given_on:02d}")
        return by_counts(builder(neutropenia(end="2026-03-20"), values=these, transfusions=given_at), LATER, kind)

    once = march(*values)
    twice = [*once, *once]
    shuffled.shuffle(twice)
    assert verdicts(once) == verdicts(twice)


@given(days, st.integers(0, 40))
@pytest.mark.rule("readings.md DLT 4")
def test_while_the_limit_is_ahead_nothing_is_met_and_after_it_nothing_is_pending(
    values: list[tuple[int, str]], day: int
) -> None:
    as_of = at("2026-03-02T12:00") + timedelta(days=day)
    for one in by_counts(with_neutrophils(values=march(*values)), as_of.isoformat()[:16] + "Z").values():
        assert one.state is not (MET if as_of < DUE else PENDING)
