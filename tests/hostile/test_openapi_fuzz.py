"""Every call of the document, by requests that are as it says and by requests that are not: no fault, no surprise.

What is asked is made from /openapi.json by schemathesis. Two in three name something that is there, so that the request
gets further than "not found", and half of what is sent is an example of the document with one value in it bent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis import APIOperation, Case, GenerationMode

from tests.desk.role_matrix import MATRIX, OPEN
from tests.hostile.full_house import PASSWORD, Full, full_house
from tests.hostile.longer import bounded
from tests.intake.test_any_json import grafts

# The workers of the house run in this process and may draw from `random` while a request is being made up.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

Call = APIOperation[Any, Any, Any, Any]
EXAMPLES = 12
WATCHED = ("GET /health", "GET /metrics", "GET /ready")
CALLS = sorted(line for line in (*MATRIX, *OPEN) if " /v1/" in line or line in WATCHED)
BY_KEY = {line for line in CALLS if MATRIX.get(line) == "" or line.startswith(("GET /v1/reports", "GET /v1/queries"))}
SAYS_WHERE = (400, 413, 415, 422)
"""These are about what was sent, and so name a place in it and what is allowed there."""


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    with full_house(tmp_path_factory.mktemp("full")) as found:
        yield found


@pytest.fixture(scope="module")
def calls(full: Full) -> dict[str, Call]:
    """The calls as schemathesis knows them. Who asks is ours to say."""
    document = deepcopy(full.document)
    for path in document["paths"].values():
        for operation in path.values():
            operation.pop("security", None)
    made = schemathesis.openapi.from_dict(document)
    return {f"{call.method.upper()} {call.path}": call for call in (_made(one) for one in made.get_all_operations())}


def test_no_call_of_the_document_is_left_out(calls: dict[str, Call]) -> None:
    assert sorted(calls) == CALLS


@pytest.mark.rule("promise: whatever is sent, the answer is one that the document names, and a refusal says where")
@pytest.mark.parametrize("line", CALLS)
def test_every_call_answers_as_the_document_says(full: Full, calls: dict[str, Call], line: str) -> None:
    call = calls[line]
    kinds = [call.as_strategy(generation_mode=GenerationMode.POSITIVE)]
    if call.body or call.query or call.path_parameters:  # Of what takes nothing, nothing can be wrong.
        kinds.append(call.as_strategy(generation_mode=GenerationMode.NEGATIVE))

    examples = [grafts(body) for body in _examples(full.document, call)]
    bent: st.SearchStrategy[Any] = st.one_of(examples) if examples else st.nothing()
    # Most often by whom it is for: of the others is learnt only that they are refused.
    whoever = ["by_key" if line in BY_KEY else "by_person"] * 8 + ["by_key", "by_person", "by_nobody"]

    @bounded(EXAMPLES)
    @given(case=st.one_of(kinds), who=st.sampled_from(whoever), data=st.data())
    def holds(case: Case[Any], who: str, data: st.DataObject) -> None:
        for name in case.path_parameters or ():
            if name in full.there and data.draw(st.sampled_from((True, True, False))):
                case.path_parameters[name] = data.draw(st.sampled_from(full.there[name]))
        if bool(examples) and data.draw(st.booleans()):  # Nearly right is hardest.
            case.body = data.draw(bent)
        signature = case.body.get("signature") if isinstance(case.body, dict) else None
        if isinstance(signature, dict):
            signature["password"] = PASSWORD
        answer = sent(full, who, case)
        assert wrong_in(full.document, call, answer) == [], (answer.request.url, case.body, answer.text)

    holds()


def _examples(document: dict[str, Any], call: Call) -> list[Any]:
    """The examples of what is sent, as JSON."""
    told = document["paths"][call.path][call.method.lower()].get("requestBody", {}).get("content", {})
    return [one["value"] for one in told.get("application/json", {}).get("examples", {}).values()]


def _made(found: Any) -> Call:
    """The call, or a failure that says why schemathesis cannot make a request of it."""
    made: Call = found.ok()
    return made


def sent(full: Full, who: str, case: Case[Any]) -> httpx.Response:
    """The request on its way, as any client would write it."""
    written = requests.Request(**case.as_transport_kwargs(base_url="http://house")).prepare()
    headers = {name: value for name, value in written.headers.items() if name.lower() != "authorization"}
    asked = getattr(full, who)
    answer: httpx.Response = asked.ask(written.method, written.url, content=written.body, headers=headers)
    return answer


def wrong_in(document: dict[str, Any], call: Call, answer: httpx.Response) -> list[str]:
    """Where an answer is not one that the document names."""
    told = document["paths"][call.path][call.method.lower()]["responses"].get(str(answer.status_code))
    if answer.status_code >= 500 or told is None:
        return [f"{answer.status_code} is none of those that are named"]
    media_type = answer.headers["content-type"].partition(";")[0]
    if media_type not in told["content"]:
        return [f"{media_type} is not said of {answer.status_code}"]
    if not media_type.endswith("json"):
        return []
    said = json.loads(answer.content)
    schema = {**told["content"][media_type].get("schema", {}), "components": document["components"]}
    wrong = [f"{one.json_path}: {one.message[:200]}" for one in Draft202012Validator(schema).iter_errors(said)]
    if answer.is_error:
        wrong += [] if said["title"].strip() else ["no title"]
        wrong += [] if said.get("errors") or answer.status_code not in SAYS_WHERE else ["no place"]
        wrong += [
            f"{place} has nothing that is allowed"
            for place in said.get("errors", [])
            if not place["problem"] or not (place.get("allowed") or answer.status_code not in SAYS_WHERE)
        ]
    return wrong
