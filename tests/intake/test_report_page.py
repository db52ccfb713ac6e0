"""A nurse reports on the form what a system would post: the same case, the same receipt, asked the same questions."""

from __future__ import annotations

import json

import pytest

from tests.intake.at_site import Site
from tests.intake.site_desk import Nurse, case_of, cases, fields, one_event, words

NEW = "/report/new"
CRITERIA = ("death", "life_threatening", "hospitalisation", "disability", "congenital_anomaly", "medically_important")


def test_what_is_typed_is_kept_as_a_system_would_have_posted_it(site: Site) -> None:
    case_id = Nurse(site.house).sent()
    assert case_id == "TOC-0001"
    held = site.case(case_id)
    assert held["facts"] == {
        "subject": "S01-001",
        "kind": "adverse_event",
        "product": "KQ-2003",
        "reporter": {"name": "Dr Li Example"},
        "events": [
            {
                "ref": "1",
                "verbatim": "felt faint in the corridor",
                "onset": "2026-03-01",
                "outcome": "not_recovered",
                "investigator_aware_at": "2026-03-02T08:30",
                "serious": True,
                "seriousness": ["hospitalisation"],
            }
        ],
    }
    assert held["history"][0]["sent_by"] == "nurse wang"
    assert held["history"][0]["sent"] == held["facts"]
    assert held["complete"] is True
    assert [message.body.case_id for message in site.said("reports.received.v1")] == ["TOC-0001"]
    assert ("nurse wang", "report accepted", "case TOC-0001") in site.audited()


def test_every_field_of_an_event_reaches_its_fact(site: Site) -> None:
    case_id = Nurse(site.house).sent(
        e0__onset_time="9:05", e0__end_date="2026-03-02", e0__grade_ctcae="3", e0__grade_astct="2",
        e0__cause_product="yes", e0__cause_lymphodepletion="no", e0__cause_apheresis="unknown",
        e0__action="not_changed", e0__treatment="fluids", e0__outcome="recovered", narrative="got up too fast",
        reporter_role="investigator", reporter_contact="010 1234", kind="medication_error", detail="overdose",
    )  # fmt: skip
    event, facts = one_event(site, case_id), site.case(case_id)["facts"]
    assert (event["onset"], event["end"], event["outcome"]) == ("2026-03-01T09:05", "2026-03-02", "recovered")
    assert event["grade"] == {"ctcae": 3, "astct": 2}
    assert event["causality"] == [
        {"agent": "product", "relation": "related"},
        {"agent": "lymphodepletion", "relation": "not_related"},
    ]
    assert (event["action"], event["treatment"]) == ("not_changed", "fluids")
    assert facts["reporter"] == {"name": "Dr Li Example", "role": "investigator", "contact": "010 1234"}
    assert (facts["kind"], facts["detail"], facts["narrative"]) == ("medication_error", "overdose", "got up too fast")


def test_two_events_are_two_events_of_one_case(site: Site) -> None:
    case_id = Nurse(site.house).sent(e1__verbatim="fell", e1__serious_death="no")
    first, second = site.case(case_id)["facts"]["events"]
    assert (first["ref"], second["ref"]) == ("1", "2")
    assert second == {"ref": "2", "verbatim": "fell"}


def test_nothing_is_preselected_on_a_new_report(site: Site) -> None:
    found = fields(Nurse(site.house).get(NEW), NEW)
    page = {"token", "draft", "version", "page"}
    assert {name: value for name, value in found.items() if value and name not in page} == {"kind": "adverse_event"}


@pytest.mark.parametrize(
    ("answers", "serious", "criteria"),
    [
        ({}, None, None),
        (dict.fromkeys(CRITERIA, "unknown"), None, None),
        ({**dict.fromkeys(CRITERIA, "no"), "death": "unknown"}, None, None),
        (dict.fromkeys(CRITERIA[:5], "no"), None, None),
        (dict.fromkeys(CRITERIA, "no"), False, None),
        ({**dict.fromkeys(CRITERIA, "no"), "disability": "yes"}, True, ["disability"]),
        ({"medically_important": "yes", "death": "yes"}, True, ["death", "medically_important"]),
    ],
    ids=[
        "nobody answered",
        "nobody knows",
        "one is not known",
        "one is not answered",
        "six times no",
        "one yes",
        "two",
    ],
)
def test_unknown_is_never_no(
    site: Site, answers: dict[str, str], serious: bool | None, criteria: list[str] | None
) -> None:
    typed = {f"e0__serious_{name}": answer for name, answer in answers.items()}
    case_id = Nurse(site.house).sent(**{"e0__serious_hospitalisation": None, **typed})
    event = one_event(site, case_id)
    assert event.get("serious") is serious
    assert event.get("seriousness") == criteria


@pytest.mark.parametrize(
    ("day", "hour", "kept"),
    [
        ("2026-02", "", "2026-02"),
        ("2026", "", "2026"),
        ("2026/2/9", "", "2026-02-09"),
        ("2026年2月9日", "9时05分", "2026-02-09T09:05"),
        ("2026年2月", "", "2026-02"),
        ("２０２６－０２－０９", "１４：３０", "2026-02-09T14:30"),
        ("2026-02-09", "14:30+08:00", "2026-02-09T14:30+08:00"),
    ],
)
def test_a_date_is_kept_as_far_as_it_is_known(site: Site, day: str, hour: str, kept: str) -> None:
    case_id = Nurse(site.house).sent(e0__onset_date=day, e0__onset_time=hour)
    assert one_event(site, case_id)["onset"] == kept


def test_the_time_of_awareness_is_asked_for_and_never_filled_in(site: Site) -> None:
    nurse = Nurse(site.house)
    case_id = nurse.sent(e0__aware_date="", e0__aware_time="")
    assert "investigator_aware_at" not in one_event(site, case_id)
    receipt = words(nurse.get(f"/report/receipts/{case_id}"))
    assert "We cannot tell when your 24 hours end" in receipt
    assert [query["kind"] for query in site.queries(status="open")] == ["awareness"]


def test_what_is_missing_is_accepted_and_named_on_the_receipt(site: Site) -> None:
    nurse = Nurse(site.house)
    case_id = nurse.sent(product_is=None, reporter_name="")
    said = words(nurse.get(f"/report/receipts/{case_id}"))
    assert "What is still missing Who reports? Give a name. Which product is suspected?" in said
    assert site.case(case_id)["complete"] is False


def test_the_receipt_says_what_was_understood_in_words_and_when_the_24_hours_end(site: Site) -> None:
    nurse = Nurse(site.house)
    said = words(nurse.get(f"/report/receipts/{nurse.sent()}"))
    for sentence in (
        "Case number TOC-0001 Revision 1 Received Mon 2 Mar 2026, 12:00 Asia/Shanghai",
        "Sent by nurse wang",
        "TOC-0001-E1 felt faint in the corridor",
        "Seriousness serious: hospital stay or its prolongation",
        "Outcome not recovered",
        "Causality not stated",
        "Investigator aware 2026-03-02 08:30",
        # Aware on Monday at 08:30 in Beijing: 24 hours later it is Tuesday, 08:30 there.
        "The report to the sponsor is due by Tue 3 Mar 2026, 08:30.",
        "What happens next",
    ):
        assert sentence in said, sentence


def test_the_receipt_in_chinese(site: Site) -> None:
    nurse = Nurse(site.house, lang="zh-CN,zh;q=0.9")
    answer = nurse.get(f"/report/receipts/{nurse.sent()}")
    said = words(answer)
    assert '<html lang="zh-Hans">' in answer.text
    for sentence in (
        "病例编号 TOC-0001", "收到时间 2026年3月2日（周一）12:00", "受试者编号 S01-001", "报告人 Dr Li Example",
        "严重性 严重：住院或住院时间延长", "转归 未好转", "因果关系 未填写",
        "最迟应于 2026年3月3日（周二）08:30 前向申办方报告。", "接下来",
    ):  # fmt: skip
        assert sentence in said, sentence


def test_a_double_click_gives_one_case(site: Site) -> None:
    nurse = Nurse(site.house)
    typed = nurse.fill(nurse.get(NEW), NEW, subject="S01-001", e0__verbatim="fell", do="send")
    first, second = nurse.post(NEW, typed), nurse.post(NEW, typed)
    assert (case_of(first), case_of(second)) == ("TOC-0001", "TOC-0001")
    assert cases(site) == 1


def test_the_same_form_with_other_words_is_not_sent_again_and_says_where_the_first_is(site: Site) -> None:
    nurse = Nurse(site.house)
    typed = nurse.fill(nurse.get(NEW), NEW, subject="S01-001", e0__verbatim="fell", do="send")
    case_of(nurse.post(NEW, typed))
    again = nurse.post(NEW, {**typed, "e0-verbatim": "fell twice"})
    assert again.status_code == 409
    assert "This report was sent already, as TOC-0001." in words(again)
    assert fields(again, NEW)["e0-verbatim"] == "fell twice"
    assert cases(site) == 1


def test_hostile_words_stay_words(site: Site) -> None:
    hostile = '"><script>alert(1)</script>{{ 7 * 7 }}'
    nurse = Nurse(site.house)
    case_id = nurse.sent(e0__verbatim=hostile, narrative=hostile, reporter_name=hostile)
    assert one_event(site, case_id)["verbatim"] == hostile
    for path in (f"/report/receipts/{case_id}", f"/report/cases/{case_id}", f"/report/cases/{case_id}/follow-up"):
        text = nurse.get(path).text
        assert "<script>alert" not in text, path
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7 * 7 }}" in text, path
    refused = nurse.new(e0__verbatim=hostile, subject=hostile)
    assert refused.status_code == 422
    assert "<script>alert" not in refused.text


def test_a_narrative_as_long_as_the_api_takes_it_goes_through_in_chinese(site: Site) -> None:
    case_id = Nurse(site.house).sent(narrative="病" * 20_000)
    assert len(site.case(case_id)["facts"]["narrative"]) == 20_000


def test_what_a_site_sends_by_form_is_seen_by_its_system_too(site: Site) -> None:
    """One site, two ways in: the same cases."""
    case_id = Nurse(site.house).sent()
    assert [line["case_id"] for line in site.get("/v1/reports").json()["reports"]] == [case_id]
    assert json.loads(site.get(f"/v1/reports/{case_id}").text)["site"] == "S01"
