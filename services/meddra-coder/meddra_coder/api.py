"""HTTP in: what was coded and why, a person's decision, and search in the dictionary."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field, TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from meddra_coder import casebook, shown_text
from meddra_coder.coder import Coder, default_coder
from meddra_coder.coders import Coders
from meddra_coder.coding import code_event
from meddra_coder.decisions import CodingDecision, decide
from meddra_coder.proposals import CodingProposal
from meddra_coder.shown_text import OfficialText
from meddra_coder.wording import normalise
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import Role
from tocsin.errors import NotFound
from tocsin.messages.bodies import CodedEvent
from tocsin.now import Now
from tocsin.store.engine import Store
from tocsin.store.writer import Writer
from tocsin.web.describe import answering, call, refusing, taking
from tocsin.web.identity import Person, requires
from tocsin.web.reading import read_json, understood

MAY_READ = (
    Role.CODER, Role.SAFETY_PHYSICIAN, Role.SECOND_PHYSICIAN, Role.MEDICAL_DIRECTOR, Role.MEDICAL_REVIEWER,
    Role.SAFETY_TEAM, Role.AUDITOR,
)  # fmt: skip
MAY_DECIDE = (Role.CODER,)

_DECISION = TypeAdapter(CodingDecision)
_EXAMPLE_EVENT = {
    "event_id": "TOC-0031-E1",
    "verbatim": "neutrophils down",
    "status": "needs_review",
    "llt_code": None,
    "term": None,
    "soc": None,
    "method": "none",
    "confidence": None,
    "reasons": ["no term of CTCAE v5.0 has this name", "candidates are ordered by shared letters only, not by meaning"],
    "candidates": [
        {
            "code": "10029366",
            "term": "Neutrophil count decreased",
            "soc": "Investigations",
            "score": 0.41,
            "why": "shares letters: 0.410 of 1",
        }
    ],
    "grades": {"ctcae": 3},
}


EXAMPLE_PROPOSAL = {
    "decision_id": "7a1c1a52-53a5-5a0c-9a55-0b0a4a7d1f10",
    "case_id": "TOC-0031",
    "revision": 1,
    "event_id": "TOC-0031-E1",
    "study": "NCT06223646",
    "llt_code": "10029366",
    "by": "coder1",
    "at": "2026-03-02T04:00:00Z",
    "reason": "ANC fell to 0.8 by the sheet",
    "state": "proposed",
    "second": None,
    "second_at": None,
    "second_reason": None,
}
EXAMPLE_CODED = {
    **_EXAMPLE_EVENT,
    "status": "corrected",
    "llt_code": "10029366",
    "term": "Neutrophil count decreased",
    "soc": "Investigations",
    "method": "person",
    "reasons": ["coder1: ANC fell to 0.8 by the attached sheet"],
}


class Given(BaseModel):
    """One coding that was ever given, and who gave it when."""

    event_id: str
    revision: int
    status: str
    llt_code: str | None
    term: str | None
    method: str
    reasons: list[str]
    dictionary: str
    coded_at: str
    coded_by: str


class Codings(BaseModel):
    """The codings of a case: those that count now, and every one before."""

    case_id: str
    revision: int
    dictionary: str
    events: list[CodedEvent]
    history: list[Given]


class Found(BaseModel):
    """A term of the dictionary."""

    code: str
    term: str
    soc: str
    score: float
    path: list[str]
    official: OfficialText | None = Field(
        None, description="NCI's own words, where the house has loaded its workbook; null where it has not"
    )


class Terms(BaseModel):
    """What a search found, the most alike first."""

    dictionary: str
    terms: list[Found]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the calls work with."""

    store: Store
    writer: Writer
    coders: Coders
    studies: Mapping[str, Protocol]
    now: Now


def router(parts: Parts) -> APIRouter:
    """The coder's calls."""
    routes = APIRouter(tags=["Coding"])

    @routes.get(
        "/v1/codings/{case_id}",
        summary="How a case is coded, and why",
        openapi_extra=call(
            answering(200, "The codings that count, and their history.", "Codings", TypeAdapter(Codings),
                      {"case_id": "TOC-0031", "revision": 1, "dictionary": "CTCAE v5.0 (MedDRA 20.1 codes)",
                       "events": [_EXAMPLE_EVENT], "history": []}),
            refusing(401, 403, 404, 503),
        ),
    )  # fmt: skip
    async def get_codings(case_id: str, who: Annotated[Person, requires(*MAY_READ)]) -> Codings:
        return await run_in_threadpool(_codings, parts, case_id)

    @routes.post(
        "/v1/codings/{case_id}/decisions",
        status_code=201,
        summary="Decide which term an event is",
        openapi_extra=call(
            taking(_DECISION, "CodingDecision", {
                "a person picks the term": {
                    "event_id": "TOC-0031-E1", "llt_code": "10029366", "reason": "ANC fell to 0.8 by the sheet",
                },
                "and makes the words a synonym": {
                    "event_id": "TOC-0031-E1", "llt_code": "10029366", "reason": "the ward always writes it so",
                    "synonym": "study", "synonym_phrase": "neutros down",
                },
                "the decision is taken back": {
                    "event_id": "TOC-0031-E1", "undo": True, "reason": "the sheet was another subject's",
                },
            }),
            answering(201, "The event as it is coded now.", "CodedEvent", TypeAdapter(CodedEvent), EXAMPLE_CODED),
            answering(202, "Another person must agree.", "CodingProposal", TypeAdapter(CodingProposal),
                      EXAMPLE_PROPOSAL),
            refusing(400, 401, 403, 404, 409, 413, 415, 422, 503),
        ),
    )  # fmt: skip
    async def decide_coding(
        case_id: str, request: Request, who: Annotated[Person, requires(*MAY_DECIDE)]
    ) -> JSONResponse:  # fmt: skip
        """A term with a reason, or with `undo` the coding before the newest decision of a person.

        With `synonym` the words mean the term from now on. Where the study asks for a second person, nothing counts
        until another one agrees; an undo counts at once.
        """
        decision = understood(await read_json(request), _DECISION, "the decision cannot be understood")
        at = parts.now()
        decided = await asyncio.wrap_future(
            parts.writer.submit(
                lambda tx: decide(tx, case_id, decision, coders=parts.coders, studies=parts.studies, by=who.name, at=at)
            )
        )
        return JSONResponse(decided.model_dump(mode="json"), 202 if isinstance(decided, CodingProposal) else 201)

    @routes.get(
        "/v1/terms",
        summary="Search the dictionary",
        openapi_extra=call(
            answering(200, "Terms, the most alike first.", "Terms", TypeAdapter(Terms),
                      {"dictionary": "CTCAE v5.0 (MedDRA 20.1 codes)", "terms": [
                          {"code": "10001718", "term": "Allergic reaction", "score": 1.0,
                           "soc": "Immune system disorders",
                           "path": ["LLT 10001718 Allergic reaction", "SOC 10021428 Immune system disorders"],
                           "official": shown_text.EXAMPLE}]}),
            refusing(401, 403, 503),
        ),
    )  # fmt: skip
    async def search_terms(
        q: Annotated[str, Query(min_length=1, max_length=200)],
        who: Annotated[Person, requires(*MAY_READ)],
        top: Annotated[int, Query(ge=1, le=20)] = 20,
        study: Annotated[
            str | None, Query(max_length=60, description="search with the dictionary and synonyms of this study")
        ] = None,
    ) -> Terms:
        return await run_in_threadpool(_terms, parts, q, top, study)

    return routes


def _codings(parts: Parts, case_id: str) -> Codings:
    with parts.store.reading() as connection:
        revision = casebook.latest_revision(connection, case_id)
        if revision is None:
            raise NotFound(f"the coder holds no case {case_id}")
        rows = casebook.history(connection, case_id)
        events = casebook.counting(connection, case_id, revision.revision)
    return Codings(
        case_id=case_id,
        revision=revision.revision,
        dictionary=events[0].dictionary if events and events[0].dictionary else rows[-1].dictionary if rows else "",
        events=events,
        history=[_given(row) for row in rows],
    )


def _given(row: Any) -> Given:
    return Given(
        event_id=row.event_id,
        revision=row.revision,
        status=row.status,
        llt_code=row.llt_code,
        term=row.term,
        method=row.method,
        reasons=row.reasons,
        dictionary=row.dictionary,
        coded_at=row.coded_at.isoformat(),
        coded_by=row.coded_by,
    )


def _terms(parts: Parts, q: str, top: int, study: str | None) -> Terms:
    with parts.store.reading() as connection:
        coder = default_coder() if study is None else parts.coders.of(connection, study)
        book = coder.dictionary
        found = search(coder, q, top)
        if book.ctcae is not None:
            texts = shown_text.official_texts(connection, book.ctcae, (one.code for one in found))
            found = [one.model_copy(update={"official": texts.get(one.code)}) for one in found]
    return Terms(dictionary=book.version, terms=found)


def search(coder: Coder, q: str, top: int) -> list[Found]:
    """The terms that are like what is asked for, the most alike first; with a code, that term alone."""
    by_code = coder.dictionary.coded(q.strip())
    if by_code is not None:
        return [Found(code=by_code.code, term=by_code.name, soc=by_code.soc, score=1.0, path=list(by_code.path))]
    found = code_event(q, coder, top=top).candidates if normalise(q).text else ()
    terms = [(c, coder.dictionary.coded(c.code)) for c in found]
    return [
        Found(code=c.code, term=c.term, soc=c.soc, score=c.score, path=list(term.path))
        for c, term in terms
        if term is not None
    ]
