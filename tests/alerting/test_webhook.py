"""Webhooks to a real HTTP server on loopback that answers as it is told: what is recorded is what happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook

from alerting.delivery.outcome import Delivered, GiveUp, Outcome, TryAgain
from alerting.delivery.parcel import Parcel
from alerting.delivery.webhook import Endpoint, Webhooks
from tests.alerting.receivers import Receiver, closes, closes_at_once, receiver, says
from tests.alerting.test_letter import BELL
from tocsin.now import wall

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PARCEL = Parcel(UUID(int=1), UUID(int=2), "hook", 1, 1, BELL)


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def send(hook: Receiver, url: str | None = None, **more: object) -> Outcome:
    endpoint = Endpoint(url or hook.url, (SECRET,))
    settings = {"allow": ("loopback",), "read_s": 0.3, "whole_s": 1.0, **more}
    return Webhooks(lambda _: endpoint, wall, **settings).send(PARCEL)  # type: ignore[arg-type]


def test_a_thin_signed_body_arrives_and_verifies(hook: Receiver) -> None:
    assert send(hook) == Delivered("204")
    (asked,) = hook.asked
    assert Webhook(SECRET).verify(asked.body, asked.headers) == {
        "type": "alert.raised",
        "timestamp": "2026-05-13T18:08:00Z",
        "data": {
            "alert_id": "6a3c1f0e-7b1d-5f0e-9c55-0d4b8f6c2a11",
            "case_id": "TOC-0031",
            "kind": "potential_dlt",
            "urgency": "page",
            "due_date": "2026-05-21",
            "link": "https://tocsin.example/a/6a3c1f0e-7b1d-5f0e-9c55-0d4b8f6c2a11",
        },
    }
    assert asked.headers["webhook-id"] == "00000000-0000-0000-0000-000000000002"


def test_a_second_try_is_the_same_body_under_the_same_id(hook: Receiver) -> None:
    hook.then(says(500))
    send(hook)
    send(hook)
    first, second = hook.asked
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])


def test_a_later_step_says_that_it_is_one(hook: Receiver) -> None:
    endpoint = Endpoint(hook.url, (SECRET,))
    later = replace(PARCEL, bell=replace(BELL, step=1))
    Webhooks(lambda _: endpoint, wall, allow=("loopback",)).send(later)
    assert json.loads(hook.asked[0].body)["type"] == "alert.escalated"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Delivered("200: ok")),
        (201, Delivered("201: ok")),
        (299, Delivered("299: ok")),
        (302, TryAgain("302: a redirect is a failure and is not followed")),
        (307, TryAgain("307: a redirect is a failure and is not followed")),
        (400, TryAgain("400: ok")),
        (404, TryAgain("404: ok")),
        (410, GiveUp("410: the address says that it wants no more", disable=True)),
        (500, TryAgain("500: ok")),
        (503, TryAgain("503: ok")),
    ],
)
def test_only_two_hundreds_are_success(hook: Receiver, status: int, expected: Outcome) -> None:
    hook.then(says(status, b"ok"))
    assert send(hook) == expected


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_inward_is_never_followed(hook: Receiver, status: int) -> None:
    hook.then(says(status, location=hook.url + "/inner"))
    send(hook)
    assert [asked.path for asked in hook.asked] == ["/hook"]


@pytest.mark.parametrize(
    ("asked", "after"),
    [("120", timedelta(seconds=120)), ("soon", None), ("Thu, 14 May 2026 04:10:00 GMT", timedelta(minutes=10))],
)
def test_retry_after_is_honoured(hook: Receiver, asked: str, after: timedelta | None) -> None:
    hook.then(says(429, b"slow down", retry_after=asked))
    endpoint = Endpoint(hook.url, (SECRET,))
    now = datetime(2026, 5, 14, 4, 0, tzinfo=UTC)
    outcome = Webhooks(lambda _: endpoint, lambda: now, allow=("loopback",)).send(PARCEL)
    assert outcome == TryAgain("429: slow down", after=after)


def test_a_receiver_that_hangs_is_left_and_tried_again(hook: Receiver) -> None:
    hook.then(hook.hang)
    outcome = send(hook)
    assert isinstance(outcome, TryAgain)
    assert "no whole answer" in outcome.why


@pytest.mark.parametrize("answer", [closes, closes_at_once])
def test_a_receiver_that_goes_half_way_is_tried_again(hook: Receiver, answer: object) -> None:
    hook.then(answer)  # type: ignore[arg-type]
    assert isinstance(send(hook), TryAgain)


def test_a_gigabyte_is_not_read(hook: Receiver) -> None:
    hook.then(hook.a_gigabyte)
    outcome = send(hook, whole_s=30.0)
    assert hook.sent_bytes < 64 * 1024 * 1024, "beyond what the sockets between hold, nothing was taken"
    assert isinstance(outcome, Delivered)
    assert len(outcome.note) < 300


def test_nobody_listening_is_tried_again(hook: Receiver) -> None:
    outcome = send(hook, url="http://127.0.0.1:9/hook")
    assert isinstance(outcome, TryAgain)


def test_an_address_that_is_not_allowed_is_never_called(hook: Receiver) -> None:
    outcome = send(hook, allow=())
    assert isinstance(outcome, GiveUp)
    assert "loopback" in outcome.why
    assert hook.asked == []


def test_a_name_that_leads_inward_at_connect_is_never_called(hook: Receiver) -> None:
    outcome = send(hook, url=f"https://hooks.example:{hook.port}/", allow=(), look_up=lambda host, port: ["127.0.0.1"])
    assert isinstance(outcome, GiveUp)
    assert hook.asked == []


def test_a_name_that_dns_does_not_know_is_tried_again(hook: Receiver) -> None:
    def nothing(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    assert isinstance(send(hook, url="https://hooks.example/", look_up=nothing), TryAgain)


def test_a_disabled_webhook_is_given_up() -> None:
    assert isinstance(Webhooks(lambda _: None, wall).send(PARCEL), GiveUp)
