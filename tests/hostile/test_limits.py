"""How fast one asker may ask: the bucket by itself, then the house that is asked too fast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st

from tests.alerting.desk import KEY, PASSWORD
from tests.alerting.visitor import Door, Visitor
from tests.alerting.ward import ward
from tests.hostile.longer import bounded
from tocsin.settings import Settings
from tocsin.web.app import Service, house
from tocsin.web.identity import Machine, hash_of, machine, new_key, person, sign_person
from tocsin.web.identity import Person as Somebody
from tocsin.web.limits import FREE, Buckets, Limits, Pace

NOON = datetime(2026, 5, 14, 4, 0, tzinfo=UTC)


def test_a_full_bucket_gives_its_burst_and_then_one_for_each_span() -> None:
    buckets = Buckets(Pace(2, 3))

    assert [buckets.take("a", 100.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert buckets.take("a", 100.0) == pytest.approx(0.5)
    assert buckets.take("a", 100.25) == pytest.approx(0.25)
    assert buckets.take("a", 100.5) == 0.0
    assert buckets.take("a", 100.5) == pytest.approx(0.5)
    assert buckets.refused == 3


def test_a_refused_request_costs_nothing_however_often_it_is_made() -> None:
    buckets = Buckets(Pace(1, 1))
    buckets.take("a", 0.0)
    for _ in range(1000):
        assert buckets.take("a", 0.5) == pytest.approx(0.5)
    assert buckets.take("a", 1.0) == 0.0


def test_each_name_has_a_bucket_of_its_own() -> None:
    buckets = Buckets(Pace(1, 1))
    assert (buckets.take("a", 0.0), buckets.take("b", 0.0)) == (0.0, 0.0)
    assert buckets.take("a", 0.0) > 0


def test_what_is_given_back_can_be_taken_again() -> None:
    buckets = Buckets(Pace(1, 1))
    buckets.take("a", 0.0)
    buckets.give_back("a")
    assert buckets.take("a", 0.0) == 0.0


def test_nothing_a_second_is_no_limit() -> None:
    buckets = Buckets(FREE)
    assert {buckets.take("a", 0.0) for _ in range(10_000)} == {0.0}
    assert len(buckets) == 0


@pytest.mark.rule("promise: one asker cannot crowd out the others")
@bounded(200)
@given(
    per_second=st.integers(1, 50), at_once=st.integers(1, 20),
    pauses=st.lists(st.floats(0, 2, allow_nan=False), min_size=1, max_size=200),
)  # fmt: skip
def test_in_no_span_more_pass_than_the_burst_and_the_rate_of_that_span(
    per_second: int, at_once: int, pauses: list[float]
) -> None:
    buckets, now, passed = Buckets(Pace(per_second, at_once)), 0.0, []
    for pause in pauses:
        now += pause
        wait_s = buckets.take("a", now)
        if wait_s:
            assert buckets.take("a", now + wait_s) == 0.0  # What it was told is true.
            now += wait_s
        passed.append(now)
    for first, began in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= at_once + per_second * (passed[last] - began) + 1e-3


def test_memory_holds_only_those_whose_bucket_is_not_full() -> None:
    buckets = Buckets(Pace(10, 5))
    for n in range(20_000):  # each asks once, and is full again a tenth of a second later
        buckets.take(f"name {n}", n * 0.01)
    assert len(buckets) < 2_000


def test_strangers_without_number_fill_no_memory_and_the_emptiest_bucket_is_kept() -> None:
    buckets = Buckets(Pace(0.001, 5), most=1_000)
    for _ in range(5):
        buckets.take("the one who tries again and again", 0.0)
    for n in range(50_000):
        buckets.take(f"stranger {n}", 1.0)
    assert len(buckets) <= 1_001
    assert buckets.take("the one who tries again and again", 1.0) > 0


def test_threads_at_one_time_get_no_more_than_the_burst() -> None:
    buckets = Buckets(Pace(0.001, 500))
    passed: list[float] = []

    def ask() -> None:
        passed.extend(buckets.take("a", 0.0) for _ in range(200))

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert passed.count(0.0) == 500
    assert buckets.refused == 1_100


@dataclass
class Asked:
    """A house of one call for machines and one for people, with limits on a clock that the test moves."""

    limits: Limits
    app: FastAPI
    at: list[float]
    keys: dict[str, Machine] = field(default_factory=dict)

    def ask(self, path: str, token: str, client: str = "192.0.2.7", **headers: str) -> httpx.Response:
        return asked(self.app, path, token, client, headers)

    def key(self, name: str) -> str:
        made = new_key()
        self.keys[hash_of(made)] = Machine(name, "S", None)
        return made


def asked(app: FastAPI, path: str, token: str, client: str, headers: dict[str, str]) -> httpx.Response:
    import asyncio

    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(client, 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://house") as to:
            return await to.get(path, headers={"Authorization": f"Bearer {token}", **headers})

    return asyncio.run(once())


@pytest.fixture
def a_house() -> Asked:
    at = [0.0]
    limits = Limits(Buckets(Pace(2, 3)), Buckets(Pace(1, 2)), Buckets(Pace(0.1, 2)), clock=lambda: at[0])
    keys: dict[str, Machine] = {}

    class Ring:
        def remembered(self, key_hash: str) -> Machine | None:
            return None

        def find(self, key_hash: str) -> Machine | None:
            return keys.get(key_hash)

    routes = APIRouter()

    @routes.get("/v1/machine")
    async def of_machine(request: Request) -> dict[str, str]:
        return {"who": (await machine(request, _given(request))).key_id}

    @routes.get("/v1/person")
    async def of_person(request: Request) -> dict[str, str]:
        return {"who": (await person(request, _given(request))).name}

    app = house([Service("one", routes, machines=Ring())], now=lambda: NOON, signing_key=KEY, limits=limits)
    return Asked(limits, app, at, keys)


def _given(request: Request) -> Any:
    from fastapi.security import HTTPAuthorizationCredentials

    return HTTPAuthorizationCredentials(
        scheme="Bearer", credentials=request.headers["authorization"].removeprefix("Bearer ")
    )


@pytest.mark.rule("promise: one asker cannot crowd out the others")
def test_a_key_that_is_too_fast_is_told_to_send_the_same_again_and_when(a_house: Asked) -> None:
    key = a_house.key("edc")
    assert [a_house.ask("/v1/machine", key).status_code for _ in range(4)] == [200, 200, 200, 429]

    answer = a_house.ask("/v1/machine", key)
    said = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"
    assert (said["type"], said["status"]) == ("urn:tocsin:problem:too-many", 429)
    assert said["title"] == (
        "too many requests with this key: nothing was accepted. Wait 1 s, then send the same again, with the same "
        "Idempotency-Key"
    )
    assert said["errors"] == [
        {"pointer": "", "problem": "too many requests with this key",
         "allowed": "2 a second, and 3 at once; the next in 1 s"}
    ]  # fmt: skip
    a_house.at[0] = float(answer.headers["retry-after"])
    assert a_house.ask("/v1/machine", key).status_code == 200


def test_another_key_is_not_slowed_by_it_nor_is_anybody_who_asks_with_none(a_house: Asked) -> None:
    fast, other = a_house.key("edc"), a_house.key("site")
    assert [a_house.ask("/v1/machine", fast).status_code for _ in range(5)][-1] == 429
    assert a_house.ask("/v1/machine", other).status_code == 200
    assert [a_house.ask("/v1/machine", new_key()).status_code for _ in range(9)] == [401] * 9
    assert a_house.ask("/health", "").status_code == 200


def test_each_login_is_counted_and_of_one_person_each_by_itself(a_house: Asked) -> None:
    ttl = timedelta(hours=8)
    one, other = (
        sign_person(Somebody("lin", frozenset({"coder"}), session=session), KEY, NOON, ttl) for session in ("a", "b")
    )
    assert [a_house.ask("/v1/person", one).status_code for _ in range(3)] == [200, 200, 429]
    assert a_house.ask("/v1/person", other).status_code == 200


def test_how_many_were_refused_is_measured(a_house: Asked) -> None:
    key = a_house.key("edc")
    for _ in range(5):
        a_house.ask("/v1/machine", key)
    numbers = a_house.ask("/metrics", "").text.splitlines()
    assert 'tocsin_too_fast_total{by="key"} 2.0' in numbers
    assert 'tocsin_too_fast_total{by="login"} 0.0' in numbers
    assert 'tocsin_buckets{by="key"} 1.0' in numbers
    assert 'tocsin_problems_total{kind="too-many",route="/v1/machine"} 2.0' in numbers


PROXY = "10.0.0.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.7", "", "192.0.2.7"),
        ("192.0.2.7", "198.51.100.9", "192.0.2.7"),  # who is no proxy of ours may say what they like
        (PROXY, "198.51.100.9", "198.51.100.9"),
        (PROXY, "203.0.113.5, 198.51.100.9", "198.51.100.9"),  # the first is what the client itself wrote
        (PROXY, "198.51.100.9, 10.0.0.2", "198.51.100.9"),  # two proxies, one behind the other
        (PROXY, "", PROXY),
        (PROXY, "nonsense", PROXY),
        (PROXY, "203.0.113.5, nonsense", PROXY),
        (PROXY, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (PROXY, "::ffff:198.51.100.9", "198.51.100.9"),
        ("2001:db8:1:2:aaaa::1", "", "2001:db8:1:2::/64"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy_of_ours(peer: str, forwarded: str, client: str) -> None:
    limits = Limits.of(Settings(proxies=["10.0.0.0/8"]))
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    request = Request({"type": "http", "client": (peer, 4711), "headers": headers})
    assert limits.client(request) == client


def test_a_word_that_names_no_network_is_refused_with_what_is_allowed() -> None:
    from tocsin.errors import SettingsError

    with pytest.raises(SettingsError, match=r"addresses, networks such as 10\.0\.0\.0/8, loopback, private"):
        Settings(proxies=["the proxy"])


@contextmanager
def door(tmp_path: Any, failures: int) -> Iterator[Door]:
    with ward(f"sqlite:///{tmp_path}/alerting.db", tmp_path) as found:
        made = Door(found)
        made.app.state.limits = Limits(
            Buckets(FREE), Buckets(FREE), Buckets(Pace(failures / 60, failures)), clock=lambda: 0.0
        )
        yield made


def sign_in(app: FastAPI, name: str, password: str) -> httpx.Response:
    return Visitor(app).ask("POST", "/sign-in", {"name": name, "password": password, "next": "/desk/me"})


@pytest.mark.rule("promise: passwords are not tried without end")
def test_an_address_that_failed_too_often_is_not_heard_whoever_it_says_to_be(tmp_path: Any) -> None:
    with door(tmp_path, 3) as at:
        at.person("lin", "coder")
        assert [sign_in(at.app, f"nobody {n}", "x" * 12).status_code for n in range(3)] == [401, 401, 401]

        refused = sign_in(at.app, "lin", PASSWORD)
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "20"
        assert "Too many tries to sign in that failed from this address" in refused.text
        told = Visitor(at.app).ask("POST", "/v1/sessions", headers={"content-type": "application/json"})
        assert told.status_code == 400  # what is no login at all is no try


def test_who_signs_in_rightly_uses_nothing_up(tmp_path: Any) -> None:
    with door(tmp_path, 2) as at:
        at.person("lin", "coder")
        assert [sign_in(at.app, "lin", PASSWORD).status_code for _ in range(5)] == [303] * 5
        assert sign_in(at.app, "lin", "wrong, but long").status_code == 401
        assert sign_in(at.app, "lin", PASSWORD).status_code == 303


@pytest.mark.rule("promise: one asker cannot crowd out the others")
def test_a_login_that_opens_pages_too_fast_sees_a_page_that_says_so(tmp_path: Any) -> None:
    with door(tmp_path, 9) as at:
        visitor = at.visitor("lin", "safety_physician")
        at.app.state.limits = Limits(Buckets(FREE), Buckets(Pace(1, 2)), Buckets(FREE), clock=lambda: 0.0)
        assert [visitor.ask("GET", "/desk/cases").status_code for _ in range(3)] == [200, 200, 429]
        page = visitor.ask("GET", "/desk/cases")
        assert page.headers["retry-after"] == "1"
        assert page.headers["content-type"].startswith("text/html")
        assert "Too many requests with this login" in page.text


def test_as_it_comes_no_key_is_limited_and_a_person_and_a_stranger_are() -> None:
    as_it_comes = Limits.of(Settings())
    assert as_it_comes.keys.pace.is_free
    assert as_it_comes.logins.pace == Pace(100, 3000)
    assert as_it_comes.failures.pace == Pace(1, 60)
    assert Limits.of(Settings(failed_sign_ins=0)).failures.pace.is_free
