"""Raising alerts: one alert for each thing a person must do.

The dedupe key says what an alert rings for, and its id follows from the key, so the same facts can never ring twice,
whatever arrives again and in whatever order. What is worse has another key. Equal or better facts have none of their
own: they are covered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import Connection, bindparam, select, update

from alerting import answers, call_plans, decisions, kinds, ringing
from alerting.alarm import OPEN
from alerting.delivery.bell import Due
from alerting.delivery.ledger import To
from alerting.parts import NAME, Parts
from alerting.tables import alerts, concerns
from tocsin.domain.assess import Concern
from tocsin.messages.bodies import AlertRaisedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.store import audit, outbox
from tocsin.store.insert import insert_unless_there

log = structlog.get_logger(__name__)

# Made once: these run for every message, and making a statement costs as much as running it.
_A, _C = alerts.c, concerns.c
_OPEN_IN_GROUP = select(_A.id).where(_A.group_key == bindparam("of_group"), _A.state == OPEN).limit(1)
_COVERED = select(_C.key, _C.level, _C.kind, _C.event_id).where(_C.case_id == bindparam("of_case"))
_REASONS = select(_A.reasons).where(_A.id == bindparam("of_id")).with_for_update()
_JOIN = update(alerts).where(_A.id == bindparam("of_id")).values(reasons=bindparam("reasons"))


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert to raise. `roles` empty: the level's own policy. `group_key`: like things join it while it is open."""

    key: str
    study: str
    kind: str
    level: str
    reasons: tuple[str, ...]
    case_id: str | None = None
    revision: int | None = None
    roles: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    is_provisional: bool = False
    due: Due | None = None
    avoid: To | None = None
    group_key: str | None = None

    @property
    def id(self) -> UUID:
        return identity("alert", self.key)


def raise_for(
    tx: Connection, parts: Parts, study: str, case_id: str, revision: int, found: Sequence[Concern], *,
    is_new_case: bool, beside: Sequence[str], explained: Mapping[str | None, tuple[str, ...]],
    assumptions: tuple[str, ...], due: Due | None, at: datetime,
) -> UUID | None:  # fmt: skip
    """One alert for all concerns of a case that are new at this moment; None when each is covered already.

    The most urgent gives it level and kind (readings.md, clocks 8). `beside` are facts to name with them; `explained`
    says by event why its clocks run, and what is said of an event is said with its clocks.
    """
    covered = _covered(tx, case_id) if found and not is_new_case else {}
    new = [c for c in found if not _is_covered(c, covered)]
    if not new:
        return None
    new.sort(key=lambda c: (kinds.urgency(c.level, c.kind), c.key))
    about = {c.event_id for c in new}
    why = [said for event_id, sentences in explained.items() if about & {event_id, None} for said in sentences]
    alert = Alert(
        key=f"{case_id}|" + "|".join(sorted(f"{c.key}@{c.level}" for c in new)),
        study=study,
        kind=new[0].kind,
        level=new[0].level,
        reasons=tuple(dict.fromkeys([*(reason for c in new for reason in _said(c)), *why, *beside])),
        case_id=case_id,
        revision=revision,
        assumptions=assumptions,
        is_provisional=any(c.is_provisional for c in new),
        due=due,
    )
    raise_one(tx, parts, alert, at)
    alert_id = alert.id
    tx.execute(
        insert_unless_there(concerns, tx.dialect.name),
        [
            {"case_id": case_id, "key": c.key, "level": c.level, "alert_id": alert_id, "kind": c.kind,
             "event_id": c.event_id, "reasons": list(c.reasons), "is_provisional": c.is_provisional}
            for c in new
        ],
    )  # fmt: skip
    return alert_id


def raise_one(tx: Connection, parts: Parts, alert: Alert, at: datetime) -> bool:
    """Raise this alert and ring; False when it was raised before. `at` is when its facts became known to the house.

    A role that has nobody is an alert of its own; so are the notices that then went to somebody else.
    """
    alert_id = alert.id
    row = {
        "id": alert_id, "dedupe_key": alert.key, "group_key": alert.group_key, "study": alert.study,
        "case_id": alert.case_id, "revision": alert.revision, "kind": alert.kind, "level": alert.level,
        "roles": list(alert.roles), "avoid": [alert.avoid.channel, alert.avoid.address] if alert.avoid else None,
        "reasons": list(alert.reasons), "assumptions": list(alert.assumptions),
        "is_provisional": alert.is_provisional, "due": alert.due.as_json() if alert.due else None, "state": OPEN,
        "raised_at": at, "policy": None,
    }  # fmt: skip
    now = parts.now()
    plan = None if parts.is_rebuilding else call_plans.load(tx, alert.study, now)
    planned = None if alert.roles or plan is None else plan.policy(alert.level, alert.kind)
    row["policy"] = planned.as_json() if planned else None
    if not tx.execute(insert_unless_there(alerts, tx.dialect.name), row).rowcount:
        return False
    audit.append(
        tx, at=at, who=NAME, did="alert raised", about=f"alert {alert_id}", study=alert.study,
        after={"case_id": alert.case_id, "kind": alert.kind, "level": alert.level, "reasons": list(alert.reasons)},
    )  # fmt: skip
    ready = ringing.Ringing(
        alert_id,
        alert.study,
        alert.case_id,
        alert.kind,
        alert.level,
        alert.roles,
        alert.avoid,
        alert.due,
        OPEN,
        at,
        planned,
    )
    past = decisions.about(tx, str(alert_id))
    if parts.is_rebuilding or past:
        answers.restore(tx, parts, ready, past, at)
        return True
    body = AlertRaisedV1(
        alert_id=str(alert_id), case_id=alert.case_id, study=alert.study, kind=alert.kind, level=alert.level,
        reasons=list(alert.reasons), raised_at=at,
    )  # fmt: skip
    key = alert.case_id or alert.study
    outbox.put(
        tx, Envelope(identity("alert.raised", str(alert_id)), "alerts.raised.v1", key, NAME, alert.study, at, at, body)
    )
    report_shortfalls(tx, parts, ringing.ring(tx, parts, ready, [], now, plan=plan))
    # Before the commit: what is rolled back is tried again, and is then said again under the same id.
    log.info("alert_raised", alert=str(alert_id), case=alert.case_id, kind=alert.kind, level=alert.level)
    return True


def report_shortfalls(tx: Connection, parts: Parts, shortfalls: Sequence[ringing.Shortfall]) -> None:
    """A role with nobody rings the administrator, once while that alert is open. Nobody at all stands red instead."""
    for short in shortfalls:
        if short.rung_role is None:
            continue
        group = f"nobody_reachable|{short.study}|{short.role}"
        if open_in_group(tx, group) is None:
            now = parts.now()
            raise_one(
                tx,
                parts,
                Alert(f"{group}|{now.isoformat()}", short.study, "nobody_reachable", "warn", (short.said,),
                      roles=("administrator",), group_key=group),
                now,
            )  # fmt: skip


def open_in_group(tx: Connection, group_key: str) -> UUID | None:
    """The alert of this group that nobody has acknowledged yet."""
    return tx.scalars(_OPEN_IN_GROUP, {"of_group": group_key}).one_or_none()


def _covered(tx: Connection, case_id: str) -> dict[tuple[str | None, str], str]:
    """Level by (event, kind), and by (None, key) for the concern itself."""
    covered: dict[tuple[str | None, str], str] = {}
    for row in tx.execute(_COVERED, {"of_case": case_id}):
        for name in [(None, row.key), *((row.event_id, k) for k in kinds.covers(row.kind))]:
            if name not in covered or kinds.is_at_least(row.level, covered[name]):
                covered[name] = row.level
    return covered


def _is_covered(concern: Concern, covered: dict[tuple[str | None, str], str]) -> bool:
    rung = [covered.get((None, concern.key)), covered.get((concern.event_id, concern.kind))]
    return any(level is not None and kinds.is_at_least(level, concern.level) for level in rung)


def _said(concern: Concern) -> list[str]:
    where = f"{concern.event_id}: " if concern.event_id else ""
    return [f"{where}{kinds.words(concern.kind)}: {reason}" for reason in concern.reasons]


def join(tx: Connection, alert_id: UUID, reasons: Sequence[str], *, most: int) -> None:
    """Add reasons to an open alert without ringing again. It names `most` of them; the rest stand elsewhere."""
    kept = tx.scalars(_REASONS, {"of_id": alert_id}).one()
    if len(kept) < most:
        more = [*kept, *reasons][:most]
        if len(more) == most:
            more[-1] = "and more, not named here"
        tx.execute(_JOIN, {"of_id": alert_id, "reasons": more})
