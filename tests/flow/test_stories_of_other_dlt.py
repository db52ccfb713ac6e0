"""Patient histories of events that no rule on a syndrome names, and of what excludes them: DLT-11 to 15, EX-01 to 07.

Each is played as a site would, by the public API alone, in a real house. What is expected was written by hand from
rules.md 4.2 and readings.md; the clause stands beside it. Times are Shanghai's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.flow.told_dlt import START, Patient, Story, day, event, play
from tests.support.rehearsals import rehearsal

MET = "MET_BY_RULE"
NOT = "NOT_DLT"


def lasting(verbatim: str, hours: int, minutes: int = 0, *, grade: int = 3, n: int = 1, **facts: Any) -> dict[str, Any]:
    """Of this grade from day 3 at 08:00, for so long, and of grade 1 then."""
    fell = day(3 + hours // 24, f"{8 + hours % 24:02}:{minutes:02}")
    return event(verbatim, day(3), grade, course=[(grade, day(3)), (1, fell)], ref=f"AE-{n}", **facts)


def the_window_ends_with_day_28(p: Patient) -> Story:
    p.infused()
    yield day(29, "09:00")
    # Vectors W01 to W04: from the start of infusion to 23:59:59 of study day 28.
    onsets = [day(0, "09:00"), day(0, "11:00"), day(28, "23:59"), day(29, "00:00"), "2026-03-30T16:30+00:00"]
    p.reports(*(event("Pancreatitis", onset, 4, ref=f"AE-{n}") for n, onset in enumerate(onsets, 1)))
    yield None
    p.stands("none", n=1)
    assert p.stands(MET, "DLT-11", n=2)["window_day"] == 0
    assert p.stands(MET, "DLT-11", n=3)["window_day"] == 28
    p.stands("none", n=4)
    p.stands("none", n=5)


def any_other_event_of_grade_4_is_met_at_once_whatever_its_organ(p: Patient) -> Story:
    p.infused()
    yield day(4)
    # Haemolysis, DIC and marrow failure are not excluded as blood counts (reading 5).
    p.reports(
        event("急性胰腺炎", day(3), 4),
        event("Haemolytic anaemia", day(3), 4, ref="AE-2"),
        event("Disseminated intravascular coagulation", day(3), 4, ref="AE-3"),
        event("Bone marrow failure", day(3), 4, ref="AE-4"),
        event("血栓性微血管病", day(3), 4, ref="AE-5"),
    )
    yield None
    for n in (1, 2, 3, 4, 5):
        p.stands(MET, "DLT-11", n=n)


def any_other_event_of_grade_3_is_met_after_168_hours(p: Patient) -> Story:
    p.infused()
    yield day(4)
    p.reports(event("Cough", day(3), 3), event("Dyspnea", day(3), 2, ref="AE-2"))
    yield None
    p.stands("PENDING_DURATION", "DLT-12")
    p.stands("none", n=2)
    yield day(10, "09:00")
    p.reports(lasting("Arthralgia", 168), lasting("关节痛", 168, 1, n=2))
    yield None
    # No news: provisional, and the site is asked (reading 8).
    assert p.stands(MET, "DLT-12", True, case=0)["asks"]
    p.stands(NOT, "DLT-12")
    p.stands(MET, "DLT-12", n=2)


def fever_never_and_fatigue_not_within_seven_days(p: Patient) -> Story:
    p.infused()
    yield day(4)
    p.reports(event("发热", day(3), 4), event("Fatigue", day(3), 3, ref="AE-2"))
    yield None
    p.stands(NOT, "EX-01")
    p.stands("PENDING_DURATION", "DLT-12", n=2)
    yield day(12)
    p.reports(lasting("Fatigue", 168), lasting("乏力", 168, 1, n=2))
    yield None
    p.stands(MET, "DLT-12", True, n=2, case=0)
    p.stands(NOT, "EX-01")
    p.stands(MET, "DLT-12", n=2)


def blood_counts_and_missing_b_cells_are_none(p: Patient) -> Story:
    p.infused()
    yield day(4)
    p.reports(
        event("贫血", day(3), 4),
        event("Lymphocyte count decreased", day(3), 4, ref="AE-2"),
        event("White blood cell decreased", day(3), 4, ref="AE-3"),
        event("Hypogammaglobulinaemia", day(3), 3, ref="AE-4"),
        event("B细胞发育不良", day(3), 4, ref="AE-5"),
    )
    yield None
    for n, excluded_by in ((1, "EX-02"), (2, "EX-02"), (3, "EX-02"), (4, "EX-03"), (5, "EX-03")):
        p.stands(NOT, excluded_by, n=n)


def an_asymptomatic_laboratory_change_has_72_hours(p: Patient) -> Story:
    p.infused()
    yield day(4)
    silent = {"asymptomatic": True}
    p.reports(
        event("Hypokalemia", day(3), 4, **silent),
        event("低磷血症", day(3), 4, ref="AE-2", **silent),
        event("Lipase increased", day(3), 4, ref="AE-3", asymptomatic=False),
        event("Serum amylase increased", day(3), 3, ref="AE-4", **silent),
    )
    yield None
    # EX-04 for grade 4: pending with a 72 h timer (reading 8); with symptoms it does not hold.
    p.stands("PENDING_DURATION", "DLT-11")
    p.stands(MET, "DLT-11", n=3)
    p.stands("PENDING_DURATION", "DLT-12", n=4)
    yield day(6)
    p.stands("PENDING_DURATION", "DLT-11")
    p.adds("Hypokalemia", course=[(4, day(3)), (2, day(6))])
    yield None
    p.stands(NOT, "EX-04")
    yield day(6, "08:01")
    # A timer that ends without data: met, provisional, and the site is asked (reading 8).
    assert p.stands(MET, "DLT-11", True, n=2)["asks"]
    p.adds("低磷血症", ref="AE-2", course=[(4, day(3)), (3, day(5)), (2, day(6, "08:01"))])
    p.adds("Serum amylase increased", ref="AE-4", course=[(3, day(3)), (2, day(6, "07:00"))])
    yield None
    p.stands(MET, "DLT-11", n=2)
    p.stands(NOT, "EX-04", n=4)


def tumour_lysis_of_grade_3_has_seven_days(p: Patient) -> Story:
    p.infused()
    yield day(12)
    p.reports(lasting("Tumor lysis syndrome", 168), lasting("肿瘤溶解综合征", 168, 1, n=2))
    p.reports(event("Tumor lysis syndrome", day(3), 4))
    yield None
    p.stands(NOT, "EX-04", case=0)
    p.stands(MET, "DLT-12", n=2, case=0)
    p.stands(MET, "DLT-11")


def infection_of_grade_3_is_the_committees(p: Patient) -> Story:
    p.infused()
    yield day(4)
    p.reports(event("脓毒症", day(3), 4), event("Lung infection", day(3), 3, ref="AE-2"))
    yield None
    p.stands(MET, "DLT-15")
    p.stands("POTENTIAL_DLT", "DLT-15", n=2)
    yield day(12)
    # Never met, however long it lasts (reading 9).
    p.stands("POTENTIAL_DLT", "DLT-15", n=2)
    p.reports(
        lasting("Lung infection", 168, culture_positive=True),
        lasting("Lung infection", 168, 1, n=2, culture_positive=True),
        lasting("肺部感染", 100, n=3),
    )
    yield None
    p.stands(NOT, "EX-05")
    p.stands("POTENTIAL_DLT", "DLT-15", n=2)
    p.stands("POTENTIAL_DLT", "DLT-15", n=3)
    assert p.try_to_sign("CONFIRMED", "safety_physician", which={"n": 2}).status_code == 403
    p.signs("CONFIRMED", "committee", which={"n": 2})
    yield None
    p.stands("CONFIRMED", "DLT-15", n=2)


def febrile_neutropenia_of_grade_3_goes_by_its_time(p: Patient) -> Story:
    p.infused()
    yield day(4)
    p.reports(event("Febrile neutropenia", day(3), 3))
    yield None
    p.stands("PENDING_DURATION", "DLT-12")
    yield day(12)
    p.reports(lasting("Febrile neutropenia", 168), lasting("发热性中性粒细胞减少症", 168, 1, n=2))
    yield None
    p.stands(NOT, "EX-05")
    p.stands(MET, "DLT-12", n=2)


def vomiting_has_72_hours_and_makes_no_dlt_after_them(p: Patient) -> Story:
    p.infused()
    yield day(12)
    p.reports(
        lasting("Vomiting", 72, treated=True),
        lasting("呕吐", 72, 1, n=2, treated=True),
        lasting("Diarrhea", 168, 1, n=3, treated=True),
        lasting("Nausea", 60, n=4),
        event("脱发", day(3), 2, ref="AE-5"),
    )
    yield None
    p.stands(NOT, "EX-06")
    # 72 h of EX-06 do not turn longer vomiting into one (reading 13): DLT-12 needs more than 168 h.
    p.stands(NOT, "DLT-12", n=2)
    p.stands(MET, "DLT-12", n=3)
    p.stands(NOT, "DLT-12", n=4)
    p.stands("none", n=5)


def a_component_is_graded_once_under_its_syndrome(p: Patient) -> Story:
    p.infused()
    yield day(4)
    part = {"component_of": "CRS-1"}
    p.reports(
        event("CRS", day(3), 2, ref="CRS-1"),
        event("低血压", day(3), 4, ref="AE-2", **part),
        event("Hypoxia", day(3), 3, ref="AE-3", **part),
        event("Aspartate aminotransferase increased", day(3), 3, ref="AE-4"),
    )
    yield None
    # A grade 4 component opens a line for the committee at once (reading 10).
    assert p.stands(NOT, "EX-07", n=2)["for_committee"]
    assert p.stands(NOT, "EX-07", n=3)["for_committee"] == []
    p.stands("PENDING_DURATION", "DLT-12", n=4)
    p.adds("Aspartate aminotransferase increased", ref="AE-4", **part)
    yield None
    p.stands(NOT, "EX-07", n=4)
    yield day(10, "08:01")
    assert p.stands(NOT, "EX-07", n=3)["for_committee"]
    assert p.rang("dlt_for_committee") == 3
    # Where the syndrome never was, nothing is a sign of it.
    p.adds("CRS", ref="CRS-1", nullified=True, beside={"reason": "it was sepsis"})
    yield None
    p.stands(MET, "DLT-11", n=2)
    p.stands(MET, "DLT-12", True, n=3)


def a_reaction_to_the_infusion_has_24_hours(p: Patient) -> Story:
    p.infused()
    start = day(0, "11:00")
    p.reports(event("Infusion related reaction", start, 3), event("Anaphylaxis", start, 3, ref="AE-2"))
    yield None
    p.stands("PENDING_DURATION", "DLT-14")
    p.stands(MET, "DLT-14", n=2)
    yield day(1, "11:00")
    p.stands("PENDING_DURATION", "DLT-14")
    yield day(1, "11:01")
    p.stands(MET, "DLT-14", True)
    yield day(2)
    p.reports(
        event("输液反应", start, 3, course=[(3, start), (2, day(1, "11:00"))]),
        event("Allergic reaction", start, 3, course=[(3, start), (2, day(1, "11:01"))], ref="AE-2"),
        event("Infusion related reaction", start, 4, course=[(4, start), (2, day(0, "20:00"))], ref="AE-3"),
    )
    yield None
    p.stands(NOT, "DLT-14")
    p.stands(MET, "DLT-14", n=2)
    # Grade 4, and 2 or less within 24 h: DLT-11 (reading 12).
    p.stands(MET, "DLT-11", n=3)


@pytest.mark.rule("rules.md 4.2: verdicts by rule", "readings.md DLT 9", "readings.md DLT 10")
def test_any_other_event_is_dose_limiting_by_its_grade_or_time_unless_an_exclusion_holds(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at=START) as house:
        play(
            house,
            the_window_ends_with_day_28,
            any_other_event_of_grade_4_is_met_at_once_whatever_its_organ,
            any_other_event_of_grade_3_is_met_after_168_hours,
            fever_never_and_fatigue_not_within_seven_days,
            blood_counts_and_missing_b_cells_are_none,
            an_asymptomatic_laboratory_change_has_72_hours,
            tumour_lysis_of_grade_3_has_seven_days,
            infection_of_grade_3_is_the_committees,
            febrile_neutropenia_of_grade_3_goes_by_its_time,
            vomiting_has_72_hours_and_makes_no_dlt_after_them,
            a_component_is_graded_once_under_its_syndrome,
            a_reaction_to_the_infusion_has_24_hours,
        )
