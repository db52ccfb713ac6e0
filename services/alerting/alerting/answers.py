"""Who answers an alert, and what that stops. On a rebuild: what the log says was rung and answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select, update

from alerting import decisions, kinds, overdue, ringing, timers
from alerting.alarm import OPEN
from alerting.overdue import OVERDUE
from alerting.parts import NAME, Parts
from alerting.tables import acknowledgements, alerts
from tocsin.messages.bodies import AlertSettledV1, DecisionRecordedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.store import audit, outbox
from tocsin.store.insert import insert_unless_there

ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Who was first. `is_first`: this very call was."""

    by: str
    at: datetime
    is_first: bool


def acknowledge(
    tx: Connection, parts: Parts, alert_id: UUID, by: str, roles: Sequence[str], at: datetime
) -> Acknowledged | None:
    """A person answers. Doing so again, or after another, changes nothing, and is recorded. None: no such alert."""
    # The timer before the alert, as the chores do: two who lock in different orders wait for each other for ever.
    timers.lock(tx, timers.ALARM, str(alert_id))
    row = tx.execute(select(alerts).where(alerts.c.id == alert_id).with_for_update()).one_or_none()
    if row is None:
        return None
    is_first = row.state == OPEN
    told = {"alert_id": alert_id, "by": by, "at": at, "roles": sorted(roles)}
    if tx.execute(insert_unless_there(acknowledgements, tx.dialect.name), told).rowcount:
        audit.append(
            tx, at=at, who=by, did="alert acknowledged" if is_first else "alert acknowledged after another",
            about=f"alert {alert_id}", study=row.study,
        )  # fmt: skip
        decisions.record(
            tx, what=decisions.ACKNOWLEDGED, about=str(alert_id), parts=(by,), study=row.study, case_id=row.case_id,
            by=by, at=at, detail={"roles": sorted(roles)},
        )  # fmt: skip
    if not is_first:
        return Acknowledged(row.settled_by, row.settled_at, is_first=False)
    _settle(tx, alert_id, by, at)
    if row.level == OVERDUE and row.group_key is not None:
        overdue.silenced(tx, row.study, row.group_key, at)
    body = AlertSettledV1(
        alert_id=str(alert_id), case_id=row.case_id, study=row.study, how="acknowledged", by=by, at=at
    )
    outbox.put(
        tx,
        Envelope(identity("alert.settled", str(alert_id)), "alerts.settled.v1", row.case_id or row.study, NAME,
                 row.study, at, at, body),
    )  # fmt: skip
    return Acknowledged(by, at, is_first=True)


def may_acknowledge(level: str, alert_roles: Sequence[str], roles: frozenset[str]) -> bool:
    """Whether a person of these roles may. A page is a physician's; the rest may also be the safety team's.

    An overdue report is silenced, for four hours, by the medical director alone (readings.md, clocks 9).
    """
    if level == OVERDUE:
        return "medical_director" in roles
    allowed = {"safety_physician", "second_physician", "medical_director", *alert_roles}
    if level in ("info", "warn", "review"):
        allowed |= {"safety_team"}
    if level == "review":
        allowed |= {"medical_reviewer"}
    return bool(allowed & roles)


def _settle(tx: Connection, alert_id: UUID, by: str, at: datetime) -> None:
    tx.execute(
        update(alerts)
        .where(alerts.c.id == alert_id)
        .values(state=ACKNOWLEDGED, settled_at=at, settled_by=by, nobody_since=None)
    )
    timers.stop(tx, timers.ALARM, str(alert_id), at, f"acknowledged by {by}")


def restore(
    tx: Connection, parts: Parts, alert: ringing.Ringing, past: Sequence[DecisionRecordedV1], at: datetime
) -> None:
    """On a rebuild nothing rings: what rang and who answered is on the log; what is owed is looked at afterwards."""
    timers.move(
        tx, timers.ALARM, str(alert.id), study=alert.study, due_at=at, urgency=kinds.urgency(alert.level, alert.kind)
    )
    for deed in past:
        apply(tx, parts, alert, deed)


def apply(tx: Connection, parts: Parts, alert: ringing.Ringing, deed: DecisionRecordedV1) -> None:
    """What the log says was done about an alert, done to a table that is being rebuilt."""
    if deed.what == decisions.RUNG:
        ringing.restore(tx, parts, alert, deed)
    elif deed.what == decisions.ACKNOWLEDGED:
        told = {"alert_id": alert.id, "by": deed.by, "at": deed.at, "roles": deed.detail.get("roles", [])}
        tx.execute(insert_unless_there(acknowledgements, tx.dialect.name), told)
        first = tx.execute(
            select(acknowledgements.c.by, acknowledgements.c.at)
            .where(acknowledgements.c.alert_id == alert.id)
            .order_by(acknowledgements.c.at, acknowledgements.c.by)
        ).first()
        if first is not None:
            _settle(tx, alert.id, first.by, first.at)
            if alert.level == OVERDUE and (first.by, first.at) == (deed.by, deed.at):
                group_key = tx.scalars(select(alerts.c.group_key).where(alerts.c.id == alert.id)).one()
                if group_key is not None:
                    overdue.silenced(tx, alert.study, group_key, first.at)
