"""Patient histories of what is missing, comes late, is corrected or taken back, and of what people sign.

Each is played as a site would, by the public API alone, in a real house. What is expected was written by hand from
rules.md 4.2 and readings.md; the clause stands beside it. Times are Shanghai's.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flow.told_dlt import START, UNRELATED, Patient, Story, day, died, event, judged, play
from tests.support.rehearsals import rehearsal

MET, NOT, PENDING, POTENTIAL = "MET_BY_RULE", "NOT_DLT", "PENDING_DURATION", "POTENTIAL_DLT"


def an_event_is_taken_back(p: Patient) -> Story:
    p.infused()
    yield day(4)
    p.reports(event("Pancreatitis", day(3), 4), event("Cough", day(3), 3, ref="AE-2"))
    yield None
    p.stands(MET, "DLT-11")
    p.adds("Pancreatitis", nullified=True, beside={"reason": "entered twice"})
    yield None
    # No DLT, without a rule, history kept (reading 13); the other event stands.
    p.stands(NOT)
    p.became((MET, "DLT-11", False), (NOT, None, False))
    p.stands(PENDING, "DLT-12", n=2)


def a_whole_case_is_taken_back(p: Patient) -> Story:
    p.infused()
    yield day(4)
    case = p.reports(event("Pancreatitis", day(3), 4))
    yield None
    p.ward.house.follow_up(case, {"nullify": True, "reason": "it never was"})
    yield None
    p.stands(NOT)
    p.became((MET, "DLT-11", False), (NOT, None, False))


def it_was_another_subject(p: Patient) -> Story:
    p.infused()
    right = Patient(p.ward, "S01-801")
    right.infused(day(-40))
    yield day(4)
    case = p.reports(event("Pancreatitis", day(3), 4))
    yield None
    p.stands(MET, "DLT-11")
    facts = {"nullify": True, "reason": "the wrong number was typed", "right_subject": right.subject}
    right.cases.append(p.ward.house.follow_up(case, facts)["moved_to"])
    yield None
    p.stands(NOT)
    # Forty days after the right subject's infusion: outside its window.
    right.stands("none")


def it_was_another_subject_in_its_window(p: Patient) -> Story:
    p.infused()
    right = Patient(p.ward, "S01-802")
    right.infused()
    yield day(4)
    case = p.reports(event("Pancreatitis", day(3), 4))
    yield None
    facts = {"nullify": True, "reason": "the wrong number was typed", "right_subject": right.subject}
    right.cases.append(p.ward.house.follow_up(case, facts)["moved_to"])
    yield None
    p.stands(NOT)
    right.stands(MET, "DLT-11")


def a_late_upgrade(p: Patient) -> Story:
    p.infused()
    yield day(6)
    p.reports(event("Colitis", day(5), 2), event("Colitis", day(5), 2, ref="AE-2"))
    yield None
    p.stands("none")
    yield day(21)
    p.adds("Colitis", course=[(2, day(5)), (4, day(20))])
    yield None
    assert p.stands(MET, "DLT-11")["for_committee"] == []
    p.became((MET, "DLT-11", False))
    yield day(33)
    # It began in the window and worsens after day 28: it counts, and the committee is told (reading 1).
    p.adds("Colitis", ref="AE-2", course=[(2, day(5)), (4, day(32))])
    yield None
    assert p.stands(MET, "DLT-11", n=2)["for_committee"]


def a_missing_grade_is_potential_and_then_what_it_is(p: Patient) -> Story:
    p.infused()
    yield day(4)
    p.reports(event("Colitis", day(3)), event("Colitis", day(3), ref="AE-2"), event("CRS", day(3), ref="AE-3"))
    yield None
    assert p.verdict()["asks"]
    assert [(p.verdict(n=n)["state"], p.verdict(n=n)["provisional"]) for n in (1, 2, 3)] == [(POTENTIAL, True)] * 3
    p.adds("Colitis", grade={"ctcae": 2})
    p.adds("Colitis", ref="AE-2", grade={"ctcae": 4})
    p.adds("CRS", ref="AE-3", grade={"ctcae": 3})
    yield None
    p.stands("none")
    p.stands(MET, "DLT-11", n=2)
    p.stands(PENDING, "DLT-03", n=3)


def a_grade_is_corrected(p: Patient) -> Story:
    p.infused()
    yield day(4)
    p.reports(event("Colitis", day(3), 4))
    yield None
    p.stands(MET, "DLT-11")
    # A lower grade by itself takes nothing back; a correction does.
    p.adds("Colitis", grade={"ctcae": 2})
    yield None
    p.stands(MET, "DLT-11")
    p.adds("Colitis", grade={"ctcae": 3}, correction=True)
    yield None
    p.stands(PENDING, "DLT-12")
    p.became((MET, "DLT-11", False), (PENDING, "DLT-12", False))


def a_missing_relation_is_taken_as_related(p: Patient) -> Story:
    p.infused()
    yield day(4)
    p.reports(event("Colitis", day(3), 4, causality=[]), event("Cough", day(3), 3, ref="AE-2", causality=[]))
    yield None
    p.stands(MET, "DLT-11", True)
    p.stands(PENDING, "DLT-12", True, n=2)
    # One "not related" with the other missing is still missing (reading 7).
    p.adds("Colitis", causality=judged("not_related"))
    yield None
    p.stands(MET, "DLT-11", True)
    # The sponsor says the same, signed: the condition fails.
    opinion = [{"agent": "product", "relation": "not_related"}]
    p.ward.house.sign(p.cases[0], "medical_review", "gallstones", causality=opinion, events=[f"{p.cases[0]}-E1"])
    yield None
    p.stands(NOT, "DLT-11")
    p.stands(PENDING, "DLT-12", True, n=2)
    p.adds("Colitis", causality=judged("possible"))
    yield None
    p.stands(MET, "DLT-11")


def both_parties_say_it_is_not_related(p: Patient) -> Story:
    p.infused()
    yield day(4)
    p.reports(
        event("急性胰腺炎", day(3), 4, causality=UNRELATED),
        event("CRS", day(3), 4, ref="AE-2", causality=UNRELATED),
    )
    yield None
    p.stands(NOT, "DLT-11")
    p.stands(NOT, "DLT-02", n=2)


def lymphodepletion_alone_needs_the_committee(p: Patient) -> Story:
    p.infused()
    yield day(4)
    alone = judged("not_related", "not_related", lymphodepletion="related")
    p.reports(event("Colitis", day(3), 4, causality=alone))
    yield None
    assert p.stands(MET, "DLT-11", True)["for_committee"]
    assert p.try_to_sign("REJECTED", "safety_physician").status_code == 403
    p.signs("REJECTED", "committee")
    yield None
    p.stands("REJECTED", "DLT-11")


def the_infusion_is_recorded_after_the_event(p: Patient) -> Story:
    yield day(4)
    p.reports(event("Colitis", day(3), 4), event("Colitis", day(-1), 4, ref="AE-2"))
    p.reports(died("Cardiac arrest", day(3)))
    yield None
    # There is no window yet: nothing is met, and nothing is none.
    p.stands(POTENTIAL, "DLT-11", True, case=0)
    p.stands(POTENTIAL, "DLT-11", True, n=2, case=0)
    p.infused()
    yield None
    p.stands(MET, "DLT-11", case=0)
    p.stands("none", n=2, case=0)
    p.stands(MET, "DLT-01")


def dates_that_are_partly_known_leave_it_open(p: Patient) -> Story:
    p.infused("2026-03-02")
    yield day(31)
    p.reports(
        event("Colitis", "2026-03", 4),
        event("Colitis", None, 4, ref="AE-2"),
        event("Colitis", "2026-03-02T09:00", 4, ref="AE-3"),
        event("Colitis", "2026-04", 4, ref="AE-4"),
        event("Cough", "2026-03-05", 3, ref="AE-5", course=[(3, "2026-03-05"), (1, "2026-03-12")]),
    )
    yield None
    p.stands(MET, "DLT-11", True)
    p.stands(MET, "DLT-11", True, n=2)
    p.stands(MET, "DLT-11", True, n=3)
    p.stands("none", n=4)
    # Six to eight days, as far as the dates go: taken as longer, and asked.
    assert p.stands(MET, "DLT-12", True, n=5)["asks"]
    p.adds("Colitis", onset="2026-03-31")
    p.adds("Colitis", ref="AE-2", onset="2026-03-29")
    yield None
    p.stands("none")
    p.stands(MET, "DLT-11", n=2)


def a_signature_stands_over_what_the_facts_say_later(p: Patient) -> Story:
    p.infused()
    yield day(4)
    p.reports(event("Cytokine release syndrome", day(3), 3))
    yield None
    assert p.try_to_sign("CONFIRMED", "safety_team").status_code == 403
    p.signs("CONFIRMED")
    yield None
    p.stands("CONFIRMED", "DLT-03")
    p.adds("Cytokine release syndrome", course=[(3, day(3)), (1, day(4, "07:00"))])
    yield None
    one = p.stands("CONFIRMED", "DLT-03")
    assert one["by_rule"] == NOT
    yield day(5)
    p.signs("REJECTED", "medical_director", reason="it fell within a day")
    yield None
    one = p.stands("REJECTED", "DLT-03")
    assert [(s["decision"], s["by"]) for s in one["signatures"]] == [
        ("CONFIRMED", "safety_physician"),
        ("REJECTED", "medical_director"),
    ]
    p.became((PENDING, "DLT-03", False), ("CONFIRMED", "DLT-03", False), ("REJECTED", "DLT-03", False))


def the_committee_declares_an_event_dose_limiting(p: Patient) -> Story:
    p.infused()
    yield day(6)
    p.reports(event("Rash", day(5), 2))
    yield None
    p.stands("none")
    assert p.try_to_sign("CONFIRMED", "medical_director").status_code == 403
    assert p.try_to_sign("REJECTED", "committee").status_code == 422
    assert p.signs("CONFIRMED", "committee")["rule_id"] == "DLT-99"
    yield day(33)
    # In W or later (DLT-99).
    p.reports(event("Colitis", day(32), 3))
    yield None
    p.stands("none")
    p.signs("CONFIRMED", "committee")
    yield None
    p.stands("CONFIRMED", "DLT-99")
    p.stands("CONFIRMED", "DLT-99", case=0)


def nobody_is_evaluable_while_something_is_open(p: Patient) -> Story:
    p.infused()
    yield day(4)
    p.reports(event("Lung infection", day(3), 3))
    yield None
    assert p.on_the_board()[0] == "pending"
    yield day(29)
    # Day 28 is complete, and a potential DLT is open (reading 2).
    status, waits_for = p.on_the_board()
    assert (status, any("POTENTIAL_DLT by DLT-15" in said for said in waits_for)) == ("pending", True)
    p.signs("REJECTED", "committee", reason="it answered to treatment")
    yield None
    assert p.on_the_board() == ("evaluable_without_dlt", [])


def a_second_dlt_at_a_level_holds_it_and_two_confirmed_close_it(p: Patient) -> Story:
    other = Patient(p.ward, "S01-901")
    for one in (p, other):
        one.infused(level="DL3", planned=3.0, given=3.0)
    yield day(4)
    p.reports(event("Pancreatitis", day(3), 4))
    other.reports(event("Pancreatitis", day(3), 4))
    yield None
    # What is met counts until it is rejected (reading 2); two hold the level, two confirmed close it (reading 14).
    assert p.on_the_board()[0] == other.on_the_board()[0] == "dlt"
    assert "0 confirmed: enrolment is held" in _second_dlt(p)
    p.signs("CONFIRMED")
    other.signs("CONFIRMED")
    yield None
    assert "2 confirmed: the level is closed" in _second_dlt(p)


def _second_dlt(p: Patient) -> list[str]:
    holds = p.ward.house.get("/v1/dose-board")["holds"]
    (reasons,) = [one["reasons"] for one in holds if (one["kind"], one["level"]) == ("second_dlt", "DL3")]
    found: list[str] = reasons
    return found


@pytest.mark.rule(
    "rules.md 4.2: verdicts by rule",
    "rules.md 4.2: flow of a verdict",
    "rules.md 4.2: EX-09 and DLT-99",
    "readings.md DLT 3",
)
def test_what_is_missing_late_corrected_or_signed_moves_the_verdict_and_stays_in_its_history(tmp_path: Path) -> None:
    with rehearsal(tmp_path, at=START) as house:
        play(
            house,
            an_event_is_taken_back,
            a_whole_case_is_taken_back,
            it_was_another_subject,
            it_was_another_subject_in_its_window,
            a_late_upgrade,
            a_missing_grade_is_potential_and_then_what_it_is,
            a_grade_is_corrected,
            a_missing_relation_is_taken_as_related,
            both_parties_say_it_is_not_related,
            lymphodepletion_alone_needs_the_committee,
            the_infusion_is_recorded_after_the_event,
            dates_that_are_partly_known_leave_it_open,
            a_signature_stands_over_what_the_facts_say_later,
            the_committee_declares_an_event_dose_limiting,
            nobody_is_evaluable_while_something_is_open,
            a_second_dlt_at_a_level_holds_it_and_two_confirmed_close_it,
        )
