"""docs/examples/receiver.py prints what is signed and refuses the rest. That it hears the house, test_tour shows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from tests.docs.pages import ROOT
from tests.support.shapes import free_port, wait_until

SECRET = "whsec_l/kabfwkEutZT7gq9iD2DCydk2/vEf6vy+P48sRcF5k="
BODY = json.dumps({"type": "alert.raised", "data": {"case_id": "TOC-0031"}})


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    with (tmp_path / "printed").open("wb") as printed:
        receiver = ROOT / "docs" / "examples" / "receiver.py"
        listening = subprocess.Popen([sys.executable, str(receiver), SECRET, str(port)], stdout=printed)
    try:
        wait_until(lambda: _answers(port), "the receiver listens")
        yield f"http://127.0.0.1:{port}/"
    finally:
        listening.kill()
        listening.wait(10)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=5).status_code == 501  # it knows POST only
    except httpx.TransportError:
        return False


def _signed(body: str, at: datetime) -> dict[str, str]:
    return {
        "webhook-id": "1c94b549-fd9e-5b1f-bd11-d6e302a316f3",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("1c94b549-fd9e-5b1f-bd11-d6e302a316f3", at, body),
    }


def test_what_is_signed_is_printed(address: str, tmp_path: Path) -> None:
    answer = httpx.post(address, content=BODY, headers=_signed(BODY, datetime.now(UTC)), timeout=5)
    assert answer.status_code == 204
    assert (tmp_path / "printed").read_text("utf-8") == f"verified: {BODY}\n"


@pytest.mark.parametrize("sent", [BODY.replace("0031", "0032"), ""], ids=["altered", "empty"])
def test_what_was_altered_is_refused(address: str, tmp_path: Path, sent: str) -> None:
    answer = httpx.post(address, content=sent, headers=_signed(BODY, datetime.now(UTC)), timeout=5)
    assert answer.status_code == 400
    assert (tmp_path / "printed").read_text("utf-8").startswith("refused: ")


def test_what_is_not_signed_or_old_is_refused(address: str) -> None:
    assert httpx.post(address, content=BODY, timeout=5).status_code == 400
    old = datetime(2026, 3, 2, tzinfo=UTC)
    assert httpx.post(address, content=BODY, headers=_signed(BODY, old), timeout=5).status_code == 400
