"""The queries of a case: asked once, settled when the facts answer them, asked again when they come back.

A query is `open`, then `answered` (the site said so at the query's own address) or `settled` (a later revision no
longer raises it). An answered query is asked again only if something that must be there is still missing. What other
services ask stands here too, and is never settled by intake, but for requests for a follow-up: a revision that leaves
nothing to ask of the case settles those, and a later request takes the place of an earlier one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from ae_intake.questions import Question, of_duplicate
from ae_intake.reach import Reach
from ae_intake.receipts import AskedQuery, StatementReceipt
from ae_intake.rows import Rows
from ae_intake.tables import queries
from tocsin.messages.bodies import QueryRaisedV1, ReportReceivedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.messages.topics import INTAKE
from tocsin.store import audit, outbox

TOPIC = "queries.raised.v1"
_MUST_BE_THERE = ("missing", "awareness")
# Built once: on this path, building a statement costs more than running it.
_KEEP = insert(queries).inline()


def ask(rows: Rows, body: ReportReceivedV1, asked: Sequence[Question], recorded_at: datetime) -> list[AskedQuery]:
    """Bring the queries of a case in line with what its newest revision leaves to ask; answers what is open now."""
    before, tx = {}, rows.tx
    if body.revision > 1:
        query = select(queries).where(queries.c.case_id == body.case_id, queries.c.raised_by == INTAKE)
        before = {row.query_id: row for row in tx.execute(query)}
    now = {} if body.is_nullified else {question.query_id(body.case_id): question for question in asked}
    for query_id, question in now.items():
        row = before.get(query_id)
        if row is None:
            _raise(rows, body, query_id, question, recorded_at, is_new=True)
        elif row.status == "settled" or (row.status == "answered" and question.kind in _MUST_BE_THERE):
            _raise(rows, body, query_id, question, recorded_at, is_new=False)
    gone = [i for i, row in before.items() if row.status == "open" and i not in now and _is_settled(row, body)]
    if gone:
        tx.execute(
            update(queries)
            .where(queries.c.query_id.in_(gone))
            .values(status="settled", settled_at=recorded_at, settled_by=INTAKE, settled_revision=body.revision)
        )
    if body.revision > 1:
        rows.write()
        return open_of(tx, body.case_id)
    return [AskedQuery(query_id=i, kind=one.kind, about=one.about, question=one.text) for i, one in now.items()]


def _is_settled(row: Row[Any], body: ReportReceivedV1) -> bool:
    """Whether a question that this revision does not raise is done with."""
    if body.is_nullified:
        return True
    if row.kind == "grade":  # Raised by the revision that fell; done with when a correction has come, or an answer.
        return body.events[int(row.about.split("/")[2])].facts.correction
    return bool(row.kind != "duplicate")  # That one a person decides.


def _raise(
    rows: Rows, body: ReportReceivedV1, query_id: str, question: Question, at: datetime, *, is_new: bool
) -> None:
    raised = QueryRaisedV1(
        query_id=query_id,
        case_id=body.case_id,
        study=body.study,
        site=body.site,
        kind=question.kind,
        about=question.about,
        question=question.text,
        raised_at=at,
        batch=body.facts.source.batch if body.facts.source else None,
    )
    if is_new:
        rows.add(_KEEP, _open(raised, INTAKE))
    else:
        rows.tx.execute(
            update(queries)
            .where(queries.c.query_id == query_id)
            .values(
                status="open",
                question=question.text,
                raised_at=at,
                settled_at=None,
                settled_by=None,
                settled_revision=None,
            )
        )
    outbox.put(
        rows.tx,
        Envelope(
            id=identity(TOPIC, query_id, str(body.revision)),
            type=TOPIC,
            key=body.case_id,
            source=INTAKE,
            study=body.study,
            occurred_at=at,
            recorded_at=at,
            body=raised,
        ),
    )


def keep(tx: Connection, raised: QueryRaisedV1, raised_by: str) -> None:
    """One new query, open."""
    tx.execute(_KEEP, _open(raised, raised_by))


def _open(raised: QueryRaisedV1, raised_by: str) -> dict[str, Any]:
    return {
        "query_id": raised.query_id,
        "case_id": raised.case_id,
        "study": raised.study,
        "site": raised.site,
        "kind": raised.kind,
        "about": raised.about,
        "question": raised.question,
        "raised_by": raised_by,
        "raised_at": raised.raised_at,
        "batch": raised.batch,
        "status": "open",
    }


def settle_follow_ups(tx: Connection, body: ReportReceivedV1, at: datetime) -> None:
    """This revision leaves nothing to ask of its case: the requests for a follow-up are settled by it."""
    _settle_follow_ups(tx, body.case_id, at, INTAKE, body.revision)


def only_the_last_follow_up(tx: Connection, raised: QueryRaisedV1, raised_by: str) -> None:
    """A request for a follow-up asks all that is open: of several about one case the newest stands."""
    if raised.kind != "follow_up" or raised.case_id is None:
        return
    newest = tx.scalars(
        select(queries.c.query_id)
        .where(queries.c.case_id == raised.case_id, queries.c.kind == "follow_up")
        .order_by(queries.c.raised_at.desc(), queries.c.query_id)
        .limit(1)
    ).one()
    _settle_follow_ups(tx, raised.case_id, raised.raised_at, raised_by, None, but=newest)


def _settle_follow_ups(
    tx: Connection, case_id: str, at: datetime, by: str, revision: int | None, but: str | None = None
) -> None:
    asked = update(queries).where(
        queries.c.case_id == case_id, queries.c.kind == "follow_up", queries.c.status == "open"
    )
    if but is not None:
        asked = asked.where(queries.c.query_id != but)
    tx.execute(asked.values(status="settled", settled_at=at, settled_by=by, settled_revision=revision))


def settle_duplicate(tx: Connection, case_id: str, other: str, at: datetime, by: str) -> None:
    """A person decided whether the two are one: what was asked of the site about it is settled."""
    settle(tx, of_duplicate(other).query_id(case_id), at, by)


def settle(tx: Connection, query_id: str, at: datetime, by: str) -> None:
    """Nothing is left to answer of this question."""
    tx.execute(
        update(queries)
        .where(queries.c.query_id == query_id, queries.c.status == "open")
        .values(status="settled", settled_at=at, settled_by=by)
    )


def find(tx: Connection, query_id: str, reach: Reach) -> Row[Any] | None:
    """The query if it is within reach; else None, as if it were not there."""
    return tx.execute(reach.within(select(queries).where(queries.c.query_id == query_id), queries)).one_or_none()


def answered(tx: Connection, query_id: str, at: datetime, by: str, revision: int) -> None:
    """The site has answered; whether that is enough, the next `ask` says."""
    tx.execute(
        update(queries)
        .where(queries.c.query_id == query_id)
        .values(status="answered", settled_at=at, settled_by=by, settled_revision=revision)
    )


def answered_in_words(tx: Connection, query_id: str, statement: str, at: datetime, by: str) -> StatementReceipt:
    """The answer to a query about an event of which there is no case, so no revision can hold it."""
    asked = queries.c.query_id == query_id
    study = tx.scalars(
        update(queries)
        .where(asked)
        .values(status="answered", settled_at=at, settled_by=by, statement=statement)
        .returning(queries.c.study)
    ).one()
    digest = hashlib.sha256(statement.encode()).hexdigest()
    after = {"statement_sha256": digest}
    audit.append(tx, at=at, who=by, did="query answered in words", about=f"query {query_id}", study=study, after=after)
    return StatementReceipt(query_id=query_id, received_at=at, statement=statement)


def open_by_kind(tx: Connection) -> dict[str, int]:
    """How many are open, by kind; a kind of which none is open is not named."""
    query = select(queries.c.kind, func.count()).where(queries.c.status == "open").group_by(queries.c.kind)
    return {row[0]: row[1] for row in tx.execute(query)}


def open_of(tx: Connection, case_id: str) -> list[AskedQuery]:
    """What is open about a case, oldest first."""
    query = select(queries.c.query_id, queries.c.kind, queries.c.about, queries.c.question).where(
        queries.c.case_id == case_id, queries.c.status == "open"
    )
    return [AskedQuery(**row._mapping) for row in tx.execute(query.order_by(queries.c.seq))]
