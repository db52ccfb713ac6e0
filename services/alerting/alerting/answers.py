"""Who answers an alert, hands it over or closes it, and what that stops. On a rebuild: what the log says of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update

from alerting import alarm, call_plans, decisions, kinds, overdue, ringing, timers
from alerting.accounts import key
from alerting.alarm import ACKNOWLEDGED, CLOSED, OPEN
from alerting.overdue import OVERDUE
from alerting.parts import NAME, Parts
from alerting.tables import acknowledgements, alerts, assignments, notices
from tocsin.errors import Conflict, NotFound, Refused, Wrong
from tocsin.messages.bodies import AlertSettledV1, DecisionRecordedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.store import audit, outbox
from tocsin.store.insert import insert_unless_there


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Who was first. `is_first`: this very call was. `waits_for`: who must answer, too, before the ringing stops."""

    by: str
    at: datetime
    is_first: bool
    waits_for: tuple[str, ...] = ()


def acknowledge(
    tx: Connection, parts: Parts, alert_id: UUID, by: str, roles: Sequence[str], at: datetime
) -> Acknowledged | None:
    """A person answers. Doing so again, or after another, changes nothing, and is recorded. None: no such alert.

    Where everyone on a step must answer, the ringing stops with the last of them.
    """
    # The timer before the alert, as the chores do: two who lock in different orders wait for each other for ever.
    timers.lock(tx, timers.ALARM, str(alert_id))
    row = tx.execute(select(alerts).where(alerts.c.id == alert_id).with_for_update()).one_or_none()
    if row is None:
        return None
    is_open, handed = row.state == OPEN, ringing.times(tx, alert_id)
    answered = {*ringing.answered_by(tx, alert_id), by}
    waits_for = sorted(alarm.still_to_answer(_must_answer(tx, alert_id), answered, handed)) if is_open else []
    settles = is_open and not waits_for
    told = {"alert_id": alert_id, "by": by, "at": at, "roles": sorted(roles), "settles": settles, "handed": handed}
    if _told(tx, told):
        audit.append(
            tx, at=at, who=by, did="alert acknowledged" if is_open else "alert acknowledged after another",
            about=f"alert {alert_id}", study=row.study, after={"waits_for": waits_for} if waits_for else None,
        )  # fmt: skip
        decisions.record(
            tx, what=decisions.ACKNOWLEDGED, about=str(alert_id), parts=(by, *([str(handed)] if handed else [])),
            study=row.study, case_id=row.case_id, by=by, at=at,
            detail={"roles": sorted(roles), "settles": settles, "handed": handed},
        )  # fmt: skip
    if not is_open:
        return Acknowledged(row.settled_by, row.settled_at, is_first=False)
    if not settles:
        return Acknowledged(by, at, is_first=False, waits_for=tuple(waits_for))
    _settle(tx, alert_id, by, at)
    if row.level == OVERDUE and row.group_key is not None:
        overdue.silenced(tx, row.study, row.group_key, at)
    _say(tx, row, AlertSettledV1(
        alert_id=str(alert_id), case_id=row.case_id, study=row.study, how="acknowledged", by=by, at=at
    ), *([str(handed)] if handed else []))  # fmt: skip
    return Acknowledged(by, at, is_first=True)


def hand_over(
    tx: Connection, parts: Parts, alert_id: UUID, to: str, *, by: str, reason: str, at: datetime
) -> tuple[ringing.Shortfall, ...]:
    """Another person has it from now on: rung at once, and owed the waits anew; acknowledged before, it is open again.

    Raises NotFound, Conflict for one that is closed, Refused where nobody who may acknowledge is called so.
    """
    row = _locked(tx, alert_id)
    if row.state == CLOSED:
        raise Conflict(f"it was closed by {row.settled_by}: nobody has it any more")
    name = key(to)
    people = {one.name: one for one in call_plans.people_of(tx, parts, row.study, at)}
    may = [one.name for one in people.values() if may_acknowledge(row.level, row.roles, frozenset(one.roles))]
    if name not in may:
        known = f"{to} may not acknowledge it" if name in people else f"nobody in the call plan is called {to}"
        allowed = ", ".join(may) or "somebody in the study's call plan: there is none yet"
        raise Refused("this alert cannot be handed over so", [Wrong("/to", known, allowed)])
    number = ringing.times(tx, alert_id) + 1
    tx.execute(
        insert(assignments),
        {"alert_id": alert_id, "number": number, "to": name, "by": by, "at": at, "reason": reason},
    )
    audit.append(
        tx, at=at, who=by, did="alert handed over", about=f"alert {alert_id}", study=row.study, reason=reason,
        after={"to": name},
    )  # fmt: skip
    decisions.record(
        tx, what=decisions.HANDED_OVER, about=str(alert_id), parts=(str(number),), study=row.study,
        case_id=row.case_id, by=by, at=at, reason=reason, detail={"to": name, "number": number},
    )  # fmt: skip
    _stand(tx, alert_id, at)
    alert = ringing.load(tx, alert_id)
    assert alert is not None  # it is locked
    return tuple(ringing.ring(tx, parts, alert, ringing.history(tx, alert_id), at))


def close(tx: Connection, alert_id: UUID, *, by: str, reason: str, at: datetime) -> None:
    """It is done with. Raises NotFound, Conflict for one that nobody has acknowledged yet, or that ends by itself."""
    row = _locked(tx, alert_id)
    if row.state == CLOSED:
        raise Conflict(f"it was closed by {row.settled_by} already")
    if row.level == OVERDUE:
        raise Conflict("an overdue report rings until it is sent: enter what was sent, and it ends")
    if row.state == OPEN:
        raise Conflict("acknowledge it first: nobody has answered it yet")
    audit.append(tx, at=at, who=by, did="alert closed", about=f"alert {alert_id}", study=row.study, reason=reason)
    decisions.record(
        tx, what=decisions.ALERT_CLOSED, about=str(alert_id), parts=(), study=row.study, case_id=row.case_id, by=by,
        at=at, reason=reason,
    )  # fmt: skip
    _close(tx, alert_id, by, at, reason)
    _say(tx, row, AlertSettledV1(
        alert_id=str(alert_id), case_id=row.case_id, study=row.study, how="closed", by=by, at=at, reason=reason
    ), "closed")  # fmt: skip


def _locked(tx: Connection, alert_id: UUID) -> Row[Any]:
    timers.lock(tx, timers.ALARM, str(alert_id))
    row = tx.execute(select(alerts).where(alerts.c.id == alert_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("there is no such alert")
    return row


def _say(tx: Connection, row: Row[Any], body: AlertSettledV1, *parts: str) -> None:
    message_id = identity("alert.settled", str(row.id), *parts)
    key_ = row.case_id or row.study
    outbox.put(tx, Envelope(message_id, "alerts.settled.v1", key_, NAME, row.study, body.at, body.at, body))


def _must_answer(tx: Connection, alert_id: UUID) -> list[list[str]]:
    """Whom those notices rang that everyone must acknowledge."""
    its = notices.c
    return [
        names or [] for names in tx.scalars(select(its.people).where(its.alert_id == alert_id, its.everyone.is_(True)))
    ]


def _told(tx: Connection, told: dict[str, Any]) -> bool:
    """Keep an acknowledgement; False when this person has answered already since it was handed over last."""
    if tx.execute(insert_unless_there(acknowledgements, tx.dialect.name), told).rowcount:
        return True
    its = acknowledgements.c
    again = update(acknowledgements).where(
        its.alert_id == told["alert_id"], its.by == told["by"], its.handed < told["handed"]
    )
    return bool(tx.execute(again.values({k: told[k] for k in ("at", "roles", "settles", "handed")})).rowcount)


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
    row = tx.execute(
        update(alerts)
        .where(alerts.c.id == alert_id)
        .values(state=ACKNOWLEDGED, settled_at=at, settled_by=by, nobody_since=None)
        .returning(alerts.c.policy, alerts.c.study, alerts.c.level, alerts.c.kind)
    ).one()
    remind = alarm.Policy.of(row.policy).remind if row.policy else None
    if remind is None:
        timers.stop(tx, timers.ALARM, str(alert_id), at, f"acknowledged by {by}")
    else:
        urgency = kinds.urgency(row.level, row.kind)
        timers.move(tx, timers.ALARM, str(alert_id), study=row.study, due_at=at + remind, urgency=urgency)


def _close(tx: Connection, alert_id: UUID, by: str, at: datetime, why: str | None) -> None:
    values = {"state": CLOSED, "settled_at": at, "settled_by": by, "closed_why": why, "nobody_since": None}
    tx.execute(update(alerts).where(alerts.c.id == alert_id).values(values))
    timers.stop(tx, timers.ALARM, str(alert_id), at, f"closed by {by}")


def _stand(tx: Connection, alert_id: UUID, at: datetime) -> tuple[str, datetime] | None:
    """Set the state that follows from who answered and to whom it was handed over; answers who was first."""
    row = tx.execute(select(alerts).where(alerts.c.id == alert_id)).one()
    its = acknowledgements.c
    first = tx.execute(
        select(its.by, its.at)
        .where(its.alert_id == alert_id, its.settles.is_(True), its.handed == ringing.times(tx, alert_id))
        .order_by(its.at, its.by)
    ).first()
    if row.state == CLOSED:
        return None
    if first is not None:
        _settle(tx, alert_id, first.by, first.at)
        return first.by, first.at
    if row.state == ACKNOWLEDGED:
        values = {"state": OPEN, "settled_at": None, "settled_by": None}
        tx.execute(update(alerts).where(alerts.c.id == alert_id).values(values))
        urgency = kinds.urgency(row.level, row.kind)
        timers.move(tx, timers.ALARM, str(alert_id), study=row.study, due_at=at, urgency=urgency)
    return None


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
        detail = deed.detail
        _told(tx, {
            "alert_id": alert.id, "by": deed.by, "at": deed.at, "roles": detail.get("roles", []),
            "settles": detail.get("settles", True), "handed": detail.get("handed", 0),
        })  # fmt: skip
        first = _stand(tx, alert.id, deed.at)
        if first == (deed.by, deed.at) and alert.level == OVERDUE:
            group_key = tx.scalars(select(alerts.c.group_key).where(alerts.c.id == alert.id)).one()
            if group_key is not None:
                overdue.silenced(tx, alert.study, group_key, deed.at)
    elif deed.what == decisions.HANDED_OVER:
        row = {
            "alert_id": alert.id, "number": deed.detail["number"], "to": deed.detail["to"], "by": deed.by,
            "at": deed.at, "reason": deed.reason or "",
        }  # fmt: skip
        tx.execute(insert_unless_there(assignments, tx.dialect.name), row)
        _stand(tx, alert.id, deed.at)
    elif deed.what == decisions.ALERT_CLOSED:
        _close(tx, alert.id, deed.by, deed.at, deed.reason)


OF_ALERTS = (decisions.RUNG, decisions.ACKNOWLEDGED, decisions.HANDED_OVER, decisions.ALERT_CLOSED)
"""What `apply` knows."""
