"""Verdicts on dose-limiting toxicity as people and programs read them. Reading only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, select

from alerting.board import MOST
from alerting.instants import text
from alerting.parts import Parts
from alerting.tables import dlt_decisions, snapshots, verdict_history, verdicts
from tocsin.domain.dlt.verdict import State
from tocsin.domain.protocol import APPROVED, ASSUMED_RULES


def like(
    tx: Connection, parts: Parts, *, study: str | None = None, subject: str | None = None, case_id: str | None = None,
    event_id: str | None = None, state: State | None = None, is_open: bool | None = None, limit: int = 200,
    verdict_id: UUID | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Verdicts by subject and key, each with its history and signatures."""
    v = verdicts.c
    wanted: list[ColumnElement[bool]] = [
        column == value
        for column, value in (
            (v.study, study), (v.subject, subject), (v.case_id, case_id), (v.event_id, event_id), (v.state, state),
            (v.id, verdict_id),
        )
        if value is not None
    ]  # fmt: skip
    if is_open is not None:
        open_ = [state.value for state in State if state.is_open]
        wanted.append(v.state.in_(open_) if is_open else v.state.not_in(open_))
    rows = tx.execute(select(verdicts).where(*wanted).order_by(v.study, v.subject, v.key).limit(min(limit, MOST))).all()
    ids = [row.id for row in rows]
    changes = _by_verdict(
        tx, select(verdict_history).where(verdict_history.c.verdict_id.in_(ids)).order_by(verdict_history.c.number)
    )
    signed = _by_verdict(
        tx,
        select(dlt_decisions)
        .where(dlt_decisions.c.verdict_id.in_(ids))
        .order_by(dlt_decisions.c.at, dlt_decisions.c.id),
    )
    words = _words(tx, {row.case_id for row in rows if row.case_id is not None})
    return [_shown(parts, row, changes[row.id], signed[row.id], words.get(row.event_id)) for row in rows]


def _shown(
    parts: Parts, row: Row[Any], changes: Sequence[Row[Any]], signed: Sequence[Row[Any]], verbatim: str | None
) -> dict[str, Any]:  # fmt: skip
    body = row.body
    return {
        "dlt_id": str(row.id), "study": row.study, "subject": row.subject, "case_id": row.case_id,
        "event_id": row.event_id, "key": row.key, "about": body["about"], "verbatim": verbatim, "state": row.state,
        "rule_id": row.rule_id, "provisional": row.is_provisional, "reasons": body["reasons"],
        "window_day": body["study_day"], "grade": body["grade"], "due_at": _instant(body["due_at"]),
        "strict_limit_at": _instant(body["strict_at"]), "strict_limit_passed": body["is_strict_passed"],
        "for_committee": body["for_committee"], "would_change": body["would_change"], "asks": body["asks"],
        "by_rule": body["by_rule"],
        "signatures": [
            {"decision": s.decision, "rule_id": s.rule_id, "by": s.by, "roles": s.roles, "meaning": s.meaning,
             "at": text(s.at), "reason": s.reason}
            for s in signed
        ],
        "history": [
            {"at": text(h.at), "state": h.state, "rule_id": h.rule_id, "provisional": h.is_provisional,
             "reasons": h.reasons, "why": h.why}
            for h in _each_once(changes)
        ],
        "assumptions": assumed(parts, row.study),
    }  # fmt: skip


def _each_once(lines: Sequence[Row[Any]]) -> list[Row[Any]]:
    """The lines by which a verdict became another: one that only rang (a strict limit, the committee) changed none."""
    told: list[Row[Any]] = []
    for line in lines:
        if not told or _stands(told[-1]) != _stands(line):
            told.append(line)
    return told


def _stands(line: Row[Any]) -> tuple[str, str | None, bool]:
    return line.state, line.rule_id, line.is_provisional


def assumed(parts: Parts, study: str) -> list[str]:
    """What stands beside every verdict until the sponsor approves the definition."""
    protocol = parts.studies.get(study)
    if protocol is None or protocol.dlt is None or protocol.dlt.status == APPROVED:
        return []
    return [f"{ASSUMED_RULES}: DLT definition {protocol.dlt.id}"]


def _words(tx: Connection, case_ids: set[str]) -> Mapping[str, str]:
    """The site's words for each event, as the newest report of its case has them."""
    s = snapshots.c
    rows = tx.scalars(
        select(s.body).where(s.source == "report", s.case_id.in_(sorted(case_ids))).order_by(s.case_id, s.revision)
    )
    return {event["event_id"]: event["facts"]["verbatim"] for body in rows for event in body["events"]}


def _by_verdict(tx: Connection, query: Any) -> defaultdict[UUID, list[Row[Any]]]:
    found: defaultdict[UUID, list[Row[Any]]] = defaultdict(list)
    for row in tx.execute(query):
        found[row.verdict_id].append(row)
    return found


def _instant(kept: str | None) -> str | None:
    return None if kept is None else text(datetime.fromisoformat(kept))
