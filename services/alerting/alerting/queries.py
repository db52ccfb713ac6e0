"""What is asked of a site, told to its contact by mail: that something is asked, never what.

Questions are gathered into one letter for a short while: those of one import by site, others by case. The letter goes
out when nothing was added for `QUIET`, at the latest after `LONGEST`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select, update

from alerting import alerts, decisions, kinds, timers
from alerting.delivery import ledger
from alerting.delivery.bell import Bell, case_number
from alerting.delivery.ledger import MAIL, To
from alerting.parts import Parts
from alerting.tables import notices, queries
from tocsin.domain.protocol import Protocol
from tocsin.messages.bodies import DecisionRecordedV1, QueryRaisedV1
from tocsin.messages.envelope import identity
from tocsin.store.insert import insert_unless_there

QUIET_IMPORT, QUIET_CASE = timedelta(seconds=60), timedelta(seconds=5)
LONGEST = timedelta(minutes=15)

# Made once: these run for every message, and making a statement costs as much as running it.
_Q = queries.c
_WAITING = (_Q.letter == bindparam("of_letter"), _Q.notice_id.is_(None))
_FIRST = select(_Q.raised_at).where(*_WAITING).order_by(_Q.raised_at).limit(1)
_GATHERED = select(_Q.query_id, _Q.case_id, _Q.site).where(*_WAITING).order_by(_Q.query_id)


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
    first = tx.scalars(_FIRST, {"of_letter": letter}).one()
    due_at = min(at + (QUIET_IMPORT if body.batch else QUIET_CASE), max(first + LONGEST, at))
    timers.move(tx, timers.LETTER, about, study=body.study, due_at=due_at, urgency=kinds.urgency("info"))


def send(tx: Connection, parts: Parts, timer: timers.Timer, at: datetime) -> None:
    """Write the letter that this timer gathered."""
    waiting = tx.execute(_GATHERED, {"of_letter": timer.id}).all()
    if not waiting:
        return
    to = _addresses(tx, parts, parts.study(timer.study), waiting[0].site, at)
    notice_id = _keep(tx, parts, timer.study, timer.id, waiting, bool(to), at)
    ledger.plan(tx, notice_id, None, to, kinds.urgency("info"), at)
    decisions.record(
        tx, what=decisions.FIRED, about=str(timer.id), parts=(str(notice_id),), study=timer.study, case_id=None,
        by="alerting", at=at, detail={"kind": timers.LETTER, "queries": [row.query_id for row in waiting]},
    )  # fmt: skip


def restore(tx: Connection, parts: Parts, deed: DecisionRecordedV1) -> None:
    """On a rebuild: the letter that the log says was written, and what it asked, without sending it again."""
    asked = deed.detail.get("queries")
    if deed.detail.get("kind") != timers.LETTER or not isinstance(asked, list):
        return
    found: list[Any] = []
    for some in _pieces(sorted(asked)):
        query = select(queries.c.query_id, queries.c.case_id, queries.c.site).where(queries.c.query_id.in_(some))
        found += tx.execute(query.order_by(queries.c.query_id))
    if found:
        site = parts.study(deed.study).site(found[0].site)
        _keep(tx, parts, deed.study, UUID(deed.about), found, bool(site and site.contact), deed.at)


def _keep(
    tx: Connection, parts: Parts, study: str, letter: UUID, asked: Sequence[Any], is_reached: bool, at: datetime
) -> UUID:  # fmt: skip
    """The notice of one letter, and on each of its questions that it has gone out; answers the notice's id."""
    cases = {row.case_id for row in asked}
    notice_id = identity("letter", str(letter), *(row.query_id for row in asked))
    bell = Bell(
        to="site", alert_id=None, case_id=case_number(cases.pop()) if len(cases) == 1 else None, kind="question",
        words="question", level="info", reason="", step=0, due=None, answer_by=None,
        zone=parts.study(study).receiver_zone, link=f"{parts.public_url.rstrip('/')}/v1/queries", sent_at=at,
        count=len(asked),
    )  # fmt: skip
    row = {
        "id": notice_id, "alert_id": None, "step": 0, "role": "site", "rung_role": "site" if is_reached else None,
        "at": at, "reason": f"{len(asked)} questions", "bell": bell.as_json(),
    }  # fmt: skip
    tx.execute(insert(notices), row)
    for some in _pieces([one.query_id for one in asked]):
        tx.execute(update(queries).where(queries.c.query_id.in_(some)).values(notice_id=notice_id))
    return notice_id


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


def _pieces(query_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """SQLite takes a limited number of values in one statement."""
    for start in range(0, len(query_ids), 500):
        yield query_ids[start : start + 500]
