"""The list of cases, newest number first, a page at a time. Reading only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select, tuple_

from alerting.alarm import OPEN
from alerting.desk.dose_times import Times
from alerting.parts import Parts
from alerting.tables import alerts, clocks, snapshots, verdicts
from tocsin.domain.dlt.verdict import State

PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One case by its newest report."""

    case_id: str
    study: str
    site: str
    subject: str | None
    revision: int
    received_at: datetime
    is_nullified: bool
    verbatims: tuple[str, ...]
    rings: bool
    open_clocks: int
    due_at: datetime | None
    dlt: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of cases. `before`: where the next page goes on; empty on the last."""

    lines: tuple[Line, ...]
    before: str


def listed(tx: Connection, words: str, before: str) -> Found:
    """A page of the cases whose number or subject holds `words`, with lower numbers than `before`."""
    s = snapshots.c
    # Numbers of one length sort by their text, and a longer one is a higher one.
    order = (func.length(s.case_id).desc(), s.case_id.desc())
    newest = select(s.case_id, func.max(s.revision).label("revision")).where(s.source == "report").group_by(s.case_id)
    if words:
        like = f"%{_plain(words)}%"
        newest = newest.where(s.case_id.like(like, escape="\\") | s.subject.like(like, escape="\\"))
    if before:
        newest = newest.where(
            (func.length(s.case_id) < len(before)) | ((func.length(s.case_id) == len(before)) & (s.case_id < before))
        )
    names = tx.execute(newest.order_by(*order).limit(PAGE + 1)).all()
    shown = names[:PAGE]
    rows = tx.execute(
        select(s.case_id, s.study, s.subject, s.revision, s.at, s.body)
        .where(s.source == "report", tuple_(s.case_id, s.revision).in_([(n.case_id, n.revision) for n in shown]))
        .order_by(*order)
    ).all()
    ids = [row.case_id for row in rows]
    return Found(tuple(_lines(tx, rows, ids)), shown[-1].case_id if len(names) > PAGE else "")


def _lines(tx: Connection, rows: Sequence[Any], ids: Sequence[str]) -> list[Line]:
    c, a, v = clocks.c, alerts.c, verdicts.c
    owed = {
        row.case_id: row
        for row in tx.execute(
            select(c.case_id, func.count().label("number"), func.min(c.due_at).label("due"))
            .where(c.case_id.in_(ids), c.is_open.is_(True))
            .group_by(c.case_id)
        )
    }
    ringing = set(tx.scalars(select(a.case_id).where(a.case_id.in_(ids), a.state == OPEN)))
    judged = {row.case_id: row.state for row in tx.execute(
        select(v.case_id, v.state).where(v.case_id.in_(ids), v.state.not_in([State.NONE, State.NOT_DLT]))
    )}  # fmt: skip
    return [
        Line(
            row.case_id, row.study, row.body["site"], row.subject, row.revision, row.at,
            bool(row.body.get("is_nullified")), tuple(one["facts"]["verbatim"] for one in row.body["events"]),
            row.case_id in ringing, owed[row.case_id].number if row.case_id in owed else 0,
            owed[row.case_id].due if row.case_id in owed else None, judged.get(row.case_id),
        )
        for row in rows
    ]  # fmt: skip


def rows(found: Found, parts: Parts, zone: ZoneInfo) -> list[dict[str, Any]]:
    """The lines in words."""
    times = Times(zone, parts.now())
    return [
        {
            "case": one.case_id, "subject": one.subject or "not named", "site": one.site, "version": one.revision,
            "received": times.moment(one.received_at.isoformat()), "events": "; ".join(one.verbatims) or "none named",
            "nullified": one.is_nullified, "rings": one.rings, "clocks": one.open_clocks,
            "due": times.moment(one.due_at.isoformat()) if one.due_at else None, "dlt": one.dlt, "study": one.study,
        }
        for one in found.lines
    ]  # fmt: skip


def _plain(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
