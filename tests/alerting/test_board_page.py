"""The board: what needs me now, who is being rung and who is next, what is due, and when silence is calm."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerting.desk import board_view
from alerting.desk.board_health import Sign
from tests.alerting.desk import only_study
from tests.alerting.pages_desk import Visitor, forms, heading, lin, panel, words
from tests.alerting.test_dlt import AS_CRS, CRS
from tests.alerting.test_trial import infused
from tests.alerting.ward import FATAL, NOON, SERIOUS, STUDY, Ward, coding, report, studies, without
from tocsin.domain.words import Role


def test_without_a_login_the_board_shows_nothing_of_any_case(trial: Ward) -> None:
    trial.receive(report(FATAL))
    for path in ("/desk", "/desk/stream", "/desk/now", "/desk/cases", "/desk/cases/TOC-0031"):
        answer = Visitor(trial, "nobody", []).get(path)
        assert answer.status_code == 401, path
        assert "TOC-0031" not in answer.text.replace("/desk/cases/TOC-0031", "")


@pytest.mark.parametrize("role", ["cell_lab", "coder", "site"])
def test_whoever_may_not_see_the_board_is_told_so_and_is_not_led_there(trial: Ward, role: str) -> None:
    trial.receive(report(FATAL))
    answer = Visitor(trial, "somebody", [role]).get("/desk")
    assert answer.status_code == 403
    assert "Board is for the role" in words(answer.text)
    assert 'href="/desk"' not in answer.text
    assert "TOC-0031" not in answer.text


def test_the_heading_counts_what_rings_and_what_is_due(trial: Ward) -> None:
    trial.receive(report(FATAL))
    assert heading(lin(trial).opens("/desk")) == "1 alarm is ringing."
    trial.receive(report(FATAL, case="TOC-0032", subject="S02-001", site="S02"))
    assert heading(lin(trial).opens("/desk")) == "2 alarms are ringing."
    # Seven days after Thursday 14 May ends on Thursday 21 May; on its last morning it is due today.
    trial.at = NOON + timedelta(days=7)
    assert heading(lin(trial).opens("/desk")).endswith("4 reports are due today.")
    trial.at = NOON + timedelta(days=8)
    assert "4 reports are late." in heading(lin(trial).opens("/desk"))


def test_an_alarm_says_of_whom_since_when_who_is_rung_and_who_is_next(trial: Ward) -> None:
    trial.receive(infused("S01-003", "DL1", "2026-05-08T10:00+08:00"), report(FATAL))
    trial.at = NOON + timedelta(minutes=2)
    said = panel(lin(trial).opens("/desk"), "h-alarm")
    assert "Death TOC-0031 S01-003 · site S01 · DL1 · day 6 · received 12:00 · rung for 2 min" in said
    assert "Safety physician Being rung since 12:00, e-mail delivered" in said
    assert "Second physician Next, at 12:15, in 13 min" in said
    assert "Medical director Then, at 13:00, in 58 min" in said

    trial.fast_forward(timedelta(minutes=20))
    said = panel(lin(trial).opens("/desk"), "h-alarm")
    assert "Safety physician Rung 12:00, e-mail delivered, no answer" in said
    assert "Second physician Being rung since" in said


def test_where_nobody_is_reachable_the_board_says_so_in_capitals(trial: Ward) -> None:
    only_study(trial, without(studies()[STUDY], *Role))
    trial.receive(report(FATAL))
    assert "NOBODY reachable" in panel(lin(trial).opens("/desk"), "h-alarm")


def test_acknowledging_from_the_board_stops_the_ringing_and_leads_back(trial: Ward) -> None:
    trial.receive(report(FATAL))
    (alert,) = trial.alerts()
    action = f"/a/{alert['alert_id']}"
    answer = lin(trial).sends("/desk", action, {})
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    page = lin(trial).opens("/desk")
    assert "ringing" not in heading(page)
    assert "Death" in panel(page, "h-ack")
    assert "TOC-0031" in panel(page, "h-ack")


def test_an_acknowledgement_leads_nowhere_but_to_the_desk(trial: Ward) -> None:
    trial.receive(report(FATAL))
    (alert,) = trial.alerts()
    action = f"/a/{alert['alert_id']}"
    answer = lin(trial).sends("/desk", action, {"back": "https://elsewhere.example/desk"})
    assert answer.headers["location"] == action


def test_whoever_may_not_acknowledge_has_no_button(trial: Ward) -> None:
    trial.receive(report(FATAL))
    (alert,) = trial.alerts()
    page = Visitor(trial, "eve", ["auditor"]).opens("/desk")
    assert "1 alarm is ringing." in heading(page)
    assert forms(page, f"/a/{alert['alert_id']}") == []


def test_a_clock_shows_what_is_left_and_when_it_is_due_and_whom_it_waits_for(trial: Ward) -> None:
    trial.receive(report(FATAL))
    said = panel(lin(trial).opens("/desk"), "h-clock")
    assert "7 d 11 h left Thu 21 May 2026, 24:00 7-day report to CDE" in said
    assert "TOC-0031 S01-003 Acknowledgement" in said
    assert "provisional" in said


def test_a_serious_event_is_open_without_ringing_and_stands_beneath(trial: Ward) -> None:
    trial.receive(report(SERIOUS))
    page = lin(trial).opens("/desk")
    assert "ringing" not in heading(page)
    assert "Serious event" in panel(page, "h-quiet")


def test_a_potential_dlt_says_when_it_meets_its_rule_and_that_a_physician_decides(trial: Ward) -> None:
    trial.receive(infused("S01-003", "DL1", "2026-05-11T10:00+08:00"), report(CRS, subject="S01-003"), coding(AS_CRS))
    said = panel(lin(trial).opens("/desk"), "h-pot")
    assert "S01-003" in said
    assert "unless improved; a physician decides" in said


@pytest.mark.rule("promise: the board is live, and silence is calm only while the proofs of life pass")
def test_silence_is_calm_only_while_the_proofs_of_life_pass(trial: Ward) -> None:
    # A delivery that was given up about an open alert is no silence to trust.
    well = [Sign("Coder", "nothing waits for it", "tag")]
    ill = [Sign("Deliveries", "1 given up", "dead", is_well=False)]
    nothing = board_view.Counts(0, 0, 0, 0)
    assert board_view.heading(nothing, well) == "Nothing needs you now."
    assert board_view.is_calm(nothing, well)
    assert board_view.heading(nothing, ill) == "Nothing rings, but Tocsin itself needs somebody."
    assert not board_view.is_calm(nothing, ill)
    assert not board_view.is_calm(board_view.Counts(0, 0, 0, 1), well)


def test_before_the_first_report_the_board_says_how_to_prove_the_chain(trial: Ward) -> None:
    page = lin(trial).opens("/desk")
    assert "No report has arrived yet" in panel(page, "h-first")


def test_a_panel_that_fails_leaves_the_alarms_standing_and_is_never_taken_for_calm(
    trial: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.receive(report(FATAL))

    def broken(*_: object) -> None:
        raise RuntimeError("the verdicts are broken")

    monkeypatch.setattr("alerting.desk.board_view.dlt_board.like", broken)
    page = lin(trial).opens("/desk")
    assert heading(page) == "This page could not read everything: do not take its silence for calm."
    assert "Death TOC-0031" in panel(page, "h-alarm")
    assert "The potential DLTs could not be read." in words(page.text)
    assert "broken" not in page.text


def test_what_a_site_wrote_is_never_a_tag(trial: Ward) -> None:
    trial.receive(
        infused("S01-003", "DL1", "2026-05-11T10:00+08:00"),
        report({**CRS, "verbatim": "<script>alert(1)</script>"}, subject="S01-003"), coding(AS_CRS),
    )  # fmt: skip
    for path in ("/desk", "/desk/cases", "/desk/cases/TOC-0031"):
        page = lin(trial).opens(path)
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;" in page.text or path == "/desk"


def test_no_page_holds_a_style_or_a_script_of_its_own(trial: Ward) -> None:
    trial.receive(infused("S01-003", "DL1", "2026-05-11T10:00+08:00"), report(FATAL))
    for path in ("/desk", "/desk/cases", "/desk/cases/TOC-0031"):
        page = lin(trial).opens(path)
        assert " style=" not in page.text
        assert "<script>" not in page.text
        assert " onclick" not in page.text
        assert len(page.content) < 300_000
