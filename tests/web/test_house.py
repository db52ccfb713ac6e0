"""What every house does, whatever services are in it: problems, health, readiness, metrics, headers, start and end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from fastapi import APIRouter

from tests.support.houses import Moment
from tocsin.errors import BusAway, Forbidden, StoreAway
from tocsin.web.app import Service, house
from tocsin.web.identity import requires
from tocsin.web.metrics import Measure
from tocsin.workers import Worker


class Bell:
    """A worker that notes when it begins and ends, or breaks when told to."""

    def __init__(self, name: str, log: list[str], breaks: bool = False) -> None:
        self.name = name
        self._log = log
        self._breaks = breaks

    def run(self, stop: threading.Event) -> None:
        self._log.append(f"{self.name} begins")
        if self._breaks:
            raise RuntimeError("a bell cracks")
        stop.wait()
        self._log.append(f"{self.name} ends")


def a_service(name: str = "bells", **how: Any) -> Service:
    routes = APIRouter()

    @routes.get("/things/{thing}")
    async def thing(thing: str) -> dict[str, str]:
        if thing == "broken":
            raise ValueError("a secret of S01-001")
        if thing == "forbidden":
            raise Forbidden("not yours")
        if thing == "away":
            raise StoreAway("the database does not answer")
        return {"thing": thing}

    @routes.get("/desk", dependencies=[requires("coder")])
    async def desk() -> dict[str, str]:
        return {}

    return Service(name=name, router=routes, **how)


@contextmanager
def running(*services: Service) -> Iterator[Any]:
    """A function that asks the running house."""
    app = house(services, now=Moment(), signing_key=b"k" * 40)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(app.router.lifespan_context(app)):
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://house")

        def ask(method: str, path: str, **how: Any) -> httpx.Response:
            async def request() -> httpx.Response:
                return await client.request(method, path, **how)

            return portal.call(request)

        yield ask
        portal.call(client.aclose)


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/things/", 404, "not-found"),
        ("POST", "/things/a", 405, "method-not-allowed"),
        ("DELETE", "/health", 405, "method-not-allowed"),
        ("GET", "/things/forbidden", 403, "forbidden"),
        ("GET", "/things/away", 503, "away"),
        ("GET", "/things/broken", 500, "fault"),
        ("GET", "/desk", 401, "unauthorised"),
    ],
)
def test_every_error_is_a_problem_document(method: str, path: str, status: int, kind: str) -> None:
    with running(a_service()) as ask:
        answer = ask(method, path, headers={"X-Request-Id": "r-1"})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:tocsin:problem:{kind}"
    assert (problem["status"], problem["request_id"]) == (status, "r-1")
    assert "S01-001" not in answer.text


def test_what_can_be_read_can_be_asked_for_its_head() -> None:
    with running(a_service()) as ask:
        answer = ask("HEAD", "/things/a")
        missing = ask("HEAD", "/nowhere")

    assert (answer.status_code, answer.content) == (200, b"")
    assert (missing.status_code, missing.content) == (404, b"")


def test_every_answer_carries_its_id_and_the_security_headers() -> None:
    with running(a_service()) as ask:
        for path in ("/things/a", "/nowhere", "/things/broken"):
            headers = ask("GET", path, headers={"X-Request-Id": "no good id!"}).headers
            assert len(headers["x-request-id"]) == 32
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_the_log_has_no_paths_and_no_words_of_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with running(a_service()) as ask:
        ask("GET", "/things/S01-001")
        ask("GET", "/things/broken")
    logged = capsys.readouterr().out

    assert "/things/{thing}" in logged
    assert "ValueError" in logged
    assert "S01-001" not in logged


def test_workers_begin_in_order_and_end_in_reverse() -> None:
    log: list[str] = []
    began = threading.Event()

    class Last(Bell):
        def run(self, stop: threading.Event) -> None:
            began.set()
            super().run(stop)

    workers: list[Worker] = [Bell("one", log), Last("two", log)]
    with running(a_service(workers=workers, close=lambda: log.append("closed"))):
        assert began.wait(5)

    assert log[-3:] == ["two ends", "one ends", "closed"]


def test_a_worker_that_failed_turns_health_red_and_leaves_readiness_alone() -> None:
    with running(a_service(workers=[Bell("one", [], breaks=True)])) as ask:
        deadline = threading.Event()
        for _ in range(100):
            answer = ask("GET", "/health")
            if answer.status_code == 503:
                break
            deadline.wait(0.05)
        ready = ask("GET", "/ready")

    assert (answer.status_code, answer.json()["failed"]) == (503, {"one": "RuntimeError"})
    assert ready.status_code == 200
    assert ready.json()["degraded"] == ["worker one has failed: RuntimeError"]


def away() -> None:
    raise StoreAway("the database does not answer")


@pytest.mark.rule("interfaces.md: 503 only when a service cannot do its own durable work")
def test_ready_is_503_only_when_a_service_cannot_keep_what_it_accepts() -> None:
    waits = a_service("one", degraded=lambda: ["the broker is away"])
    with running(waits) as ask:
        one = ask("GET", "/ready")
    with running(waits, a_service("two", durable=away)) as ask:
        two = ask("GET", "/ready")

    assert (one.status_code, one.json()["degraded"]) == (200, ["one: the broker is away"])
    assert (two.status_code, two.json()["away"]) == (503, {"two": "the database does not answer"})


def test_metrics_count_requests_problems_and_what_services_measure() -> None:
    measures = [Measure("queue", "Waiting", 3), Measure("taken", "Taken", 2, "counter", {"kind": "report"})]
    with running(a_service(metrics=lambda: measures)) as ask:
        ask("GET", "/things/a")
        ask("GET", "/things/forbidden")
        text = ask("GET", "/metrics").text

    for line in (
        'tocsin_requests_total{method="GET",route="/things/{thing}",status="200"} 1.0',
        'tocsin_problems_total{kind="forbidden",route="/things/{thing}"} 1.0',
        "tocsin_request_seconds_count 2.0",
        "tocsin_queue 3.0",
        'tocsin_taken_total{kind="report"} 2.0',
    ):
        assert line in text


def test_a_bus_that_is_away_is_a_503_too() -> None:
    routes = APIRouter()

    @routes.get("/bus")
    async def bus() -> None:
        raise BusAway("the broker does not answer")

    with running(Service("one", routes)) as ask:
        assert ask("GET", "/bus").status_code == 503
