"""HTTP in: people act on clocks. They enter what was sent and answered, and sign decisions. The edge commits here."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from alerting import (
    assessments,
    one_assessment,
    one_clock,
    shown_deeds,
    signed_decisions,
    submission_answers,
    submissions,
)
from alerting.api import MAY_READ
from alerting.parts import Parts
from alerting.signing import check_signature
from tocsin.domain.signed import Deed
from tocsin.domain.words import Role
from tocsin.web.describe import answering, call, refusing, taking
from tocsin.web.identity import Person, requires
from tocsin.web.reading import read_json, understood

MAY_SUBMIT = (
    Role.SAFETY_TEAM, Role.SAFETY_PHYSICIAN, Role.SECOND_PHYSICIAN, Role.MEDICAL_DIRECTOR, Role.MEDICAL_REVIEWER,
)  # fmt: skip

Reader = Annotated[Person, requires(*MAY_READ)]
Submitter = Annotated[Person, requires(*MAY_SUBMIT)]
Assessor = Annotated[Person, requires(*sorted(assessments.MAY_ASSESS))]

MOST_BYTES = 100_000
_SUBMISSION: TypeAdapter[shown_deeds.SubmissionFacts] = TypeAdapter(shown_deeds.SubmissionFacts)
_ACKNOWLEDGEMENT: TypeAdapter[shown_deeds.AcknowledgementFacts] = TypeAdapter(shown_deeds.AcknowledgementFacts)
_DECISION: TypeAdapter[shown_deeds.DecisionFacts] = TypeAdapter(shown_deeds.DecisionFacts)
_SECOND: TypeAdapter[shown_deeds.SecondSignatureFacts] = TypeAdapter(shown_deeds.SecondSignatureFacts)
_WRITING = (400, 401, 403, 404, 409, 413, 415, 422, 503)


def add(routes: APIRouter, parts: Parts) -> None:
    """The calls by which people act on clocks."""
    _clocks(routes, parts)
    _submissions(routes, parts)
    _assessments(routes, parts)


def _clocks(routes: APIRouter, parts: Parts) -> None:
    @routes.get(
        "/v1/clocks/{clock_id}",
        summary="Show one clock with what was sent for it",
        tags=["Clocks"],
        openapi_extra=_shows("The clock, whole.", "WholeClock", shown_deeds.WholeClock, shown_deeds.WHOLE_CLOCK),
    )
    def one(clock_id: UUID, who: Reader) -> dict[str, Any]:
        """The clock with its history, its submissions, and of copies the distribution, recipient by recipient."""
        with parts.store.reading() as tx:
            return one_clock.whole(tx, parts, clock_id)

    @routes.get(
        "/v1/clocks/{clock_id}/submissions",
        summary="List what was sent for a clock",
        tags=["Clocks"],
        openapi_extra=_shows(
            "Submissions, oldest first.", "Submissions", shown_deeds.SubmissionsShown, shown_deeds.SUBMISSIONS
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
                {"A first report": shown_deeds.SUBMISSION},
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


def _assessments(routes: APIRouter, parts: Parts) -> None:
    @routes.get(
        "/v1/assessments/{case_id}",
        summary="Show what was decided about a case, and how its events are judged",
        tags=["Decisions"],
        openapi_extra=_shows(
            "Decisions, oldest first, and judgements.", "Assessment", shown_deeds.AssessmentShown,
            shown_deeds.ASSESSMENT,
        ),
    )  # fmt: skip
    def one_case(case_id: str, who: Reader) -> dict[str, Any]:
        """Every decision with its signatures and effects; each event with both parties' opinions and the reasons."""
        with parts.store.reading() as tx:
            return one_assessment.whole(tx, parts, case_id)

    @routes.post(
        "/v1/assessments/{case_id}",
        summary="Decide about a case, by signature",
        tags=["Decisions"],
        status_code=201,
        openapi_extra=call(
            taking(
                _DECISION,
                "DecisionFacts",
                {"A medical review": shown_deeds.REVIEW, "An awareness override": shown_deeds.OVERRIDE},
            ),
            answering(201, "In force.", "Decided", TypeAdapter(shown_deeds.DecidedShown), shown_deeds.DECIDED),
            answering(
                202, "Another person must sign.", "Decided", TypeAdapter(shown_deeds.DecidedShown),
                shown_deeds.WAITING,
            ),
            refusing(*_WRITING),
        ),
    )  # fmt: skip
    async def decide(case_id: str, request: Request, who: Assessor) -> JSONResponse:
        """Medical review, downgrade, nullification, awareness override, or that a follow-up is significant.

        The password is verified anew. What the rules do not bear is refused and leaves nothing; a review closes no
        clock. Where the study asks for two people, nothing changes until another one has signed too.
        """
        facts = understood(await read_json(request, MOST_BYTES), _DECISION, "this decision cannot be understood")
        return _decided(await run_in_threadpool(sign, parts, case_id, facts, who))

    @routes.post(
        "/v1/assessments/{case_id}/{decision_id}/signatures",
        summary="Sign a decision that waits for a second person",
        tags=["Decisions"],
        status_code=201,
        openapi_extra=call(
            taking(_SECOND, "SecondSignatureFacts", {"A second signature": shown_deeds.SECOND_SIGNATURE}),
            answering(201, "In force.", "Decided", TypeAdapter(shown_deeds.DecidedShown), shown_deeds.DECIDED),
            refusing(*_WRITING),
        ),
    )
    async def second_signature(
        case_id: str, decision_id: UUID, request: Request, who: Assessor
    ) -> JSONResponse:  # fmt: skip
        """Sign what another person decided. The rules must still bear it now."""
        facts = understood(await read_json(request, MOST_BYTES), _SECOND, "this signature cannot be understood")
        return _decided(await run_in_threadpool(sign_too, parts, case_id, decision_id, facts, who))


def _decided(said: dict[str, Any]) -> JSONResponse:
    return JSONResponse(said, 201 if said["state"] == signed_decisions.IN_FORCE else 202)


def sign(parts: Parts, case_id: str, facts: shown_deeds.DecisionFacts, who: Person) -> dict[str, Any]:
    """Keep a signed decision, and answer what it did."""
    said = assessments.Said(
        reason=facts.reason,
        given=frozenset(name for name in facts.model_fields_set if getattr(facts, name) is not None),
        decision=facts.decision,
        events=tuple(facts.events or ()),
        causality=tuple((one.agent, one.relation) for one in facts.causality or ()),
        expected=None if facts.expectedness is None else facts.expectedness == "expected",
        seriousness=tuple(facts.seriousness or ()),
        aware_at=facts.aware_at,
        revision=facts.revision,
    )
    deed = assessments.deed_of(said)
    assessments.refuse_without(who.roles, deed)
    now = parts.now()
    signature = check_signature(parts, who, facts.signature, now, needs=assessments.needed_roles(deed))
    with parts.store.transaction() as tx:
        done = assessments.decide(tx, parts, case_id, said, signature, now)
        return one_assessment.answer(tx, done.stands, done.row, done.effects)


def sign_too(
    parts: Parts, case_id: str, decision_id: UUID, facts: shown_deeds.SecondSignatureFacts, who: Person
) -> dict[str, Any]:
    """Keep a second signature, and answer what the decision did."""
    with parts.store.reading() as tx:
        row = assessments.waiting(tx, case_id, decision_id, who.name)
    deed = Deed(row.deed)
    assessments.refuse_without(who.roles, deed)
    now = parts.now()
    signature = check_signature(parts, who, facts.signature, now, needs=assessments.needed_roles(deed))
    with parts.store.transaction() as tx:
        done = assessments.countersign(tx, parts, case_id, row, signature, now)
        return one_assessment.answer(tx, done.stands, done.row, done.effects)


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


def _shows(says: str, name: str, model: Any, example: Any) -> dict[str, Any]:
    return call(answering(200, says, name, TypeAdapter(model), example), refusing(401, 403, 404, 422, 503))
