"""Every way to reach somebody: who has which address in which study, whether it works, and trying it on purpose.

A trial notice goes the whole way of an alarm (ledger, courier, server) and names nothing but itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from alerting import call_plans, decisions, kinds, webhooks
from alerting.delivery import ledger
from alerting.delivery.bell import TEST, Bell
from alerting.delivery.ledger import MAIL, WEBHOOK, To
from alerting.instants import text
from alerting.parts import ALL_STUDIES, Parts
from alerting.ringing import HOUSE_ZONE
from alerting.tables import deliveries, notices
from tocsin.domain.protocol import Protocol
from tocsin.errors import Conflict, NotFound
from tocsin.messages.bodies import DecisionRecordedV1
from tocsin.messages.envelope import identity
from tocsin.store import audit
from tocsin.store.insert import insert_unless_there


@dataclass(frozen=True, slots=True)
class Contact:
    """One address. `roles` as "study: role"; `last` is the newest delivery to it, whatever it was."""

    to: To
    name: str
    roles: tuple[str, ...]
    is_enabled: bool
    last: Mapping[str, Any] | None

    def as_json(self) -> dict[str, Any]:
        return {
            "channel": self.to.channel, "address": self.to.address, "name": self.name, "roles": list(self.roles),
            "is_enabled": self.is_enabled, "last": self.last,
        }  # fmt: skip


def listed(tx: Connection, studies: Mapping[str, Protocol], at: datetime) -> list[Contact]:
    """The addresses of people and sites in the study files and call plans, and the webhooks; each once."""
    roles: dict[To, list[str]] = {}
    for study, protocol in sorted(studies.items()):
        for person in protocol.recipients:
            if person.email:
                roles.setdefault(To(MAIL, person.email), []).append(f"{study}: {person.role}")
        for site in protocol.sites:
            if site.contact:
                roles.setdefault(To(MAIL, site.contact), []).append(f"{study}: site {site.id}")
        for planned in call_plans.load(tx, study, at).plan.people:
            for mail in planned.mails:
                roles.setdefault(To(MAIL, mail), []).extend(
                    f"{study}: {role} ({planned.name})" for role in planned.roles
                )
    mails = [Contact(to, to.address, tuple(said), True, _last(tx, to)) for to, said in roles.items()]
    hooks = []
    for hook in webhooks.listed(tx):
        to = To(WEBHOOK, str(hook.id))
        said = (f"{hook.study}: {hook.role}",)
        hooks.append(Contact(to, hook.url, said, hook.disabled_at is None, _last(tx, to)))
    return [*mails, *hooks]


def fire(tx: Connection, parts: Parts, to: To, by: str, at: datetime) -> UUID:
    """Send a trial notice; answers the delivery to look at. NotFound where nobody here has this address."""
    contact = next((one for one in listed(tx, parts.studies, at) if one.to == to), None)
    if contact is None:
        raise NotFound(f"nobody here is reached by {to.channel} at {to.address}")
    if not contact.is_enabled:
        raise Conflict(f"webhook {to.address} is disabled: enable it first, with tocsin webhooks enable")
    number = tx.scalar(select(func.count()).select_from(notices).where(notices.c.role == TEST)) or 0
    notice_id = identity(TEST, to.channel, to.address, str(number))
    _keep(tx, parts, notice_id, by, at)
    ledger.plan(tx, notice_id, None, [to], kinds.urgency("info"), at)
    audit.append(tx, at=at, who=by, did="contact tested", about=f"{to.channel} {to.address}")
    decisions.record(
        tx, what=decisions.FIRED, about=str(notice_id), parts=(TEST,), study=ALL_STUDIES, case_id=None, by=by, at=at,
        detail={"kind": TEST},
    )  # fmt: skip
    return identity("delivery", str(notice_id), to.channel, to.address)


def restore(tx: Connection, parts: Parts, deed: DecisionRecordedV1) -> None:
    """On a rebuild: the trial notice that the log says was sent, without sending it again."""
    if deed.detail.get("kind") == TEST:
        _keep(tx, parts, UUID(deed.about), deed.by, deed.at)


def _keep(tx: Connection, parts: Parts, notice_id: UUID, by: str, at: datetime) -> None:
    bell = Bell(
        to="physician", alert_id=None, case_id=None, kind=TEST, words="test of this address", level="info", reason="",
        step=0, due=None, answer_by=None, zone=ZoneInfo(HOUSE_ZONE), link=f"{parts.public_url.rstrip('/')}/desk",
        sent_at=at,
    )  # fmt: skip
    row = {
        "id": notice_id, "alert_id": None, "step": 0, "role": TEST, "rung_role": TEST, "at": at,
        "reason": f"tested by {by}", "bell": bell.as_json(),
    }  # fmt: skip
    tx.execute(insert_unless_there(notices, tx.dialect.name), row)


def _last(tx: Connection, to: To) -> dict[str, Any] | None:
    its = deliveries.c
    query = select(its.id, its.state, its.why, its.created_at, its.ended_at).where(
        its.channel == to.channel, its.address == to.address
    )
    row = tx.execute(query.order_by(its.created_at.desc(), its.id).limit(1)).one_or_none()
    return None if row is None else _shown(row)


def outcome(tx: Connection, delivery_id: UUID) -> dict[str, Any]:
    """How a delivery stands."""
    its = deliveries.c
    columns = (its.id, its.state, its.why, its.created_at, its.ended_at)
    return _shown(tx.execute(select(*columns).where(its.id == delivery_id)).one())


def _shown(row: Any) -> dict[str, Any]:
    return {
        "delivery_id": str(row.id), "state": row.state, "why": row.why,
        "created_at": text(row.created_at), "ended_at": text(row.ended_at) if row.ended_at else None,
    }  # fmt: skip
