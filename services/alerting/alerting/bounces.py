"""Mails that a server took and another sent back: read as RFC 3464 says, kept with their delivery, and rung for.

A mail is known by its Message-ID, which is that of its notice. What is no report about a mail of ours is refused, so
that whoever pipes the bounce mailbox in here sees what was not understood.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from uuid import UUID

from sqlalchemy import Connection, select, update

from alerting import undelivered
from alerting.delivery.bell import Bell
from alerting.delivery.ledger import DEAD, MAIL
from alerting.delivery.outcome import GiveUp
from alerting.delivery.parcel import Parcel
from alerting.parts import NAME, Parts
from alerting.tables import attempts, deliveries, notices
from tocsin.errors import NotFound, Refused, Wrong
from tocsin.messages.envelope import identity
from tocsin.store import audit

_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a server says of a mail to one address. `status` as RFC 3463 (5.1.1); not `is_final`: it still tries."""

    notice_id: UUID
    address: str
    is_final: bool
    status: str
    said: str


def read(raw: bytes) -> list[Bounce]:
    """What a bounce says, by address. Refused when it is no delivery status notification about a mail of ours."""
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    blocks = [
        block for part in mail.walk() if part.get_content_type() == "message/delivery-status" for block in _of(part)
    ]
    if not blocks:
        allowed = "a delivery status notification (RFC 3464), whole, as the mail server got it"
        raise Refused("this mail is no bounce", [Wrong("", f"its content is {mail.get_content_type()}", allowed)])
    notice_id = _notice(mail)
    if notice_id is None:
        allowed = "a bounce that holds the mail it is about, or its headers"
        raise Refused("this bounce is not about a mail of ours", [Wrong("", "no Message-ID of a notice", allowed)])
    return [found for block in blocks if (found := _bounce(block, notice_id)) is not None]


def record(tx: Connection, parts: Parts, bounce: Bounce) -> str:
    """Keep it with its delivery and ring for it; answers what was done, in words. NotFound for a mail never sent."""
    delivery_id = identity("delivery", str(bounce.notice_id), MAIL, bounce.address)
    its = deliveries.c
    query = select(deliveries, notices.c.bell).join(notices, notices.c.id == its.notice_id)
    row = tx.execute(query.where(its.id == delivery_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound(f"no mail of notice {bounce.notice_id} was sent to {bounce.address}")
    now, why = parts.now(), f"bounced, status {bounce.status}: {bounce.said}"[:_LONGEST]
    audit.append(tx, at=now, who=NAME, did="mail bounced", about=f"delivery {delivery_id}", reason=why)
    if not bounce.is_final:
        tx.execute(update(deliveries).where(its.id == delivery_id).values(why=why))
        return f"{bounce.address}: still tried by the other server ({bounce.status}); kept"
    if row.state == DEAD:
        return f"{bounce.address}: given up before; kept"
    tx.execute(
        update(attempts)
        .where(attempts.c.delivery_id == delivery_id, attempts.c.number == row.attempts)
        .values(outcome="bounced", why=why)
    )
    values = {"state": DEAD, "ended_at": now, "why": why, "lease_until": None, "holder": None}
    tx.execute(update(deliveries).where(its.id == delivery_id).values(values))
    parcel = Parcel(
        delivery_id, row.notice_id, row.address, row.attempts, row.attempts - row.forgiven, Bell.of(row.bell)
    )
    undelivered.ring_for(tx, parts, MAIL, parcel, GiveUp(why))
    return f"{bounce.address}: bounced ({bounce.status}); somebody else is rung"


def _of(part: Message) -> Iterator[Message]:
    """The blocks of a delivery status: the first is about the mail, each other one about an address."""
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (block for block in payload if isinstance(block, Message) and block.get("Final-Recipient"))


def _bounce(block: Message, notice_id: UUID) -> Bounce | None:
    action = str(block.get("Action", "")).strip().lower()
    if action not in ("failed", "delayed"):
        return None  # delivered, relayed, expanded: nothing is wrong
    address = str(block.get("Original-Recipient") or block.get("Final-Recipient")).partition(";")[2].strip()
    said = " ".join(str(block.get("Diagnostic-Code", "no reason given")).split())
    return Bounce(notice_id, address, action == "failed", str(block.get("Status", "unknown")).strip(), said)


def _notice(mail: EmailMessage) -> UUID | None:
    """The notice that the mail was, by the Message-ID in what was sent back."""
    for part in mail.walk():
        if part is mail or part.get_content_type() not in ("message/rfc822", "text/rfc822-headers"):
            continue
        text = part.as_bytes() if part.get_content_type() == "message/rfc822" else part.get_payload(decode=True)
        for line in (text if isinstance(text, bytes) else b"").splitlines():
            if line.lower().startswith(b"message-id:"):
                name = line.partition(b":")[2].strip().strip(b"<>").partition(b"@")[0]
                try:
                    return UUID(name.decode("ascii", "replace"))
                except ValueError:
                    return None
    return None
