"""What the page of deliveries shows: each with the alarm it is of, those that were given up, and dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, case, func, select

from alerting import board, kinds
from alerting.alarm import OPEN
from alerting.delivery.ledger import DEAD, PENDING, SENDING
from alerting.tables import alerts, dead_letters, deliveries, notices, webhooks
from tocsin.bus.dead import dead_topic

MOST_DEAD: Final = 20
_MOST_LETTERS: Final = 20
_MOST_REASONS: Final = 5


@dataclass(frozen=True, slots=True)
class Counts:
    """How many deliveries were given up (of alarms that are still open; in all), and how many have not ended."""

    dead_open: int
    dead: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Letters:
    """The dead letters of one topic that joined one alarm."""

    topic: str
    dead_topic: str
    alert_id: UUID
    state: str
    study: str
    since: datetime
    count: int
    reasons: tuple[str, ...]


def counts(tx: Connection) -> Counts:
    """Counted over all that is kept."""
    d = deliveries.c
    of_open = d.alert_id.in_(select(alerts.c.id).where(alerts.c.state == OPEN))
    dead_open = tx.scalar(select(func.count()).where(d.state == DEAD, of_open)) or 0
    dead = tx.scalar(select(func.count()).where(d.state == DEAD)) or 0
    waiting = tx.scalar(select(func.count()).where(d.state.in_((PENDING, SENDING)))) or 0
    return Counts(dead_open, dead, waiting)


def heading(found: Counts) -> str:
    """What needs somebody, as a sentence."""
    if found.dead:
        return f"{found.dead} {'delivery was' if found.dead == 1 else 'deliveries were'} given up."
    if found.waiting:
        return f"{found.waiting} {'delivery is' if found.waiting == 1 else 'deliveries are'} on the way."
    return "Every delivery has arrived."


def given_up(tx: Connection) -> list[dict[str, Any]]:
    """Those of open alarms first, then the newest."""
    d = deliveries.c
    open_first = case((d.alert_id.in_(select(alerts.c.id).where(alerts.c.state == OPEN)), 0), else_=1)
    ids = tx.scalars(
        select(d.id).where(d.state == DEAD).order_by(open_first, d.ended_at.desc(), d.id).limit(MOST_DEAD)
    ).all()
    return [one for delivery_id in ids for one in board.deliveries_like(tx, delivery_id=delivery_id)]


def shown(tx: Connection, found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each delivery with what it tells of, the case, the state of its alarm, and the address as people know it."""
    n, a = notices.c, alerts.c
    ids = [UUID(one["notice_id"]) for one in found]
    query = select(n.id, n.bell, n.rung_role, a.state).select_from(notices.outerjoin(alerts, a.id == n.alert_id))
    told = {str(row.id): row for row in tx.execute(query.where(n.id.in_(ids)))}
    urls = {str(row.id): row.url for row in tx.execute(select(webhooks.c.id, webhooks.c.url))}
    return [
        {
            **one,
            "to": urls.get(one["address"], one["address"]),
            "words": _words(told[one["notice_id"]].bell),
            "case_id": told[one["notice_id"]].bell.get("case_id"),
            "role": told[one["notice_id"]].rung_role,
            "alarm": told[one["notice_id"]].state,
        }
        for one in found
    ]


def _words(bell: dict[str, Any]) -> str:
    return str(bell.get("words") or kinds.words(bell.get("kind", "")))


def letters(tx: Connection) -> list[Letters]:
    """Dead letters by topic and alarm: open ones first, then the newest. Of each, the first few reasons."""
    d, a = dead_letters.c, alerts.c
    open_first = case((a.state == OPEN, 0), else_=1)
    rows = tx.execute(
        select(d.topic, d.alert_id, a.state, a.study, func.min(d.at).label("since"), func.count().label("number"))
        .join(alerts, a.id == d.alert_id)
        .group_by(d.topic, d.alert_id, a.state, a.study, a.raised_at)
        .order_by(open_first, a.raised_at.desc())
        .limit(_MOST_LETTERS)
    ).all()
    found = []
    for row in rows:
        mine = select(d.reason).where(d.alert_id == row.alert_id, d.topic == row.topic)
        reasons = tx.scalars(mine.order_by(d.at, d.offset, d.consumer).limit(_MOST_REASONS)).all()
        found.append(
            Letters(row.topic, dead_topic(row.topic), row.alert_id, row.state, row.study, row.since, row.number,
                    tuple(reasons))
        )  # fmt: skip
    return found
