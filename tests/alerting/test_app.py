"""The whole service: on a bus, with its workers, in a house."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from alerting import accounts
from alerting.app import build
from alerting.delivery import mailbox
from tests.alerting.ward import FATAL, report, studies
from tocsin.bus.open import open_bus
from tocsin.bus.port import Bus
from tocsin.messages.envelope import encode
from tocsin.messages.topics import all_topics
from tocsin.now import wall
from tocsin.settings import Settings
from tocsin.store.engine import open_store
from tocsin.web.app import house as web_house

PASSWORD = "a long and private sentence"
KEY = "a signing key that is long enough for this"


class Alive:
    """A running house: its application, its bus, its folder."""

    def __init__(self, app: FastAPI, bus: Bus, folder: Path) -> None:
        self.app, self.bus, self.folder = app, bus, folder

    def ask(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        """One request, without a network."""

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            headers = {"authorization": f"Bearer {token}"} if token else {}
            headers |= more.pop("headers", {})
            async with httpx.AsyncClient(transport=transport, base_url="http://tocsin.test") as client:
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(asked())

    def sign_in(self, name: str) -> str:
        answer = self.ask("POST", "/v1/sessions", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])


def until(holds: Callable[[], bool], seconds: float = 15) -> None:
    """Wait until a condition holds, or fail."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


@contextmanager
def alive(folder: Path) -> Iterator[Alive]:
    """A house on the embedded log and SQLite, its workers running, with one person for each of some roles."""
    settings = Settings(data=folder, signing_key=KEY, public_url="http://tocsin.test")
    bus = open_bus(settings.bus)
    bus.ensure(all_topics(settings.partitions))
    app = web_house([build(settings, studies(), bus, now=wall)], now=wall, signing_key=KEY.encode())
    store = open_store(settings.database_for("alerting"), "alerting")
    with store.transaction() as tx:
        for name in ("safety_physician", "coder", "cell_lab", "safety_team", "administrator"):
            accounts.add(tx, name, PASSWORD, [name], wall())
    store.close()
    running, stop = threading.Event(), threading.Event()

    def live() -> None:
        async def lifespan() -> None:
            async with app.router.lifespan_context(app):
                running.set()
                await asyncio.to_thread(stop.wait)

        asyncio.run(lifespan())

    thread = threading.Thread(target=live)
    thread.start()
    try:
        assert running.wait(10)
        yield Alive(app, bus, folder)
        assert app.state.crew.failed == {}
    finally:
        stop.set()
        thread.join(30)
        bus.close()
    assert not thread.is_alive()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Alive]:
    with alive(tmp_path) as found:
        yield found


def test_a_report_on_the_bus_becomes_a_mail_an_alert_and_a_clock(house: Alive) -> None:
    house.bus.publish([encode(report(FATAL, at=wall()))])
    until(lambda: len(mailbox.read(house.folder / "mailbox")) == 1)
    token = house.sign_in("safety_physician")
    until(lambda: house.ask("GET", "/v1/alerts", token).json()["alerts"][0]["notices"][0]["outcome"] == "delivered")
    (alert,) = house.ask("GET", "/v1/alerts?case_id=TOC-0031", token).json()["alerts"]
    assert (alert["kind"], alert["level"], alert["state"]) == ("fatal", "page", "open")
    clocks = house.ask("GET", "/v1/clocks?case_id=TOC-0031", token).json()["clocks"]
    assert {c["rule"] for c in clocks} >= {"CN_SUSAR_7D"}
    assert all(c["clause"] and c["day_zero"] and c["status_history"] for c in clocks)


def test_an_unreadable_message_on_the_bus_rings(house: Alive) -> None:
    record = encode(report(FATAL, at=wall()))
    house.bus.publish([type(record)(record.topic, record.key, b"{}", record.headers)])
    token = house.sign_in("administrator")
    until(lambda: bool(house.ask("GET", "/v1/alerts?kind=dead_letter", token).json()["alerts"]))
    assert "1 dead letters are in alerts that nobody has acknowledged" in str(house.ask("GET", "/ready").json())


def test_it_is_ready_and_says_that_mail_reaches_nobody(house: Alive) -> None:
    answer = house.ask("GET", "/ready")
    assert answer.status_code == 200
    assert answer.json()["degraded"] == [
        "alerting: no mail server is set: mail goes to the mailbox folder and rings nobody"
    ]


def test_its_numbers_are_there(house: Alive) -> None:
    house.bus.publish([encode(report(FATAL, at=wall()))])
    until(lambda: 'tocsin_alerts{level="page",state="open"} 1.0' in house.ask("GET", "/metrics").text)
