"""A mail that a server took and another sent back is shown as bounced, and rings somebody else."""

from __future__ import annotations

from email.message import EmailMessage, Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest

from alerting import bounces
from tests.alerting.ward import FATAL, Ward, report
from tocsin.errors import NotFound, Refused
from tocsin.messages.envelope import identity

PHYSICIAN = "safety-physician@sponsor.invalid"


def bounce(message_id: str, *, address: str = PHYSICIAN, action: str = "failed", headers_only: bool = False) -> bytes:
    """As Postfix and Exchange write one: words for people, the status, and the mail or its headers."""
    whole = MIMEMultipart("report", report_type="delivery-status")
    whole["From"], whole["To"], whole["Subject"] = "MAILER-DAEMON@mx.example", "tocsin@sponsor.invalid", "Undelivered"
    whole.attach(MIMEText("I'm sorry to have to inform you that your message could not be delivered."))
    status = MIMEBase("message", "delivery-status")
    about, recipient = Message(), Message()
    about["Reporting-MTA"] = "dns; mx.example"
    recipient["Final-Recipient"] = f"rfc822; {address}"
    recipient["Action"] = action
    recipient["Status"] = "5.1.1" if action == "failed" else "4.4.1"
    recipient["Diagnostic-Code"] = "smtp; 550 5.1.1 no such user\n here"
    status.set_payload([about, recipient])
    whole.attach(status)
    if headers_only:
        whole.attach(MIMEText(f"Subject: x\nMessage-ID: {message_id}\n", "rfc822-headers"))
    else:
        original = EmailMessage()
        original["Subject"], original["Message-ID"] = "x", message_id
        original.set_content("words")
        part = MIMEBase("message", "rfc822")
        part.attach(original)
        whole.attach(part)
    return whole.as_bytes()


def keep(house: Ward, raw: bytes) -> list[str]:
    found = []
    for one in bounces.read(raw):
        with house.store.transaction() as tx:
            found.append(bounces.record(tx, house.parts, one))
    house.send()
    return found


def a_death(house: Ward) -> str:
    """The Message-ID of the mail about it."""
    house.receive(report(FATAL))
    return house.mails()[0].message_id


@pytest.mark.parametrize("headers_only", [False, True])
def test_a_page_that_bounced_is_a_page_to_others(house: Ward, headers_only: bool) -> None:
    message_id = a_death(house)
    assert keep(house, bounce(message_id, headers_only=headers_only)) == [
        f"{PHYSICIAN}: bounced (5.1.1); somebody else is rung"
    ]
    [sent] = house.deliveries(state="dead")
    assert sent["why"] == "bounced, status 5.1.1: smtp; 550 5.1.1 no such user here"
    assert sent["attempts"][-1]["outcome"] == "bounced"
    [alert] = house.alerts(kind="delivery_failed")
    assert (alert["level"], alert["case_id"]) == ("page", "TOC-0031")
    assert [name for name, subject in house.rung() if "could not be delivered" in subject] == [
        "safety-team", "tocsin-admin",
    ]  # fmt: skip


def test_the_same_bounce_twice_rings_once(house: Ward) -> None:
    message_id = a_death(house)
    keep(house, bounce(message_id))
    assert keep(house, bounce(message_id)) == [f"{PHYSICIAN}: given up before; kept"]
    assert len(house.alerts(kind="delivery_failed")) == 1


def test_a_mail_that_another_server_still_tries_is_no_failure_yet(house: Ward) -> None:
    message_id = a_death(house)
    assert keep(house, bounce(message_id, action="delayed")) == [
        f"{PHYSICIAN}: still tried by the other server (4.4.1); kept"
    ]
    assert house.alerts(kind="delivery_failed") == []
    assert keep(house, bounce(message_id, action="delivered")) == []


def test_what_is_no_bounce_of_ours_is_refused_and_says_why(house: Ward) -> None:
    plain = MIMEText("I am away until Monday").as_bytes()
    with pytest.raises(Refused, match="this mail is no bounce"):
        bounces.read(plain)
    with pytest.raises(Refused, match="this bounce is not about a mail of ours"):
        bounces.read(bounce("<somebody-else@example.org>"))
    a_death(house)
    with pytest.raises(NotFound, match=r"was sent to nobody@x\.example"):
        keep(house, bounce(house.mails()[0].message_id, address="nobody@x.example"))
    with pytest.raises(NotFound):
        keep(house, bounce(f"<{identity('never sent')}@sponsor.invalid>"))
