"""HTTP in: an alert is handed over, or closed with a reason. Acknowledging is in `api`. The edge commits here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from alerting import alerts, answers, board, shown
from alerting.api import Answerer, must_be_theirs
from alerting.parts import Parts
from tocsin.web.describe import answering, call, refusing, taking
from tocsin.web.identity import Person
from tocsin.web.reading import read_json, understood

_WRITING = (400, 401, 403, 404, 409, 413, 415, 422, 503)
_REASON = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]


class HandOverFacts(BaseModel):
    """Who has the alert from now on, by the name in the call plan, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: Annotated[str, Field(min_length=1, max_length=200)]
    reason: _REASON


class ClosingFacts(BaseModel):
    """Why nothing more is to be done."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: _REASON


_HAND_OVER: TypeAdapter[HandOverFacts] = TypeAdapter(HandOverFacts)
_CLOSING: TypeAdapter[ClosingFacts] = TypeAdapter(ClosingFacts)
_SHOWN: TypeAdapter[shown.AlertsShown] = TypeAdapter(shown.AlertsShown)


def add(routes: APIRouter, parts: Parts) -> None:
    """Add the calls to those of alerting."""

    @routes.post(
        "/v1/alerts/{alert_id}/handovers",
        summary="Hand an alert over to another person",
        tags=["Alerts"],
        status_code=201,
        openapi_extra=call(
            taking(_HAND_OVER, "HandOverFacts", {"To a colleague": {"to": "shen", "reason": "I am in surgery"}}),
            answering(201, "The alert as it stands.", "Alerts", _SHOWN, shown.ALERTS),
            refusing(*_WRITING),
        ),
    )
    async def hand_over(alert_id: UUID, request: Request, who: Answerer) -> JSONResponse:
        """The other person is rung at once and has the waits of the policy anew; who acknowledged before has it not."""
        facts = understood(await read_json(request, 10_000), _HAND_OVER, "this cannot be understood")

        def do(tx: Connection) -> None:
            now = parts.now()
            short = answers.hand_over(tx, parts, alert_id, facts.to, by=who.name, reason=facts.reason, at=now)
            alerts.report_shortfalls(tx, parts, short)

        return JSONResponse(await run_in_threadpool(_done, parts, alert_id, who, do), 201)

    @routes.post(
        "/v1/alerts/{alert_id}/closings",
        summary="Close an alert that was acknowledged",
        tags=["Alerts"],
        status_code=201,
        openapi_extra=call(
            taking(_CLOSING, "ClosingFacts", {"It is done": {"reason": "assessed, and reported to the CDE"}}),
            answering(201, "The alert as it stands.", "Alerts", _SHOWN, shown.ALERTS),
            refusing(*_WRITING),
        ),
    )
    async def close(alert_id: UUID, request: Request, who: Answerer) -> JSONResponse:
        """Nobody is reminded of it any more. Facts that make its case worse ring as a new alert."""
        facts = understood(await read_json(request, 10_000), _CLOSING, "this cannot be understood")

        def do(tx: Connection) -> None:
            answers.close(tx, alert_id, by=who.name, reason=facts.reason, at=parts.now())

        return JSONResponse(await run_in_threadpool(_done, parts, alert_id, who, do), 201)


def _done(parts: Parts, alert_id: UUID, who: Person, do: Callable[[Connection], None]) -> dict[str, Any]:
    """Do it for whoever may, in one transaction, and show the alert."""
    with parts.store.transaction() as tx:
        must_be_theirs(tx, alert_id, who)
        do(tx)
        return {"alerts": board.alerts_like(tx, alert_id=alert_id)}
