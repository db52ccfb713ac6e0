"""The merged /openapi.json of the house: whole, valid, with an example for every call, and every example is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi.openapi.models import OpenAPI
from jsonschema import Draft202012Validator, FormatChecker

import ae_intake.app
import alerting.app
import meddra_coder.app
from ae_intake.keys import create_key
from alerting.accounts import add as add_account
from tests.support.houses import SIGNING_KEY, STUDY, House, in_process
from tests.support.shapes import wait_until
from tocsin.store.engine import open_store
from tocsin.web.identity import Person, sign_person

FIRST_RELEASE = {
    ("post", "/v1/sessions"),
    ("post", "/v1/reports"),
    ("get", "/v1/reports/{case_id}"),
    ("post", "/v1/reports/{case_id}/follow-ups"),
    ("get", "/v1/queries"),
    ("post", "/v1/queries/{query_id}/answers"),
    ("post", "/v1/doses"),
    ("post", "/v1/observations"),
    ("get", "/v1/codings/{case_id}"),
    ("post", "/v1/codings/{case_id}/decisions"),
    ("get", "/v1/terms"),
    ("get", "/v1/alerts"),
    ("post", "/v1/alerts/{alert_id}/acknowledgements"),
    ("get", "/v1/clocks"),
    ("get", "/v1/deliveries"),
    ("post", "/v1/deliveries/{delivery_id}/retries"),
    ("get", "/v1/subjects/{subject_id}"),
    ("get", "/health"),
    ("get", "/ready"),
    ("get", "/metrics"),
}
"""What interfaces.md names and the first release brings. More may be there."""

EXAMPLE_CASE, CASES_BEFORE_IT = "TOC-0031", 30
WATCHED = ("/health", "/ready", "/metrics")
METHODS = {"get", "post", "put", "patch", "delete"}
SERVICES = (ae_intake.app.build, meddra_coder.app.build, alerting.app.build)


@cache
def document() -> dict[str, Any]:
    """The document as a reader gets it."""
    with TemporaryDirectory() as folder, in_process(Path(folder), SERVICES) as house:
        answer = house.get("/openapi.json")
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def failing(what: Any) -> list[str]:
    """The calls of which `what(method, path, operation)` is not true."""
    return [f"{m.upper()} {path}" for m, path, operation in operations() if not what(m, path, operation)]


def successes(operation: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [answer for status, answer in operation["responses"].items() if status.startswith("2")]


def examples_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """The examples of one body, by title."""
    named = {title: example["value"] for title, example in content.get("examples", {}).items()}
    return named | ({"example": content["example"]} if "example" in content else {})


def problems_of(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """Where a value is not what its schema says."""
    whole = {**schema, "components": document()["components"]}
    validator = Draft202012Validator(whole, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]


def test_the_document_is_openapi_3_1() -> None:
    OpenAPI.model_validate(document())
    assert document()["openapi"].startswith("3.1.")
    assert document()["info"]["title"] == "Tocsin"
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", document()["info"]["version"])


def test_every_schema_is_one_and_every_reference_leads_somewhere() -> None:
    for schema in document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for _, _, operation in operations():
        for body in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for content in body.get("content", {}).values():
                Draft202012Validator.check_schema(content.get("schema", {}))
    assert [ref for ref in _references(document()) if not _leads_somewhere(ref)] == []


def test_every_call_of_the_first_release_is_there() -> None:
    assert sorted(FIRST_RELEASE - {(method, path) for method, path, _ in operations()}) == []


def test_every_call_has_a_name_of_its_own_and_says_what_it_does() -> None:
    names = [operation.get("operationId") for _, _, operation in operations()]
    assert None not in names
    assert len(names) == len(set(names))
    assert failing(lambda _m, _p, operation: operation.get("summary")) == []
    assert failing(lambda _m, _p, operation: operation.get("tags")) == []


def test_every_summary_is_written_by_a_person() -> None:
    made_of_the_name = failing(
        lambda _m, _p, operation: operation["summary"] != operation["operationId"].replace("_", " ").title()
    )
    assert made_of_the_name == []


def test_every_parameter_of_an_address_is_described() -> None:
    def is_described(_: str, path: str, operation: Mapping[str, Any]) -> bool:
        told = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path" and p["required"]}
        return told == set(re.findall(r"{(\w+)}", path))

    assert failing(is_described) == []


def test_every_call_but_the_watchers_needs_somebody_and_says_so() -> None:
    assert failing(lambda _m, path, o: o.get("security") or path in (*WATCHED, "/v1/sessions")) == []


def test_every_call_says_how_it_refuses() -> None:
    def says(method: str, path: str, operation: Mapping[str, Any]) -> bool:
        if path in WATCHED:
            return path == "/metrics" or "503" in operation["responses"]
        wanted = {"401", "503"} | ({"404"} if "{" in path else set())
        wanted |= {"400", "413", "415", "422"} if "requestBody" in operation else set()
        wanted |= {"409"} if any(p["name"] == "Idempotency-Key" for p in operation.get("parameters", [])) else set()
        return wanted <= set(operation["responses"])

    assert failing(says) == []


@pytest.mark.rule("interfaces.md: errors are application/problem+json")
def test_every_refusal_is_a_problem_document_with_an_example() -> None:
    wrong = [
        f"{method.upper()} {path} {status} {media}"
        for method, path, operation in operations()
        for status, answer in operation["responses"].items()
        if not status.startswith("2") and path not in WATCHED
        for media, content in (answer.get("content") or {"nothing": {}}).items()
        if media != "application/problem+json"
        or not examples_of(content)
        or any(problems_of(value, content["schema"]) for value in examples_of(content).values())
    ]
    assert wrong == []


@pytest.mark.rule("interfaces.md: openapi.json, with an example for every call")
def test_every_body_that_is_sent_has_an_example() -> None:
    def has(_m: str, _p: str, operation: Mapping[str, Any]) -> bool:
        contents = operation.get("requestBody", {}).get("content", {})
        return all(examples_of(content) for content in contents.values())

    assert failing(has) == []


@pytest.mark.rule("interfaces.md: openapi.json, with an example for every call")
def test_every_answer_has_an_example() -> None:
    def has(_m: str, _p: str, operation: Mapping[str, Any]) -> bool:
        answers = successes(operation)
        return bool(answers) and all(
            answer.get("content") and all(examples_of(content) for content in answer["content"].values())
            for answer in answers
        )

    assert failing(has) == []


def test_every_example_is_what_its_schema_says() -> None:
    wrong = {
        f"{method.upper()} {path} {title!r}": found
        for method, path, operation in operations()
        for body in [operation.get("requestBody", {}), *successes(operation)]
        for content in body.get("content", {}).values()
        for title, value in examples_of(content).items()
        if (found := problems_of(value, content.get("schema", {})))
    }
    assert wrong == {}


@dataclass(frozen=True, slots=True)
class Asked:
    """A running house that holds the case, the person and the subject that the examples name, and who asks it."""

    nobody: House
    site: House
    coder: House

    def post(self, path: str, body: Any) -> httpx.Response:
        who = {"/v1/sessions": self.nobody, f"/v1/codings/{EXAMPLE_CASE}/decisions": self.coder}.get(path, self.site)
        return who.post(path, body, headers={"Idempotency-Key": str(uuid4())})

    def address(self, path: str) -> str:
        """An address for this call: the example's case, and a query that is open."""
        if "{query_id}" in path:
            asked = self.post("/v1/reports", {"subject": "S01-099", "events": [{"verbatim": "fall", "serious": True}]})
            path = path.replace("{query_id}", asked.json()["queries"][-1]["query_id"])
        return path.replace("{case_id}", EXAMPLE_CASE)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder = tmp_path_factory.mktemp("house")
    login = next(iter(_sent("/v1/sessions").values()))
    with in_process(folder, SERVICES) as house:
        with closing(open_store(f"sqlite:///{folder}/intake.db", "intake")) as store, store.transaction() as tx:
            site = house.as_key(create_key(tx, STUDY, "S01", house.now(), by="test"))
        with closing(open_store(f"sqlite:///{folder}/alerting.db", "alerting")) as store, store.transaction() as tx:
            roles = frozenset({"safety_physician"})
            add_account(tx, login["name"], login["password"], roles, house.now(), who="test")
        coder = sign_person(Person("coder1", frozenset({"coder"})), SIGNING_KEY, house.now(), timedelta(hours=1))
        everybody = Asked(house, site, house.as_key(coder))
        for n in range(CASES_BEFORE_IT):
            assert everybody.post("/v1/reports", {"subject": f"S01-{n + 100}"}).status_code == 201
        kept = everybody.post("/v1/reports", _sent("/v1/reports")["A serious event"])
        assert kept.json()["case_id"] == EXAMPLE_CASE
        coding = f"/v1/codings/{EXAMPLE_CASE}"
        wait_until(lambda: everybody.coder.get(coding).status_code == 200, "the example's case is coded")
        yield everybody


def test_every_example_of_a_body_is_taken_by_the_running_house(asked: Asked) -> None:
    refused = {}
    for method, path, operation in operations():
        for title, body in _sent(path).items() if method == "post" else ():
            answer = asked.post(asked.address(path), body)
            if str(answer.status_code) not in operation["responses"] or not answer.is_success:
                refused[f"{path} {title!r}"] = answer.text
            elif found := problems_of(answer.json(), successes(operation)[0]["content"]["application/json"]["schema"]):
                refused[f"{path} {title!r}"] = f"its answer is not what the document says: {found}"
    assert refused == {}


def test_reading_answers_as_the_document_says(asked: Asked) -> None:
    """What a site and a coder may read; what the safety desk reads is held by the tests of alerting."""
    wrong = {}
    for path in ("/v1/reports", "/v1/reports/{case_id}", "/v1/queries", "/v1/codings/{case_id}", "/v1/terms"):
        who = asked.coder if path.startswith(("/v1/codings", "/v1/terms")) else asked.site
        answer = who.get(asked.address(path), params={"q": "fever"} if path == "/v1/terms" else {})
        operation = document()["paths"][path]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        if found := problems_of(answer.json(), schema):
            wrong[path] = found
    assert wrong == {}


def _sent(path: str) -> dict[str, Any]:
    """The examples of what is sent to this address, by title."""
    body = document()["paths"][path].get("post", {}).get("requestBody", {})
    return examples_of(body.get("content", {}).get("application/json", {}))


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)


def _leads_somewhere(reference: str) -> bool:
    node: Any = document()
    for step in reference.removeprefix("#/").split("/"):
        node = node.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(node, dict) else None
    return reference.startswith("#/") and node is not None
