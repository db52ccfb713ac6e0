"""Addresses by which somebody would make this house call its own neighbours: none of them is ever connected to.

Each goes the whole way of a delivery, with whatever DNS would answer; every connection that is tried is seen.
"""

from __future__ import annotations

import json
import socket
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

from alerting.delivery.outcome import Delivered, GiveUp, TryAgain
from alerting.delivery.webhook import Endpoint, Webhooks
from tests.alerting.receivers import Receiver, receiver, says
from tests.alerting.test_webhook import PARCEL, SECRET
from tocsin.now import wall

PUBLIC = "93.184.215.14"

FORMS = [
    # This machine, in every way of writing it.
    ("https://127.0.0.1/", None), ("https://127.255.255.254/", None), ("https://localhost/", None),
    ("https://LOCALHOST/", None), ("https://127.1/", None), ("https://127.0.1/", None), ("https://2130706433/", None),
    ("https://0x7f000001/", None), ("https://0x7f.0x0.0x0.0x1/", None), ("https://0177.0.0.1/", None),
    ("https://017700000001/", None), ("https://0/", None), ("https://0.0.0.0/", None), ("https://[::]/", None),
    ("https://[::1]/", None), ("https://[0:0:0:0:0:0:0:1]/", None), ("https://[::ffff:127.0.0.1]/", None),
    ("https://[::ffff:7f00:1]/", None), ("https://[::127.0.0.1]/", None), ("https://[64:ff9b::7f00:1]/", None),
    ("https://[2002:7f00:1::]/", None), ("https://\u2460\u2461\u2466.0.0.1/", None), ("https://localhost./", None),
    # The networks behind the walls.
    ("https://10.0.0.1/", None), ("https://172.16.0.1/", None), ("https://172.31.255.254/", None),
    ("https://192.168.0.1/", None), ("https://100.64.0.1/", None), ("https://[fd00::1]/", None),
    ("https://[fe80::1]/", None), ("https://[fec0::1]/", None), ("https://[::ffff:10.0.0.1]/", None),
    ("https://198.18.0.1/", None), ("https://192.0.0.1/", None), ("https://192.0.2.1/", None),
    ("https://224.0.0.1/", None), ("https://[ff02::1]/", None), ("https://240.0.0.1/", None),
    ("https://255.255.255.255/", None),
    # Where clouds tell their secrets.
    ("https://169.254.169.254/latest/meta-data/", None), ("https://[::ffff:169.254.169.254]/", None),
    ("https://2852039166/", None), ("https://0xa9fea9fe/", None), ("https://[fd00:ec2::254]/", None),
    ("https://[64:ff9b::a9fe:a9fe]/", None), ("https://[2001:0:4136:e378:8000:63bf:5601:5601]/", None),
    # Names that lead there, alone or among others.
    ("https://hooks.example/", ["127.0.0.1"]), ("https://hooks.example/", ["::1"]),
    ("https://hooks.example/", [PUBLIC, "10.0.0.1"]), ("https://hooks.example/", ["169.254.169.254"]),
    ("https://hooks.example/", ["fe80::1%eth0"]), ("https://hooks.example/", ["::ffff:192.168.1.1"]),
    # Addresses that are read in two ways, or carry something.
    ("https://user:secret@hooks.example/", [PUBLIC]), ("https://hooks.example@127.0.0.1/", None),
    ("https://127.0.0.1#@hooks.example/", None), ("https://hooks.example\\@127.0.0.1/", [PUBLIC]),
    ("https://hooks.example/\r\nHost: inner", [PUBLIC]), ("https://hooks.example /", [PUBLIC]),
    ("https:///127.0.0.1/", [PUBLIC]), ("https://hooks.example:0/", [PUBLIC]),
    ("https://hooks.example:99999/", [PUBLIC]),
    ("http://hooks.example/", [PUBLIC]), ("ftp://hooks.example/", [PUBLIC]), ("file:///etc/passwd", [PUBLIC]),
    ("gopher://hooks.example/", [PUBLIC]), ("//hooks.example/", [PUBLIC]), ("hooks.example", [PUBLIC]), ("", [PUBLIC]),
]  # fmt: skip


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that a connection was tried to; none of them gets one."""
    tried: list[Any] = []

    def refuse(address: Any, *_: Any, **__: Any) -> socket.socket:
        tried.append(address)
        raise ConnectionRefusedError(f"no connection in this test: {address}")

    monkeypatch.setattr(socket, "create_connection", refuse)
    return tried


def send(url: str, answers: list[str] | None, **settings: Any) -> object:
    """One delivery; DNS answers so, or as this machine's own resolver does for what is written as a number."""
    if answers is not None:
        settings["look_up"] = lambda host, port: list(answers)
    return Webhooks(lambda _: Endpoint(url, (SECRET,)), wall, **settings).send(PARCEL)


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(set(map(json.dumps, FORMS))) == len(FORMS) >= 40


@pytest.mark.rule("promise: webhooks call no inner address")
@pytest.mark.parametrize(("url", "answers"), FORMS)
def test_none_of_these_addresses_is_connected_to(url: str, answers: list[str] | None, connected: list[Any]) -> None:
    outcome = send(url, answers)
    # TryAgain only where the name has no address at all: then there is nothing to connect to.
    assert isinstance(outcome, GiveUp) or (isinstance(outcome, TryAgain) and "gives no address" in outcome.why)
    assert connected == []


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(connected: list[Any]) -> None:
    """DNS that changes between the check and the connection: it is asked once, and the name is not asked again."""
    answers = deque([[PUBLIC], ["127.0.0.1"]])
    hooks = Webhooks(
        lambda _: Endpoint("https://hooks.example/", (SECRET,)), wall, look_up=lambda host, port: answers.popleft()
    )
    assert isinstance(hooks.send(PARCEL), TryAgain)
    assert connected == [(PUBLIC, 443)]
    assert list(answers) == [["127.0.0.1"]]


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("inward", ["http://127.0.0.1:1/", "http://169.254.169.254/", "//localhost/", "/elsewhere"])
def test_a_redirect_is_a_failure_and_leads_nowhere(hook: Receiver, status: int, inward: str) -> None:
    hook.then(says(status, location=inward))
    outcome = send(hook.url, None, allow=("loopback",))
    assert isinstance(outcome, TryAgain)
    assert f"{status}: a redirect is a failure" in outcome.why
    assert len(hook.asked) == 1


def test_what_is_allowed_is_connected_to(hook: Receiver) -> None:
    """Or the tests above would hold for a house that never calls anybody."""
    assert isinstance(send(hook.url, None, allow=("loopback",)), Delivered)
    assert len(hook.asked) == 1
