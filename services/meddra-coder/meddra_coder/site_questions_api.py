"""HTTP: a question to the site that sent an event."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import TypeAdapter
from starlette.responses import JSONResponse

from meddra_coder import site_questions
from meddra_coder.api import Parts
from meddra_coder.site_questions import SiteQuestion, SiteQuestionFacts
from tocsin.domain.words import Role
from tocsin.web.describe import answering, call, refusing, taking
from tocsin.web.identity import Person, requires
from tocsin.web.reading import read_json, understood

MAY_ASK = (Role.CODER, Role.MEDICAL_REVIEWER)
QUESTION: TypeAdapter[SiteQuestionFacts] = TypeAdapter(SiteQuestionFacts)

_EXAMPLES: dict[str, Any] = {
    "a question in words": {
        "event_id": "TOC-0031-E1", "question": "Which infection was it, and was it confirmed by a culture?",
    },
    "please report two events": {"event_id": "TOC-0031-E1", "parts": ["nausea", "fever"]},
}  # fmt: skip
_EXAMPLE_ASKED: dict[str, Any] = {
    "query_id": "5b8e5b0e-6d0c-5a0f-8f3e-3f0a4a7d1f10",
    "case_id": "TOC-0031",
    "revision": 1,
    "event_id": "TOC-0031-E1",
    "study": "NCT06223646",
    "site": "S01",
    "about": "/events/0/verbatim",
    "question": "Which infection was it, and was it confirmed by a culture?",
    "by": "coder1",
    "at": "2026-03-02T04:00:00Z",
}


def add(routes: APIRouter, parts: Parts) -> None:
    """Add the call to the coder's routes."""

    @routes.post(
        "/v1/codings/{case_id}/queries",
        tags=["Coding"],
        status_code=201,
        summary="Ask the site about an event",
        openapi_extra=call(
            taking(QUESTION, "SiteQuestionFacts", _EXAMPLES),
            answering(201, "The question, as it stands at `GET /v1/queries` now.", "SiteQuestion",
                      TypeAdapter(SiteQuestion), _EXAMPLE_ASKED),
            refusing(400, 401, 403, 404, 409, 413, 415, 422, 503),
        ),
    )  # fmt: skip
    async def ask_site(
        case_id: str, request: Request, who: Annotated[Person, requires(*MAY_ASK)]
    ) -> JSONResponse:  # fmt: skip
        """A question, or the parts that the words seem to tell of, to be reported as events of their own.

        The event goes on waiting: the answer of the site is a revision, and is coded anew.
        """
        facts = understood(await read_json(request), QUESTION, "the question cannot be understood")
        at = parts.now()
        asked = await asyncio.wrap_future(
            parts.writer.submit(lambda tx: site_questions.ask(tx, case_id, facts, by=who.name, at=at))
        )
        return JSONResponse(asked.model_dump(mode="json"), 201)
