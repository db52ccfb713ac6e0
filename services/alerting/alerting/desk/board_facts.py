"""What the board reads: few questions to the tables, each bounded, so that five thousand cases open as fast as five."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select, tuple_

from alerting import board, timers
from alerting.alarm import ACKNOWLEDGED, OPEN
from alerting.delivery.ledger import DELIVERED, MAIL
from alerting.desk.now import RINGING_LEVELS
from alerting.tables import alerts, clocks, deliveries, signed, snapshots

RINGING, CLOCKS, WORK, OPEN_WITHOUT_RINGING = 50, 12, 8, 8


@dataclass(frozen=True, slots=True)
class Whose:
    """Of whom a case tells, by its newest report."""

    subject: str | None
    site: str
    received_at: datetime
    revision: int


def ringing(tx: Connection) -> list[dict[str, Any]]:
    """The open alerts that ring, the longest rung first."""
    ids = _ids(tx, alerts.c.level.in_(RINGING_LEVELS), RINGING, newest_first=False)
    return _whole(tx, ids)


def quiet(tx: Connection) -> tuple[int, list[Row[Any]]]:
    """The open alerts that were told once and do not ring: how many, and the newest of them."""
    wanted = and_(alerts.c.state == OPEN, alerts.c.level.not_in(RINGING_LEVELS))
    number = tx.scalar(select(func.count()).where(wanted)) or 0
    return number, list(
        tx.execute(select(alerts).where(wanted).order_by(alerts.c.raised_at.desc()).limit(OPEN_WITHOUT_RINGING))
    )


def running(tx: Connection) -> tuple[int, list[Row[Any]]]:
    """The clocks on which something is owed: how many, and the soonest due."""
    c = clocks.c
    number = tx.scalar(select(func.count()).where(c.is_open.is_(True))) or 0
    rows = tx.execute(select(clocks).where(c.is_open.is_(True)).order_by(c.due_at, c.case_id, c.rule).limit(CLOCKS))
    return number, list(rows)


def due_before(tx: Connection, moments: Sequence[datetime]) -> list[int]:
    """How many open clocks are due before each of these moments."""
    c = clocks.c
    return [tx.scalar(select(func.count()).where(c.is_open.is_(True), c.due_at < at)) or 0 for at in moments]


def unfinished(tx: Connection) -> list[Row[Any]]:
    """What was acknowledged while its case still owes something: the newest of each case."""
    owing = select(clocks.c.case_id).where(clocks.c.is_open.is_(True))
    rows = tx.execute(
        select(alerts.c.case_id, alerts.c.kind, alerts.c.settled_by, alerts.c.settled_at, alerts.c.id)
        .where(alerts.c.state == ACKNOWLEDGED, alerts.c.case_id.in_(owing))
        .order_by(alerts.c.settled_at.desc())
        .limit(WORK * 4)
    )
    newest: dict[str, Any] = {}
    for row in rows:
        newest.setdefault(row.case_id, row)
    return list(newest.values())[:WORK]


def whose(tx: Connection, case_ids: Collection[str]) -> Mapping[str, Whose]:
    """Of whom each of these cases tells."""
    s = snapshots.c
    newest = (
        select(s.case_id, func.max(s.revision)).where(s.case_id.in_(case_ids), s.source == "report").group_by(s.case_id)
    )
    rows = tx.execute(
        select(s.case_id, s.subject, s.at, s.revision, s.body["site"].as_string().label("site"))
        .where(s.source == "report", tuple_(s.case_id, s.revision).in_(newest))
    )  # fmt: skip
    return {row.case_id: Whose(row.subject, row.site, row.at, row.revision) for row in rows}


def waiting_for_a_signature(tx: Connection, case_ids: Collection[str]) -> frozenset[str]:
    """Those of these cases on which a second person must sign."""
    query = select(signed.c.case_id).where(signed.c.case_id.in_(case_ids), signed.c.signed_at.is_(None))
    return frozenset(tx.scalars(query))


def ringing_cases(tx: Connection, case_ids: Collection[str]) -> frozenset[str]:
    """Those of these cases about which an alarm rings."""
    query = select(alerts.c.case_id).where(
        alerts.c.case_id.in_(case_ids), alerts.c.state == OPEN, alerts.c.level.in_(RINGING_LEVELS)
    )
    return frozenset(tx.scalars(query))


def last_report(tx: Connection) -> datetime | None:
    """When the last report came."""
    found: datetime | None = tx.scalar(select(func.max(snapshots.c.at)).where(snapshots.c.source == "report"))
    return found


def uncoded_since(tx: Connection, after: datetime) -> tuple[int, datetime | None]:
    """How many reports since `after` have no coding of their revision yet, and since when the oldest waits."""
    s, coding = snapshots.c, snapshots.alias("coding")
    coded = (
        select(1)
        .where(coding.c.case_id == s.case_id, coding.c.source == "coding", coding.c.revision == s.revision)
        .exists()
    )
    query = select(func.count(), func.min(s.at)).where(s.source == "report", s.at > after, ~coded)
    number, oldest = tx.execute(query).one()
    return number, oldest


def last_mail(tx: Connection) -> datetime | None:
    """When the last e-mail was taken by the mail server, or by the mailbox folder."""
    d = deliveries.c
    found: datetime | None = tx.scalar(select(func.max(d.ended_at)).where(d.state == DELIVERED, d.channel == MAIL))
    return found


def uncoded_alerts(tx: Connection) -> int:
    """How many reports are uncoded past their time, unanswered."""
    return tx.scalar(select(func.count()).where(alerts.c.state == OPEN, alerts.c.kind == timers.UNCODED)) or 0


def _ids(tx: Connection, wanted: Any, limit: int, *, newest_first: bool) -> list[Any]:
    order = alerts.c.raised_at.desc() if newest_first else alerts.c.raised_at
    query = select(alerts.c.id).where(alerts.c.state == OPEN, wanted).order_by(order, alerts.c.id).limit(limit)
    return list(tx.scalars(query))


def _whole(tx: Connection, ids: Sequence[Any]) -> list[dict[str, Any]]:
    place = {str(one): n for n, one in enumerate(ids)}
    found = board.alerts_like(tx, ids=ids) if ids else []
    return sorted(found, key=lambda one: place[one["alert_id"]])
