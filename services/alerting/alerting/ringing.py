"""Carries out what `alarm` decides: notices to the people whom `routing` finds, and the timer for the next one.

Every function works in the caller's transaction, so that an alert and its first notice are kept both or neither.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, insert, select, update

from alerting import alarm, call_plans, decisions, deeds, kinds, routing, timers, webhooks
from alerting.delivery import ledger
from alerting.delivery.bell import Bell, Due, case_number
from alerting.delivery.ledger import To
from alerting.parts import Parts
from alerting.tables import acknowledgements, alerts, assignments, notices
from tocsin.domain.protocol import Protocol
from tocsin.messages.bodies import DecisionRecordedV1
from tocsin.messages.envelope import identity
from tocsin.store.insert import insert_unless_there

HOUSE_ZONE = "UTC"

# Made once: these run for every alert, and making a statement costs as much as running it.
_A, _N = alerts.c, notices.c
_LOAD = select(alerts).where(_A.id == bindparam("of_id")).with_for_update()
_HANDED = (
    select(assignments.c.to, assignments.c.number, assignments.c.at)
    .where(assignments.c.alert_id == bindparam("of_alert"))
    .order_by(assignments.c.number.desc())
    .limit(1)
)
_HISTORY = select(_N.step, _N.at, _N.cause).where(_N.alert_id == bindparam("of_alert"), _N.rung_role.is_not(None))
_ANSWERED = select(acknowledgements.c.by).where(
    acknowledgements.c.alert_id == bindparam("of_alert"), acknowledgements.c.handed == bindparam("of_times")
)
_NOBODY = update(alerts).where(_A.id == bindparam("of_id")).values(nobody_since=bindparam("nobody_since"))
_KEEP = insert(notices)


@dataclass(frozen=True, slots=True)
class Ringing:
    """An alert, as far as ringing needs it."""

    id: UUID
    study: str
    case_id: str | None
    kind: str
    level: str
    roles: tuple[str, ...]
    avoid: To | None
    due: Due | None
    state: str
    raised_at: datetime
    policy: alarm.Policy | None = None
    handed: alarm.Handed | None = None
    answered_by: str | None = None
    last_deed_at: datetime | None = None
    nobody_since: datetime | None = None

    def alarm_at(self, now: datetime) -> alarm.Alarm:
        """What to decide by. Facts from a machine whose clock is ahead are known now, not in the future."""
        until = self.kind in kinds.UNTIL_ANSWERED
        return alarm.Alarm(
            self.level, self.state, min(self.raised_at, now), self.roles, until, self.handed, self.answered_by,
            self.last_deed_at,
        )  # fmt: skip

    def policy_at(self, now: datetime) -> alarm.Policy:
        """The call plan's, as it was when it was raised; else the house's own."""
        return self.policy or alarm.policy_for(self.alarm_at(now))


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A role that had nobody when it was to be rung; `rung_role` None: nor had any other.

    The same role: whoever was on duty had no address, and another one was rung.
    """

    study: str
    role: str
    rung_role: str | None

    @property
    def said(self) -> str:
        """In words, for whoever mends it."""
        if self.rung_role == self.role:
            return f"nobody is reachable as {self.role} on duty; another {self.role} was rung instead"
        return f"nobody is reachable as {self.role}; {self.rung_role} was rung instead"


def load(tx: Connection, alert_id: UUID) -> Ringing | None:
    """The alert, locked until the transaction ends."""
    row = tx.execute(_LOAD, {"of_id": alert_id}).one_or_none()
    if row is None:
        return None
    return Ringing(
        row.id, row.study, row.case_id, row.kind, row.level, tuple(row.roles),
        To(*row.avoid) if row.avoid else None, Due.of(row.due) if row.due else None, row.state, row.raised_at,
        alarm.Policy.of(row.policy) if row.policy else None, handed(tx, alert_id),
        row.settled_by if row.state == alarm.ACKNOWLEDGED else None,
        _last_deed(tx, row) if row.state == alarm.ACKNOWLEDGED else None,
        row.nobody_since,
    )  # fmt: skip


def handed(tx: Connection, alert_id: UUID) -> alarm.Handed | None:
    """To whom it was handed over last."""
    row = tx.execute(_HANDED, {"of_alert": alert_id}).one_or_none()
    return None if row is None else alarm.Handed(row.to, row.number, row.at)


def _last_deed(tx: Connection, row: Any) -> datetime:
    """When something was done about it last: it was acknowledged, or its case was decided on or reported."""
    deed = deeds.last_about(tx, row.case_id) if row.case_id is not None else None
    settled: datetime = row.settled_at
    return settled if deed is None else max(deed, settled)


def history(tx: Connection, alert_id: UUID) -> list[alarm.Rung]:
    """The steps that were rung and reached somebody."""
    rows = tx.execute(_HISTORY, {"of_alert": alert_id})
    return [alarm.Rung(row.step, row.at, row.cause) for row in rows]


def ring(
    tx: Connection, parts: Parts, alert: Ringing, rung: Sequence[alarm.Rung], at: datetime, *,
    plan: call_plans.Kept | None = None,
) -> list[Shortfall]:  # fmt: skip
    """Ring all that is due now, and set the timer for what comes next. Answers the roles that had nobody.

    The same address is rung once, however many of these notices would reach it. `plan`: the study's at this moment,
    where it is known already.
    """
    ringing = alert.alarm_at(at)
    policy = alert.policy_at(at)
    people: list[routing.Person] = []
    hooks: list[routing.Hook] | None = None
    done, shortfalls, told, nobody = list(rung), [], set[To](), False
    while (notice := alarm.next_notice(ringing, done, policy, at)) is not None:
        if hooks is None:
            enabled = webhooks.enabled(tx)
            hooks = routing.hooks_for(alert.study, enabled)
            people = call_plans.callees(tx, alert.study, parts.studies, enabled, at, plan=plan)
            people += routing.contacts_of(alert.study, parts.studies)
        answered = answered_by(tx, alert.id) if notice.everyone else ()
        reached = routing.reach(notice.role, people, hooks, avoid=alert.avoid, without=answered)
        is_by_another_channel = alert.avoid is not None and not alert.avoid.address
        is_short = reached.rung_role != notice.role or not reached.on_duty
        if is_short and not is_by_another_channel:
            shortfalls.append(Shortfall(alert.study, notice.role, reached.rung_role))
        _keep(tx, parts, alert, notice, reached, [to for to in reached.to if to not in told], at)
        told.update(reached.to)
        if reached.rung_role is None:
            nobody = True
            break
        done.append(alarm.Rung(notice.step, at, notice.cause))
    if nobody is (alert.nobody_since is None):
        tx.execute(_NOBODY, {"of_id": alert.id, "nobody_since": at if nobody else None})
    _set_timer(tx, alert, alarm.next_due(ringing, done, policy, at), nobody, at)
    return shortfalls


def answered_by(tx: Connection, alert_id: UUID) -> frozenset[str]:
    """Who has acknowledged it since it was handed over last."""
    return frozenset(tx.scalars(_ANSWERED, {"of_alert": alert_id, "of_times": times(tx, alert_id)}))


def times(tx: Connection, alert_id: UUID) -> int:
    """How often it was handed over."""
    last = handed(tx, alert_id)
    return 0 if last is None else last.number


def _set_timer(tx: Connection, alert: Ringing, due_at: datetime | None, nobody: bool, at: datetime) -> None:
    urgency = kinds.urgency(alert.level, alert.kind)
    if nobody:
        due_at = at + alarm.RETRY_NOBODY
    if due_at is None:
        timers.stop(tx, timers.ALARM, str(alert.id), at, "nothing more to ring")
    else:
        timers.move(tx, timers.ALARM, str(alert.id), study=alert.study, due_at=due_at, urgency=urgency)


def _keep(
    tx: Connection, parts: Parts, alert: Ringing, notice: alarm.Notice, reached: routing.Reached,
    to: Sequence[To], at: datetime,
) -> None:  # fmt: skip
    # A step that reached nobody is rung again later: each of those tries is a notice of its own.
    tried = [at.isoformat()] if reached.rung_role is None else []
    cause = [notice.cause] if notice.cause != alarm.POLICY else []
    notice_id = identity("notice", str(alert.id), str(notice.step), *cause, *tried)
    reason = "; ".join(part for part in (notice.reason, reached.note) if part)
    bell = bell_of(parts, alert, notice, at)
    row: dict[str, Any] = {
        "id": notice_id, "alert_id": alert.id, "step": notice.step, "role": notice.role,
        "rung_role": reached.rung_role, "at": at, "reason": reason, "bell": bell.as_json(), "cause": notice.cause,
        "people": list(reached.people), "everyone": notice.everyone,
    }  # fmt: skip
    tx.execute(_KEEP, row)
    held = {} if kinds.wakes(alert.kind, alert.level) else reached.held
    ledger.plan(tx, notice_id, alert.id, to, kinds.urgency(alert.level, alert.kind), at, held=held)
    decisions.record(
        tx,
        what=decisions.RUNG,
        about=str(alert.id),
        parts=(str(notice_id),),
        study=alert.study,
        case_id=alert.case_id,
        by="alerting",
        at=at,
        reason=reason,
        detail={
            "notice_id": str(notice_id),
            "step": notice.step,
            "role": notice.role,
            "rung_role": reached.rung_role,
            "why": notice.reason,
            "answer_by": notice.answer_by.isoformat() if notice.answer_by else None,
            "cause": notice.cause,
            "people": list(reached.people),
            "everyone": notice.everyone,
            "policy": json.dumps(alert.policy.as_json()) if alert.policy else None,
        },
    )


def restore(tx: Connection, parts: Parts, alert: Ringing, deed: DecisionRecordedV1) -> None:
    """On a rebuild: the notice that the log says was rung, without ringing again."""
    detail = deed.detail
    answer_by = datetime.fromisoformat(str(detail["answer_by"])) if detail["answer_by"] else None
    notice = alarm.Notice(
        int(str(detail["step"])), str(detail["role"]), str(detail["why"]), answer_by,
        str(detail.get("cause", alarm.POLICY)), bool(detail.get("everyone")),
    )  # fmt: skip
    row = {
        "id": UUID(str(detail["notice_id"])), "alert_id": alert.id, "step": notice.step, "role": notice.role,
        "rung_role": detail["rung_role"], "at": deed.at, "reason": deed.reason,
        "bell": bell_of(parts, alert, notice, deed.at).as_json(), "cause": notice.cause,
        "people": detail.get("people"), "everyone": notice.everyone,
    }  # fmt: skip
    if detail.get("policy"):
        tx.execute(update(alerts).where(alerts.c.id == alert.id).values(policy=json.loads(str(detail["policy"]))))
    tx.execute(insert_unless_there(notices, tx.dialect.name), row)


def bell_of(parts: Parts, alert: Ringing, notice: alarm.Notice, at: datetime) -> Bell:
    """What of this notice may leave the house."""
    protocol: Protocol | None = parts.studies.get(alert.study)
    return Bell(
        to="physician",
        alert_id=str(alert.id),
        case_id=case_number(alert.case_id),
        kind=alert.kind,
        words=kinds.words(alert.kind),
        level=alert.level,
        reason=notice.reason,
        step=notice.step,
        due=alert.due,
        answer_by=notice.answer_by,
        zone=protocol.receiver_zone if protocol else ZoneInfo(HOUSE_ZONE),
        link=f"{parts.public_url.rstrip('/')}/a/{alert.id}",
        sent_at=at,
    )
