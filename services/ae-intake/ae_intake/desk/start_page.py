"""`/report`: where a site begins. A new report, what is asked of it, its drafts, its cases."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection, func, select
from starlette.responses import Response

from ae_intake.desk import drafts, sayings
from ae_intake.desk.typed import at_block, blocks_of
from ae_intake.desk.visit import Desk, Visit
from ae_intake.reach import Reach
from ae_intake.tables import cases, queries

MOST = 50
"""How many cases and queries stand on one page."""


def add(routes: APIRouter, desk: Desk) -> None:
    """The route."""

    @routes.get("/report", include_in_schema=False)
    def start(request: Request) -> Response:
        return desk.open(request, lambda visit: _start(desk, visit))


def _start(desk: Desk, visit: Visit) -> Response:
    before = visit.request.query_params.get("before", "")
    older_than = int(before) if before.isascii() and before.isdecimal() and len(before) < 10 else None
    with desk.parts.store.reading() as tx:
        found = _cases(tx, visit.reach, older_than)
        asked = _open_queries(tx, visit.reach)
        total = tx.execute(visit.reach.within(select(func.count()).select_from(cases), cases)).scalar_one()
        begun = drafts.of(tx, visit.sender)
    for one in asked:
        one["said"] = sayings.query(one["kind"], one["about"], one["question"], visit.w)
    return desk.page(
        visit, "start.html", title=visit.w["start_title"], asked=asked[:MOST], more_asked=len(asked) > MOST,
        cases=found[:MOST], total=total, older=found[MOST - 1]["number"] if len(found) > MOST else None,
        drafts=[_line(one) for one in begun],
    )  # fmt: skip


def _cases(tx: Connection, reach: Reach, older_than: int | None) -> list[dict[str, Any]]:
    """The newest first, one more than stands on a page, each with the number of its open queries."""
    still_open = (
        select(queries.c.case_id, func.count().label("open"))
        .where(queries.c.status == "open")
        .group_by(queries.c.case_id)
        .subquery()
    )
    query = select(
        cases.c.case_id, cases.c.number, cases.c.subject, cases.c.revision, cases.c.revised_at, cases.c.is_nullified,
        cases.c.is_complete.label("complete"), func.coalesce(still_open.c.open, 0).label("open"),
    ).outerjoin(still_open, still_open.c.case_id == cases.c.case_id)  # fmt: skip
    if older_than is not None:
        query = query.where(cases.c.number < older_than)
    rows = tx.execute(reach.within(query, cases).order_by(cases.c.number.desc()).limit(MOST + 1))
    return [dict(row._mapping) for row in rows]


def _open_queries(tx: Connection, reach: Reach) -> list[dict[str, Any]]:
    query = reach.within(select(queries), queries).where(queries.c.status == "open").order_by(queries.c.seq)
    return [dict(row._mapping) for row in tx.execute(query.limit(MOST + 1))]


def _line(draft: drafts.Draft) -> dict[str, Any]:
    first = next((said for n in blocks_of(draft.values) if (said := draft.values.get(f"{at_block(n)}verbatim"))), "")
    return {
        "draft_id": draft.draft_id, "subject": draft.values.get("subject"), "first": first, "saved_at": draft.saved_at,
        "saved_by": draft.saved_by,
    }  # fmt: skip
