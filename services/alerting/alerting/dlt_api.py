"""HTTP in: verdicts on dose-limiting toxicity, and what people sign of them. The edge commits here."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from alerting import dlt_board, dlt_signed, shown_dlt
from alerting.api import Limit, Reader, shows
from alerting.parts import Parts
from alerting.signing import check_signature
from tocsin.domain.dlt.verdict import State
from tocsin.web.describe import answering, call, refusing, taking
from tocsin.web.identity import Person, requires
from tocsin.web.reading import read_json, understood

Decider = Annotated[Person, requires(*sorted(dlt_signed.MAY_DECIDE))]

MOST_BYTES = 100_000
_DECISION: TypeAdapter[shown_dlt.DltDecisionFacts] = TypeAdapter(shown_dlt.DltDecisionFacts)


def add(routes: APIRouter, parts: Parts) -> None:
    """The calls on dose-limiting toxicity."""

    @routes.get(
        "/v1/dlt",
        summary="List the verdicts on dose-limiting toxicity",
        tags=["Dose-limiting toxicity"],
        openapi_extra=shows(
            "Verdicts, by subject and event.", "Verdicts", shown_dlt.VerdictsShown, shown_dlt.VERDICTS, 422
        ),
    )
    def list_verdicts(
        who: Reader, study: str | None = None, subject: str | None = None, case_id: str | None = None,
        event_id: str | None = None, state: State | None = None,
        is_open: Annotated[bool | None, Query(alias="open")] = None, limit: Limit = 200,
    ) -> dict[str, Any]:  # fmt: skip
        """What the rules say of each event against the study's definition, why, and what would change it.

        `open`: a person or a date must still say. Every change stands in `history`.
        """
        with parts.store.reading() as tx:
            found = dlt_board.like(
                tx, parts, study=study, subject=subject, case_id=case_id, event_id=event_id, state=state,
                is_open=is_open, limit=limit,
            )  # fmt: skip
        return {"verdicts": found}

    @routes.get(
        "/v1/dlt/{dlt_id}",
        summary="Show one verdict",
        tags=["Dose-limiting toxicity"],
        openapi_extra=shows("The verdict.", "Verdict", shown_dlt.VerdictShown, shown_dlt.VERDICT, 404, 422),
    )
    def one_verdict(dlt_id: UUID, who: Reader) -> dict[str, Any]:
        """The verdict with its history and its signatures."""
        return _one(parts, dlt_id)

    @routes.post(
        "/v1/dlt/{dlt_id}/decisions",
        summary="Confirm or reject a dose-limiting toxicity, by signature",
        tags=["Dose-limiting toxicity"],
        status_code=201,
        openapi_extra=call(
            taking(
                _DECISION,
                "DltDecisionFacts",
                {"It is one": shown_dlt.DECISION, "It is none": shown_dlt.REJECTION},
            ),
            answering(201, "In force.", "Verdict", TypeAdapter(shown_dlt.VerdictShown), shown_dlt.CONFIRMED),
            refusing(400, 401, 403, 404, 409, 413, 415, 422, 503),
        ),
    )
    async def decide_dlt(dlt_id: UUID, request: Request, who: Decider) -> JSONResponse:
        """Sign that an event is dose-limiting, or that it is not. The password is verified anew.

        The review committee alone signs that a death has another cause, what stands before it, and an event that no
        rule names. A later signature stands over an earlier one, and both are kept.
        """
        facts = understood(await read_json(request, MOST_BYTES), _DECISION, "this decision cannot be understood")
        return JSONResponse(await run_in_threadpool(sign, parts, dlt_id, facts, who), 201)


def sign(parts: Parts, dlt_id: UUID, facts: shown_dlt.DltDecisionFacts, who: Person) -> dict[str, Any]:
    """Keep a signed decision, and answer how the verdict stands."""
    with parts.store.reading() as tx:
        dlt_signed.find(tx, dlt_id)
    now = parts.now()
    signature = check_signature(parts, who, facts.signature, now, needs=frozenset(dlt_signed.MAY_DECIDE))
    said = dlt_signed.Said(State(facts.decision), facts.reason, facts.rule_id)
    with parts.store.transaction() as tx:
        dlt_signed.decide(tx, parts, dlt_id, said, signature, now)
    return _one(parts, dlt_id)


def _one(parts: Parts, dlt_id: UUID) -> dict[str, Any]:
    with parts.store.reading() as tx:
        dlt_signed.find(tx, dlt_id)
        (found,) = dlt_board.like(tx, parts, verdict_id=dlt_id)
    return found
