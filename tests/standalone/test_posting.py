"""Reports are posted until they are answered: over lost connections, 503 and 429, each counted once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx
import pytest

from standalone.posting import Answer, NotOurs, Poster, ToPost

RECEIPT = {"case_id": "TOC-0001"}
Reply = Callable[[httpx.Request], httpx.Response]


def post(reply: Reply, *reports: ToPost, patience_s: float = 30.0) -> list[Answer]:
    answers: list[Answer] = []
    poster = Poster("http://tocsin.test", "k", transport=httpx.MockTransport(reply), patience_s=patience_s)
    poster.post_all(reports or (ToPost(1, "key-1", {"study": "S"}),), answers.append)
    return answers


def after(failures: list[httpx.Response | Exception], last: httpx.Response) -> Reply:
    """Answers each of `failures` once, then `last` for ever."""
    left = list(failures)

    def reply(_: httpx.Request) -> httpx.Response:
        answer = left.pop(0) if left else last
        if isinstance(answer, Exception):
            raise answer
        return answer

    return reply


def test_a_new_report_is_accepted_under_its_key() -> None:
    seen: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, json=RECEIPT)

    assert post(reply) == [Answer(1, "accepted", RECEIPT)]
    [request] = seen
    assert request.url == "http://tocsin.test/v1/reports"
    assert request.headers["Authorization"] == "Bearer k"
    assert request.headers["Idempotency-Key"] == "key-1"
    assert request.content == b'{"study":"S"}'


def test_a_replayed_receipt_is_already_known() -> None:
    replayed = httpx.Response(201, json=RECEIPT, headers={"Idempotent-Replay": "true"})
    assert post(lambda _: replayed) == [Answer(1, "already_known", RECEIPT)]


def test_a_server_that_restarts_is_waited_for() -> None:
    reply = after(
        [httpx.ConnectError("refused"), httpx.Response(503), httpx.Response(429, headers={"Retry-After": "0.1"})],
        httpx.Response(201, json=RECEIPT),
    )
    assert post(reply) == [Answer(1, "accepted", RECEIPT)]


def test_an_answer_that_was_lost_on_the_way_is_still_this_runs_own() -> None:
    replayed = httpx.Response(201, json=RECEIPT, headers={"Idempotent-Replay": "true"})
    assert post(after([httpx.ReadError("reset")], replayed)) == [Answer(1, "accepted", RECEIPT)]


def test_a_refusal_is_named_with_its_places_and_the_rest_goes_on() -> None:
    problem = {
        "title": "the report cannot be attributed",
        "errors": [{"pointer": "/subject", "problem": "'X' is no subject of S", "allowed": r"S\d\d-\d{3}"}],
    }

    def reply(request: httpx.Request) -> httpx.Response:
        return httpx.Response(422, json=problem) if b"X" in request.content else httpx.Response(201, json=RECEIPT)

    assert post(reply, ToPost(1, "a", {"subject": "X"}), ToPost(2, "b", {"subject": "Y"})) == [
        Answer(1, "refused", {}, (r"/subject: 'X' is no subject of S; allowed is S\d\d-\d{3}",)),
        Answer(2, "accepted", RECEIPT),
    ]


def test_a_page_that_is_no_receipt_is_not_taken_for_one() -> None:
    [answer] = post(lambda _: httpx.Response(200, text="<html>welcome to the proxy</html>"))
    assert answer.outcome == "refused"


@pytest.mark.parametrize("status", [401, 404])
def test_a_wrong_key_or_address_ends_the_import_at_once(status: int) -> None:
    with pytest.raises(NotOurs):
        post(lambda _: httpx.Response(status, json={"title": "no"}))


def test_an_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(NotOurs, match="https://"):
        Poster("tocsin.example.org", "k")


def test_a_server_that_stays_away_is_given_up_and_every_report_says_so() -> None:
    def reply(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    answers = post(reply, *(ToPost(n, f"k{n}", {}) for n in range(20)), patience_s=0.3)
    assert {answer.outcome for answer in answers} == {"unsent"}
    assert len(answers) == 20


def test_several_are_under_way_at_once_and_answered_in_order() -> None:
    both = threading.Barrier(2, timeout=10)

    def reply(request: httpx.Request) -> httpx.Response:
        both.wait()
        return httpx.Response(201, json={"case_id": request.headers["Idempotency-Key"]})

    answers = post(reply, *(ToPost(n, f"k{n}", {}) for n in range(8)))
    assert [answer.receipt["case_id"] for answer in answers] == [f"k{n}" for n in range(8)]
