"""What leaves a rehearsal house says so, and goes no farther than this machine."""

from __future__ import annotations

import json
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pytest

from alerting.delivery import mailbox
from alerting.delivery.addresses import Forbidden, target
from alerting.delivery.letter import letter
from alerting.delivery.mailbox import Mailbox
from alerting.delivery.outcome import Delivered, GiveUp
from alerting.delivery.parcel import Parcel
from alerting.delivery.webhook import Endpoint, Webhooks, payload
from tests.alerting.receivers import receiver
from tests.alerting.test_letter import BELL
from tocsin.now import wall

PARCEL = Parcel(UUID(int=1), UUID(int=2), "hook", 1, 1, BELL)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SAYS = "REHEARSAL: an exercise on invented cases. No patient is concerned."


def made(*, is_rehearsal: bool) -> EmailMessage:
    return letter(BELL, notice_id="n-1", sender="tocsin@localhost", to="lin@x.invalid", is_rehearsal=is_rehearsal)


def text(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_a_mail_says_it_first_in_the_subject_and_in_both_texts() -> None:
    mail = made(is_rehearsal=True)
    assert mail["Subject"] == "[REHEARSAL] [Tocsin] TOC-0031: potential DLT, 7-day clock"
    assert text(mail, "plain").startswith(f"{SAYS}\n\nTOC-0031 is ringing you.\n")
    assert SAYS in text(mail, "html")


def test_a_real_mail_says_nothing_of_it() -> None:
    mail = made(is_rehearsal=False)
    assert "REHEARSAL" not in mail.as_string()
    assert "$" not in text(mail, "html")


def test_a_mail_in_the_mailbox_says_it(tmp_path: Path) -> None:
    assert isinstance(Mailbox(tmp_path, "tocsin@localhost", is_rehearsal=True).send(PARCEL), Delivered)
    [kept] = mailbox.read(tmp_path)
    assert kept.subject.startswith("[REHEARSAL] ")


def test_a_webhooks_body_says_it_beside_its_type() -> None:
    assert list(json.loads(payload(BELL, is_rehearsal=True)).items())[:2] == [
        ("type", "alert.raised"),
        ("rehearsal", True),
    ]
    assert set(json.loads(payload(BELL))) == {"type", "timestamp", "data"}


def test_a_receiver_on_this_machine_is_called_without_a_setting() -> None:
    with receiver() as hook:
        called = Webhooks(lambda _: Endpoint(hook.url, (SECRET,)), wall, is_rehearsal=True).send(PARCEL)
        assert (called, len(hook.asked)) == (Delivered("204"), 1)


@pytest.mark.parametrize("ip", ["93.184.215.14", "10.0.0.7", "169.254.169.254", "2606:2800:21f:cb07::1", "0.0.0.0"])
def test_no_other_is_called_whatever_the_settings_allow(ip: str) -> None:
    hooks = Webhooks(
        lambda _: Endpoint("https://hooks.example/t", (SECRET,)),
        wall,
        allow=("private", "loopback"),
        is_rehearsal=True,
        look_up=lambda host, port: [ip],
    )
    outcome = hooks.send(PARCEL)
    assert isinstance(outcome, GiveUp)
    assert "this is a rehearsal, which calls only this machine's own addresses" in outcome.why


def test_a_name_with_one_address_beyond_this_machine_is_refused() -> None:
    with pytest.raises(Forbidden, match="rehearsal"):
        target("https://hooks.example/t", ("loopback",), lambda *_: ["127.0.0.1", "93.184.215.14"], only_loopback=True)
