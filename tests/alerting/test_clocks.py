"""The clocks that are kept: started, moved with a reason, questioned, never deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete

from alerting import tables
from alerting.judge import judge_all_again
from tests.alerting.ward import FATAL, MILD, NOON, SERIOUS, STUDY, Ward, coding, dose, report
from tocsin.domain.protocol import APPROVED, ExpectedReaction

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def of_rule(house: Ward, rule: str) -> list[dict[str, object]]:
    return [clock for clock in house.clocks() if clock["rule"] == rule]


@pytest.mark.rule("CN_SUSAR_7D; CN_SUSAR_7D_PLUS_8D; CN_GCP48_COPY_7D")
def test_a_fatal_report_starts_its_clocks_with_rule_clause_day_zero_and_reasons(any_house: Ward) -> None:
    any_house.receive(report(FATAL))
    (clock,) = of_rule(any_house, "CN_SUSAR_7D")
    assert clock["day_zero"] == "2026-05-14"
    assert clock["due_on"] == "2026-05-21"
    assert clock["due_at"] == "2026-05-21T15:59:59Z"
    assert clock["status"] == "RUNNING"
    assert clock["clause"] == "CDE safety data rapid reporting standard (2018)"
    assert [h["what"] for h in clock["changes"]] == ["started"]  # type: ignore[attr-defined]


@pytest.mark.rule("promise: every clock has a rule, a clause and a day zero, which is never before the first receipt")
def test_the_first_page_says_why_the_clock_of_its_event_runs_with_rule_facts_day_zero_and_clause(house: Ward) -> None:
    house.receive(report({**FATAL, "ref": "1"}, {**SERIOUS, "ref": "2"}))
    (page,) = house.alerts(level="page")
    why = [reason for reason in page["reasons"] if ": why " in reason]
    assert [reason.split(":")[1] for reason in why] == [
        " why CN_SUSAR_7D to CDE, due 2026-05-21",
        " why CN_SUSAR_15D to CDE, due 2026-05-29",
    ]
    for said in (
        "TOC-0031-E1", "outcome: fatal", "not coded yet: taken as unexpected", "day 0 is 2026-05-14",
        "CDE safety data rapid reporting standard (2018): a fatal or life-threatening SUSAR within 7 days",
    ):  # fmt: skip
        assert said in why[0]


@pytest.mark.rule("INV_TO_SPONSOR_24H", "readings.md clocks 1")
def test_the_history_of_the_sites_own_clock_can_be_read_alone(house: Ward) -> None:
    house.receive(report({**FATAL, "investigator_aware_at": "2026-05-12T08:00+08:00"}))
    (clock,) = of_rule(house, "INV_TO_SPONSOR_24H")
    line = clock["status_history"][0]  # type: ignore[index]
    assert (line["status"], line["what"]) == ("LATE", "late")
    assert line["reason"] == "revision 1 received: the first report was received 2026-05-14T04:00:00+00:00"


def test_new_facts_of_a_clock_stand_in_its_history_with_the_old_ones(house: Ward) -> None:
    house.receive(report(FATAL), coding({"term": "Sudden death NOS", "llt_code": "10011906"}))
    (clock,) = of_rule(house, "CN_SUSAR_7D")
    changed = clock["changes"][-1]  # type: ignore[index]
    assert changed["what"] == "changed"
    assert "not coded yet: taken as unexpected" in changed["before"]["reasons"]
    assert "Sudden death NOS is not listed in reference safety information none" in changed["after"]["reasons"]
    assert changed["reason"] == "revision 1 coded by machine"
    assert clock["due_on"] == "2026-05-21"


@pytest.mark.rule("rules.md 1.4: OTHER to FATAL_LT, not yet submitted")
def test_an_upgrade_before_submission_gives_a_seven_day_clock_to_which_the_other_gives_way(house: Ward) -> None:
    house.receive(report(SERIOUS))
    house.move(2 * DAY)
    house.receive(report({**SERIOUS, "seriousness": ["death"], "outcome": "fatal"}, revision=2, at=house.at))
    assert [c["due_on"] for c in of_rule(house, "CN_SUSAR_7D")] == ["2026-05-23"]
    (earlier,) = of_rule(house, "CN_SUSAR_15D")
    (now,) = of_rule(house, "CN_SUSAR_7D")
    assert (earlier["status"], earlier["superseded_by"]) == ("SUPERSEDED", now["clock_id"])
    assert [h["status"] for h in earlier["status_history"]] == ["RUNNING", "SUPERSEDED"]  # type: ignore[attr-defined]


@pytest.mark.rule("readings.md clocks 3")
def test_a_provisional_clock_gives_way_to_the_legal_day_zero_and_says_why(house: Ward) -> None:
    house.receive(report(FATAL, reporter=None))
    (first,) = of_rule(house, "CN_SUSAR_7D")
    assert (first["day_zero"], first["provisional"]) == ("2026-05-14", True)
    house.move(2 * DAY)
    house.receive(report(FATAL, revision=2, at=house.at))
    before, after = sorted(of_rule(house, "CN_SUSAR_7D"), key=lambda c: str(c["day_zero"]))
    assert (before["status"], before["superseded_by"]) == ("SUPERSEDED", after["clock_id"])
    assert (after["status"], after["day_zero"], after["due_on"]) == ("RUNNING", "2026-05-16", "2026-05-23")
    assert before["status_history"][-1]["reason"] == (  # type: ignore[index]
        "revision 2 received: the last of the minimum elements came with revision 2, received 2026-05-16 12:00 CST: "
        "this is the legal day zero"
    )


@pytest.mark.rule("rules.md 1.4: never delete a clock")
def test_a_clock_that_the_facts_no_longer_support_runs_on_and_a_person_is_told(house: Ward) -> None:
    protocol = house.studies[STUDY]
    listed = ExpectedReaction("Pneumonia", "10035664", 3, fatal_expected=False)
    house.studies[STUDY] = replace(protocol, rsi=replace(protocol.rsi, status=APPROVED, entries=(listed,)))
    house.receive(report(SERIOUS))
    house.receive(coding({"term": "Pneumonia", "llt_code": "10035664"}))
    (clock,) = of_rule(house, "CN_SUSAR_15D")
    assert (clock["status"], clock["in_question"]) == ("RUNNING", True)
    (told,) = house.alerts(level="review")
    assert told["kind"] == "clock_in_question"
    assert (
        "TOC-0031-E1: clock in question: CN_SUSAR_15D runs: the facts as known now would not start it (Pneumonia grade "
        "2 is listed in reference safety information none): it runs until a person decides" in told["reasons"]
    )
    house.receive(coding({"term": "Pneumonia", "llt_code": "10035664"}, by="again", at=NOON + HOUR))
    assert len(house.alerts(level="review")) == 1


@pytest.mark.rule("readings.md clocks 1: once, with the status it had at receipt")
@pytest.mark.parametrize(("aware", "status"), [("2026-05-13T12:30+08:00", "MET"), ("2026-05-13T11:59+08:00", "LATE")])
def test_the_sites_own_day_is_met_or_late_when_the_report_is_received(house: Ward, aware: str, status: str) -> None:
    house.receive(report({**SERIOUS, "investigator_aware_at": aware}))
    (clock,) = of_rule(house, "INV_TO_SPONSOR_24H")
    assert (clock["status"], clock["recipient"]) == (status, "sponsor")
    house.receive(report({**SERIOUS, "investigator_aware_at": "2026-05-01"}, revision=2, at=NOON + HOUR))
    assert [c["status"] for c in of_rule(house, "INV_TO_SPONSOR_24H")] == [status]


def test_the_mail_names_the_soonest_clock_of_the_sponsor_not_the_sites(house: Ward) -> None:
    house.receive(report({**FATAL, "investigator_aware_at": "2026-05-14T11:00+08:00"}))
    assert house.rung() == [("safety-physician", "[Tocsin] TOC-0031: death, 7-day clock")]


def test_a_dose_recorded_later_moves_the_dlt_window_of_the_subjects_cases(any_house: Ward) -> None:
    toxic = {"verbatim": "neutropenic fever", "serious": False, "grade": {"ctcae": 4}, "onset": "2026-05-13"}
    any_house.receive(dose("D0", kind="infusion", subject="S01-003", level="DL2", started_at="2026-01-05T10:00+08:00"))
    any_house.receive(report(toxic))
    assert any_house.alerts(kind="potential_dlt") == []
    any_house.receive(dose("D1", kind="infusion", subject="S01-003", level="DL2", started_at="2026-05-08T10:00+08:00"))
    (alert,) = any_house.alerts(kind="potential_dlt")
    assert any("inside the window of 28 days" in reason for reason in alert["reasons"])


def test_a_dose_of_another_subject_moves_nothing(house: Ward) -> None:
    house.receive(report(SERIOUS))
    before = house.everything_kept()["clocks"]
    house.receive(dose("D1", kind="infusion", subject="S01-009", level="DL2", started_at="2026-05-08T10:00+08:00"))
    assert house.everything_kept()["clocks"] == before


def test_clocks_that_an_older_version_kept_get_their_timers_when_they_are_judged_anew(any_house: Ward) -> None:
    any_house.receive(report(FATAL), report(MILD, case="TOC-0030"))
    with any_house.store.transaction() as tx:
        tx.execute(delete(tables.timers).where(tables.timers.c.kind == "clock"))
    assert judge_all_again(any_house.parts, why="judged anew by a newer version", at=any_house.at) == 1
    any_house.fast_forward(DAY, step=DAY)
    assert [alert["level"] for alert in any_house.alerts(kind="clock_review")] == ["review"]
