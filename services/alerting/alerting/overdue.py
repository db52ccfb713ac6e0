"""Reports to an authority that were not sent in time: what rings them, who may silence them, what ends the ringing.

An overdue report rings hourly until it is sent; the medical director may silence it for four hours (readings.md, clocks
6 and 9). Sending it ends the ringing and not the lateness.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select, update

from alerting import kinds, timers
from alerting.alarm import CLOSED, OPEN
from alerting.parts import NAME
from alerting.tables import alerts
from tocsin.messages.bodies import AlertSettledV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.store import audit, outbox

OVERDUE = "overdue"
KIND = "clock_overdue"
SILENCE = timedelta(hours=4)

# Made once: these run for every message, and making a statement costs as much as running it.
_A = alerts.c
_RINGING = select(_A.id, _A.group_key).where(_A.case_id == bindparam("of_case"), _A.kind == KIND, _A.state == OPEN)
_CLOSE = (
    update(alerts)
    .where(_A.id == bindparam("of_id"))
    .values(state=CLOSED, settled_at=bindparam("settled_at"), settled_by=NAME)
)


def about(case_id: str, due_at: datetime) -> str:
    """The name of the timer that rings for what a case owed at this instant."""
    return f"{case_id}|{due_at.isoformat()}|{OVERDUE}"


def group_of(timer_about: str) -> str:
    """The group of the alerts of this timer: one is open at a time."""
    return f"{OVERDUE}|{timer_about}"


def since(due_at: datetime) -> datetime:
    """A report sent within the due second is in time: overdue begins with the next one."""
    return due_at + timedelta(seconds=1)


def ring_at(tx: Connection, study: str, timer_about: str, at: datetime) -> None:
    """Ring at this instant, whether or not this has rung before."""
    timers.move(tx, timers.CLOCK, timer_about, study=study, due_at=at, urgency=kinds.urgency(OVERDUE, KIND))


def silenced(tx: Connection, study: str, group_key: str, at: datetime) -> None:
    """The medical director has acknowledged: it rings again when the silence is over."""
    ring_at(tx, study, group_key.removeprefix(f"{OVERDUE}|"), at + SILENCE)


def settle(tx: Connection, study: str, case_id: str, owed: Collection[datetime], at: datetime) -> None:
    """End the ringing of overdue reports that are no longer owed: of a due instant that is not in `owed`.

    Their lateness stays where it is kept.
    """
    for row in tx.execute(_RINGING, {"of_case": case_id}).all():
        if _due_at(row.group_key) in owed:
            continue
        tx.execute(_CLOSE, {"of_id": row.id, "settled_at": at})
        timers.stop(tx, timers.ALARM, str(row.id), at, "no longer owed")
        reason = "nothing is owed on this clock any more"
        audit.append(tx, at=at, who=NAME, did="alert closed", about=f"alert {row.id}", study=study, reason=reason)
        body = AlertSettledV1(
            alert_id=str(row.id), case_id=case_id, study=study, how="closed", by=NAME, at=at, reason=reason
        )
        outbox.put(
            tx,
            Envelope(identity("alert.settled", str(row.id)), "alerts.settled.v1", case_id, NAME, study, at, at, body),
        )


def _due_at(group_key: str) -> datetime:
    return datetime.fromisoformat(group_key.split("|")[2])
