"""A query is answered on its page: by the fact that was asked for, or in words."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from ae_intake.tables import queries
from tests.intake.at_site import Site, an_event
from tests.intake.site_desk import Nurse, case_of, fields, heading, words
from tests.support.houses import STUDY

UNKNOWN = "7f8de3a0-0000-5000-8000-000000000000"


def asked(site: Site) -> str:
    """The address of the one query that is open."""
    (query,) = site.queries(status="open")
    return f"/report/queries/{query['query_id']}"


def test_the_time_of_awareness_answers_its_query(site: Site) -> None:
    case_id = site.report(an_event(investigator_aware_at=None))["case_id"]
    nurse, at = Nurse(site.house), asked(site)
    assert heading(nurse.get(at)) == "When did you know?"
    assert case_of(nurse.send(nurse.get(at), at, value_date="2026年3月2日", value_time="8:30")) == case_id
    assert site.case(case_id)["facts"]["events"][0]["investigator_aware_at"] == "2026-03-02T08:30"
    assert site.queries(status="open") == []
    assert "This query is answered." in words(nurse.get(at))


@pytest.mark.parametrize(
    ("gone", "typed", "name", "kept"),
    [
        ("reporter", "Dr Gao", "reporter", {"name": "Dr Gao"}),
        ("product", "KQ-2003", "product", "KQ-2003"),
        ("subject", "S01-004", "subject", "S01-004"),
    ],
)
def test_a_missing_element_answers_its_query(site: Site, gone: str, typed: str, name: str, kept: object) -> None:
    case_id = site.report(**{gone: None})["case_id"]
    nurse, at = Nurse(site.house), asked(site)
    case_of(nurse.send(nurse.get(at), at, value=typed))
    assert site.case(case_id)["facts"][name] == kept


def test_a_contradiction_is_answered_in_words_and_asked_in_the_language_of_the_page(site: Site) -> None:
    case_id = site.report(an_event(outcome="fatal"))["case_id"]
    nurse = Nurse(site.house, lang="zh")
    (query,) = [one for one in site.queries(status="open") if one["about"] == "/events/0/seriousness"]
    at = f"/report/queries/{query['query_id']}"
    said = words(nurse.get(at))
    assert "转归为死亡，但“受试者是否死亡”没有回答“是”。在您答复之前按此理解：死亡。 哪个正确？" in said
    case_of(nurse.send(nurse.get(at), at, statement="患者已死亡"))
    assert site.case(case_id)["history"][-1]["statement"] == "患者已死亡"


def test_what_was_taken_back_is_asked_in_the_language_of_the_page(site: Site) -> None:
    case_id = site.report(an_event(outcome="fatal", seriousness=["death", "hospitalisation"]))["case_id"]
    event = {"ref": "AE-1", "verbatim": "pneumonia", "outcome": "recovering", "seriousness": ["hospitalisation"]}
    site.follow_up(case_id, {"events": [event]})
    said = words(Nurse(site.house, lang="zh").get("/report"))
    assert "第 1 版的转归为死亡，现在不是。在您答复之前按此理解：已撤回，但已起算的时限继续。 哪个正确？" in said
    assert "第 1 版填写了“导致死亡”，现在没有。" in said


def test_a_refused_answer_keeps_what_was_typed(site: Site) -> None:
    site.report(an_event(investigator_aware_at=None))
    nurse, at = Nurse(site.house), asked(site)
    refused = nurse.send(nurse.get(at), at, value_date="2026-02-30", statement="as I said")
    assert refused.status_code == 422
    assert "This month has no such day." in words(refused)
    kept = fields(refused, at)
    assert (kept["value_date"], kept["statement"]) == ("2026-02-30", "as I said")
    empty = nurse.send(nurse.get(at), at)
    assert empty.status_code == 422
    assert "Answer the question, or say in words why not." in words(empty)
    assert nurse.send(nurse.get(at), at, statement="x", token="").status_code == 403
    assert len(site.queries(status="open")) == 1


def test_a_double_click_is_one_answer(site: Site) -> None:
    case_id = site.report(an_event(investigator_aware_at=None))["case_id"]
    nurse, at = Nurse(site.house), asked(site)
    typed = nurse.fill(nurse.get(at), at, value_date="2026-03-02", value_time="08:30")
    assert case_of(nurse.post(at, typed)) == case_of(nurse.post(at, typed)) == case_id
    assert site.case(case_id)["revision"] == 2


def test_a_query_without_a_case_is_answered_in_words_and_what_has_no_words_here_is_shown_as_it_is(site: Site) -> None:
    with site.store.transaction() as tx:
        row = {
            "query_id": UNKNOWN, "case_id": None, "study": STUDY, "site": "S01", "kind": "reconciliation", "about": "",
            "question": "Your list names an event <b>of which</b> we hold nothing.", "raised_by": "alerting",
            "raised_at": site.now(), "status": "open",
        }  # fmt: skip
        tx.execute(insert(queries), row)
    nurse = Nurse(site.house, lang="zh")
    at = f"/report/queries/{UNKNOWN}"
    said = words(nurse.get(at))
    assert "Your list names an event <b>of which</b> we hold nothing." in said
    assert "清单不一致" in said
    answer = nurse.send(nurse.get(at), at, statement="今天已报告")
    assert (answer.status_code, answer.headers["location"]) == (303, "/report")
    assert site.queries(status="open") == []
    assert ("nurse wang", "query answered in words", f"query {UNKNOWN}") in site.audited()


def test_open_queries_stand_on_the_start_page_and_on_the_case(site: Site) -> None:
    case_id = site.report(an_event(investigator_aware_at=None))["case_id"]
    nurse, at = Nurse(site.house), asked(site)
    assert f'href="{at}"' in nurse.get("/report").text
    page = nurse.get(f"/report/cases/{case_id}")
    case_of(nurse.send(page, at, value_date="2026-03-02", value_time="08:30"))
