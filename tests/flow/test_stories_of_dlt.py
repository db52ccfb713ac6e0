"""Patient histories of syndromes and deaths, with the verdict on dose-limiting toxicity at every turn.

Each is played as a site would, by the public API alone, in a real house. What is expected was written by hand from
rules.md 4.2 and readings.md; the clause stands beside it. Times are Shanghai's.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flow.told_dlt import START, UNRELATED, Patient, Story, course_step, day, died, event, judged, play
from tests.support.rehearsals import rehearsal

MET = "MET_BY_RULE"
ASTCT, IEC_HS = "astct", "iec_hs"


def crs_of_grade_4_by_one_scale(p: Patient) -> Story:
    p.infused()
    yield day(3, "09:00")
    # WORST_OF drives the whole rule, and both grades are shown (reading 6).
    p.reports(event("细胞因子释放综合征", day(3), grade={"ctcae": 3, "astct": 4}))
    yield None
    one = p.stands(MET, "DLT-02")
    assert "CTCAE 3, ASTCT 4" in " ".join(one["reasons"])
    assert (one["window_day"], one["grade"]) == (3, 4)
    p.became((MET, "DLT-02", False))


def crs_of_grade_2_on_both_scales(p: Patient) -> Story:
    p.infused()
    yield day(3, "09:00")
    p.reports(event("Cytokine release syndrome", day(3), grade={"ctcae": 2, "astct": 2}))
    yield None
    # `none`: nothing ever matched (reading 3).
    p.stands("none")
    p.became()


def crs_of_grade_3_for_exactly_168_hours(p: Patient) -> Story:
    p.infused()
    yield day(3, "09:00")
    p.reports(event("CRS", day(3), 3))
    yield None
    one = p.stands("PENDING_DURATION", "DLT-03")
    assert one["due_at"] == "2026-03-12T00:00:01Z"
    # It rang as soon as grade and condition held (rules.md 4.2, flow), and rings once.
    assert p.rang("potential_dlt") == 1
    yield day(6)
    # Exactly 72 h are still within the strict limit, and more is told (reading 4).
    assert p.rang("dlt_strict_limit") == 0
    yield day(6, "08:01")
    assert p.rang("dlt_strict_limit") == 1
    p.stands("PENDING_DURATION", "DLT-03")
    yield day(10)
    # Exactly 168 h are within (reading 4).
    p.stands("PENDING_DURATION", "DLT-03")
    p.adds("CRS", course=[(3, day(3)), (2, day(10))])
    yield None
    p.stands("NOT_DLT", "DLT-03")
    yield day(11)
    p.became(("PENDING_DURATION", "DLT-03", False), ("NOT_DLT", "DLT-03", False))
    assert (p.rang("potential_dlt"), p.rang("dlt_strict_limit"), p.rang("dlt_met")) == (1, 1, 0)


def crs_of_grade_3_for_a_minute_more(p: Patient) -> Story:
    p.infused()
    yield day(10, "09:00")
    p.reports(event("CRS", day(3), 3, course=[(3, day(3)), (2, day(10, "08:01"))]))
    yield None
    p.stands(MET, "DLT-03")


def crs_of_grade_3_of_which_nothing_is_told_after_the_limit(p: Patient) -> Story:
    p.infused()
    yield day(4)
    p.reports(event("Cytokine release syndrome", day(3), 3))
    yield day(10, "08:01")
    # A timer that ends without data: provisional, and the site is asked (reading 8).
    assert p.stands(MET, "DLT-03", True)["asks"]
    yield day(12)
    # The fall is told late: a machine verdict goes back, and its alert stays open until signed (reading 3).
    p.adds("Cytokine release syndrome", course=[(3, day(3)), (1, day(8))])
    yield None
    p.stands("NOT_DLT", "DLT-03")
    p.became(("PENDING_DURATION", "DLT-03", False), (MET, "DLT-03", True), ("NOT_DLT", "DLT-03", False))


def crs_of_grade_3_that_is_told_to_go_on(p: Patient) -> Story:
    p.infused()
    yield day(4)
    p.reports(event("Cytokine release syndrome", day(3), 3, course=[(3, day(3))]))
    yield day(10, "08:01")
    p.stands(MET, "DLT-03", True)
    yield day(11, "09:00")
    p.adds("Cytokine release syndrome", course=[(3, day(3)), (2, day(11))])
    yield None
    p.stands(MET, "DLT-03")


def crs_that_falls_for_less_than_a_day(p: Patient) -> Story:
    p.infused()
    yield day(11)
    # A fall of under 24 h does not stop the time (reading 12): 169 h in all.
    falls = [(3, day(3)), (2, day(6)), (3, day(7, "07:59")), (1, day(10, "09:00"))]
    p.reports(event("CRS", day(3), 3, course=falls))
    yield None
    p.stands(MET, "DLT-03")


def crs_that_falls_for_a_whole_day(p: Patient) -> Story:
    p.infused()
    yield day(11)
    falls = [(3, day(3)), (2, day(6)), (3, day(7)), (1, day(10, "09:00"))]
    p.reports(event("CRS", day(3), 3, course=falls))
    yield None
    p.stands("NOT_DLT", "DLT-03")


def icans_goes_by_astct(p: Patient) -> Story:
    p.infused()
    yield day(6)
    # No term and no code: recognised by its words, in Chinese too (reading 5). ASTCT decides (DLT-04, DLT-05).
    p.reports(
        event("免疫效应细胞相关神经毒性综合征", day(5), grade={"astct": 4}),
        event("ICANS", day(5), grade={"ctcae": 4, "astct": 3}, ref="AE-2"),
        event("ICANS", day(5), grade={"ctcae": 3, "astct": 2}, ref="AE-3"),
    )
    yield None
    p.stands(MET, "DLT-04")
    p.stands("PENDING_DURATION", "DLT-05", n=2)
    p.stands("none", n=3)


def icans_of_grade_3_on_both_sides_of_168_hours(p: Patient) -> Story:
    p.infused()
    yield day(14)
    within = [course_step(3, day(5), ASTCT), course_step(2, day(12), ASTCT)]
    beyond = [course_step(3, day(5), ASTCT), course_step(2, day(12, "08:01"), ASTCT)]
    p.reports(
        event("ICANS", day(5), grade={"astct": 3}, steps=within),
        event("ICANS", day(5), grade={"astct": 3}, steps=beyond, ref="AE-2"),
    )
    yield None
    p.stands("NOT_DLT", "DLT-05")
    p.stands(MET, "DLT-05", n=2)


def iec_hs_of_grade_4_at_once_and_of_grade_3_after_168_hours(p: Patient) -> Story:
    p.infused()
    yield day(9)
    p.reports(
        event("IEC-HS", day(8), steps=[course_step(4, day(8), IEC_HS)]),
        event("噬血细胞综合征", day(8), steps=[course_step(3, day(8), IEC_HS)], ref="AE-2"),
    )
    yield None
    p.stands(MET, "DLT-07")
    p.stands("PENDING_DURATION", "DLT-07", n=2)
    yield day(15)
    p.stands("PENDING_DURATION", "DLT-07", n=2)
    yield day(15, "08:01")
    p.stands(MET, "DLT-07", True, n=2)


def other_neurotoxicity_is_met_at_once(p: Patient) -> Story:
    p.infused()
    yield day(21)
    p.reports(
        event("Parkinsonism", day(20), 3),
        event("吉兰-巴雷综合征", day(20), 3, ref="AE-2"),
        event("Transverse myelitis", day(20), 4, ref="AE-3"),
        event("Facial nerve palsy", day(20), 3, ref="AE-4"),
        event("帕金森综合征", day(20), 2, ref="AE-5"),
    )
    yield None
    for n in (1, 2, 3, 4):
        p.stands(MET, "DLT-06", n=n)
    p.stands("none", n=5)
    yield day(33)
    # It began in the window and worsens after it: it counts, and the committee is told (reading 1).
    p.adds("帕金森综合征", ref="AE-5", course=[(2, day(20)), (3, day(32))])
    yield None
    assert p.stands(MET, "DLT-06", n=5)["for_committee"]


def a_sixth_nerve_palsy_within_icans_is_its_sign(p: Patient) -> Story:
    p.infused()
    yield day(6)
    p.reports(
        event("ICANS", day(5), grade={"astct": 2}),
        event("Abducens nerve palsy", day(5), 3, ref="AE-2", component_of="AE-1"),
    )
    p.reports(event("Abducens nerve palsy", day(5), 3))
    yield None
    # Graded once, under the syndrome (reading 10, EX-07); by itself it is DLT-06.
    p.stands("NOT_DLT", "EX-07", n=2, case=0)
    p.stands(MET, "DLT-06")
    yield day(12)
    assert p.stands("NOT_DLT", "EX-07", n=2, case=0)["for_committee"] == []
    yield day(12, "08:01")
    # Over 168 h it also opens a line for the committee (reading 10).
    assert p.stands("NOT_DLT", "EX-07", n=2, case=0)["for_committee"]


def a_death_has_another_cause_only_by_the_committee(p: Patient) -> Story:
    p.infused()
    yield day(11)
    p.reports(died("Cardiac arrest", day(10), end=day(10)))
    yield None
    p.stands(MET, "DLT-01")
    assert p.try_to_sign("REJECTED", "safety_physician").status_code == 403
    signed = p.signs("REJECTED", "committee", reason="progression, by the autopsy")
    assert (signed["state"], signed["rule_id"], signed["by_rule"]) == ("REJECTED", "EX-09", MET)
    yield None
    p.became((MET, "DLT-01", False), ("REJECTED", "EX-09", False))


def a_death_that_both_parties_call_unrelated_counts_until_it_is_signed(p: Patient) -> Story:
    p.infused()
    yield day(11)
    p.reports(died("Disease progression", day(10), causality=UNRELATED))
    yield None
    # EX-09 needs the committee's signature; until then provisional (reading 7).
    assert p.stands(MET, "DLT-01", True)["for_committee"]
    p.signs("REJECTED", "committee", rule_id="EX-09")
    yield None
    p.stands("REJECTED", "EX-09")


def a_death_of_which_one_party_has_not_judged(p: Patient) -> Story:
    p.infused()
    yield day(11)
    # One "not related" with the other missing is still missing (reading 7).
    p.reports(died("Cardiac arrest", day(10), causality=judged("not_related")))
    p.reports({"verbatim": "found dead at home", "outcome": "fatal"})
    yield None
    p.stands(MET, "DLT-01", True, case=0)
    p.stands(MET, "DLT-01", True)


def what_began_in_the_window_and_kills_after_it_counts(p: Patient) -> Story:
    p.infused()
    yield day(21)
    p.reports(event("Lung infection", day(20), 3))
    yield None
    p.stands("POTENTIAL_DLT", "DLT-15")
    yield day(36)
    p.adds("Lung infection", seriousness=["death"], outcome="fatal", grade={"ctcae": 5}, end=day(35), serious=True)
    # What began on day 29 is outside, also where it kills.
    p.reports(died("Cerebral infarction", day(29, "00:00"), end=day(30)))
    p.reports(died("Cerebral infarction", day(28, "23:59"), end=day(30)))
    yield None
    assert p.stands(MET, "DLT-01", case=0)["for_committee"]
    p.stands("none", case=1)
    assert p.stands(MET, "DLT-01")["for_committee"]


@pytest.mark.rule("rules.md 4.2: verdicts by rule", "readings.md DLT 10")
def test_a_syndrome_or_death_is_dose_limiting_by_its_own_scale_and_by_how_long_it_lasts(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at=START) as house:
        play(
            house,
            crs_of_grade_4_by_one_scale,
            crs_of_grade_2_on_both_scales,
            crs_of_grade_3_for_exactly_168_hours,
            crs_of_grade_3_for_a_minute_more,
            crs_of_grade_3_of_which_nothing_is_told_after_the_limit,
            crs_of_grade_3_that_is_told_to_go_on,
            crs_that_falls_for_less_than_a_day,
            crs_that_falls_for_a_whole_day,
            icans_goes_by_astct,
            icans_of_grade_3_on_both_sides_of_168_hours,
            iec_hs_of_grade_4_at_once_and_of_grade_3_after_168_hours,
            other_neurotoxicity_is_met_at_once,
            a_sixth_nerve_palsy_within_icans_is_its_sign,
            a_death_has_another_cause_only_by_the_committee,
            a_death_that_both_parties_call_unrelated_counts_until_it_is_signed,
            a_death_of_which_one_party_has_not_judged,
            what_began_in_the_window_and_kills_after_it_counts,
        )
