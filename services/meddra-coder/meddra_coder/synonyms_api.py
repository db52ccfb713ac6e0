"""HTTP: which phrases mean which term here, and which are never coded automatically."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from meddra_coder import held_phrases, synonym_book
from meddra_coder.api import MAY_READ, Parts
from meddra_coder.held_phrases import HeldPhrase, HoldFacts
from meddra_coder.review_api import ANSWER, EXAMPLE_ANSWERS, MAY_ANSWER, served
from meddra_coder.synonym_book import KeptSynonym, SynonymFacts, SynonymWithdrawal
from tocsin.domain.words import Role
from tocsin.web.describe import answering, call, refusing, taking
from tocsin.web.identity import Person, requires
from tocsin.web.reading import read_json, understood

T = TypeVar("T")

_SYNONYM: TypeAdapter[SynonymFacts] = TypeAdapter(SynonymFacts)
_WITHDRAWAL: TypeAdapter[SynonymWithdrawal] = TypeAdapter(SynonymWithdrawal)
_HOLD: TypeAdapter[HoldFacts] = TypeAdapter(HoldFacts)
_WRITING = (400, 401, 403, 404, 409, 413, 415, 422, 503)

_WORD: dict[str, Any] = {
    "decision_id": "5f2f7c51-6a39-5a30-8f0f-3d0a8a1f3c55",
    "llt_code": "10016558",
    "state": "approved",
    "by": "coder1",
    "at": "2026-03-02T04:00:00Z",
    "reason": "the ward always writes it so",
}
_EXAMPLE: dict[str, Any] = {
    "phrase": "burning up at night",
    "scope": "study",
    "study": "NCT06223646",
    "counts": "10016558",
    "newest": _WORD,
    "history": [_WORD],
}
_EXAMPLE_PROPOSED = {**_EXAMPLE, "counts": None, "newest": {**_WORD, "state": "proposed"}}
_EXAMPLE_HELD: dict[str, Any] = {
    "phrase": "reaction",
    "study": None,
    "is_held": True,
    "history": [
        {
            "decision_id": "0d4f36b1-3d35-5f4b-9e39-0d6bb2f0a9b7",
            "is_held": True,
            "by": "coder1",
            "at": "2026-03-02T04:00:00Z",
            "reason": "it may be an infusion reaction or a rash",
        }
    ],
}


class Synonyms(BaseModel):
    """Every phrase of which something was said, by phrase."""

    synonyms: list[KeptSynonym]


class HeldPhrases(BaseModel):
    """Every phrase that was ever held, by phrase."""

    held_phrases: list[HeldPhrase]


def add(routes: APIRouter, parts: Parts) -> None:
    """Add the calls to the coder's routes."""
    _synonyms(routes, parts)
    _held_phrases(routes, parts)


def _synonyms(routes: APIRouter, parts: Parts) -> None:
    @routes.get(
        "/v1/synonyms",
        tags=["Synonyms"],
        summary="What phrases were made to mean here, by whom",
        openapi_extra=call(
            answering(200, "The newest word on each phrase, and every word before.", "Synonyms", TypeAdapter(Synonyms),
                      {"synonyms": [_EXAMPLE]}),
            refusing(401, 403, 422, 503),
        ),
    )  # fmt: skip
    async def list_synonyms(
        who: Annotated[Person, requires(*MAY_READ)],
        study: Annotated[
            str | None, Query(min_length=1, max_length=60, description="its own and those of all studies")
        ] = None,
    ) -> Synonyms:
        """Those that people made here; the shipped ones are not in the list."""
        served(parts, study)
        return Synonyms(synonyms=await run_in_threadpool(_read, parts, lambda tx: synonym_book.listed(tx, study)))

    @routes.post(
        "/v1/synonyms",
        tags=["Synonyms"],
        status_code=201,
        summary="Make a phrase mean a term",
        openapi_extra=call(
            taking(_SYNONYM, "SynonymFacts", {
                "In one study": {"phrase": "burning up at night", "llt_code": "10016558", "scope": "study",
                                 "study": "NCT06223646", "reason": "the ward always writes it so"},
            }),
            answering(201, "It counts from now on.", "KeptSynonym", TypeAdapter(KeptSynonym), _EXAMPLE),
            answering(202, "Another person must agree.", "KeptSynonym", TypeAdapter(KeptSynonym), _EXAMPLE_PROPOSED),
            refusing(*_WRITING),
        ),
    )  # fmt: skip
    async def make_synonym(request: Request, who: Annotated[Person, requires(Role.CODER)]) -> JSONResponse:
        """A phrase that means another term in all studies is refused, unless it is for one study alone."""
        facts = understood(await read_json(request), _SYNONYM, "the synonym cannot be understood")
        served(parts, facts.study)
        at = parts.now()

        def put(tx: Connection) -> KeptSynonym:
            coder = parts.coders.of(tx, facts.study)
            return synonym_book.put(tx, facts, coder=coder, studies=parts.studies, by=who.name, at=at)

        made = await _write(parts, put)
        return _said(made, 202 if made.newest.state == synonym_book.PROPOSED else 201)

    @routes.post(
        "/v1/synonyms/withdrawals",
        tags=["Synonyms"],
        status_code=201,
        summary="Withdraw a synonym",
        openapi_extra=call(
            taking(_WITHDRAWAL, "SynonymWithdrawal", {
                "In one study": {"phrase": "burning up at night", "scope": "study", "study": "NCT06223646",
                                 "reason": "two sites mean hot flushes"},
            }),
            answering(201, "The phrase with its history.", "KeptSynonym", TypeAdapter(KeptSynonym),
                      {**_EXAMPLE, "counts": None, "newest": {**_WORD, "state": "withdrawn"}}),
            refusing(*_WRITING),
        ),
    )  # fmt: skip
    async def withdraw_synonym(request: Request, who: Annotated[Person, requires(Role.CODER)]) -> JSONResponse:
        """One person is enough: what no phrase means waits for a person. Codings that were given stay."""
        facts = understood(await read_json(request), _WITHDRAWAL, "the withdrawal cannot be understood")
        served(parts, facts.study)
        at = parts.now()
        return _said(await _write(parts, lambda tx: synonym_book.withdraw(tx, facts, by=who.name, at=at)))

    @routes.post(
        "/v1/synonyms/{decision_id}/answers",
        tags=["Synonyms"],
        status_code=201,
        summary="Approve or refuse the synonym that another person proposed",
        openapi_extra=call(
            taking(ANSWER, "SecondAnswerFacts", EXAMPLE_ANSWERS),
            answering(201, "The phrase with its history.", "KeptSynonym", TypeAdapter(KeptSynonym), _EXAMPLE),
            refusing(*_WRITING),
        ),
    )
    async def answer_synonym(
        decision_id: UUID, request: Request, who: Annotated[Person, requires(*MAY_ANSWER)]
    ) -> JSONResponse:
        """Who proposed it may not answer it. What was approved before stays when this is refused."""
        facts = understood(await read_json(request), ANSWER, "the answer cannot be understood")
        at = parts.now()
        return _said(await _write(parts, lambda tx: synonym_book.answer(tx, decision_id, facts, by=who.name, at=at)))


def _held_phrases(routes: APIRouter, parts: Parts) -> None:
    @routes.get(
        "/v1/held-phrases",
        tags=["Synonyms"],
        summary="The phrases that are never coded automatically",
        openapi_extra=call(
            answering(200, "The newest word on each phrase, and every word before.", "HeldPhrases",
                      TypeAdapter(HeldPhrases), {"held_phrases": [_EXAMPLE_HELD]}),
            refusing(401, 403, 422, 503),
        ),
    )  # fmt: skip
    async def list_held_phrases(
        who: Annotated[Person, requires(*MAY_READ)],
        study: Annotated[
            str | None, Query(min_length=1, max_length=60, description="its own and those of all studies")
        ] = None,
    ) -> HeldPhrases:
        """Those that people put on the list here; what the lexicon holds is not in it."""
        served(parts, study)
        found = await run_in_threadpool(_read, parts, lambda tx: held_phrases.listed(tx, study))
        return HeldPhrases(held_phrases=found)

    @routes.post(
        "/v1/held-phrases",
        tags=["Synonyms"],
        status_code=201,
        summary="Hold a phrase for a person, or no longer",
        openapi_extra=call(
            taking(_HOLD, "HoldFacts", {
                "In all studies": {"phrase": "reaction", "study": None, "is_held": True,
                                   "reason": "it may be an infusion reaction or a rash"},
            }),
            answering(201, "The phrase with its history.", "HeldPhrase", TypeAdapter(HeldPhrase), _EXAMPLE_HELD),
            refusing(*_WRITING),
        ),
    )  # fmt: skip
    async def hold_phrase(request: Request, who: Annotated[Person, requires(Role.CODER)]) -> JSONResponse:
        """The whole event in these words waits for a person from now on, whatever term it is."""
        facts = understood(await read_json(request), _HOLD, "the decision cannot be understood")
        served(parts, facts.study)
        at = parts.now()
        return _said(await _write(parts, lambda tx: held_phrases.put(tx, facts, by=who.name, at=at)))


def _read(parts: Parts, ask: Callable[[Connection], T]) -> T:
    with parts.store.reading() as connection:
        return ask(connection)


async def _write(parts: Parts, work: Callable[[Connection], T]) -> T:
    return await asyncio.wrap_future(parts.writer.submit(work))


def _said(answer: BaseModel, status: int = 201) -> JSONResponse:
    return JSONResponse(answer.model_dump(mode="json"), status)
