"""HTTP in: the dose board, and what people do about holds and doses. The edge commits here."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from alerting import board_json, holds_signed, shown_trial
from alerting.api import MAY_READ, shows
from alerting.parts import Parts
from alerting.signing import check_signature
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import Role
from tocsin.errors import Forbidden, NotFound, Refused, Wrong
from tocsin.web.describe import answering, call, refusing, taking
from tocsin.web.identity import Person, requires
from tocsin.web.parameters import Instant
from tocsin.web.reading import read_json, understood

MOST_BYTES = 100_000
# The cell lab sees which holds it is to confirm.
Seer = Annotated[Person, requires(*MAY_READ, Role.CELL_LAB)]
Lifter = Annotated[Person, requires(*sorted(holds_signed.MAY_LIFT))]
Confirmer = Annotated[Person, requires(*sorted(holds_signed.MAY_CONFIRM))]

_LIFT: TypeAdapter[shown_trial.HoldDecisionFacts] = TypeAdapter(shown_trial.HoldDecisionFacts)
_CONFIRM: TypeAdapter[shown_trial.HoldConfirmationFacts] = TypeAdapter(shown_trial.HoldConfirmationFacts)
_RECOMMEND: TypeAdapter[shown_trial.RecommendationFacts] = TypeAdapter(shown_trial.RecommendationFacts)
_WRITING = (400, 401, 403, 404, 409, 413, 415, 422, 503)


def add(routes: APIRouter, parts: Parts) -> None:
    """The calls on the dose board and its holds."""
    _board(routes, parts)
    _holds(routes, parts)


def _board(routes: APIRouter, parts: Parts) -> None:
    @routes.get(
        "/v1/dose-board",
        summary="Show the dose board",
        tags=["Dose"],
        openapi_extra=shows(
            "The board as it stands.", "DoseBoard", shown_trial.BoardShown, shown_trial.BOARD, 404, 422
        ),
    )
    def dose_board(
        who: Seer, study: str | None = None, as_of: Instant | None = None,
        what_if: Annotated[bool, Query(description="false leaves out what the board would say otherwise")] = True,
    ) -> dict[str, Any]:  # fmt: skip
        """Who counts at each level, who is waited for, what the design says and what stands against it.

        Everything follows from the facts that are held; `as_of` lets their time pass, and invents no fact.
        """
        protocol = study_of(parts, study)
        with parts.store.reading() as tx:
            return board_json.whole(tx, parts, protocol, as_of or parts.now(), with_what_if=what_if)

    @routes.post(
        "/v1/dose-board/recommendations",
        summary="Sign the dose of phase 2a",
        tags=["Dose"],
        status_code=201,
        openapi_extra=call(
            taking(_RECOMMEND, "RecommendationFacts", {"The dose that was found": shown_trial.RECOMMEND}),
            answering(
                201, "In force.", "DoseBoard", TypeAdapter(shown_trial.BoardShown), shown_trial.BOARD
            ),
            refusing(*_WRITING),
        ),
    )  # fmt: skip
    async def recommend(request: Request, who: Lifter) -> JSONResponse:
        """Only once every subject of phase 1 has completed the observation, and only the dose that was found.

        Whoever is infused from then on belongs to the expansion.
        """
        facts = understood(await read_json(request, MOST_BYTES), _RECOMMEND, "this decision cannot be understood")
        return JSONResponse(await run_in_threadpool(sign_dose, parts, facts, who), 201)


def _holds(routes: APIRouter, parts: Parts) -> None:
    @routes.post(
        "/v1/holds/{hold_id}/decisions",
        summary="Lift a hold, by signature",
        tags=["Dose"],
        status_code=201,
        openapi_extra=call(
            taking(_LIFT, "HoldDecisionFacts", {"It is lifted": shown_trial.LIFT}),
            answering(201, "Lifted.", "Hold", TypeAdapter(shown_trial.HoldShown), shown_trial.LIFTED),
            refusing(*_WRITING),
        ),
    )
    async def lift(hold_id: UUID, request: Request, who: Lifter) -> JSONResponse:
        """Lift a hold. That of a level waiting for its review is lifted by the committee's signed review.

        The password is verified anew. What the facts set again afterwards stands again.
        """
        facts = understood(await read_json(request, MOST_BYTES), _LIFT, "this decision cannot be understood")
        return JSONResponse(await run_in_threadpool(sign_lift, parts, hold_id, facts, who), 201)

    @routes.post(
        "/v1/holds/{hold_id}/confirmations",
        summary="Confirm that a site or the cell lab knows of a hold",
        tags=["Dose"],
        status_code=201,
        openapi_extra=call(
            taking(_CONFIRM, "HoldConfirmationFacts", {"By telephone": shown_trial.CONFIRM}),
            answering(201, "Confirmed.", "Hold", TypeAdapter(shown_trial.HoldShown), shown_trial.HOLD),
            refusing(*_WRITING),
        ),
    )
    async def confirm(hold_id: UUID, request: Request, who: Confirmer) -> JSONResponse:
        """A hold stops nobody by itself: each site and the cell lab are rung until they confirm."""
        facts = understood(await read_json(request, MOST_BYTES), _CONFIRM, "this confirmation cannot be understood")
        return JSONResponse(await run_in_threadpool(keep_confirmation, parts, hold_id, facts, who), 201)


def study_of(parts: Parts, study: str | None) -> Protocol:
    """The study that is meant; Refused where none is named and there are several, NotFound where it has no doses."""
    if study is None:
        with_doses = [one for one in parts.studies.values() if one.levels]
        if len(with_doses) != 1:
            which = ", ".join(sorted(one.id for one in with_doses)) or "none"
            raise Refused("which study is meant?", [Wrong("/study", "is missing", which)])
        return with_doses[0]
    protocol = parts.studies.get(study)
    if protocol is None or not protocol.levels:
        raise NotFound("no study of this name with dose levels is served here")
    return protocol


def sign_lift(parts: Parts, hold_id: UUID, facts: shown_trial.HoldDecisionFacts, who: Person) -> dict[str, Any]:
    """Keep a signed decision about a hold, and answer how it stands."""
    now = parts.now()
    signature = check_signature(parts, who, facts.signature, now, needs=frozenset(holds_signed.MAY_LIFT))
    with parts.store.transaction() as tx:
        found = holds_signed.lift(tx, parts, hold_id, facts.reason, signature, now)
        return board_json.hold(found.hold, found.board)


def keep_confirmation(
    parts: Parts, hold_id: UUID, facts: shown_trial.HoldConfirmationFacts, who: Person
) -> dict[str, Any]:  # fmt: skip
    """Keep that somebody knows of a hold, and answer who does. A person of a site confirms for that site alone."""
    is_of_site = Role.SITE in who.roles
    if is_of_site and facts.party != who.site:
        raise Forbidden("somebody of a site confirms for that site alone")
    with parts.store.transaction() as tx:
        if is_of_site and holds_signed.find(tx, parts, hold_id, parts.now()).protocol.id != who.study:
            raise NotFound("there is no such hold")
        found = holds_signed.confirm(
            tx, parts, hold_id, facts.party, who.name, frozenset(who.roles), facts.told_by, parts.now()
        )
        shown = board_json.hold(found.hold, found.board)
    return _for_site(shown, facts.party) if is_of_site else shown


def _for_site(hold: dict[str, Any], party: str) -> dict[str, Any]:
    """A hold as a site may read it: its reasons may name subjects of another site, and who else knows is not theirs."""
    own = [one for one in hold["confirmations"] if one["party"] == party]
    return {**hold, "key": hold["kind"], "reasons": [], "confirmations": own, "lifted": None}


def sign_dose(parts: Parts, facts: shown_trial.RecommendationFacts, who: Person) -> dict[str, Any]:
    """Keep the signed dose of phase 2a, and answer the board."""
    protocol = study_of(parts, facts.study)
    now = parts.now()
    signature = check_signature(parts, who, facts.signature, now, needs=frozenset(holds_signed.MAY_LIFT))
    with parts.store.transaction() as tx:
        holds_signed.recommend(tx, parts, protocol.id, facts.level, facts.reason, signature, now)
        return board_json.whole(tx, parts, protocol, now)
