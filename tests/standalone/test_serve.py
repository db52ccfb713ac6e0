"""`tocsin serve`: one service from settings; it waits for what is away, and ends when a worker has failed."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter

from standalone.house import TopicMaker, failed_workers
from standalone.server import Server, bind
from standalone.waiting import Waiting
from tests.standalone.processes import House, status, tocsin
from tests.support.postgres_server import PostgresServer
from tocsin.bus.port import Topic
from tocsin.errors import BusAway, StoreAway
from tocsin.now import wall
from tocsin.web.app import Service, house

SIGNING_KEY = "a-signing-key-for-tests-0123456789"


@pytest.fixture
def running() -> Any:
    with ExitStack() as ends:
        yield lambda one: (ends.callback(one.kill), one)[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def until(true: Callable[[], bool], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not come to be in time"
        time.sleep(0.05)


def test_without_a_signing_key_it_says_how_to_make_one(tmp_path: Path) -> None:
    refused = tocsin("serve", "intake", TOCSIN_DATA=str(tmp_path), TOCSIN_PORT="0")
    assert refused.returncode == 2
    assert "TOCSIN_SIGNING_KEY is missing" in refused.stderr
    assert "openssl rand" in refused.stderr


def test_intake_accepts_although_the_broker_is_away(tmp_path: Path, running: Any) -> None:
    port = free_port()
    settings = {
        "TOCSIN_DATA": str(tmp_path),
        "TOCSIN_BUS": f"kafka://127.0.0.1:{free_port()}",
        "TOCSIN_PORT": str(port),
        "TOCSIN_SIGNING_KEY": SIGNING_KEY,
    }
    intake = running(House.start(["serve", "intake"], tmp_path / "out", "listens on", **settings))
    url = f"http://127.0.0.1:{port}"
    until(lambda: status(f"{url}/ready") == 200)
    key = tocsin("keys", "add", "--study", "NCT06223646", "--site", "S01", **settings).stdout.strip()
    report = {"subject": "S01-001", "events": [{"verbatim": "fever", "serious": False}]}
    request = urllib.request.Request(
        f"{url}/v1/reports",
        json.dumps(report).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert (answer.status, json.load(answer)["case_id"]) == (201, "TOC-0001")
    code, took_s = intake.end()
    assert code == 0, intake.err.read_text()[-2000:]
    assert took_s < 10


@pytest.mark.postgres
def test_a_database_that_is_away_at_start_is_waited_for(
    own_postgres: PostgresServer, tmp_path: Path, running: Any
) -> None:
    database = own_postgres.fresh_database()
    own_postgres.stop()
    port = free_port()
    coder = running(
        House.start(
            ["serve", "coder"],
            tmp_path / "out",
            "listens on",
            TOCSIN_DATA=str(tmp_path),
            TOCSIN_DATABASE=database,
            TOCSIN_PORT=str(port),
            TOCSIN_SIGNING_KEY=SIGNING_KEY,
        )
    )
    url = f"http://127.0.0.1:{port}"
    assert status(f"{url}/health") == 200
    assert status(f"{url}/ready") == 503
    assert status(f"{url}/v1/terms?q=fever") == 503
    own_postgres.start()
    until(lambda: status(f"{url}/ready") == 200)
    assert coder.end()[0] == 0


class Fails:
    name = "fails"

    def run(self, stop: threading.Event) -> None:
        raise RuntimeError("the disk is gone")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_failed_worker_ends_the_process() -> None:
    app = house([Service("intake", APIRouter(), [Fails()])], now=wall)
    waiting = Waiting(lambda: app)
    with bind("127.0.0.1", 0) as listener:
        server = Server(waiting, on_ready=lambda: None, must_end=lambda: failed_workers(waiting.app))
        server.run(sockets=[listener])
        server.live_on()
    assert server.ended_because == "fails: RuntimeError: the disk is gone"


def test_what_cannot_be_built_ends_the_process_and_what_is_away_is_tried_again() -> None:
    answers: list[Exception] = [StoreAway("no answer"), StoreAway("no answer"), RuntimeError("a newer database")]

    def build() -> Any:
        raise answers.pop(0)

    waiting = Waiting(build)
    with bind("127.0.0.1", 0) as listener:
        server = Server(waiting, on_ready=lambda: None, must_end=lambda: str(waiting.failed or "") or None)
        server.run(sockets=[listener])
        server.live_on()
    assert server.ended_because == "a newer database"
    assert answers == []


def test_topics_are_made_once_the_broker_answers() -> None:
    class Bus:
        away = 3
        made: list[str] = []  # noqa: RUF012

        def ensure(self, topics: list[Topic]) -> None:
            self.away -= 1
            if self.away >= 0:
                raise BusAway("no answer")
            self.made += [topic.name for topic in topics]

    bus: Any = Bus()
    TopicMaker(bus, partitions=6, replication=1, pause_s=0.01).run(threading.Event())
    assert "reports.received.v1" in bus.made
    assert "reports.received.v1.dead" in bus.made
