"""docs/tour.md follows one death. Here the same report is sent, and what the page shows is compared with what comes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from tests.docs.comparing import lines_not_in, not_in
from tests.docs.pages import ROOT, blocks
from tests.support.shapes import Shape, free_port, one_process, wait_until
from tocsin.store.tables import outbox

TOUR = ROOT / "docs" / "tour.md"
RECEIVER = ROOT / "docs" / "examples" / "receiver.py"
PASSWORD = "long enough for the tour"


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of the tour's report, by the names that the page gives its blocks."""

    shown: dict[str, Any]
    mail: str


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("receiver") / "printed"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, receiver: Path) -> Iterator[Ran]:
    shape = one_process(tmp_path_factory.mktemp("house"))
    port = free_port()
    try:
        shape.start()
        secret = shape.tocsin("webhooks", "add", f"http://127.0.0.1:{port}/", "--study", "NCT06223646").strip()
        with receiver.open("wb") as printed:
            listening = subprocess.Popen([sys.executable, str(RECEIVER), secret, str(port)], stdout=printed)
        try:
            yield _follow(shape, receiver)
        finally:
            listening.kill()
            listening.wait(10)
    finally:
        shape.end()


def _follow(shape: Shape, receiver: Path) -> Ran:
    key = shape.key("NCT06223646", "S01")
    kept = httpx.post(f"{shape.intake}/v1/reports", json=_page()["request"], headers=_bearer(key), timeout=30)
    assert kept.status_code == 201, kept.text
    wait_until(lambda: receiver.read_text("utf-8"), "the receiver has printed", told=shape.processes["up"].tail)
    wait_until(shape.is_quiet, "everything was said, judged and sent")

    shape.tocsin("users", "add", "lin", "--role", "safety_physician", stdin=f"{PASSWORD}\n")
    login = httpx.post(f"{shape.alerting}/v1/sessions", json={"name": "lin", "password": PASSWORD}, timeout=30)
    physician = _bearer(login.json()["token"])
    rung = httpx.get(f"{shape.alerting}/v1/alerts", params={"case_id": "TOC-0001"}, headers=physician, timeout=30)
    [alert] = rung.json()["alerts"]
    answered = httpx.post(
        f"{shape.alerting}/v1/alerts/{alert['alert_id']}/acknowledgements", headers=physician, timeout=30
    )
    told = {"receipt": kept.json(), "alert": alert, "acknowledgement": answered.json()}
    sent = [json.loads(line.removeprefix("verified: ")) for line in receiver.read_text("utf-8").splitlines()]
    [told["webhook"]] = [one for one in sent if one["data"]["alert_id"] == alert["alert_id"]]
    return Ran(told | _said(shape), _mail(shape))


def _said(shape: Shape) -> dict[str, Any]:
    """The last message of each topic about the case."""
    found = {}
    for service in ("intake", "coder", "alerting"):
        with shape.reading(service) as tx:
            for row in tx.execute(select(outbox.c.topic, outbox.c.value).order_by(outbox.c.seq)):
                found[row.topic] = json.loads(row.value)
    return found


def _mail(shape: Shape) -> str:
    """The physician's mail: its headers, and its text."""
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in shape.folder.rglob("*.eml")]
    [mail] = [mail for mail in mails if "safety-physician" in str(mail["To"])]
    text = mail.get_body(("plain",))
    assert text is not None
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), text.get_content()])


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _page() -> dict[str, Any]:
    """What the page shows, by name."""
    return {block.name: json.loads(block.text) for block in blocks(TOUR) if block.language == "json"}


NAMES = ("receipt", "reports.received.v1", "alert", "webhook", "events.coded.v1", "acknowledgement")


def test_the_page_shows_a_message_for_each_stop() -> None:
    assert list(_page()) == ["request", *NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_what_the_page_shows_is_what_comes(ran: Ran, name: str) -> None:
    assert not_in(_page()[name], ran.shown[name]) == []


def test_the_mail_on_the_page_is_the_one_that_is_written(ran: Ran) -> None:
    [mail] = [block.text for block in blocks(TOUR) if block.name == "mail"]
    assert lines_not_in(mail, ran.mail) == []


def test_the_webhook_of_the_api_page_is_the_same() -> None:
    [shown] = [json.loads(block.text) for block in blocks(ROOT / "docs" / "api.md") if block.name == "webhook"]
    assert shown == _page()["webhook"]


@pytest.mark.rule("promise: no patient detail leaves")
def test_neither_mail_nor_webhook_of_the_tour_holds_the_patient(ran: Ran) -> None:
    for patient in ("S01-002", "found dead", "investigator"):
        assert patient not in ran.mail
        assert patient not in json.dumps(ran.shown["webhook"])
