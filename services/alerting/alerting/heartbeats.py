"""The heartbeat at its end: kept when the report and when its coding arrived, and told to whoever watches from outside.

Nothing of a heartbeat is a case. A receiver of webhooks in the role `heartbeat` gets each one that went the whole way;
when the whole house is down, such a receiver is the only one that can ring.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select, update

from alerting import kinds, webhooks
from alerting.delivery import ledger
from alerting.delivery.bell import HEARTBEAT, Bell
from alerting.delivery.ledger import WEBHOOK, To
from alerting.parts import Parts
from alerting.tables import heartbeats, notices
from tocsin.messages.envelope import identity
from tocsin.messages.heartbeat import beat_of
from tocsin.store.insert import insert_unless_there

REPORT, CODING = "report", "coding"
LEGS: Final[Mapping[str, str]] = {REPORT: "the report itself", CODING: "its coding"}
PATIENCE: Final = timedelta(minutes=15)
"""How long a beat may be on its way before it is missed."""


def arrived(tx: Connection, parts: Parts, leg: str, case_id: str) -> None:
    """Keep that the beat came this way; one that is older than the last says nothing new."""
    if parts.is_rebuilding:
        return
    beat_at, now = beat_of(case_id), parts.wall()
    row = {"leg": leg, "beat_at": beat_at, "arrived_at": now}
    its = heartbeats.c
    newer = update(heartbeats).where(its.leg == leg, its.beat_at < beat_at)
    is_new = tx.execute(insert_unless_there(heartbeats, tx.dialect.name), row).rowcount
    is_new = is_new or tx.execute(newer.values(beat_at=beat_at, arrived_at=now)).rowcount
    if is_new and leg == CODING:
        _tell(tx, parts, beat_at)


def ages(tx: Connection, now: datetime) -> dict[str, timedelta]:
    """How old the last beat is that came each way; a way by which none ever came is not named."""
    return {row.leg: now - row.beat_at for row in tx.execute(select(heartbeats))}


def missed(tx: Connection, now: datetime, every: timedelta, up_since: datetime) -> str | None:
    """What does not arrive, in words; None while all is well, or the house has not been up for long enough to know."""
    limit = every + PATIENCE
    if now - up_since < limit:
        return None
    old = ages(tx, now)
    late = [leg for leg in LEGS if leg not in old or old[leg] > limit]
    if not late:
        return None
    what = " and ".join(LEGS[leg] for leg in late)
    last = [f"{LEGS[leg]} last came {int(old[leg].total_seconds() // 60)} minutes ago" for leg in late if leg in old]
    return "; ".join([f"the heartbeat did not arrive: {what} is missing", *last])


def _tell(tx: Connection, parts: Parts, beat_at: datetime) -> None:
    """Owe it to each receiver that watches from outside."""
    to = [To(WEBHOOK, hook.id) for hook in webhooks.enabled(tx) if hook.role == webhooks.HEARTBEAT]
    if not to:
        return
    now = parts.now()
    notice_id = identity(HEARTBEAT, beat_at.isoformat())
    bell = Bell(
        to="physician", alert_id=None, case_id=None, kind=HEARTBEAT, words="heartbeat", level="info", reason="", step=0,
        due=None, answer_by=None, zone=ZoneInfo("UTC"), link=f"{parts.public_url.rstrip('/')}/ready", sent_at=now,
    )  # fmt: skip
    row = {
        "id": notice_id, "alert_id": None, "step": 0, "role": HEARTBEAT, "rung_role": HEARTBEAT, "at": now,
        "reason": "a heartbeat went the whole way", "bell": bell.as_json(),
    }  # fmt: skip
    tx.execute(insert(notices), row)
    ledger.plan(tx, notice_id, None, to, kinds.urgency("info"), now)
