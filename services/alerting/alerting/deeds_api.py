"""HTTP in: what was sent, and what the other side said. Decisions are in `decisions_api`. The edge commits here."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from alerting import (
    decisions_api,
    dlt_api,
    one_clock,
    packet_api,
    shown_deeds,
    submission_answers,
    submissions,
    trial_api,
)
from alerting.api import Reader, shows
from alerting.parts import Parts
from tocsin.domain.words import Role
from tocsin.web.describe import answering, call, refusing, taking
from tocsin.web.identity import Person, requires
from tocsin.web.reading import read_json, understood

MAY_SUBMIT = (
    Role.SAFETY_TEAM, Role.SAFETY_PHYSICIAN, Role.SECOND_PHYSICIAN, Role.MEDICAL_DIRECTOR, Role.MEDICAL_REVIEWER,
)  # fmt: skip

Submitter = Annotated[Person, requires(*MAY_SUBMIT)]

MOST_BYTES = 100_000
_SUBMISSION: TypeAdapter[shown_deeds.SubmissionFacts] = TypeAdapter(shown_deeds.SubmissionFacts)
_ACKNOWLEDGEMENT: TypeAdapter[shown_deeds.AcknowledgementFacts] = TypeAdapter(shown_deeds.AcknowledgementFacts)
_WRITING = (400, 401, 403, 404, 409, 413, 415, 422, 503)


def add(routes: APIRouter, parts: Parts) -> None:
    """The calls by which people act on clocks."""
    _clocks(routes, parts)
    _submissions(routes, parts)
    decisions_api.add(routes, parts)
    dlt_api.add(routes, parts)
    trial_api.add(routes, parts)
    packet_api.add(routes, parts)


def _clocks(routes: APIRouter, parts: Parts) -> None:
    @routes.get(
        "/v1/clocks/{clock_id}",
        summary="Show one clock with what was sent for it",
        tags=["Clocks"],
        openapi_extra=shows(
            "The clock, whole.", "WholeClock", shown_deeds.WholeClock, shown_deeds.WHOLE_CLOCK, 404, 422
        ),
    )
    def one(clock_id: UUID, who: Reader) -> dict[str, Any]:
        """The clock with its history, its submissions, and of copies the distribution, recipient by recipient."""
        with parts.store.reading() as tx:
            return one_clock.whole(tx, parts, clock_id)

    @routes.get(
        "/v1/clocks/{clock_id}/submissions",
        summary="List what was sent for a clock",
        tags=["Clocks"],
        openapi_extra=shows(
            "Submissions, oldest first.", "Submissions", shown_deeds.SubmissionsShown, shown_deeds.SUBMISSIONS, 404, 422
        ),
    )
    def submissions_of(clock_id: UUID, who: Reader) -> dict[str, Any]:
        """What was entered at this clock, and what was entered at another and counts for it too."""
        with parts.store.reading() as tx:
            return {"submissions": one_clock.whole(tx, parts, clock_id)["submissions"]}


def _submissions(routes: APIRouter, parts: Parts) -> None:
    @routes.post(
        "/v1/clocks/{clock_id}/submissions",
        summary="Enter a report that was sent",
        tags=["Clocks"],
        status_code=201,
        openapi_extra=call(
            taking(
                _SUBMISSION,
                "SubmissionFacts",
                {"A first report": shown_deeds.SUBMISSION, "Copies to all": shown_deeds.COPY},
            ),
            answering(201, "What it meets.", "Entered", TypeAdapter(shown_deeds.EnteredShown), shown_deeds.ENTERED),
            refusing(*_WRITING),
        ),
    )
    async def enter_submission(clock_id: UUID, request: Request, who: Submitter) -> JSONResponse:
        """Say that a report was sent: when, to whom, under which reference. What would meet no clock is refused.

        Sending the same again adds nothing. On a clock of copies the clock's own recipient means all who wait.
        """
        facts = understood(await read_json(request, MOST_BYTES), _SUBMISSION, "this submission cannot be understood")
        return JSONResponse(await run_in_threadpool(enter, parts, clock_id, facts, who), 201)

    @routes.post(
        "/v1/clocks/{clock_id}/submissions/{submission_id}/acknowledgements",
        summary="Enter what the other side said to a submission",
        tags=["Clocks"],
        status_code=201,
        openapi_extra=call(
            taking(
                _ACKNOWLEDGEMENT,
                "AcknowledgementFacts",
                {"It was accepted": shown_deeds.ACCEPTED_ANSWER, "It was rejected": shown_deeds.REJECTED_ANSWER},
            ),
            answering(
                201, "How the clock stands now.", "Answered", TypeAdapter(shown_deeds.AnsweredShown),
                shown_deeds.ANSWERED,
            ),
            refusing(*_WRITING),
        ),
    )  # fmt: skip
    async def acknowledge_submission(
        clock_id: UUID, submission_id: UUID, request: Request, who: Submitter
    ) -> JSONResponse:
        """An authority's acknowledgement, or a recipient's receipt of a copy.

        A rejection reopens the clock and rings a physician.
        """
        facts = understood(await read_json(request, MOST_BYTES), _ACKNOWLEDGEMENT, "this answer cannot be understood")
        return JSONResponse(await run_in_threadpool(acknowledge, parts, clock_id, submission_id, facts, who), 201)


def enter(parts: Parts, clock_id: UUID, facts: shown_deeds.SubmissionFacts, who: Person) -> dict[str, Any]:
    """Keep a submission, and answer what it meets."""
    said = submissions.Said(
        facts.at, facts.kind, facts.reference, facts.recipient, None if facts.events is None else tuple(facts.events)
    )
    with parts.store.transaction() as tx:
        kept = submissions.enter(tx, parts, clock_id, said, who.name, parts.now())
        return {
            "submission_id": str(kept.id),
            "clock_id": str(clock_id),
            "submissions": [{"submission_id": str(row.id), "recipient": row.recipient} for row in kept.rows],
            "met": [
                {"clock_id": str(met_id), "rule": life.clock.rule, "event_id": life.clock.event_id,
                 "status": life.status.value, "recipient": life.clock.recipient}
                for met_id, life in kept.met
            ],
            "outstanding": list(kept.outstanding),
            "clock": one_clock.whole(tx, parts, clock_id),
        }  # fmt: skip


def acknowledge(
    parts: Parts, clock_id: UUID, submission_id: UUID, facts: shown_deeds.AcknowledgementFacts, who: Person
) -> dict[str, Any]:
    """Keep what the other side said, and answer how the clock stands."""
    said = submission_answers.Said(facts.at, facts.outcome, facts.reference, facts.reason, facts.signed_by)
    with parts.store.transaction() as tx:
        row, stands = submissions.find_clock(tx, parts, clock_id)
        kept = submission_answers.answer(tx, parts, row, stands, submission_id, said, who.name, parts.now())
        return {
            "submission_id": str(submission_id),
            "submissions": [one_clock.shown_submission(one) for one in kept],
            "clock": one_clock.whole(tx, parts, clock_id),
        }
