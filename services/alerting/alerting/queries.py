"""What is asked of a site, told to its contact by mail: that something is asked, never what.

Questions are gathered into one letter for a short while: those of one import by site, others by case. The letter goes
out when nothing was added for `QUIET`, at the latest after `LONGEST`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from alerting import alerts, decisions, kinds, timers
from alerting.delivery import ledger
from alerting.delivery.bell import Bell, case_number
from alerting.delivery.ledger import MAIL, To
from alerting.parts import Parts
from alerting.tables import notices, queries
from tocsin.domain.protocol import Protocol
from tocsin.messages.bodies import QueryRaisedV1
from tocsin.messages.envelope import identity
from tocsin.store.insert import insert_unless_there

QUIET_IMPORT, QUIET_CASE = timedelta(seconds=60), timedelta(seconds=5)
LONGEST = timedelta(minutes=15)


def gather(tx: Connection, body: QueryRaisedV1, at: datetime) -> None:
    """Keep a question for the letter of its site that is being gathered."""
    gathered_by = f"batch|{body.batch}" if body.batch else f"case|{body.case_id or body.query_id}"
    about = f"{body.study}|{body.site}|{gathered_by}"
    letter = timers.timer_id(timers.LETTER, about)
    row = {
        "query_id": body.query_id, "study": body.study, "site": body.site, "case_id": body.case_id,
        "batch": body.batch, "raised_at": body.raised_at, "letter": letter,
    }  # fmt: skip
    if not tx.execute(insert_unless_there(queries, tx.dialect.name), row).rowcount:
        return
    first = tx.scalars(
        select(queries.c.raised_at)
        .where(queries.c.letter == letter, queries.c.notice_id.is_(None))
        .order_by(queries.c.raised_at)
        .limit(1)
    ).one()
    due_at = min(at + (QUIET_IMPORT if body.batch else QUIET_CASE), max(first + LONGEST, at))
    timers.move(tx, timers.LETTER, about, study=body.study, due_at=due_at, urgency=kinds.urgency("info"))


def send(tx: Connection, parts: Parts, timer: timers.Timer, at: datetime) -> None:
    """Write the letter that this timer gathered."""
    waiting = tx.execute(
        select(queries.c.query_id, queries.c.case_id, queries.c.site)
        .where(queries.c.letter == timer.id, queries.c.notice_id.is_(None))
        .order_by(queries.c.query_id)
    ).all()
    if not waiting:
        return
    protocol = parts.study(timer.study)
    to = _addresses(tx, parts, protocol, waiting[0].site, at)
    cases = {row.case_id for row in waiting}
    notice_id = identity("letter", str(timer.id), *(row.query_id for row in waiting))
    bell = Bell(
        to="site", alert_id=None, case_id=case_number(cases.pop()) if len(cases) == 1 else None, kind="question",
        words="question", level="info", reason="", step=0, due=None, answer_by=None, zone=protocol.receiver_zone,
        link=f"{parts.public_url.rstrip('/')}/v1/queries", sent_at=at, count=len(waiting),
    )  # fmt: skip
    row = {
        "id": notice_id, "alert_id": None, "step": 0, "role": "site", "rung_role": "site" if to else None, "at": at,
        "reason": f"{len(waiting)} questions", "bell": bell.as_json(),
    }  # fmt: skip
    tx.execute(insert(notices), row)
    ledger.plan(tx, notice_id, None, to, kinds.urgency("info"), at)
    _mark(tx, [row.query_id for row in waiting], notice_id)
    decisions.record(
        tx, what=decisions.FIRED, about=str(timer.id), parts=(str(notice_id),), study=timer.study, case_id=None,
        by="alerting", at=at, detail={"kind": timers.LETTER, "queries": [row.query_id for row in waiting]},
    )  # fmt: skip


def _addresses(tx: Connection, parts: Parts, protocol: Protocol, site_id: str, at: datetime) -> list[To]:
    """The site's contact; without one the safety team hears of it by an alert, and nothing is dropped."""
    site = protocol.site(site_id)
    if site is not None and site.contact:
        return [To(MAIL, site.contact)]
    group = f"nobody_reachable|{protocol.id}|site|{site_id}"
    if alerts.open_in_group(tx, group) is None:
        reason = f"site {site_id} has no contact in the study file: its questions wait at /v1/queries, unread"
        alerts.raise_one(
            tx, parts,
            alerts.Alert(f"{group}|{at.isoformat()}", protocol.id, "nobody_reachable", "warn", (reason,),
                         roles=("safety_team", "administrator"), group_key=group),
            at,
        )  # fmt: skip
    return []


def _mark(tx: Connection, query_ids: list[str], notice_id: UUID) -> None:
    # In pieces: SQLite takes a limited number of values in one statement.
    for start in range(0, len(query_ids), 500):
        tx.execute(
            update(queries).where(queries.c.query_id.in_(query_ids[start : start + 500])).values(notice_id=notice_id)
        )
