"""Patient histories that go by values: cell counts, bleeding, the liver, and grades that only a value shows.

Each is played as a site would, by the public API alone, in a real house. What is expected was written by hand from
rules.md 4.2 and readings.md; the clause stands beside it. Times are Shanghai's; study day 28 is 30 March.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.flow.told_dlt import START, UNRELATED, Patient, Story, day, event, lab, play
from tests.support.rehearsals import rehearsal

MET, NOT, PENDING, POTENTIAL = "MET_BY_RULE", "NOT_DLT", "PENDING_DURATION", "POTENTIAL_DLT"
LOW_NEUTROPHILS, LOW_PLATELETS = "Neutrophil count decreased", "Platelet count decreased"
G_CSF = {"kind": "therapy", "what": "g_csf"}
TRANSFUSION = {"kind": "therapy", "what": "platelet_transfusion"}


def neutrophils(study_day: int, value: float, time: str = "07:00", **facts: Any) -> dict[str, Any]:
    return lab("Neutrophils", value, day(study_day, time), ref=f"N{study_day}-{time}", **facts)


def platelets(study_day: int, value: float, time: str = "07:00", **facts: Any) -> dict[str, Any]:
    return lab("Platelets", value, day(study_day, time), ref=f"P{study_day}-{time}", **facts)


def alt(times_uln: float, at: str) -> dict[str, Any]:
    return lab("ALT", 40 * times_uln, at, "U/L", lln=5, uln=40)


def bilirubin(times_uln: float, at: str) -> dict[str, Any]:
    return lab("Bilirubin", 20 * times_uln, at, "umol/L", lln=2, uln=20)


def neutrophils_by_values_alone_recover_on_day_28_as_later_values_prove(p: Patient) -> Story:
    p.infused()
    yield day(10)
    p.observed(neutrophils(5, 0.3), neutrophils(10, 0.2), {**G_CSF, "at": day(6)})
    yield None
    # No report, so nobody has judged the relation: provisional (reading 7).
    one = p.stands(PENDING, "DLT-08", True, about="neutrophils")
    assert (one["due_at"], one["window_day"]) == ("2026-03-30T16:00:00Z", 5)
    yield day(28)
    p.observed(neutrophils(28, 0.6))
    yield day(29)
    p.stands(MET, "DLT-08", True, about="neutrophils")
    p.observed(neutrophils(29, 0.7))
    yield day(30)
    p.observed(neutrophils(30, 0.5))
    yield None
    # The first of three on different days is of day 28; values after it prove it (reading 11).
    p.stands(NOT, "EX-02", about="neutrophils")
    p.became((PENDING, "DLT-08", True), (MET, "DLT-08", True), (NOT, "EX-02", False), about="neutrophils")


def reported_neutropenia_recovers_a_day_late(p: Patient) -> Story:
    p.infused()
    yield day(9)
    p.observed(neutrophils(5, 0.3), {**G_CSF, "at": day(6)})
    p.reports(event("中性粒细胞减少症", day(5), 4))
    yield None
    p.stands(PENDING, "DLT-08")
    yield day(31)
    p.observed(neutrophils(28, 0.4), *(neutrophils(n, 0.9) for n in (29, 30, 31)))
    yield None
    p.stands(MET, "DLT-08")
    signed = p.signs("CONFIRMED", "committee")
    assert (signed["state"], signed["rule_id"]) == ("CONFIRMED", "DLT-08")


def two_values_of_one_day_are_one_day(p: Patient) -> Story:
    p.infused()
    yield day(31)
    p.reports(event(LOW_NEUTROPHILS, day(5), 4))
    good = [neutrophils(26, 0.6), neutrophils(27, 0.6), neutrophils(27, 0.7, "19:00")]
    p.observed(neutrophils(5, 0.3), *good, neutrophils(28, 0.4))
    yield None
    # No three days in a row; that no G-CSF is noted is flagged and changes nothing (reading 11).
    assert any("G-CSF" in said for said in p.stands(MET, "DLT-08")["reasons"])


def an_early_recovery_does_not_hide_a_second_fall(p: Patient) -> Story:
    p.infused()
    yield day(31)
    p.reports(event(LOW_NEUTROPHILS, day(3), 4))
    p.observed(neutrophils(3, 0.3), *(neutrophils(n, 0.8) for n in (6, 7, 8)))
    p.observed(neutrophils(12, 0.2), neutrophils(28, 0.3), neutrophils(29, 0.3))
    yield None
    p.stands(MET, "DLT-08")


def a_fall_fewer_than_14_days_before_the_limit_is_the_committees(p: Patient) -> Story:
    p.infused()
    yield day(30)
    p.reports(event(LOW_NEUTROPHILS, day(15), 4))
    p.observed(neutrophils(15, 0.3), neutrophils(28, 0.3), neutrophils(29, 0.3))
    yield None
    assert p.stands(POTENTIAL, "DLT-08")["for_committee"]
    assert p.try_to_sign("CONFIRMED", "safety_physician").status_code == 403


def a_fall_14_days_before_the_limit_is_judged_by_the_rule(p: Patient) -> Story:
    p.infused()
    yield day(30)
    p.reports(event(LOW_NEUTROPHILS, day(14), 4))
    p.observed(neutrophils(14, 0.3), neutrophils(28, 0.3), neutrophils(29, 0.3))
    yield None
    p.stands(MET, "DLT-08")


def a_fall_before_the_infusion_counts_if_it_goes_on(p: Patient) -> Story:
    p.infused()
    yield day(30)
    p.observed(neutrophils(-8, 2.1, phase="pre_lymphodepletion"))
    p.reports(event(LOW_NEUTROPHILS, day(-2), 4))
    p.observed(neutrophils(-2, 0.4), neutrophils(10, 0.1), neutrophils(28, 0.4), neutrophils(29, 0.4))
    yield None
    p.stands(MET, "DLT-08")


def the_same_grade_before_lymphodepletion_excludes_it(p: Patient) -> Story:
    p.infused()
    yield day(30)
    p.observed(neutrophils(-8, 0.4, phase="pre_lymphodepletion"))
    p.reports(event(LOW_NEUTROPHILS, day(-2), 4))
    p.observed(neutrophils(-2, 0.4), neutrophils(28, 0.4), neutrophils(29, 0.4))
    yield None
    p.stands(NOT, "EX-08")


def myeloma_in_the_marrow_is_put_before_the_committee(p: Patient) -> Story:
    p.infused()
    yield day(30)
    p.reports(event(LOW_PLATELETS, day(5), 4))
    p.observed(platelets(5, 12), platelets(28, 9), platelets(29, 11))
    p.observed({"kind": "marrow", "at": day(27), "myeloma_involvement": True})
    yield None
    # Whether it is shown to be the cause is a judgement (EX-08).
    assert any("EX-08" in said for said in p.stands(MET, "DLT-09")["for_committee"])
    assert p.signs("REJECTED", "committee", rule_id="EX-08")["rule_id"] == "EX-08"


def platelets_count_only_seven_days_after_a_transfusion(p: Patient) -> Story:
    p.infused()
    yield day(29)
    p.reports(event("血小板减少症", day(5), 4))
    p.observed(platelets(5, 12), {**TRANSFUSION, "at": day(18)}, platelets(20, 31), platelets(24, 24))
    yield None
    # The 31 was transfused. Nothing is known after day 24: provisional, and the site is asked (reading 8).
    assert p.stands(MET, "DLT-09", True)["asks"]
    p.observed(platelets(26, 25))
    yield None
    # 25 is not below 25, and eight days after the last transfusion.
    p.stands(NOT, "EX-02")


def what_the_site_grades_4_without_a_count_is_asked_about(p: Patient) -> Story:
    p.infused()
    yield day(7)
    p.reports(
        event(LOW_PLATELETS, day(6), 4),
        event(LOW_NEUTROPHILS, day(6), 3, ref="AE-2"),
        event(LOW_NEUTROPHILS, day(6), 4, ref="AE-3", causality=UNRELATED),
    )
    yield None
    p.stands(PENDING, "DLT-09")
    p.stands(NOT, "EX-02", n=2)
    p.stands(NOT, "DLT-08", n=3)
    yield day(29, "00:00")
    assert p.stands(MET, "DLT-09", True)["asks"]


def bleeding_goes_by_the_lowest_platelets_within_a_day(p: Patient) -> Story:
    p.infused()
    yield day(8)
    p.observed(platelets(6, 80), platelets(7, 30, "19:00"), platelets(8, 60))
    p.reports(event("鼻出血", day(7, "20:00"), 3))
    yield None
    p.stands(MET, "DLT-10")
    yield day(12)
    p.observed(platelets(12, 120))
    p.reports(event("Gastric hemorrhage", day(12), 3))
    yield None
    # Platelets were not low: it is any other event.
    p.stands(PENDING, "DLT-12")


def bleeding_with_no_count_around_goes_by_the_last_known(p: Patient) -> Story:
    p.infused()
    yield day(8)
    p.observed(platelets(4, 20))
    p.reports(event("Gastric hemorrhage", day(7, "20:00"), 3))
    yield None
    p.stands(MET, "DLT-10", True)
    p.observed(platelets(8, 150))
    yield None
    # A count within 24 h comes in: it stands before the last known (reading 12).
    p.stands(PENDING, "DLT-12")


def bleeding_beside_an_open_platelet_event(p: Patient) -> Story:
    p.infused()
    yield day(8)
    p.reports(event(LOW_PLATELETS, day(5), 3), event("Epistaxis", day(7), 3, ref="AE-2"))
    p.reports(event("Epistaxis", day(7), 2))
    yield None
    p.stands(MET, "DLT-10", n=2, case=0)
    p.stands("none")


def liver_values_count_from_when_both_limits_are_exceeded(p: Patient) -> Story:
    p.infused()
    yield day(6)
    p.observed(alt(4, day(4)), bilirubin(2, day(4)), alt(5, day(5)), bilirubin(2.5, day(5)))
    yield None
    one = p.stands(PENDING, "DLT-13", True, about="liver")
    assert one["due_at"] == "2026-03-14T00:00:01Z"
    yield day(12)
    p.observed(bilirubin(2, day(12)))
    yield None
    # Twice the limit is not above it, and exactly 168 h are within.
    p.stands(NOT, "DLT-13", about="liver")


def liver_values_a_minute_longer(p: Patient) -> Story:
    p.infused()
    yield day(13)
    p.observed(alt(4, day(5)), bilirubin(2.5, day(5)), alt(3, day(12, "08:01")))
    yield None
    p.stands(MET, "DLT-13", True, about="liver")


def a_report_of_the_liver_says_whether_it_is_related(p: Patient) -> Story:
    p.infused()
    yield day(13)
    p.reports(event("药物性肝损伤", day(5), 2))
    p.observed(alt(4, day(5)), bilirubin(2.5, day(5)), alt(5, day(12, "08:01")))
    yield None
    p.stands(MET, "DLT-13", about="liver")
    p.adds("药物性肝损伤", causality=UNRELATED)
    yield None
    # Both "not related": the condition fails (reading 7).
    p.stands(NOT, "DLT-13", about="liver")


def a_grade_that_only_a_value_shows(p: Patient) -> Story:
    p.infused()
    yield day(6)
    p.reports(event("Hypokalemia", day(5)), event(LOW_NEUTROPHILS, day(5), ref="AE-2"))
    yield None
    # A missing grade is potential, never met (reading 7).
    assert p.stands(POTENTIAL, "DLT-11", True)["asks"]
    p.stands(POTENTIAL, "DLT-08", True, n=2)
    p.observed(lab("Potassium", 2.2, day(5, "09:00"), "mmol/L", lln=3.5, uln=5.3), neutrophils(5, 0.3))
    yield None
    p.stands(MET, "DLT-11")
    p.stands(PENDING, "DLT-08", n=2)


def crs_that_only_the_ward_grades(p: Patient) -> Story:
    p.infused()
    yield day(4)
    p.reports(event("细胞因子释放综合征", day(3)))
    yield None
    one = p.verdict()
    assert (one["state"], one["provisional"]) == (POTENTIAL, True)
    fever = {"kind": "vital_sign", "sign": "temperature", "value": 39.4, "unit": "Cel", "at": day(3, "20:00")}
    pressors = {"kind": "pressors", "excluding_vasopressin": 2, "at": day(3, "20:00")}
    p.observed(fever, pressors)
    yield None
    # Fever and two pressors: grade 4 by ASTCT.
    p.stands(MET, "DLT-02")


def values_before_the_report(p: Patient) -> Story:
    p.infused()
    yield day(6)
    p.observed(neutrophils(5, 0.3))
    yield None
    p.stands(PENDING, "DLT-08", True, about="neutrophils")
    yield day(7)
    p.reports(event(LOW_NEUTROPHILS, day(5), 4))
    yield None
    # The report tells of the values: one verdict is open, not two.
    p.stands(PENDING, "DLT-08")
    one = p.stands(NOT, about="neutrophils")
    assert one["reasons"] == [f"it is judged with the report that tells of it: {p.cases[0]}-E1"]
    p.observed(neutrophils(5, 3.0, correction=True))
    p.adds(LOW_NEUTROPHILS, grade={"ctcae": 1}, correction=True)
    yield None
    p.stands("none")
    p.stands(NOT, about="neutrophils")


@pytest.mark.rule("rules.md 4.2: verdicts by rule", "rules.md 4.2: DLT-08 from values")
def test_counts_bleeding_and_liver_are_judged_by_values_whenever_they_come(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at=START) as house:
        play(
            house,
            neutrophils_by_values_alone_recover_on_day_28_as_later_values_prove,
            reported_neutropenia_recovers_a_day_late,
            two_values_of_one_day_are_one_day,
            an_early_recovery_does_not_hide_a_second_fall,
            a_fall_fewer_than_14_days_before_the_limit_is_the_committees,
            a_fall_14_days_before_the_limit_is_judged_by_the_rule,
            a_fall_before_the_infusion_counts_if_it_goes_on,
            the_same_grade_before_lymphodepletion_excludes_it,
            myeloma_in_the_marrow_is_put_before_the_committee,
            platelets_count_only_seven_days_after_a_transfusion,
            what_the_site_grades_4_without_a_count_is_asked_about,
            bleeding_goes_by_the_lowest_platelets_within_a_day,
            bleeding_with_no_count_around_goes_by_the_last_known,
            bleeding_beside_an_open_platelet_event,
            liver_values_count_from_when_both_limits_are_exceeded,
            liver_values_a_minute_longer,
            a_report_of_the_liver_says_whether_it_is_related,
            a_grade_that_only_a_value_shows,
            crs_that_only_the_ward_grades,
            values_before_the_report,
        )
