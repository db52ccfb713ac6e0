"""What a site, a sponsor's feed or the sponsor's people may read back: cases with their history, and queries."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import TypeAdapter
from sqlalchemy import Connection, select
from starlette.responses import Response

from ae_intake import asking, cases, examples, tables
from ae_intake.held import CaseLine, CaseList, HeldCase, QueryLine, QueryList, Revision, Status
from ae_intake.judge import judge, started
from ae_intake.parts import Parts
from ae_intake.questions import missing
from ae_intake.reach import Reach, reach_of
from ae_intake.receipts import MissingElement, Part
from ae_intake.tables import queries, revisions
from tocsin.domain.words import ReportKind
from tocsin.errors import NotFound, Refused, Wrong
from tocsin.store import audit
from tocsin.web.describe import answering, call, refusing
from tocsin.web.identity import Machine, Person, anybody

Who = Annotated[Machine | Person, Depends(anybody)]
Limit = Annotated[int, Query(ge=1, le=500)]


_LIST: TypeAdapter[Any] = TypeAdapter(CaseList)
_CASE: TypeAdapter[Any] = TypeAdapter(HeldCase)
_QUERIES: TypeAdapter[Any] = TypeAdapter(QueryList)


def router(parts: Parts) -> APIRouter:
    """The calls."""
    routes = APIRouter(prefix="/v1")

    @routes.get(
        "/reports",
        tags=["Reports"],
        summary="List your cases",
        openapi_extra=call(answering(200, "A page.", "CaseList", _LIST, examples.CASES), refusing(401, 403, 422, 503)),
    )
    def get_reports(who: Who, after: str | None = None, limit: Limit = 100) -> Response:
        """By case number. A site sees its own cases only."""
        with parts.store.reading() as connection:
            return _json(_cases(connection, reach_of(who), after, limit))

    @routes.get(
        "/reports/{case_id}",
        tags=["Reports"],
        summary="Read a case with its history",
        openapi_extra=call(answering(200, "The case.", "HeldCase", _CASE, examples.CASE), refusing(401, 403, 404, 503)),
    )
    async def get_report(case_id: str, who: Who) -> Response:
        """Everything we hold of it. Each reading leaves a line in the audit trail before it is answered."""
        reach = reach_of(who)

        def work(tx: Connection) -> HeldCase:
            held = _case(tx, case_id, reach, parts)
            about = f"case {case_id}"
            audit.append(tx, at=parts.now(), who=reach.who, did="case read", about=about, study=held.study)
            return held

        return _json(await parts.write(work))

    @routes.get(
        "/queries",
        tags=["Queries"],
        summary="List what is asked of you",
        openapi_extra=call(
            answering(200, "A page.", "QueryList", _QUERIES, examples.QUERIES), refusing(401, 403, 422, 503)
        ),
    )
    def get_queries(
        who: Who, status: Status | None = None, case_id: str | None = None, after: int = 0, limit: Limit = 100
    ) -> Response:
        """Oldest first; of one case or of all, open ones only or all. A site sees what is asked of it."""
        with parts.store.reading() as connection:
            return _json(_queries(connection, reach_of(who), status, case_id, after, limit))

    return routes


def _cases(connection: Connection, reach: Reach, after: str | None, limit: int) -> CaseList:
    table = tables.cases
    query = reach.within(select(table), table).order_by(table.c.number).limit(limit + 1)
    if after is not None:
        number = after.removeprefix("TOC-")
        if not number.isdecimal() or len(number) > 9:
            raise Refused("a parameter cannot be understood", [Wrong("/query/after", "is no case number", "TOC-0031")])
        query = query.where(table.c.number > int(number))
    rows = connection.execute(query).all()
    lines = [
        CaseLine(
            case_id=row.case_id,
            study=row.study,
            site=row.site,
            subject=row.subject,
            kind=ReportKind(row.kind),
            revision=row.revision,
            received_at=row.received_at,
            revised_at=row.revised_at,
            complete=row.is_complete,
            is_nullified=row.is_nullified,
        )
        for row in rows[:limit]
    ]
    return CaseList(reports=lines, next=lines[-1].case_id if len(rows) > limit else None)


def _case(tx: Connection, case_id: str, reach: Reach, parts: Parts) -> HeldCase:
    case = cases.find(tx, case_id, reach)
    protocol = parts.studies.get(case.study) if case is not None else None
    if case is None or protocol is None:
        raise NotFound("there is no such case")
    bodies = cases.bodies_of(tx, case_id)
    latest = bodies[-1]
    judgement = judge(bodies, protocol)
    rows = tx.execute(select(revisions).where(revisions.c.case_id == case_id).order_by(revisions.c.revision)).all()
    return HeldCase(
        case_id=case_id,
        study=case.study,
        site=case.site,
        subject=case.subject,
        revision=case.revision,
        received_at=case.received_at,
        revised_at=case.revised_at,
        is_nullified=case.is_nullified,
        complete=case.is_complete,
        missing=[MissingElement(element=m.element, pointer=m.pointer, question=m.question) for m in missing(latest)],
        contradictions=latest.contradictions,
        possible_duplicates=cases.links_of(tx, case_id),
        queries=asking.open_of(tx, case_id),
        day_zero=list(judgement.days),
        clocks=[started(clock, protocol) for clock in judgement.clocks],
        facts=latest.facts,
        events=latest.events,
        history=[
            Revision(
                revision=row.revision,
                how=row.how,
                received_at=row.received_at,
                recorded_at=row.recorded_at,
                sent_by=row.sent_by,
                reason=body.reason,
                statement=row.statement,
                is_nullified=body.is_nullified,
                sent=json.loads(row.sent),
            )
            for row, body in zip(rows, bodies, strict=True)
        ],
    )


def _queries(
    connection: Connection, reach: Reach, status: str | None, case_id: str | None, after: int, limit: int
) -> QueryList:
    query = reach.within(select(queries), queries).where(queries.c.seq > after)
    if status is not None:
        query = query.where(queries.c.status == status)
    if case_id is not None:
        query = query.where(queries.c.case_id == case_id)
    rows = connection.execute(query.order_by(queries.c.seq).limit(limit + 1)).all()
    fields = QueryLine.model_fields
    lines = [QueryLine(**{name: getattr(row, name) for name in fields}) for row in rows[:limit]]
    return QueryList(queries=lines, next=rows[limit - 1].seq if len(rows) > limit else None)


def _json(answer: Part) -> Response:
    # Only what was sent: a fact that nobody stated must not look like one that was answered with "nothing".
    return Response(answer.model_dump_json(by_alias=True, exclude_unset=True), media_type="application/json")
