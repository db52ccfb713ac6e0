"""What sites and systems post: reports, follow-ups, answers, doses, observations.

Each call reads strictly, decides what it can without the database, then does its work in the writer's turn, and
answers after COMMIT: 201 means that it is kept. Reading back is in `showing`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import TypeAdapter
from starlette.responses import Response

from ae_intake import examples, taking
from ae_intake.answers import ANSWER, FOLLOW_UP
from ae_intake.attribution import by_subject, place_of, study_of, wrong_in_dose
from ae_intake.keeping import Sender
from ae_intake.parts import Parts
from ae_intake.receipts import (
    Answer,
    DoseReceipt,
    ObservationsReceipt,
    Receipt,
    Scope,
    StatementReceipt,
    given_before,
    scope_of,
)
from ae_intake.records import Seen, keep_dose, keep_observations
from ae_intake.taking import REPORT, Work
from tocsin.errors import Refused
from tocsin.messages.facts import DoseFacts, ObservationsFacts
from tocsin.web.describe import answering, call, refusing
from tocsin.web.describe import taking as taken
from tocsin.web.identity import Machine, machine
from tocsin.web.machine_call import MachineCall
from tocsin.web.reading import Sent, read_json, understood

OBSERVATIONS_LIMIT_BYTES = 4 * 1024 * 1024
"""Five thousand laboratory values fit."""

_DOSE: TypeAdapter[DoseFacts] = TypeAdapter(DoseFacts)
_OBSERVATIONS: TypeAdapter[ObservationsFacts] = TypeAdapter(ObservationsFacts)
_RECEIPT: TypeAdapter[Any] = TypeAdapter(Receipt)
_ANSWERED: TypeAdapter[Any] = TypeAdapter(Receipt | StatementReceipt)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

Who = Annotated[Machine, Depends(machine)]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Yours, 1 to 255 visible ASCII characters. The same key with the same body gives the same "
        "receipt, however often; with another body it is refused (409). Remembered for ever.",
    ),
]
_REFUSALS = refusing(400, 401, 409, 413, 415, 422, 503)


def router(parts: Parts) -> APIRouter:
    """The calls."""
    routes = APIRouter(prefix="/v1", route_class=MachineCall)

    @routes.post(
        "/reports",
        status_code=201,
        tags=["Reports"],
        summary="Report adverse events of one subject",
        openapi_extra=call(
            taken(REPORT, "ReportFacts", examples.REPORTS),
            answering(201, "Kept. The receipt.", "Receipt", _RECEIPT, examples.RECEIPT),
            _REFUSALS,
        ),
    )
    async def post_report(request: Request, who: Who, idempotency_key: Key = None) -> Response:
        """Kept whenever it can be understood and attributed; what is missing or contradictory is named and asked."""
        sent = await read_json(request)
        protocol = study_of(who, parts.studies)
        prepare = partial(taking.a_report, who, protocol, sent)
        return await _accept(parts, request, who, idempotency_key, sent, "report", prepare)

    @routes.post(
        "/reports/{case_id}/follow-ups",
        status_code=201,
        tags=["Reports"],
        summary="Send a follow-up: the next revision of a case",
        openapi_extra=call(
            taken(FOLLOW_UP, "FollowUpFacts", examples.FOLLOW_UPS),
            answering(201, "Kept. The receipt.", "Receipt", _RECEIPT, examples.RECEIPT),
            _REFUSALS,
            refusing(404),
        ),
    )
    async def post_follow_up(request: Request, case_id: str, who: Who, idempotency_key: Key = None) -> Response:
        """What it does not mention stays as it was; `null` takes a fact back; an event that it leaves out stays.

        Events are known by `ref`, by number (`TOC-0031-E2`), by their words or place. A nullification needs a
        reason, and names the right subject when the wrong one was named.
        """
        sent = await read_json(request)
        protocol = study_of(who, parts.studies)
        prepare = partial(taking.a_follow_up, who, protocol, case_id, sent)
        return await _accept(parts, request, who, idempotency_key, sent, "follow_up", prepare)

    @routes.post(
        "/queries/{query_id}/answers",
        status_code=201,
        tags=["Queries"],
        summary="Answer a query: the next revision of its case",
        openapi_extra=call(
            taken(ANSWER, "AnswerFacts", examples.ANSWERS),
            answering(201, "Kept. The receipt.", "AnswerReceipt", _ANSWERED, examples.RECEIPT),
            _REFUSALS,
            refusing(404),
        ),
    )
    async def post_answer(request: Request, query_id: str, who: Who, idempotency_key: Key = None) -> Response:
        """`value` is put where the query's `about` points; `follow_up` carries any facts; `statement` says it in words.

        A missing element stays asked until it is there; any other query is settled by the answer. A query that is
        about no case is answered by a `statement`, and the event itself by a report.
        """
        sent = await read_json(request)
        protocol = study_of(who, parts.studies)
        prepare = partial(taking.an_answer, who, protocol, query_id, sent)
        return await _accept(parts, request, who, idempotency_key, sent, "answer", prepare)

    @routes.post(
        "/doses",
        status_code=201,
        tags=["Doses and observations"],
        summary="Record an enrolment, an infusion, a withdrawal or a product event",
        openapi_extra=call(
            taken(_DOSE, "DoseFacts", examples.DOSES),
            answering(201, "Kept.", "DoseReceipt", TypeAdapter(DoseReceipt), examples.DOSE_RECEIPT),
            _REFUSALS,
        ),
    )
    async def post_dose(request: Request, who: Who, idempotency_key: Key = None) -> Response:
        """A product event rings like a report."""
        sent = await read_json(request)
        protocol = study_of(who, parts.studies)

        def prepare(sender: Sender) -> Work:
            facts = understood(sent, _DOSE, "the dose record cannot be understood")
            place = place_of(who, protocol, facts.study, facts.site)
            if wrong := wrong_in_dose(place, facts):
                raise Refused("the dose record cannot be understood or attributed", wrong)
            return lambda tx: keep_dose(tx, place, facts, sender)

        return await _accept(parts, request, who, idempotency_key, sent, "dose", prepare)

    @routes.post(
        "/observations",
        status_code=201,
        tags=["Doses and observations"],
        summary="Record observations of one subject or many",
        openapi_extra=call(
            taken(_OBSERVATIONS, "ObservationsFacts", examples.OBSERVATIONS),
            answering(
                201, "Kept.", "ObservationsReceipt", TypeAdapter(ObservationsReceipt), examples.OBSERVATIONS_RECEIPT
            ),
            _REFUSALS,
        ),
    )
    async def post_observations(request: Request, who: Who, idempotency_key: Key = None) -> Response:
        """One to five thousand observations: all are kept or none."""
        sent = await read_json(request, OBSERVATIONS_LIMIT_BYTES)
        protocol = study_of(who, parts.studies)

        def prepare(sender: Sender) -> Work:
            facts = understood(sent, _OBSERVATIONS, "the observations cannot be understood")
            grouped = by_subject(who, protocol, facts)
            seen = [Seen(place, subject, observed) for subject, (place, observed) in grouped.items()]
            return lambda tx: keep_observations(tx, protocol.id, seen, sender)

        return await _accept(parts, request, who, idempotency_key, sent, "observations", prepare)

    return routes


async def _accept(
    parts: Parts,
    request: Request,
    who: Machine,
    key: str | None,
    sent: Sent,
    kind: str,
    prepare: Callable[[Sender], Work],
) -> Response:
    """Do the work once, whatever is sent how often, and answer when it is kept."""
    given = request.headers.get("traceparent", "")
    trace = given if _TRACEPARENT.fullmatch(given) else None
    sender = Sender(who.key_id, parts.now(), sent.raw.decode(), trace)
    scope = scope_of(who, key, sent.digest(request.method, request.scope["path"]) if key is not None else "")
    try:
        work = prepare(sender)
    except Refused:
        # What was accepted once gets its receipt again, even if a study file has changed meanwhile.
        before = await run_in_threadpool(_given_before, parts, scope)
        if before is None:
            raise
        return _answer(before)

    answer = await parts.write(taking.in_turn(scope, sender.at, work))
    if not answer.is_replay:
        parts.accepted[kind] += 1
    return _answer(answer)


def _answer(answer: Answer) -> Response:
    headers = {"Idempotent-Replay": "true"} if answer.is_replay else None
    return Response(answer.body, 201, headers, "application/json")


def _given_before(parts: Parts, scope: Scope | None) -> Answer | None:
    if scope is None:
        return None
    with parts.store.reading() as connection:
        return given_before(connection, scope)
