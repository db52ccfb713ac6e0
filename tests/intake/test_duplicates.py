"""Likely duplicates: kept, linked with their reasons, left to a person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from ae_intake.duplicates import Told, reasons
from ae_intake.handle import on_decision_recorded
from ae_intake.tables import duplicate_links
from tests.intake.at_site import Site, an_event
from tocsin.domain.alike import normalised, tokens
from tocsin.messages.bodies import DecisionRecordedV1
from tocsin.messages.envelope import Envelope

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)


def told(**facts: Any) -> Told:
    return Told(
        **{"case_id": "TOC-1", "verbatim": "pneumonia", "onset": "2026-03-01", "reporter": "Li", "channel": "direct"}
        | facts
    )


LIKELY: list[tuple[dict[str, Any], list[str]]] = [
    ({"reporter": "Wang"}, ["the same subject", "the same words", "onsets 2026-03-01 and 2026-03-01",
                            "another person"]),
    ({"channel": "edc"}, ["the same subject", "the same words", "onsets 2026-03-01 and 2026-03-01",
                          "by another way (edc, direct)"]),
    ({"reporter": None}, ["the same subject", "the same words", "onsets 2026-03-01 and 2026-03-01",
                          "perhaps another person: a reporter is not named"]),
    ({"reporter": "Wang", "verbatim": "PNEUMONIA, left lung", "onset": "2026-03-04"},
     ["the same subject", "like words (pneumonia)", "onsets 2026-03-04 and 2026-03-01", "another person"]),
    ({"reporter": "Wang", "onset": None},
     ["the same subject", "the same words", "an onset that is not known", "another person"]),
    ({"reporter": "Wang", "onset": "2026-02"},
     ["the same subject", "the same words", "onsets 2026-02 and 2026-03-01", "another person"]),
    ({}, ["the same subject", "the same words", "onsets 2026-03-01 and 2026-03-01",
          "the same person by the same way: it may have been sent twice"]),
]  # fmt: skip

UNLIKELY: list[dict[str, Any]] = [
    {"reporter": "Wang", "verbatim": "fracture"},
    {"reporter": "Wang", "onset": "2026-03-05"},
    {"reporter": "Wang", "onset": "2026-02-25"},
    {"verbatim": "pneumonia, left lung"},
    {"onset": "2026-03-02"},
]


@pytest.mark.parametrize(("new", "why"), LIKELY)
def test_what_may_be_one_event_says_why(new: dict[str, Any], why: list[str]) -> None:
    assert reasons(told(**new), told(), SHANGHAI) == why


@pytest.mark.parametrize("new", UNLIKELY)
def test_what_need_not_be_one_event_is_not_linked(new: dict[str, Any]) -> None:
    assert reasons(told(**new), told(), SHANGHAI) == []


def test_rows_of_one_import_are_never_suspected_of_one_another() -> None:
    row = {"channel": "sdtm", "batch": "run-1", "reporter": None}

    assert reasons(told(**row), told(**row), SHANGHAI) == []
    assert reasons(told(**row), told(**row | {"batch": "run-2"}), SHANGHAI) != []


def test_the_same_row_of_the_same_system_with_other_content_is_always_linked() -> None:
    row = {"channel": "edc", "batch": "run-1", "reference": "AE-77", "reporter": None}

    assert reasons(told(**row), told(**row, verbatim="lung infection", onset="2026-09-01"), SHANGHAI) == [
        "the same subject",
        "the same row AE-77 of edc, which has changed",
    ]


@pytest.mark.parametrize(
    ("one", "other"), [("Pneumonia", "pneumonia."), ("ＰＮＥＵＭＯＮＩＡ", "pneumonia"), ("肺炎。", "肺炎")]
)
def test_spelling_does_not_make_another_word(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


def test_words_without_meaning_do_not_make_two_events_alike() -> None:
    assert tokens("grade 3 pain of the arm") == {"pain", "arm"}
    assert tokens("重症肺炎") == {"重症", "症肺", "肺炎"}


def test_a_likely_duplicate_is_kept_linked_and_asked(site: Site) -> None:
    first = site.report()
    second = site.report(reporter={"name": "Nurse Wang"})

    (link,) = second["possible_duplicates"]
    assert link["case_id"] == first["case_id"]
    assert "another person" in link["reasons"]
    (query,) = second["queries"]
    assert (query["kind"], query["about"]) == ("duplicate", "")
    assert second["clocks"] != []
    assert site.said("reports.received.v1")[1].body.possible_duplicates[0].case_id == "TOC-0001"
    assert site.case("TOC-0001")["possible_duplicates"][0]["case_id"] == "TOC-0002"


def test_a_follow_up_does_not_settle_a_suspected_duplicate(site: Site) -> None:
    site.report()
    second = site.report(reporter={"name": "Nurse Wang"})
    receipt = site.follow_up(second["case_id"], {"narrative": "news"})

    assert [query["kind"] for query in receipt["queries"]] == ["duplicate"]
    assert [link["case_id"] for link in receipt["possible_duplicates"]] == ["TOC-0001"]


def test_other_subjects_and_nullified_cases_are_not_suspected(site: Site) -> None:
    first = site.report()
    site.follow_up(first["case_id"], {"nullify": True, "reason": "not ours"})

    assert site.report(reporter={"name": "Nurse Wang"})["possible_duplicates"] == []
    assert site.report(subject="S01-002", reporter={"name": "Nurse Wang"})["possible_duplicates"] == []


def test_a_subject_that_is_named_later_is_compared_then(site: Site) -> None:
    site.report()
    unnamed = site.report(subject=None, reporter={"name": "Nurse Wang"})
    assert unnamed["possible_duplicates"] == []
    receipt = site.follow_up(unnamed["case_id"], {"subject": "S01-001"})

    assert [link["case_id"] for link in receipt["possible_duplicates"]] == ["TOC-0001"]


def test_an_event_that_is_added_later_is_compared_then(site: Site) -> None:
    site.report(an_event(verbatim="sepsis"))
    other = site.report(reporter={"name": "Nurse Wang"})
    assert other["possible_duplicates"] == []
    receipt = site.follow_up(other["case_id"], {"events": [an_event(ref="B", verbatim="sepsis")]})

    assert [link["case_id"] for link in receipt["possible_duplicates"]] == ["TOC-0001"]


def decided(
    site: Site, link: str, decision: str = "distinct", source: str = "alerting", what: str = "duplicate_decided"
) -> None:
    """What alerting says of a pair that a person has decided."""
    body = DecisionRecordedV1(
        decision_id=f"{link} {decision}", case_id="TOC-0002", study="NCT06223646", what=what, by="lin", at=AT,
        about=link, reason="two falls", detail={"decision": decision},
    )  # fmt: skip
    message = Envelope(uuid4(), "decisions.recorded.v1", "TOC-0002", source, "NCT06223646", AT, AT, body)
    with site.store.transaction() as tx:
        on_decision_recorded(message, tx)


def status_of(site: Site) -> str:
    with site.store.reading() as connection:
        found: str = connection.execute(select(duplicate_links.c.status)).scalar_one()
    return found


@pytest.mark.parametrize("decision", ["duplicate", "distinct"])
def test_what_a_person_decides_closes_the_link_and_settles_the_query(site: Site, decision: str) -> None:
    site.report()
    second = site.report(reporter={"name": "Nurse Wang"})
    (link,) = second["possible_duplicates"]
    assert status_of(site) == "open"
    for _ in range(2):
        decided(site, link["id"], decision)
    assert status_of(site) == decision
    (query,) = [query for query in site.queries() if query["kind"] == "duplicate"]
    assert query["status"] == "settled"
    again = site.follow_up(second["case_id"], {"narrative": "news"})
    assert [query["kind"] for query in again["queries"]] == [], "what was decided is not asked again"


def test_a_pair_has_one_id_whichever_case_is_asked_for_it(site: Site) -> None:
    site.report()
    (link,) = site.report(reporter={"name": "Nurse Wang"})["possible_duplicates"]
    for case_id in ("TOC-0001", "TOC-0002"):
        assert site.case(case_id)["possible_duplicates"][0]["id"] == link["id"]
    assert site.said("reports.received.v1")[1].body.possible_duplicates[0].id == link["id"]


@pytest.mark.parametrize("other", [{"source": "ae-intake"}, {"what": "notice_rung"}, {"link": "no link of ours"}])
def test_every_other_decision_leaves_links_alone(site: Site, other: dict[str, str]) -> None:
    site.report()
    (link,) = site.report(reporter={"name": "Nurse Wang"})["possible_duplicates"]
    decided(site, **{"link": link["id"], **other})
    assert status_of(site) == "open"
    assert [query["status"] for query in site.queries() if query["kind"] == "duplicate"] == ["open"]


def test_what_a_site_answered_before_stays_its_answer(site: Site) -> None:
    site.report()
    second = site.report(reporter={"name": "Nurse Wang"})
    (link,) = second["possible_duplicates"]
    site.answer(second["queries"][0]["query_id"], {"statement": "not a duplicate"})
    decided(site, link["id"])
    assert status_of(site) == "distinct"
    assert [query["status"] for query in site.queries() if query["kind"] == "duplicate"] == ["answered"]
