"""/openapi.json: every call has an example of what it takes and gives, and the examples are true."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from ae_intake import examples
from tests.intake.at_site import Site, accepted, an_event, refused


@pytest.fixture(scope="module")
def document(lasting_site: Site) -> dict[str, Any]:
    found = lasting_site.get("/openapi.json").json()
    assert isinstance(found, dict)
    return found


def valid(document: dict[str, Any], name: str, value: Any) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(value)


def calls(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, call) for path, item in document["paths"].items() for method, call in item.items()
            if path.startswith("/v1/")]  # fmt: skip


def test_every_call_has_a_readable_name_a_tag_and_words(document: dict[str, Any]) -> None:
    names = [call["operationId"] for _, _, call in calls(document)]

    assert sorted(names) == [
        "get_queries", "get_report", "get_reports", "post_answer", "post_dose", "post_follow_up", "post_observations",
        "post_report",
    ]  # fmt: skip
    for path, _, call in calls(document):
        assert call["tags"], path
        assert call["summary"], path
        assert call["security"], path


def test_every_call_shows_what_it_takes_what_it_gives_and_how_it_refuses(document: dict[str, Any]) -> None:
    for path, method, call in calls(document):
        if method == "post":
            content = call["requestBody"]["content"]["application/json"]
            for example in content["examples"].values():
                valid(document, content["schema"]["$ref"].rsplit("/", 1)[1], example["value"])
        for status, answer in call["responses"].items():
            (media_type,) = answer["content"]
            assert media_type == ("application/json" if status < "400" else "application/problem+json"), path
            content = answer["content"][media_type]
            valid(document, content["schema"]["$ref"].rsplit("/", 1)[1], content["example"])
        assert {"401", "503"} <= set(call["responses"]), path


def test_what_the_house_answers_is_what_the_document_says(document: dict[str, Any], lasting_site: Site) -> None:
    receipt = lasting_site.report(an_event(investigator_aware_at=None, serious=False), product=None)
    valid(document, "Receipt", receipt)
    valid(document, "HeldCase", lasting_site.case(receipt["case_id"]))
    valid(document, "CaseList", lasting_site.get("/v1/reports").json())
    valid(document, "QueryList", lasting_site.get("/v1/queries").json())
    valid(document, "Problem", lasting_site.post("/v1/reports", {"x": 1}).json())


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        *(("/v1/reports", body) for body in examples.REPORTS.values()),
        *(("/v1/doses", body) for body in examples.DOSES.values()),
        *(("/v1/observations", body) for body in examples.OBSERVATIONS.values()),
    ],
)
def test_the_examples_of_what_is_sent_are_accepted(lasting_site: Site, path: str, sent: dict[str, Any]) -> None:
    accepted(lasting_site.post(path, sent))


@pytest.mark.parametrize("sent", examples.FOLLOW_UPS.values())
def test_the_examples_of_follow_ups_are_accepted(site: Site, sent: dict[str, Any]) -> None:
    accepted(site.post("/v1/reports", examples.REPORTS["A serious event"]))
    accepted(site.post("/v1/reports/TOC-0001/follow-ups", sent))


@pytest.mark.parametrize("sent", examples.ANSWERS.values())
def test_the_examples_of_answers_are_accepted(site: Site, sent: dict[str, Any]) -> None:
    (query,) = site.report(an_event(investigator_aware_at=None))["queries"]
    accepted(site.post(f"/v1/queries/{query['query_id']}/answers", sent))


def test_a_parameter_that_cannot_be_read_is_pointed_at(lasting_site: Site) -> None:
    assert list(refused(lasting_site.get("/v1/reports", params={"limit": 0}))) == ["/query/limit"]
    assert list(refused(lasting_site.get("/v1/reports", params={"after": "x"}))) == ["/query/after"]
    assert list(refused(lasting_site.get("/v1/queries", params={"status": "new"}))) == ["/query/status"]
