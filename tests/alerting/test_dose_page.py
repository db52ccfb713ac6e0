"""The page /desk/dose: what it says in each state of a trial, to whom, in whose words."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from alerting import packet
from tests.alerting.desk import PASSWORD, Desk
from tests.alerting.dose_desk import OPEN, PENDING, heading, opened, panel, seen, words
from tests.alerting.test_dlt import AS_CRS, CRS
from tests.alerting.test_trial import TWO, ask, held, infused, lift
from tests.alerting.ward import STUDY, Ward, coding, report


@pytest.mark.parametrize("path", ["/desk/dose", "/desk/dose/stamp", "/desk/dose/packet"])
def test_without_a_login_nothing_of_the_trial_is_shown(trial: Ward, path: str) -> None:
    trial.receive(*PENDING)
    answer = opened(trial, path)
    assert answer.status_code == 401
    for inside in ("S01-003", STUDY, "KQ-2003", "DL1", "ASSUMED", "fever"):
        assert inside not in answer.text


def test_the_sign_in_form_leads_back_to_the_board_of_the_study(trial: Ward) -> None:
    Desk(trial).person("safety_physician")
    form = opened(trial, f"/desk/dose?study={STUDY}")
    assert f'name="next" value="/desk/dose?study={STUDY}"' in form.text
    data = {"name": "safety_physician", "password": PASSWORD, "next": f"/desk/dose?study={STUDY}"}
    answer = opened(trial, "/sign-in", method="POST", data=data)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/desk/dose?study={STUDY}")


def test_whoever_may_not_see_the_board_is_told_so_and_is_not_led_there(trial: Ward) -> None:
    answer = opened(trial, "/desk/dose", "coder")
    assert answer.status_code == 401
    assert "Your roles do not let you see the dose board." in answer.text
    assert STUDY not in answer.text
    assert 'href="/desk/dose"' in opened(trial, "/mailbox", "committee").text
    assert 'href="/desk/dose"' not in opened(trial, "/a/none", "coder").text


@pytest.mark.parametrize(("role", "prints"), [("committee", True), ("auditor", True), ("cell_lab", False)])
def test_the_packet_is_offered_to_those_who_may_have_it(trial: Ward, role: str, prints: bool) -> None:
    answer = opened(trial, "/desk/dose", role)
    assert answer.status_code == 200
    assert ("Print for the safety committee" in answer.text) is prints
    assert (opened(trial, "/desk/dose/packet", role).status_code == 200) is prints


def test_the_button_gives_the_packet_that_the_api_gives(trial: Ward) -> None:
    trial.receive(*PENDING)
    answer = opened(trial, "/desk/dose/packet", "committee")
    with trial.store.reading() as tx:
        made = packet.packet(tx, trial.parts, trial.studies[STUDY])
    assert answer.content == made.body
    assert answer.headers["content-disposition"] == f'attachment; filename="{made.name}"'
    assert answer.headers["content-security-policy"].endswith("; sandbox")


def test_before_anybody_is_enrolled_the_first_may_be_infused_at_the_lowest_level(trial: Ward) -> None:
    assert heading(trial) == "By the rules the next subject may be infused at DL1."
    said = words(seen(trial))
    assert "Room for 3 more before the next decision." in said
    assert "DL1: 0 subjects with a DLT, 0 subjects with a potential DLT. Nothing changes by time alone." in said
    assert "As of Thu 14 May 2026, 12:00. The page advises" in said
    assert said.count("Asia/Shanghai") == 1
    assert "No hold stands." in said
    assert "Nobody is enrolled." in said


@pytest.mark.rule("rules.md 5.5: ST-01")
def test_during_the_stagger_the_heading_says_until_when(trial: Ward) -> None:
    trial.receive(infused("S01-001", "DL1", "2026-05-11T10:00+08:00"))
    assert heading(trial) == "Nobody may be infused before Mon 8 Jun 2026: the stagger at DL1 is not over."
    said = words(seen(trial))
    assert "The next infusion is then at DL1: room for 2 more before the next decision." in said
    assert "Ends by itself on Mon 8 Jun 2026. It needs no signature." in said
    assert "Soonest change by time alone: Mon 8 Jun 2026, when the stagger at DL1 ends." in said


@pytest.mark.rule("rules.md 5.5: ST-02")
def test_the_heading_asks_for_the_review_until_the_committee_has_signed(trial: Ward) -> None:
    for n, day in enumerate(("2026-03-01", "2026-03-30", "2026-03-31"), 1):
        trial.receive(infused(f"S01-00{n}", "DL1", f"{day}T10:00+08:00"))
    assert heading(trial) == "Nobody may be infused now: the review of DL1 is not signed."
    assert "Go up ESCALATE Escalate to DL2, once the review is signed." in words(seen(trial))
    (review,) = held(trial, "review")
    lift(trial, review)
    assert heading(trial) == "By the rules the next subject may be infused at DL2."


def test_while_a_level_waits_the_heading_names_for_whom(trial: Ward) -> None:
    for n, day in enumerate(("2026-04-01", "2026-04-30", "2026-05-01"), 1):
        trial.receive(infused(f"S01-00{n}", "DL1", f"{day}T10:00+08:00"))
    assert heading(trial) == "Nobody may be infused now: DL1 waits for S01-002, S01-003."
    assert "Thu 28 May 2026, 24:00 (14 d 11 h left), when the window of S01-002 ends." in words(seen(trial))


@pytest.mark.rule("rules.md 5.5: ST-04; readings.md DLT 14")
def test_a_hold_names_who_has_confirmed_and_whom_to_call(trial: Ward) -> None:
    trial.receive(*TWO)
    assert heading(trial) == "Nobody may be infused now: two DLTs at DL1."
    (hold,) = held(trial, "second_dlt")
    ask(trial, f"/v1/holds/{hold['hold_id']}/confirmations", {"party": "cell_lab"}, "cell_lab")
    said = panel(trial, "h-holds")
    assert "A hold stops nobody by itself: call them." in said
    assert "Not yet confirmed: Site S01, Peking Union Medical College Hospital, Beijing. Call." in said
    assert "Cell lab: confirmed by cell_lab, Thu 14 May 2026, 12:00" in said
    assert "Lifted by the signature of the review committee or of the medical director." in said
    assert "Stop: too toxic STOP_ALL_DOSES_TOO_TOXIC" in words(seen(trial))


@pytest.mark.rule("rules.md 4.2: flow of a verdict")
def test_an_open_verdict_shows_rule_day_limit_and_what_is_left_in_the_words_of_the_site(trial: Ward) -> None:
    trial.receive(*PENDING)
    said = panel(trial, "h-open")
    assert "S01-003, DL1: “fever & <b>shaking</b>” Potential DLT, waits for its limit" in said
    assert "TOC-0031 · grade 3 · study day 3 · DLT-03, cytokine release syndrome grade 3" in said
    assert "Meets the rule Thu 21 May 2026, 11:00 (6 d 23 h left) unless improved; a physician decides." in said
    assert "The strict limit passes Sun 17 May 2026, 11:00 (2 d 23 h left)." in said
    assert "it fell below grade 3 within 168 h: no DLT by DLT-03" in said
    assert "1 subject with a potential DLT (S01-003)" in words(seen(trial))


def test_what_a_site_wrote_is_never_a_tag(trial: Ward) -> None:
    trial.receive(*PENDING)
    text = seen(trial).text
    assert "<b>shaking" not in text
    assert "fever &amp; &lt;b&gt;shaking" in text


def test_every_time_is_in_the_zone_of_the_study(trial: Ward) -> None:
    trial.receive(*OPEN)
    assert re.findall(r"\d\dZ|[+-]00:00|\+08:00", words(seen(trial))) == []


def test_a_rule_that_is_met_counts_until_a_physician_rejects_it_and_is_ringed(trial: Ward) -> None:
    trial.receive(*TWO[:1], *TWO[2:4], *PENDING[:1], report(CRS, case="TOC-0033", subject="S01-003"))
    trial.receive(coding(AS_CRS, case="TOC-0033"))
    assert "It counts as a DLT until a physician rejects it." in panel(trial, "h-open")
    plot = seen(trial).text.partition('<svg class="chart')[2].partition("</svg>")[0]
    assert plot.count('class="dlt"') == 1
    assert plot.count('class="potential"') == 1
    table = panel(trial, "h-plot").partition("The same as a table")[2]
    assert "S01-001 DL1 to day 3 today, day 3 25 “CRS”: potential DLT, met by its rule, not signed, day 3" in table
    assert "S01-003 DL1 to day 3 today, day 3 25 “CRS”: potential DLT, waits for its limit, day 3" in table


def test_what_if_tells_only_what_would_change_the_board(trial: Ward) -> None:
    trial.receive(*TWO[:1], *TWO[2:4])
    said = panel(trial, "h-if")
    assert "S01-001, “CRS”: if it was grade 2 at its worst: no rule names it. DL1 would say: Wait" in said
    assert "it was grade 3 at its worst: potential DLT, waits for its limit (DLT-03)." in said
    assert "both parties judge it not related: no DLT by the rules (advisory) (DLT-02)" in said


def test_an_open_page_gets_the_board_before_its_what_if(trial: Ward) -> None:
    trial.receive(*PENDING)
    answer = opened(trial, "/desk/dose?what_if=false", "safety_physician")
    assert " data-unfinished " in answer.text
    assert "Being worked out anew" in answer.text
    assert "data-unfinished" not in seen(trial).text


def test_an_infusion_against_a_hold_is_said_of_the_subject(trial: Ward) -> None:
    trial.receive(*TWO)
    assert "Infused against a hold: the stagger at DL1 ends Mon 8 Jun 2026" in panel(trial, "h-subjects")


def test_follow_up_that_is_overdue_stands_before_what_is_due(trial: Ward) -> None:
    trial.receive(
        infused("S01-001", "DL1", "2026-03-01T10:00+08:00"), infused("S01-002", "DL1", "2026-03-30T10:00+08:00")
    )
    said = panel(trial, "h-visits")
    assert "S01-001 S01 month 1 Wed 1 Apr 2026 Wed 29 Apr 2026 Sun 1 Mar 2026 Overdue: ask the site" in said
    assert said.index("Overdue") < said.index("S01-002")


def test_the_page_rests_on_nothing_from_elsewhere_and_runs_nothing_inline(trial: Ward) -> None:
    trial.receive(*OPEN)
    text = seen(trial).text
    found = re.findall(r'(?:src|href|action)="([^"#]+)"', text)
    assert [one for one in found if not one.startswith("/")] == []
    assert re.findall(r'\son[a-z]+="|\sstyle="|<style|<script>', text) == []
    assert opened(trial, "/desk/dose.js").headers["content-type"].startswith("text/javascript")
    assert opened(trial, "/desk/dose.css").headers["content-type"].startswith("text/css")


def test_where_several_studies_have_doses_the_page_asks_which(trial: Ward) -> None:
    other = next(name for name in trial.studies if name != STUDY)
    trial.studies[other] = replace(trial.studies[other], levels=trial.studies[STUDY].levels)
    answer = opened(trial, "/desk/dose", "committee")
    assert answer.status_code == 422
    assert f'href="/desk/dose?study={STUDY}"' in answer.text
    assert opened(trial, f"/desk/dose?study={STUDY}", "committee").status_code == 200
