"""HTTP in: people decide about cases, by signature. The edge commits here."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from alerting import assessments, duplicates, one_assessment, shown_decisions, signed_decisions
from alerting.api import Limit, Reader, shows
from alerting.parts import Parts
from alerting.signing import check_signature
from alerting.standing import standing_of
from tocsin.domain.signed import Deed
from tocsin.web.describe import answering, call, refusing, taking
from tocsin.web.identity import Person, requires
from tocsin.web.reading import read_json, understood

Assessor = Annotated[Person, requires(*sorted(assessments.MAY_ASSESS))]

MOST_BYTES = 100_000
_DECISION: TypeAdapter[shown_decisions.DecisionFacts] = TypeAdapter(shown_decisions.DecisionFacts)
_SECOND: TypeAdapter[shown_decisions.SecondSignatureFacts] = TypeAdapter(shown_decisions.SecondSignatureFacts)
_VERDICT: TypeAdapter[shown_decisions.DuplicateFacts] = TypeAdapter(shown_decisions.DuplicateFacts)
_WRITING = (400, 401, 403, 404, 409, 413, 415, 422, 503)


def add(routes: APIRouter, parts: Parts) -> None:
    """The calls by which people decide."""
    _assessments(routes, parts)
    _duplicates(routes, parts)


def _assessments(routes: APIRouter, parts: Parts) -> None:
    @routes.get(
        "/v1/assessments/{case_id}",
        summary="Show what was decided about a case, and how its events are judged",
        tags=["Decisions"],
        openapi_extra=shows(
            "Decisions, oldest first, and judgements.", "Assessment", shown_decisions.AssessmentShown,
            shown_decisions.ASSESSMENT, 404, 422
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
                {"A medical review": shown_decisions.REVIEW, "An awareness override": shown_decisions.OVERRIDE},
            ),
            answering(201, "In force.", "Decided", TypeAdapter(shown_decisions.DecidedShown), shown_decisions.DECIDED),
            answering(
                202, "Another person must sign.", "Decided", TypeAdapter(shown_decisions.DecidedShown),
                shown_decisions.WAITING,
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
            taking(_SECOND, "SecondSignatureFacts", {"A second signature": shown_decisions.SECOND_SIGNATURE}),
            answering(201, "In force.", "Decided", TypeAdapter(shown_decisions.DecidedShown), shown_decisions.DECIDED),
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


def sign(parts: Parts, case_id: str, facts: shown_decisions.DecisionFacts, who: Person) -> dict[str, Any]:
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
    parts: Parts, case_id: str, decision_id: UUID, facts: shown_decisions.SecondSignatureFacts, who: Person
) -> dict[str, Any]:
    """Keep a second signature, and answer what the decision did."""
    with parts.store.reading() as tx:
        row = assessments.waiting(tx, case_id, decision_id, who.name)
    deed = Deed(row.deed)
    assessments.refuse_without(who.roles, deed)
    now = parts.now()
    signature = check_signature(parts, who, facts.signature, now, needs=assessments.needed_roles(deed))
    with parts.store.transaction() as tx:
        if deed is Deed.DUPLICATE:
            both = duplicates.countersign(tx, parts, row, signature, now)
            assert both.decision is not None
            stands = standing_of(tx, parts, row.study, case_id)
            return one_assessment.answer(tx, stands, both.decision, both.effects)
        done = assessments.countersign(tx, parts, case_id, row, signature, now)
        return one_assessment.answer(tx, done.stands, done.row, done.effects)


def _duplicates(routes: APIRouter, parts: Parts) -> None:
    @routes.get(
        "/v1/duplicates",
        summary="List cases that may tell of the same event",
        tags=["Decisions"],
        openapi_extra=shows(
            "Pairs, newest first.", "Duplicates", shown_decisions.DuplicatesShown, shown_decisions.DUPLICATES, 404, 422
        ),
    )
    def list_duplicates(
        who: Reader, status: Literal["open", "decided"] | None = None, case_id: str | None = None,
        limit: Limit = 200,
    ) -> dict[str, Any]:  # fmt: skip
        """What intake found, with its reasons, and what a person decided."""
        with parts.store.reading() as tx:
            rows = duplicates.like(
                tx, is_open=None if status is None else status == "open", case_id=case_id, limit=limit
            )
            return {"duplicates": [one_assessment.shown_pair(row) for row in rows]}

    @routes.post(
        "/v1/duplicates/{duplicate_id}/decisions",
        summary="Decide whether two cases tell of the same, by signature",
        tags=["Decisions"],
        status_code=201,
        openapi_extra=call(
            taking(
                _VERDICT,
                "DuplicateFacts",
                {"A duplicate": shown_decisions.IS_DUPLICATE, "Two events": shown_decisions.IS_DISTINCT},
            ),
            answering(
                201, "In force.", "DuplicateDecided", TypeAdapter(shown_decisions.DuplicateDecided),
                shown_decisions.DUPLICATE_DECIDED,
            ),
            answering(
                202, "Another person must sign.", "DuplicateDecided",
                TypeAdapter(shown_decisions.DuplicateDecided), shown_decisions.DUPLICATE_WAITS,
            ),
            refusing(*_WRITING),
        ),
    )  # fmt: skip
    async def decide_duplicate(duplicate_id: UUID, request: Request, who: Assessor) -> JSONResponse:
        """One of the two stays, with the earliest day zero; the other's running clocks are cancelled.

        Refused where a running clock would be lost by it. Distinct is recorded, and changes no clock.
        """
        facts = understood(await read_json(request, MOST_BYTES), _VERDICT, "this decision cannot be understood")
        return _decided(await run_in_threadpool(sign_pair, parts, duplicate_id, facts, who))


def sign_pair(parts: Parts, pair_id: UUID, facts: shown_decisions.DuplicateFacts, who: Person) -> dict[str, Any]:
    """Keep what was decided about a pair, and answer what it did."""
    now = parts.now()
    needs = assessments.needed_roles(Deed.DUPLICATE)
    signature = check_signature(parts, who, facts.signature, now, needs=needs)
    said = duplicates.Said(facts.decision, facts.reason, facts.keep)
    with parts.store.transaction() as tx:
        done = duplicates.decide(tx, parts, pair_id, said, signature, now)
        return one_assessment.of_duplicate(tx, parts, done)
