"""The merged /openapi.json of the house: whole, valid, with an example for every call, and every example is taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
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
from tests.support.houses import PILOT, SIGNING_KEY, STUDY, House, Moment, in_process, protocols
from tests.support.shapes import wait_until
from tocsin.domain.protocol import ClockSettings, CodingSettings
from tocsin.store.engine import open_store
from tocsin.web.identity import Person, sign_person

NAMED = {
    ("post", "/v1/sessions"),
    ("post", "/v1/reports"),
    ("get", "/v1/reports/{case_id}"),
    ("post", "/v1/reports/{case_id}/follow-ups"),
    ("get", "/v1/queries"),
    ("post", "/v1/queries/{query_id}/answers"),
    ("post", "/v1/doses"),
    ("post", "/v1/observations"),
    ("get", "/v1/codings"),
    ("get", "/v1/codings/{case_id}"),
    ("post", "/v1/codings/{case_id}/decisions"),
    ("post", "/v1/codings/{case_id}/queries"),
    ("post", "/v1/codings/{case_id}/proposals/{decision_id}/answers"),
    ("get", "/v1/synonyms"),
    ("post", "/v1/synonyms"),
    ("post", "/v1/synonyms/withdrawals"),
    ("post", "/v1/synonyms/{decision_id}/answers"),
    ("get", "/v1/held-phrases"),
    ("post", "/v1/held-phrases"),
    ("get", "/v1/terms"),
    ("get", "/v1/alerts"),
    ("post", "/v1/alerts/{alert_id}/acknowledgements"),
    ("get", "/v1/clocks"),
    ("get", "/v1/clocks/{clock_id}"),
    ("get", "/v1/clocks/{clock_id}/submissions"),
    ("post", "/v1/clocks/{clock_id}/submissions"),
    ("post", "/v1/clocks/{clock_id}/submissions/{submission_id}/acknowledgements"),
    ("get", "/v1/assessments/{case_id}"),
    ("post", "/v1/assessments/{case_id}"),
    ("post", "/v1/assessments/{case_id}/{decision_id}/signatures"),
    ("get", "/v1/duplicates"),
    ("post", "/v1/duplicates/{duplicate_id}/decisions"),
    ("get", "/v1/dlt"),
    ("post", "/v1/dlt/{dlt_id}/decisions"),
    ("get", "/v1/dose-board"),
    ("post", "/v1/holds/{hold_id}/decisions"),
    ("get", "/v1/deliveries"),
    ("post", "/v1/deliveries/{delivery_id}/retries"),
    ("get", "/v1/subjects/{subject_id}"),
    ("get", "/health"),
    ("get", "/ready"),
    ("get", "/metrics"),
}
"""What interfaces.md names and this release brings. More may be there."""

EXAMPLE_CASE, CASES_BEFORE_IT = "TOC-0031", 30
CODERS = ("/v1/codings", "/v1/synonyms", "/v1/held-phrases", "/v1/dictionaries")
NEEDS_A_WHOLE_TRIAL = {"/v1/dose-board/recommendations"}
"""No example can be taken before every subject of phase 1 has been observed: understood, and refused for that."""
NEEDS_A_LICENSED_MEDDRA = {"/v1/dictionaries/{version}/uses"}
"""The versions of the examples are not loaded in a house that has no licence: understood, and not found."""
BY_A_PHYSICIAN = (
    "/v1/clocks", "/v1/assessments", "/v1/duplicates", "/v1/contacts", "/v1/alerts", "/v1/call-plans",
)  # fmt: skip
WATCHED = ("/health", "/ready", "/metrics")
PASSWORD = "a long and private sentence"
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


def test_every_call_that_is_named_is_there() -> None:
    assert sorted(NAMED - {(method, path) for method, path, _ in operations()}) == []


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


RECEIVED, NOW = datetime(2026, 5, 14, 1, 0, tzinfo=UTC), datetime(2026, 5, 20, 10, 0, tzinfo=UTC)
"""When the example's case came, and when people act on it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A running house that holds the cases, the people and the subject that the examples name, and who asks it."""

    nobody: House
    site: House
    coder: House
    second_coder: House
    physician: House
    director: House
    committee: House
    spare: list[str]
    """Cases of one serious event each, of which nothing was sent."""
    pairs: list[str]
    """The example's case with another that may tell of the same."""
    agreed: str
    """A case of the study in which a second person agrees to a coding."""

    def post(self, path: str, body: Any) -> httpx.Response:
        who = self.nobody if path == "/v1/sessions" else self.site
        if path.startswith(CODERS):
            who = self.second_coder if path.endswith("/answers") else self.coder
        who = self.physician if path.startswith(BY_A_PHYSICIAN) else who
        who = self.committee if path.startswith(("/v1/dlt", "/v1/dose-board")) else who
        if path.startswith("/v1/holds"):
            who = self.committee if path.endswith("/decisions") else self.physician
        return who.post(path, body, headers={"Idempotency-Key": str(uuid4())})

    def address(self, path: str, body: Any = None) -> str:
        """An address for this call: the example's case, a query, a clock or a pair that is open."""
        if "{query_id}" in path:
            asked = self.post("/v1/reports", {"subject": "S01-099", "events": [{"verbatim": "fall", "serious": True}]})
            path = path.replace("{query_id}", asked.json()["queries"][-1]["query_id"])
        if "{clock_id}" in path:
            clocks = self.found("/v1/clocks", "clocks", case_id=self.spare.pop())
            wanted = body.get("recipient", "CDE")
            clock = next(c for c in clocks if c["recipient"] == wanted)
            path = path.replace("{clock_id}", clock["clock_id"])
        if "{submission_id}" in path:
            submissions = path.partition("/{submission_id}")[0]
            sent = self.post(submissions, next(iter(_sent("/v1/clocks/{clock_id}/submissions").values())))
            path = path.replace("{submission_id}", sent.json()["submission_id"])
        if path == "/v1/codings/{case_id}/decisions":
            seen = self.site.get(f"/v1/reports/{EXAMPLE_CASE}").json()["revision"]
            newest = f"/v1/codings/{EXAMPLE_CASE}"
            wait_until(lambda: self.coder.get(newest).json()["revision"] == seen, "the newest revision is coded")
        if path.startswith("/v1/codings/{case_id}/proposals"):
            event_id = f"{self.agreed}-E1"
            decision = {"event_id": event_id, "llt_code": "10017577", "reason": "asked the site"}
            made = self.post(f"/v1/codings/{self.agreed}/decisions", decision)
            assert made.status_code == 202, made.text
            path = path.replace("{case_id}", self.agreed).replace("{decision_id}", made.json()["decision_id"])
        if path.startswith("/v1/synonyms/{decision_id}"):
            facts = {"phrase": "felt odd", "llt_code": "10017577", "scope": "study", "study": PILOT, "reason": "asked"}
            made = self.post("/v1/synonyms", facts)
            assert made.status_code == 202, made.text
            path = path.replace("{decision_id}", made.json()["newest"]["decision_id"])
        if "{decision_id}" in path:
            case_id = self.spare.pop()
            self.site.post(f"/v1/reports/{case_id}/follow-ups", {"nullify": True, "reason": "the wrong subject"})
            self.found("/v1/clocks", "clocks", case_id=case_id, that=lambda clock: clock["in_question"])
            signature = {"password": PASSWORD, "meaning": "approval"}
            body = {"decision": "nullification", "reason": "the wrong subject", "signature": signature}
            waits = self.director.post(f"/v1/assessments/{case_id}", body).json()
            path = path.replace("{case_id}", case_id).replace("{decision_id}", waits["decision_id"])
        if "{dlt_id}" in path:
            event = {"verbatim": "myocarditis", "onset": "2026-05-13", "serious": True, "outcome": "fatal"}
            told = self.post("/v1/reports", {"subject": f"S01-2{uuid4().int % 90 + 10}", "events": [event]}).json()
            [verdict] = self.found("/v1/dlt", "verdicts", case_id=told["case_id"])
            path = path.replace("{dlt_id}", verdict["dlt_id"])
        if "{hold_id}" in path:
            lot = f"L-{uuid4().hex[:8]}"
            told = {"kind": "product_event", "what": "sterility", "found_at": "2026-05-13", "lot": lot}
            assert self.post("/v1/doses", told).is_success
            held = self.found("/v1/dose-board", "holds", lambda hold: lot in str(hold["reasons"]))
            path = path.replace("{hold_id}", next(h["hold_id"] for h in held if lot in str(h["reasons"])))
        if "{alert_id}" in path:
            [alert, *_] = self.found("/v1/alerts", "alerts", case_id=self.spare.pop())
            path = path.replace("{alert_id}", alert["alert_id"])
            if path.endswith("/closings"):
                assert self.physician.post(f"/v1/alerts/{alert['alert_id']}/acknowledgements", None).is_success
        if "{duplicate_id}" in path:
            path = path.replace("{duplicate_id}", self.pairs.pop())
        version = "28.1" if path.endswith("/uses") else "ctcae"
        return path.replace("{version}", version).replace("{case_id}", EXAMPLE_CASE).replace("{study}", STUDY)

    def found(
        self, path: str, what: str, that: Callable[[Any], bool] = lambda _: True, **like: str
    ) -> list[dict[str, Any]]:  # fmt: skip
        """What the desk lists, as soon as there is any `that`."""

        def listed() -> list[dict[str, Any]]:
            rows: list[dict[str, Any]] = self.physician.get(path, params=like).json()[what]
            return rows if any(map(that, rows)) else []

        return wait_until(listed, f"{path} lists some of {like}")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder = tmp_path_factory.mktemp("house")
    login = next(iter(_sent("/v1/sessions").values()))
    served = dict(protocols())
    served[STUDY] = replace(served[STUDY], clock_settings=ClockSettings(signatures_to_close=2))
    served[PILOT] = replace(served[PILOT], coding=CodingSettings(second_person=True))
    with in_process(folder, SERVICES, now=Moment(RECEIVED), served=served) as house:
        with closing(open_store(f"sqlite:///{folder}/intake.db", "intake")) as store, store.transaction() as tx:
            site = house.as_key(create_key(tx, STUDY, "S01", house.now(), by="test"))
            pilot = house.as_key(create_key(tx, PILOT, "701", house.now(), by="test"))
        with closing(open_store(f"sqlite:///{folder}/alerting.db", "alerting")) as store, store.transaction() as tx:
            add_account(tx, login["name"], login["password"], ["safety_physician"], house.now(), who="test")
            add_account(tx, "wang", PASSWORD, ["medical_director"], house.now(), who="test")
            add_account(tx, "chen", login["password"], ["committee"], house.now(), who="test")
        everybody = Asked(
            house, site, _person(house, "coder1", "coder"), _person(house, "coder2", "coder"),
            _person(house, login["name"], "safety_physician"), _person(house, "wang", "medical_director"),
            _person(house, "chen", "committee"), [], [], f"TOC-{CASES_BEFORE_IT + 2:04}",
        )  # fmt: skip
        event = {"verbatim": "pneumonia", "onset": "2026-05-12", "serious": True, "seriousness": ["hospitalisation"]}
        for n in range(CASES_BEFORE_IT):
            body = {"subject": f"S01-{n + 100}", "reporter": {"name": "Dr Li"}, "product": "KQ-2003", "events": [event]}
            kept = everybody.post("/v1/reports", body)
            assert kept.status_code == 201
            everybody.spare.append(kept.json()["case_id"])
        kept = everybody.post("/v1/reports", _sent("/v1/reports")["A serious event"])
        assert kept.json()["case_id"] == EXAMPLE_CASE
        odd = {"subject": "01-701-1015", "events": [{"verbatim": "felt odd after lunch"}]}
        second = pilot.post("/v1/reports", odd, headers={"Idempotency-Key": str(uuid4())})
        assert second.json()["case_id"] == everybody.agreed
        for case_id in (EXAMPLE_CASE, everybody.agreed):
            wait_until(partial(_is_coded, everybody.coder, case_id), f"{case_id} is coded")
        for case_id in (*everybody.spare, EXAMPLE_CASE):
            everybody.found("/v1/clocks", "clocks", case_id=case_id)
        for reporter in ("Nurse Wang", "Dr Zhao"):
            told = {**_sent("/v1/reports")["A serious event"], "reporter": {"name": reporter}}
            again = everybody.post("/v1/reports", told).json()
            pairs = everybody.found("/v1/duplicates", "duplicates", case_id=again["case_id"])
            everybody.pairs.extend(p["duplicate_id"] for p in pairs if p["other_case_id"] == EXAMPLE_CASE)
        house.now.at = NOW
        for title, body in _sent("/v1/call-plans/{study}", "put").items():
            saved = everybody.director.ask("PUT", f"/v1/call-plans/{STUDY}", json=body)
            assert (saved.status_code, saved.json()["version"]) == (200, 1), title
        yield everybody


def _is_coded(coder: House, case_id: str) -> bool:
    return coder.get(f"/v1/codings/{case_id}").status_code == 200


def _person(house: House, name: str, role: str) -> House:
    """The house asked by this person, who is signed in all week."""
    return house.as_key(sign_person(Person(name, frozenset({role})), SIGNING_KEY, house.now(), timedelta(days=14)))


def test_every_example_of_a_body_is_taken_by_the_running_house(asked: Asked) -> None:
    refused = {}
    # A follow-up of the examples takes the whole case back, and of such a case no site is asked anything.
    for method, path, operation in sorted(operations(), key=lambda one: one[1].endswith("/follow-ups")):
        for title, body in _sent(path).items() if method == "post" else ():
            answer = asked.post(asked.address(path, body), body)
            if path in NEEDS_A_WHOLE_TRIAL:
                assert answer.status_code == 409, answer.text
            elif path in NEEDS_A_LICENSED_MEDDRA:
                assert answer.status_code == 404, answer.text
            elif str(answer.status_code) not in operation["responses"] or not answer.is_success:
                refused[f"{path} {title!r}"] = answer.text
            elif found := problems_of(answer.json(), successes(operation)[0]["content"]["application/json"]["schema"]):
                refused[f"{path} {title!r}"] = f"its answer is not what the document says: {found}"
    assert refused == {}


_ASKED = {"/v1/terms": {"q": "fever"}, "/v1/dictionaries/{version}/impact": {"study": STUDY}}


def test_reading_answers_as_the_document_says(asked: Asked) -> None:
    """What a site and a coder may read; what the safety desk reads is held by the tests of alerting."""
    wrong = {}
    for path in (
        "/v1/reports", "/v1/reports/{case_id}", "/v1/queries", "/v1/codings", "/v1/codings/{case_id}", "/v1/terms",
        "/v1/synonyms", "/v1/held-phrases", "/v1/dictionaries", "/v1/dictionaries/{version}/impact",
    ):  # fmt: skip
        who = asked.coder if path.startswith((*CODERS, "/v1/terms")) else asked.site
        answer = who.get(asked.address(path), params=_ASKED.get(path, {}))
        operation = document()["paths"][path]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        if found := problems_of(answer.json(), schema):
            wrong[path] = found
    assert wrong == {}


def _sent(path: str, method: str = "post") -> dict[str, Any]:
    """The examples of what is sent to this address, by title."""
    body = document()["paths"][path].get(method, {}).get("requestBody", {})
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
