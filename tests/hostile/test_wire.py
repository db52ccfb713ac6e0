"""A real process whose strangers drip, flood, break off and lie about lengths: it goes on answering others."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest

from standalone.posting import Answer, Poster, ToPost
from tests.hostile.wire import REPORT, Wire, answered, on_the_wire, refusal
from tests.support.shapes import wait_until

SLOW_ONES = 300
ALL_SLOW_ARE_GONE_S = 12.0


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with on_the_wire(tmp_path_factory.mktemp("wire")) as found:
        yield found


def is_answered(wire: Wire) -> None:
    """Somebody else reports a death, and it is kept."""
    with wire.client() as other:
        answer = other.post("/v1/reports", json=REPORT, headers={"Idempotency-Key": str(uuid4())})
        assert answer.status_code == 201, answer.text


@pytest.mark.rule("promise: slow strangers do not keep a report out")
def test_hundreds_who_drip_their_headers_or_bodies_keep_nobody_out_and_are_let_go(wire: Wire) -> None:
    body = json.dumps(REPORT).encode()
    starts = [
        b"GET /health HTTP/1.1\r\nHost: house\r\nX-Slow: ",  # a header without an end
        b"",  # nothing at all
        wire.head(Content_Length=str(len(body))),  # a body that does not come
        wire.head(Transfer_Encoding="chunked"),
    ]
    drips = [b"x", b"", body[:1], b"1\r\n"]
    gone: set[int] = set()
    with ExitStack() as all_of_them:
        slow = [all_of_them.enter_context(wire.open(starts[n % len(starts)])) for n in range(SLOW_ONES)]
        began = time.monotonic()
        while len(gone) < SLOW_ONES and time.monotonic() - began < ALL_SLOW_ARE_GONE_S:
            gone |= {n for n, one in enumerate(slow) if n not in gone and is_let_go(one, drips[n % len(drips)])}
            is_answered(wire)
    assert len(gone) == SLOW_ONES


def is_let_go(slow: socket.socket, drip: bytes) -> bool:
    """Say a byte more on a connection; whether it was answered or ended."""
    slow.setblocking(False)
    try:
        slow.send(drip)
        slow.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def test_a_head_that_does_not_end_is_408_in_our_words(wire: Wire) -> None:
    with wire.open(b"GET /health HTTP/1.1\r\nHost: house\r\n") as slow:
        assert refusal(slow) == (408, "too-slow")


def test_a_body_that_does_not_come_is_408_and_nothing_is_kept(wire: Wire) -> None:
    with wire.open(wire.head(Content_Length="500") + b'{"subject"') as slow:
        status, headers, said = answered(slow)
    assert (status, headers["connection"]) == (408, "close")
    assert json.loads(said)["title"] == "the request came too slowly: nothing was kept"
    assert json.loads(said)["errors"][0]["problem"] == "10 bytes came in 2 s"


def test_a_body_that_comes_slowly_but_steadily_is_taken(wire: Wire) -> None:
    body = json.dumps({**REPORT, "narrative": "x" * 8_000}).encode()
    with wire.open(wire.head(Content_Length=str(len(body)), Connection="close")) as steady:
        began = time.monotonic()
        for n in range(0, len(body), 2_000):
            steady.sendall(body[n : n + 2_000])
            # The pause is what is tested: longer in all than the house waits for nothing.
            time.sleep(0.6)
        assert time.monotonic() - began > 2.0
        assert answered(steady)[0] == 201


@pytest.mark.parametrize(
    ("sent", "status", "kind"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64, 400, "malformed"),  # TLS on a plain port
        (b"HELLO\r\n\r\n", 400, "malformed"),
        (b"GET /health HTTP/1.1\r\nHost : a\r\n\r\n", 400, "malformed"),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", 400, "malformed"),
        (b"POST /v1/reports HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400, "malformed"),
        (b"POST /v1/reports HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n", 400, "malformed"),
        (b"POST /v1/reports HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
         "malformed"),
        (b"GET /" + b"a" * 400_000, 431, "too-large"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 400_000, 431, "too-large"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100_000, 431, "too-large"),
    ],
    ids=["tls", "words", "space", "nul", "two lengths", "below nothing", "length and chunks", "address", "header",
         "many headers"],
)  # fmt: skip
def test_what_is_no_http_or_too_much_of_it_is_refused_in_our_words(
    wire: Wire, sent: bytes, status: int, kind: str
) -> None:
    with wire.open() as stranger:
        try:
            stranger.sendall(sent)
        except OSError:
            assert status == 431  # it was refused before all was said
        assert refusal(stranger) == (status, kind)
    is_answered(wire)


def test_who_breaks_off_in_the_middle_of_a_body_is_no_fault_of_ours(wire: Wire) -> None:
    with wire.open(wire.head(Content_Length="5000") + b'{"subject": "S01-0'):
        pass
    with wire.client() as other:
        told = 'tocsin_problems_total{kind="malformed",route="/v1/reports"}'
        wait_until(lambda: told in other.get("/metrics").text, "it was counted", within_s=10)
        numbers = other.get("/metrics").text
    assert 'status="500"' not in numbers
    assert '"fault"' not in numbers


def test_requests_sent_in_one_breath_are_answered_in_their_order(wire: Wire) -> None:
    asked = b"".join(wire.head("GET", path) for path in ("/health", "/v1/queries", "/ready")) + wire.head(
        "GET", "/nothing", Connection="close"
    )
    with wire.open(asked) as one:
        raw = b""
        while part := one.recv(65_536):
            raw += part
    assert re.findall(rb"HTTP/1\.1 (\d+) ", raw) == [b"200", b"200", b"200", b"404"]


REFUSED = 2_000
GROWS_BY_LESS_THAN_MB = 24.0


@pytest.mark.rule("promise: what is refused leaves nothing behind")
def test_thousands_of_refused_requests_do_not_make_the_process_grow(wire: Wire) -> None:
    """Oversized, nested, of very many keys, of no key, wrong, unknown: two thousand after as many to warm up."""
    big = b'{"narrative": "' + b"x" * 1_100_000 + b'"}'
    bodies = [
        (413, None),  # its length alone is enough
        (413, big),
        (400, b"[" * 100_000),
        (422, b"{" + b",".join(b'"k%d": 1' % n for n in range(20_000)) + b"}"),
        (400, b'{"subject": ' + b"9" * 100_000 + b"}"),
    ]

    def refuse(times: int) -> None:
        def some(first: int) -> None:
            with wire.client() as one:
                for n in range(first, times, 4):
                    status, body = bodies[n % len(bodies)] if n % 20 < 5 else bodies[(0, 2, 4)[n % 3]]
                    if body is None:
                        with wire.open(wire.head(Content_Length=str(1 << 40), Connection="close")) as raw:
                            assert refusal(raw)[0] == status
                    else:
                        answer = one.post("/v1/reports", content=body, headers={"Content-Type": "application/json"})
                        assert answer.status_code == status, answer.text[:300]

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(some, range(4)))

    refuse(400)
    before = wire.resident_mb()
    refuse(REFUSED)
    assert wire.resident_mb() - before < GROWS_BY_LESS_THAN_MB
    is_answered(wire)


@pytest.mark.rule("promise: one asker cannot crowd out the others")
def test_an_import_that_is_too_fast_is_slowed_and_loses_no_report(tmp_path_factory: pytest.TempPathFactory) -> None:
    with on_the_wire(tmp_path_factory.mktemp("limited"), TOCSIN_RATE_PER_KEY="2", TOCSIN_BURST_PER_KEY="5") as limited:
        reports = [
            ToPost(n, str(uuid4()), {**REPORT, "subject": f"S01-{n:03}", "narrative": f"row {n}"})
            for n in range(1, 13)
        ]  # fmt: skip
        answers: list[Answer] = []
        Poster(limited.url, limited.key, at_once=8).post_all(reports, answers.append)
        with limited.client() as other:

            def reports_held() -> list[dict[str, Any]]:
                """The key waits its second like any other."""
                held: list[dict[str, Any]] = other.get("/v1/reports", params={"limit": 500}).json().get("reports", [])
                return held

            held = wait_until(reports_held, "the key may ask again")
            numbers = other.get("/metrics").text
    assert {answer.outcome for answer in answers} == {"accepted"}
    assert sorted(case["subject"] for case in held) == [f"S01-{n:03}" for n in range(1, 13)]
    [refused] = [line for line in numbers.splitlines() if line.startswith('tocsin_too_fast_total{by="key"}')]
    assert float(refused.split()[1]) > 0
