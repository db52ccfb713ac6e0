"""The page of a case: what happened, why this clock, and what somebody signs there, having seen it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.alerting.desk import PASSWORD, trail
from tests.alerting.pages_desk import Visitor, forms, heading, lin, panel, words
from tests.alerting.test_dlt import AS_CRS, CRS
from tests.alerting.test_trial import infused
from tests.alerting.ward import FATAL, NOON, SERIOUS, Ward, coding, report

CASE = "/desk/cases/TOC-0031"
SIGNED = {"name": "lin", "password": PASSWORD, "meaning": "approval"}
GRADED = {
    **SERIOUS, "verbatim": "Cytokine release syndrome", "grade": {"ctcae": 2, "astct": 3},
    "onset": "2026-05-12T08:00", "investigator_aware_at": "2026-05-14T08:00+08:00",
}  # fmt: skip
TERM = {
    "llt_code": "10052015", "term": "Cytokine release syndrome", "soc": "Immune system disorders",
    "path": ["LLT 10052015 Cytokine release syndrome", "SOC 10021428 Immune system disorders"],
}  # fmt: skip


@pytest.fixture
def case(trial: Ward) -> Ward:
    trial.receive(infused("S01-003", "DL1", "2026-05-08T10:00+08:00"), report(GRADED), coding(TERM))
    return trial


def test_a_case_that_is_not_there_and_a_number_that_is_none_look_alike(case: Ward) -> None:
    answers = [lin(case).get(f"/desk/cases/{name}") for name in ("TOC-0099", "x", "TOC-1")]
    assert {answer.status_code for answer in answers} == {404}
    assert {heading(answer) for answer in answers} == {"No such case"}


def test_the_head_says_of_whom_at_which_dose_on_which_day_and_when_who_knew(case: Ward) -> None:
    page = lin(case).opens(CASE)
    assert heading(page) == "S01-003: Cytokine release syndrome"
    said = words(page.text)
    for fact in (
        "Subject S01-003", "Dose level DL1 · 1.0 ×10^6 cells/kg", "Since infusion Day 6 of 28",
        "Site aware Thu 14 May 2026, 08:00", "Sponsor aware (day 0) Thu 14 May 2026, 12:00",
    ):  # fmt: skip
        assert fact in said, fact


def test_an_event_leads_from_the_words_of_the_site_to_its_organ_class(case: Ward) -> None:
    said = panel(lin(case).opens(CASE), "h-ev")
    assert "“Cytokine release syndrome”" in said
    assert "LLT Cytokine release syndrome 10052015 SOC Immune system disorders 10021428" in said


def test_grades_stand_side_by_side_and_a_difference_is_worded(case: Ward) -> None:
    said = panel(lin(case).opens(CASE), "h-ev")
    assert "Site, CTCAE G2 Site, ASTCT G3" in said
    assert "The scales differ: CTCAE 2, ASTCT 3. They measure different things and are never merged." in said


def test_the_course_has_a_table_behind_its_picture(trial: Ward) -> None:
    course = [{"grade": 2, "scale": "astct", "from": "2026-05-12T08:00"},
              {"grade": 3, "scale": "astct", "from": "2026-05-13T20:00"}]  # fmt: skip
    trial.receive(report({**GRADED, "course": course}), coding(TERM))
    said = panel(lin(trial).opens(CASE), "h-course")
    assert "Cytokine release syndrome, ASTCT: grade 2, then grade 3" in said
    assert "grade 3 Wed 13 May 2026, 20:00" in said


def test_why_this_clock_names_rule_clause_day_zero_and_each_reason(case: Ward) -> None:
    said = panel(lin(case).opens(CASE), "h-why")
    assert "15-day report to CDE" in said
    assert "Rule CN_SUSAR_15D." in said
    assert "Day 0 is Thu 14 May 2026." in said
    assert "criterion: hospitalisation" in said


@pytest.mark.rule("promise: nobody signs what they have not seen")
def test_a_signed_assessment_stands_with_name_time_and_meaning_and_acknowledges(case: Ward) -> None:
    visitor = lin(case).signs()
    fields = {**SIGNED, "causality_product": "related", "expectedness": "unexpected", "reason": "fits the product"}
    answer = visitor.sends(CASE, f"{CASE}/assess", fields)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{CASE}?done=assess")
    said = panel(visitor.opens(f"{CASE}?done=assess"), "h-as")
    assert "Medical review · unexpected · related to the product" in said
    assert "fits the product" in said
    assert "Signed by lin (approval), Thu 14 May 2026, 12:00, Asia/Shanghai" in said
    assert {one["state"] for one in case.alerts(case_id="TOC-0031")} == {"acknowledged"}
    assert "Signed. What it does stands under the decisions." in words(visitor.opens(f"{CASE}?done=assess").text)


@pytest.mark.rule("promise: nobody signs what they have not seen")
def test_a_wrong_password_signs_nothing_and_what_was_typed_stays_but_for_the_password(case: Ward) -> None:
    visitor = lin(case).signs()
    fields = {**SIGNED, "password": "not hers at all", "expectedness": "expected", "reason": "listed as such"}
    answer = visitor.sends(CASE, f"{CASE}/assess", fields)
    assert answer.status_code == 403
    assert "The signature does not fit." in words(answer.text)
    assert "listed as such" in answer.text
    assert re.search(r'value="expected" checked', answer.text)
    assert "not hers at all" not in answer.text
    assert "Signed by" not in words(answer.text)


def test_a_signature_in_another_name_is_refused_and_says_where(case: Ward) -> None:
    visitor = lin(case).signs()
    answer = visitor.sends(CASE, f"{CASE}/assess", {**SIGNED, "name": "shen", "reason": "x"})
    assert answer.status_code == 422
    assert "the name is not the one that is signed in. Allowed: your own user name" in words(answer.text)


@pytest.mark.rule("promise: nobody signs what they have not seen")
def test_nobody_signs_what_they_have_not_seen(case: Ward) -> None:
    visitor = lin(case).signs()
    hidden = {"reason": "as I saw it", "expectedness": "expected", **SIGNED}
    page = visitor.opens(CASE)
    case.receive(report({**GRADED, "outcome": "fatal"}, revision=2, at=NOON + timedelta(minutes=5)))
    answer = visitor.ask("POST", f"{CASE}/assess", {**forms(page, f"{CASE}/assess")[0], **hidden})
    assert answer.status_code == 409
    assert "The case has changed since you opened this page: nothing was signed." in words(answer.text)
    assert "as I saw it" in answer.text
    assert "Signed by" not in words(answer.text)


def test_a_form_of_another_person_session_or_address_does_nothing(case: Ward) -> None:
    lin(case).signs()
    theirs = forms(Visitor(case, "shen", ["safety_physician"]).opens(CASE), f"{CASE}/assess")[0]
    other_session = forms(Visitor(case, "lin", ["safety_physician"], "another").opens(CASE), f"{CASE}/assess")[0]
    other_address = forms(lin(case).opens(CASE), "/sign-out")[0]
    seen = forms(lin(case).opens(CASE), f"{CASE}/assess")[0]["seen"]
    for hidden in (theirs, other_session, other_address, {"token": ""}, {}):
        answer = lin(case).ask("POST", f"{CASE}/assess", {**hidden, "seen": seen, **SIGNED, "reason": "x"})
        assert answer.status_code == 403, hidden
        assert "This form was not from this page." in words(answer.text)
    own = forms(lin(case).opens(CASE), f"{CASE}/assess")[0]
    abroad = lin(case).ask("POST", f"{CASE}/assess", {**own, **SIGNED, "reason": "x"}, {"sec-fetch-site": "cross-site"})
    assert abroad.status_code == 403
    assert not [row for row in trail(case) if row["did"].startswith("signed")]


def test_a_draft_is_kept_for_its_writer_alone_and_holds_no_password(case: Ward) -> None:
    visitor = lin(case).signs()
    fields = {**SIGNED, "expectedness": "expected", "reason": "not sure yet"}
    hidden = {"token": _token_of(visitor), **fields}
    answer = visitor.ask("POST", f"{CASE}/draft", hidden)
    assert answer.headers["location"] == f"{CASE}?done=draft"
    page = visitor.opens(CASE)
    assert "not sure yet" in page.text
    assert "your draft of 12:00, not signed" in panel(page, "h-as")
    assert "not sure yet" not in Visitor(case, "shen", ["safety_physician"]).opens(CASE).text
    assert PASSWORD not in repr(case.everything_kept())


def _token_of(visitor: Visitor) -> str:
    return forms(visitor.opens(CASE), f"{CASE}/assess")[0]["token"]


def test_whoever_only_reads_has_no_form_to_sign(case: Ward) -> None:
    page = Visitor(case, "eve", ["auditor"]).opens(CASE)
    assert 'name="password"' not in page.text
    assert "Your roles do not let you sign one." in panel(page, "h-as")


def test_a_report_is_recorded_as_sent_and_its_clock_stands(case: Ward) -> None:
    visitor = Visitor(case, "wu", ["safety_team"])
    page = visitor.opens(CASE)
    for hidden in forms(page, f"{CASE}/submission"):
        clock = next(c for c in case.clocks(case_id="TOC-0031") if c["clock_id"] == hidden["clock_id"])
        if clock["rule"] == "CN_SUSAR_15D":
            sent = {"at": "2026-05-14T11:00", "kind": "initial", "reference": "CDE-2026-1"}
            early = visitor.ask("POST", f"{CASE}/submission", {**hidden, **sent, "at": "2026-05-15T11:00"})
            assert early.status_code == 422
            assert "CDE-2026-1" in early.text
            case.at = NOON + timedelta(hours=1)
            answer = visitor.ask("POST", f"{CASE}/submission", {**hidden, **sent, "at": "2026-05-14T12:30"})
            assert answer.status_code == 303, words(answer.text)
    said = panel(visitor.opens(CASE), "h-why")
    assert "Recorded as sent to CDE Thu 14 May 2026, 12:30, version 1, CDE-2026-1, by wu. Not acknowledged yet." in said


def test_a_clock_or_verdict_of_another_case_is_not_reached_from_this_page(case: Ward) -> None:
    case.receive(report(FATAL, case="TOC-0032", subject="S02-001", site="S02"))
    visitor = Visitor(case, "wu", ["safety_team"])
    hidden = forms(visitor.opens(CASE), f"{CASE}/submission")[0]
    foreign = case.clocks(case_id="TOC-0032")[0]["clock_id"]
    sent = {"at": "2026-05-14T11:00", "kind": "initial", "reference": "x", "clock_id": foreign}
    assert visitor.ask("POST", f"{CASE}/submission", {**hidden, **sent}).status_code == 404
    assert not [c for c in case.clocks(case_id="TOC-0032") if c["status"] == "MET"]


def test_a_dlt_is_confirmed_by_signature_at_its_verdict(trial: Ward) -> None:
    trial.receive(infused("S01-003", "DL1", "2026-05-11T10:00+08:00"), report(CRS, subject="S01-003"), coding(AS_CRS))
    visitor = lin(trial).signs()
    fields = {**SIGNED, "decision": "CONFIRMED", "reason": "three days of vasopressors"}
    answer = visitor.sends(CASE, f"{CASE}/dlt", fields)
    assert answer.headers["location"] == f"{CASE}?done=dlt", words(answer.text)[:800]
    assert "Confirmed by lin (approval)" in panel(visitor.opens(CASE), "h-dlt-1")


def test_the_history_strikes_out_the_old_value_and_underlines_the_new(case: Ward) -> None:
    case.receive(report({**GRADED, "outcome": "recovered"}, revision=2, at=NOON + timedelta(hours=2)))
    page = lin(case).opens(CASE)
    assert re.search(
        r"<del>not_recovered</del> <ins>recovered</ins>|<del>not stated</del> <ins>recovered</ins>", page.text
    )
    said = panel(page, "h-his")
    assert said.index("Version 2 received") < said.index("Version 1 received")


def test_cases_are_found_by_number_and_by_subject_and_a_percent_sign_is_no_wildcard(case: Ward) -> None:
    case.receive(report(FATAL, case="TOC-0032", subject="S02-001", site="S02"))
    visitor = lin(case)
    assert "TOC-0032" in panel(visitor.opens("/desk/cases"), "h-cases")
    found = panel(visitor.opens("/desk/cases?q=S02"), "h-cases")
    assert "TOC-0032" in found
    assert "TOC-0031" not in found
    assert "TOC-0031" in panel(visitor.opens("/desk/cases?q=0031"), "h-cases")
    assert "No case number or subject holds “%”." in panel(visitor.opens("/desk/cases?q=%25"), "h-cases")


def test_older_cases_stand_on_the_next_page(trial: Ward) -> None:
    trial.receive(*(report(SERIOUS, case=f"TOC-{n:04}", subject="S01-003") for n in range(1, 53)))
    first = lin(trial).opens("/desk/cases")
    assert "TOC-0052" in first.text
    assert "TOC-0002" not in first.text
    older = re.search(r'href="(/desk/cases\?[^"]*before[^"]*)"', first.text)
    assert older is not None
    second = lin(trial).opens(older[1].replace("&amp;", "&"))
    assert "TOC-0002" in second.text
    assert "TOC-0001" in second.text
    assert "TOC-0003" not in second.text
