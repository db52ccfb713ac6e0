"""HTTP: the codings that wait for a person, and a second person's answer to a proposal."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from meddra_coder import proposals, review_queue
from meddra_coder.api import EXAMPLE_CODED, EXAMPLE_PROPOSAL, MAY_READ, Parts
from meddra_coder.proposals import AnsweredProposal, SecondAnswerFacts
from meddra_coder.review_queue import ReviewQueue
from tocsin.domain.words import Role
from tocsin.errors import Refused, Wrong
from tocsin.web.describe import answering, call, refusing, taking
from tocsin.web.identity import Person, requires
from tocsin.web.reading import read_json, understood

MAY_ANSWER = (Role.CODER, Role.MEDICAL_REVIEWER)
EXAMPLE_ANSWERS: dict[str, Any] = {
    "A second person agrees": {"approve": True, "reason": "read on the same sheet"},
}
ANSWER: TypeAdapter[SecondAnswerFacts] = TypeAdapter(SecondAnswerFacts)

_EXAMPLE_QUEUE: dict[str, Any] = {
    "total": 1,
    "codings": [
        {
            "case_id": "TOC-0031",
            "revision": 1,
            "event_id": "TOC-0031-E1",
            "study": "NCT06223646",
            "verbatim": "neutros down, grade 3",
            "serious": "yes",
            "waiting_since": "2026-03-02T04:00:00Z",
            "status": "needs_review",
            "llt_code": None,
            "term": None,
            "by": "meddra-coder",
            "reasons": ["no term of CTCAE v5.0 (MedDRA 20.1 codes) has this name"],
            "told": [{"kind": "grade", "words": "grade 3"}],
            "split": [],
            "candidates": [
                {
                    "code": "10029366",
                    "term": "Neutrophil count decreased",
                    "score": 0.41,
                    "why": "its name is alike: 0.410 of 1",
                    "path": ["LLT 10029366 Neutrophil count decreased", "SOC 10022891 Investigations"],
                }
            ],
            "dictionary": "CTCAE v5.0 (MedDRA 20.1 codes)",
            "proposal": EXAMPLE_PROPOSAL,
        }
    ],
}
_EXAMPLE_ANSWERED: dict[str, Any] = {
    "proposal": {
        **EXAMPLE_PROPOSAL,
        "state": "approved",
        "second": "coder2",
        "second_at": "2026-03-02T05:00:00Z",
        "second_reason": "read on the same sheet",
    },
    "event": EXAMPLE_CODED,
}


def served(parts: Parts, study: str | None) -> None:
    """Refused where a study is named that is not served here."""
    if study is not None and study not in parts.studies:
        raise Refused("no such study", [Wrong("/study", "is not served here", ", ".join(sorted(parts.studies)))])


def add(routes: APIRouter, parts: Parts) -> None:
    """Add the calls to the coder's routes."""

    @routes.get(
        "/v1/codings",
        tags=["Coding"],
        summary="The codings that wait for a person",
        openapi_extra=call(
            answering(200, "Serious events first, then unknown, then not serious; of each the longest waiting first.",
                      "ReviewQueue", TypeAdapter(ReviewQueue), _EXAMPLE_QUEUE),
            refusing(401, 403, 422, 503),
        ),
    )  # fmt: skip
    async def list_codings(
        who: Annotated[Person, requires(*MAY_READ)],
        status: Annotated[Literal["needs_review"], Query()] = "needs_review",
        study: Annotated[str | None, Query(min_length=1, max_length=60)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> ReviewQueue:
        """Of each case the newest revision; an event with an open proposal waits for its second person."""
        served(parts, study)
        return await run_in_threadpool(_queue, parts, study, limit)

    @routes.post(
        "/v1/codings/{case_id}/proposals/{decision_id}/answers",
        tags=["Coding"],
        status_code=201,
        summary="Approve or refuse the term that another person proposed",
        openapi_extra=call(
            taking(ANSWER, "SecondAnswerFacts", EXAMPLE_ANSWERS),
            answering(201, "The proposal with its answer, and the event as it is coded now.", "AnsweredProposal",
                      TypeAdapter(AnsweredProposal), _EXAMPLE_ANSWERED),
            refusing(400, 401, 403, 404, 409, 413, 415, 422, 503),
        ),
    )  # fmt: skip
    async def answer_proposal(
        case_id: str, decision_id: UUID, request: Request, who: Annotated[Person, requires(*MAY_ANSWER)]
    ) -> JSONResponse:
        """Who proposed it may not answer it; what is on an older revision can only be refused."""
        facts = understood(await read_json(request), ANSWER, "the answer cannot be understood")
        at = parts.now()
        answered = await asyncio.wrap_future(
            parts.writer.submit(
                lambda tx: proposals.answer(tx, case_id, decision_id, facts, coders=parts.coders, by=who.name, at=at)
            )
        )
        return JSONResponse(answered.model_dump(mode="json"), 201)


def _queue(parts: Parts, study: str | None, limit: int) -> ReviewQueue:
    with parts.store.reading() as connection:
        return review_queue.queue(connection, parts.coders, study, limit)
