"""Answers to queries: a value where it was asked for, facts of any kind, or words. Each is a new revision."""

from __future__ import annotations

from typing import Any

import pytest

from tests.intake.at_site import AWARE, Site, an_event, refused


def only_query(site: Site, **facts: Any) -> str:
    (query,) = site.report(**facts)["queries"]
    return str(query["query_id"])


def test_a_value_is_put_where_the_query_points_and_settles_it(site: Site) -> None:
    (query,) = site.report(an_event(investigator_aware_at=None))["queries"]
    receipt = site.answer(query["query_id"], {"value": AWARE})
    case = site.case("TOC-0001")

    assert (receipt["revision"], receipt["queries"]) == (2, [])
    assert case["events"][0]["facts"] == an_event()
    assert case["history"][1]["how"] == "answer"
    assert [q["status"] for q in site.queries()] == ["answered"]
    assert "INV_TO_SPONSOR_24H" in {clock["rule"] for clock in receipt["clocks"]}


@pytest.mark.parametrize(
    ("missing", "value"),
    [
        ({"subject": None}, "S01-002"),
        ({"reporter": None}, {"role": "nurse"}),
        ({"product": None}, "KQ-2003"),
        ({"patient_identifiable": False}, True),
        ({"events": []}, [an_event()]),
    ],
)
def test_each_missing_element_can_be_answered_by_its_value(site: Site, missing: dict[str, Any], value: Any) -> None:
    receipt = site.answer(only_query(site, **missing), {"value": value})

    assert receipt["complete"] is True
    assert receipt["queries"] == []


@pytest.mark.parametrize(
    ("facts", "value", "is_held_as"),
    [
        ({"serious": False}, True, {"serious": True}),
        (
            {"outcome": "fatal", "grade": None},
            ["hospitalisation", "death"],
            {"seriousness": ["hospitalisation", "death"]},
        ),
        ({"course": [{"grade": 4, "from": "2026-03-01"}]}, 4, {"grade": {"ctcae": 4}}),
        (
            {"course": [{"grade": 2, "from": "2026-02-01"}]},
            "2026-03-01",
            {"course": [{"grade": 2, "from": "2026-03-01"}]},
        ),
        (
            {"causality": [{"agent": "product", "relation": "related"}, {"agent": "product", "relation": "possible"}]},
            "related",
            {"causality": [{"agent": "product", "relation": "related"}] * 2},
        ),
    ],
)
def test_a_contradiction_is_answered_by_the_right_value(
    site: Site, facts: dict[str, Any], value: Any, is_held_as: dict[str, Any]
) -> None:
    query_id = site.report(an_event(**facts))["queries"][0]["query_id"]
    receipt = site.answer(query_id, {"value": value})
    held = site.case("TOC-0001")["events"][0]["facts"]

    assert {name: held[name] for name in is_held_as} == is_held_as
    assert receipt["contradictions"] == []


def test_a_fallen_grade_is_answered_by_the_right_one(site: Site) -> None:
    site.report()
    fallen = {"ref": "AE-1", "verbatim": "pneumonia", "grade": {"ctcae": 2}}
    (query,) = site.follow_up("TOC-0001", {"events": [fallen]})["queries"]
    site.answer(query["query_id"], {"value": 2})

    assert site.case("TOC-0001")["events"][0]["facts"]["grade"] == {"ctcae": 2}


def test_words_alone_answer_a_contradiction_and_it_is_not_asked_again(site: Site) -> None:
    query_id = only_query(site, events=[an_event(serious=False)])
    receipt = site.answer(query_id, {"statement": "admitted for observation only, as planned"})

    assert len(receipt["contradictions"]) == 1
    assert receipt["queries"] == []
    assert site.case("TOC-0001")["history"][1]["statement"] == "admitted for observation only, as planned"
    assert site.follow_up("TOC-0001", {"narrative": "news"})["queries"] == []


def test_words_alone_do_not_stand_for_a_missing_element(site: Site) -> None:
    query_id = only_query(site, product=None)
    receipt = site.answer(query_id, {"statement": "we shall look it up"})

    assert [query["query_id"] for query in receipt["queries"]] == [query_id]
    assert receipt["complete"] is False


def test_a_follow_up_within_an_answer_carries_any_facts(site: Site) -> None:
    query_id = only_query(site, product=None)
    receipt = site.answer(query_id, {"follow_up": {"product": "KQ-2003", "narrative": "as dispensed"}})

    assert receipt["complete"] is True
    assert site.case("TOC-0001")["facts"]["narrative"] == "as dispensed"


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({}, ""),
        ({"statement": ""}, "/statement"),
        ({"value": "yesterday"}, "/value"),
        ({"value": {"at": AWARE}}, "/value"),
        ({"value": AWARE, "follow_up": {}}, "/value"),
        ({"follow_up": {"product": 1}}, "/follow_up/product"),
        ({"follow_up": {"subject": "S02-001"}}, "/subject"),
        ({"answer": AWARE}, "/answer"),
    ],
)
def test_an_answer_that_is_none_is_refused_and_the_query_stays_open(
    site: Site, sent: dict[str, Any], pointer: str
) -> None:
    query_id = only_query(site, events=[an_event(investigator_aware_at=None)])

    assert pointer in refused(site.post(f"/v1/queries/{query_id}/answers", sent))
    assert [query["status"] for query in site.queries()] == ["open"]


def test_a_wrong_value_within_an_object_is_pointed_at_within_the_value(site: Site) -> None:
    query_id = only_query(site, reporter=None)

    assert list(refused(site.post(f"/v1/queries/{query_id}/answers", {"value": {"role": 7}}))) == ["/value/role"]


def test_a_query_that_is_not_there_cannot_be_answered(site: Site) -> None:
    refused(site.post("/v1/queries/no-such/answers", {"statement": "hm"}), 404)


def test_queries_can_be_listed_by_status_and_case_and_in_pages(site: Site) -> None:
    site.report(reporter=None, product=None)
    site.report(subject="S01-002", product=None)
    first = site.get("/v1/queries", params={"limit": 2}).json()
    rest = site.get("/v1/queries", params={"limit": 2, "after": first["next"]}).json()

    assert [q["about"] for q in first["queries"]] == ["/reporter", "/product"]
    assert [q["case_id"] for q in rest["queries"]] == ["TOC-0002"]
    assert rest["next"] is None
    assert len(site.queries(case_id="TOC-0002")) == 1
    site.answer(rest["queries"][0]["query_id"], {"value": "KQ-2003"})
    assert [q["case_id"] for q in site.queries(status="answered")] == ["TOC-0002"]
    assert {q["case_id"] for q in site.queries(status="open")} == {"TOC-0001"}
