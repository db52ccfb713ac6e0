"""What people and programs read: alerts with their notices, clocks with their history, deliveries, subjects.

Reading only. Each function answers rows of one kind as plain JSON values, newest or soonest first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, or_, select

from alerting.alarm import ACKNOWLEDGED, CLOSED, OPEN, still_to_answer
from alerting.instants import text
from alerting.tables import (
    acknowledgements,
    alerts,
    assignments,
    attempts,
    clock_history,
    clocks,
    deliveries,
    doses,
    notices,
    snapshots,
)

MOST = 1000


@dataclass(frozen=True, slots=True)
class Authority:
    """Whose clocks are asked for: by the rules of a jurisdiction, or by the recipient's name."""

    name: str
    rules: tuple[str, ...]


def alerts_like(
    tx: Connection, *, case_id: str | None = None, state: str | None = None, level: str | None = None,
    kind: str | None = None, since: datetime | None = None, alert_id: UUID | None = None, limit: int = 200,
    ids: Sequence[UUID] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Alerts, newest first, each with its notices and who acknowledged. `ids`: only of these."""
    a = alerts.c
    wanted = _all(a.case_id == case_id if case_id else None, a.state == state if state else None,
                  a.level == level if level else None, a.kind == kind if kind else None,
                  a.raised_at >= since if since else None, a.id == alert_id if alert_id else None,
                  a.id.in_(ids) if ids is not None else None)  # fmt: skip
    rows = tx.execute(select(alerts).where(wanted).order_by(a.raised_at.desc(), a.id).limit(min(limit, MOST))).all()
    found = [row.id for row in rows]
    told = _notices(tx, found)
    answered = _grouped(
        tx.execute(
            select(acknowledgements).where(acknowledgements.c.alert_id.in_(found)).order_by(acknowledgements.c.at)
        ).all(),
        "alert_id",
    )
    handed = _grouped(
        tx.execute(select(assignments).where(assignments.c.alert_id.in_(found)).order_by(assignments.c.number)).all(),
        "alert_id",
    )
    return [
        {
            "alert_id": str(row.id),
            "case_id": row.case_id,
            "revision": row.revision,
            "study": row.study,
            "kind": row.kind,
            "level": row.level,
            "state": row.state,
            "roles": row.roles,
            "raised_at": text(row.raised_at),
            "reasons": row.reasons,
            "assumptions": row.assumptions,
            "provisional": row.is_provisional,
            "due": row.due,
            "reached_nobody_since": text(row.nobody_since),
            "acknowledged_at": text(row.settled_at) if row.state == ACKNOWLEDGED else None,
            "acknowledged_by": row.settled_by if row.state == ACKNOWLEDGED else None,
            "closed_at": text(row.settled_at) if row.state == CLOSED else None,
            "closed_by": row.settled_by if row.state == CLOSED else None,
            "closed_because": row.closed_why,
            "acknowledgements": [{"by": x.by, "at": text(x.at), "roles": x.roles} for x in answered[row.id]],
            "waits_for": sorted(
                still_to_answer(
                    (notice["people"] for notice in told[row.id] if notice["everyone"]),
                    (x.by for x in answered[row.id]),
                    len(handed[row.id]),
                )
            )
            if row.state == OPEN
            else [],
            "handed_over": [{"to": x.to, "by": x.by, "at": text(x.at), "reason": x.reason} for x in handed[row.id]],
            "notices": told[row.id],
        }
        for row in rows
    ]


def _notices(tx: Connection, alert_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """One entry for each notice and channel; a notice that went nowhere has one without a channel."""
    n, d = notices.c, deliveries.c
    rows = tx.execute(
        select(n.id, n.alert_id, n.step, n.role, n.rung_role, n.at, n.reason, n.cause, n.people, n.everyone, d.channel,
               d.address, d.state, d.attempts)
        .join(deliveries, d.notice_id == n.id, isouter=True)
        .where(n.alert_id.in_(alert_ids))
        .order_by(n.at, n.step, d.channel, d.address)
    ).all()  # fmt: skip
    found: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        nowhere = "nobody reachable" if row.rung_role is None else "told by another notice"
        found[row.alert_id].append(
            {
                "notice_id": str(row.id),
                "step": row.step,
                "role": row.role,
                "rung_role": row.rung_role,
                "at": text(row.at),
                "reason": row.reason,
                "cause": row.cause,
                "people": row.people or [],
                "everyone": row.everyone,
                "channel": row.channel,
                "address": row.address,
                "outcome": row.state or nowhere,
                "attempts": row.attempts or 0,
            }
        )
    return found


def clocks_like(
    tx: Connection, *, case_id: str | None = None, study: str | None = None, status: str | None = None,
    recipient: str | None = None, due_before: date | None = None, clock_id: UUID | None = None,
    event_id: str | None = None, site: str | None = None, authority: Authority | None = None,
    is_open: bool | None = None, due_after: date | None = None, limit: int = 200,
) -> list[dict[str, Any]]:  # fmt: skip
    """Clocks, soonest due first, each with its history. `site`: of the newest report of the case."""
    c = clocks.c
    wanted = _all(c.case_id == case_id if case_id else None, c.study == study if study else None,
                  c.status == status if status else None, c.recipient == recipient if recipient else None,
                  c.due_on <= due_before if due_before else None, c.due_on >= due_after if due_after else None,
                  c.id == clock_id if clock_id else None, c.event_id == event_id if event_id else None,
                  c.case_id.in_(_cases_of(site)) if site else None,
                  or_(c.rule.in_(authority.rules), func.lower(c.recipient) == authority.name.lower())
                  if authority else None,
                  None if is_open is None else c.is_open.is_(True) if is_open else c.is_open.is_not(True))  # fmt: skip
    rows = tx.execute(select(clocks).where(wanted).order_by(c.due_at, c.case_id, c.rule).limit(min(limit, MOST))).all()
    past = _grouped(
        tx.execute(
            select(clock_history)
            .where(clock_history.c.clock_id.in_([row.id for row in rows]))
            .order_by(clock_history.c.seq)
        ).all(),
        "clock_id",
    )
    return [
        {
            "clock_id": str(row.id),
            "case_id": row.case_id,
            "event_id": row.event_id,
            "study": row.study,
            "rule": row.rule,
            "clause": row.clause,
            "recipient": row.recipient,
            "day_zero": row.day_zero.isoformat(),
            "due_on": row.due_on.isoformat(),
            "due_at": text(row.due_at),
            "status": row.status,
            "superseded_by": str(row.superseded_by) if row.superseded_by else None,
            "open": bool(row.is_open),
            "in_question": row.in_question,
            "questions": row.questions or [],
            "known_at": text(row.known_at),
            "provisional": row.is_provisional,
            "confidence": row.confidence,
            "reasons": row.reasons,
            "status_history": _turns(past[row.id]),
            "changes": [_change(h) for h in past[row.id]],
        }
        for row in rows
    ]  # fmt: skip


def _change(h: Row[Any]) -> dict[str, Any]:
    return {
        "status": h.status, "at": text(h.at), "what": h.what, "reason": h.reason, "before": h.before, "after": h.after,
    }  # fmt: skip


def _turns(past: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """The changes that gave another status than the one before."""
    statuses = [None, *(h.status for h in past)]
    return [_change(h) for before, h in zip(statuses, past, strict=False) if h.status != before]


def deliveries_like(
    tx: Connection, *, alert_id: UUID | None = None, state: str | None = None, channel: str | None = None,
    delivery_id: UUID | None = None, address: str | None = None, case_id: str | None = None,
    since: datetime | None = None, after: tuple[datetime, UUID] | None = None, limit: int = 200,
) -> list[dict[str, Any]]:  # fmt: skip
    """Deliveries, newest first, with every attempt. `after`: only those that stand after this one (made at, id)."""
    d = deliveries.c
    wanted = _all(d.alert_id == alert_id if alert_id else None, d.state == state if state else None,
                  d.channel == channel if channel else None,
                  d.id == delivery_id if delivery_id else None, d.address == address if address else None,
                  d.alert_id.in_(select(alerts.c.id).where(alerts.c.case_id == case_id)) if case_id else None,
                  d.created_at >= since if since else None,
                  or_(d.created_at < after[0], and_(d.created_at == after[0], d.id > after[1])) if after else None,
                  )  # fmt: skip
    rows = tx.execute(
        select(deliveries).where(wanted).order_by(d.created_at.desc(), d.id).limit(min(limit, MOST))
    ).all()
    tried = _grouped(
        tx.execute(
            select(attempts).where(attempts.c.delivery_id.in_([row.id for row in rows])).order_by(attempts.c.number)
        ).all(),
        "delivery_id",
    )
    return [
        {
            "delivery_id": str(row.id),
            "notice_id": str(row.notice_id),
            "alert_id": str(row.alert_id) if row.alert_id else None,
            "channel": row.channel,
            "address": row.address,
            "state": row.state,
            "created_at": text(row.created_at),
            "next_attempt_at": text(row.next_attempt_at) if row.state == "pending" else None,
            "ended_at": text(row.ended_at),
            "why": row.why,
            "attempts": [
                {"number": t.number, "begun_at": text(t.begun_at), "ended_at": text(t.ended_at),
                 "outcome": t.outcome or "unknown: the process ended before it could say", "why": t.why,
                 "took_ms": t.took_ms}
                for t in tried[row.id]
            ],
        }
        for row in rows
    ]  # fmt: skip


def subject(tx: Connection, subject_id: str, studies: Sequence[str]) -> dict[str, Any] | None:
    """A subject's doses and events as reported, latest revision of each case; None when nobody knows this subject."""
    given = tx.scalars(
        select(doses.c.body)
        .where(doses.c.subject == subject_id, doses.c.study.in_(studies))
        .order_by(doses.c.received_at)
    ).all()
    named = select(snapshots.c.case_id).where(snapshots.c.subject == subject_id, snapshots.c.study.in_(studies))
    s = snapshots.c
    reports: dict[str, dict[str, Any]] = {}
    for row in tx.execute(
        select(s.case_id, s.body).where(s.source == "report", s.case_id.in_(named)).order_by(s.case_id, s.revision)
    ):
        reports[row.case_id] = row.body
    events = [
        {"case_id": body["case_id"], "event_id": event["event_id"], "facts": event["facts"]}
        for body in reports.values()
        if body.get("subject") == subject_id and not body.get("is_nullified")
        for event in body["events"]
    ]
    if not given and not events:
        return None
    return {"subject": subject_id, "doses": [body["facts"] for body in given], "events": events}


def _cases_of(site: str) -> Select[Any]:
    """The cases whose newest report is of this site: a wrong site may have been put right."""
    s, newer = snapshots.c, snapshots.alias("newer")
    is_older = exists().where(newer.c.case_id == s.case_id, newer.c.source == s.source, newer.c.revision > s.revision)
    return select(s.case_id).where(s.source == "report", s.body["site"].as_string() == site, ~is_older)


def _all(*wanted: ColumnElement[bool] | None) -> ColumnElement[bool]:
    return and_(True, *(one for one in wanted if one is not None))


def _grouped(rows: Sequence[Row[Any]], by: str) -> defaultdict[Any, list[Row[Any]]]:
    found: defaultdict[Any, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[getattr(row, by)].append(row)
    return found
