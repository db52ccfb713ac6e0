"""`/report/receipts/{case}`: what a site prints and files. One revision as it was understood, and what happens next."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from ae_intake import cases
from ae_intake.desk import held_case, in_words, sayings
from ae_intake.desk.visit import Desk, Visit
from ae_intake.judge import judge
from ae_intake.questions import missing
from tocsin.domain.calendars import Partial
from tocsin.errors import NotFound

SITES_CLOCK = "INV_TO_SPONSOR_24H"


def add(routes: APIRouter, desk: Desk) -> None:
    """The route."""

    @routes.get("/report/receipts/{case_id}", include_in_schema=False)
    def receipt(case_id: str, request: Request) -> Response:
        return desk.open(request, lambda visit: _receipt(desk, visit, case_id))


def _receipt(desk: Desk, visit: Visit, case_id: str) -> Response:
    held, w, product = held_case.read_case(desk, visit, case_id), visit.w, visit.protocol.product
    asked = visit.request.query_params.get("revision", str(len(held.bodies)))
    known = {str(body.revision): body for body in held.bodies}
    if asked not in known:
        raise NotFound("there is no such revision")
    body = known[asked]
    row = held.rows[body.revision - 1]
    judgement = judge(held.bodies[: body.revision], visit.protocol)
    clocks = [] if body.is_nullified else [clock for clock in judgement.clocks if clock.rule == SITES_CLOCK]
    with desk.parts.store.reading() as tx:
        moved = visit.request.query_params.get("moved", "")
        moved_to = moved if moved and len(moved) < 20 and cases.find(tx, moved, visit.reach) is not None else ""
        links = [one.case_id for one in cases.links_of(tx, case_id) if cases.find(tx, one.case_id, visit.reach)]
    return desk.page(
        visit, "receipt.html", title=f"{w['receipt']} {case_id}", case_id=case_id, body=body,
        newest=held.newest.revision, sent_by=row.sent_by, parts=in_words.parts_of(body, w, product),
        missing=[sayings.query("missing", one.pointer, one.question, w) for one in missing(body)],
        contradictions=[sayings.contradiction(one, w) for one in body.contradictions],
        duplicates=links, clocks=clocks, moved_to=moved_to,
        no_clock=not body.is_nullified and any(
            kept.event_id in judgement.serious and _is_open(kept.facts.investigator_aware_at)
            for kept in body.events
            if not kept.facts.nullified
        ),
        next_steps=_next(body.is_nullified, w),
    )  # fmt: skip


def _is_open(aware: str | None) -> bool:
    return aware is None or not Partial.parse(aware).is_instant


def _next(is_nullified: bool, w: Any) -> list[str]:
    if is_nullified:
        return [w["next_nullified"], w["next_file"]]
    return [w[f"next_{step}"] for step in ("kept", "call", "queries", "news", "file")]
