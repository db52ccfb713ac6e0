"""HTTP in: who is on duty, the call plan of a study, overrides of its rotas. The edge commits here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from alerting import call_plan, call_plans
from alerting.api import Reader, shows
from alerting.parts import Parts
from tocsin.domain.words import Role
from tocsin.errors import NotFound
from tocsin.web.describe import answering, call, refusing, taking
from tocsin.web.identity import Person, requires
from tocsin.web.parameters import Moment
from tocsin.web.reading import read_json, understood

MAY_PLAN = (Role.ADMINISTRATOR, Role.SAFETY_TEAM, Role.MEDICAL_DIRECTOR)
MAY_OVERRIDE = (*MAY_PLAN, Role.SAFETY_PHYSICIAN, Role.SECOND_PHYSICIAN)
Planner = Annotated[Person, requires(*MAY_PLAN)]
Swapper = Annotated[Person, requires(*MAY_OVERRIDE)]
MOST_BYTES = 300_000
_WRITING = (400, 401, 403, 404, 409, 413, 415, 422, 503)
_REASON = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CallPlanFacts(_Facts):
    """A call plan to be saved. `replaces`: the version it was made from; 0 where there is none yet."""

    replaces: int = Field(ge=0)
    reason: _REASON
    plan: call_plan.CallPlanDocument


class OverrideFacts(_Facts):
    """Somebody takes a role for a time."""

    role: Role
    person: Annotated[str, Field(min_length=1, max_length=200)]
    begins: Moment
    ends: Moment
    reason: _REASON


class CallPlanShown(BaseModel):
    study: str
    version: int
    saved_at: str
    saved_by: str
    reason: str
    plan: call_plan.CallPlanDocument


class SavedShown(BaseModel):
    """`cautions`: who is rung and could not acknowledge, as the logins are now."""

    study: str
    version: int
    cautions: list[str]


class OverrideShown(BaseModel):
    override_id: str
    role: str
    person: str
    begins: str
    ends: str
    made_at: str
    made_by: str
    reason: str


class OverridesShown(BaseModel):
    overrides: list[OverrideShown]


class TurnShown(BaseModel):
    """Who is on duty from when to when; `because`: an override, the rota, or having the role without a rota."""

    begins: str
    ends: str
    people: list[str]
    because: str


class DutyShown(BaseModel):
    study: str
    role: str
    on_duty: list[str]
    because: str
    turns: list[TurnShown]


class OnDutyShown(BaseModel):
    at: str
    duties: list[DutyShown]


_FACTS: TypeAdapter[CallPlanFacts] = TypeAdapter(CallPlanFacts)
_OVERRIDE: TypeAdapter[OverrideFacts] = TypeAdapter(OverrideFacts)
_CAUTION = "qiao has no login, and could not acknowledge: tocsin users add makes one"
_FACTS_EXAMPLE = {"replaces": 0, "reason": "the first rota of the study", "plan": call_plan.example()}
_OVERRIDE_EXAMPLE = {
    "role": "safety_physician", "person": "shen", "begins": "2026-05-28T12:00:00+08:00",
    "ends": "2026-05-29T08:00:00+08:00", "reason": "Lin is at a congress",
}  # fmt: skip
_OVERRIDES_EXAMPLE = {
    "overrides": [
        {
            "override_id": "4b1d9c0a-2f3e-4f7c-9a55-0d7f1b2c3e44", "role": "safety_physician", "person": "shen",
            "begins": "2026-05-28T04:00:00Z", "ends": "2026-05-29T00:00:00Z", "made_at": "2026-05-13T01:00:00Z",
            "made_by": "lin", "reason": "Lin is at a congress",
        }
    ]
}  # fmt: skip
_TURN = {
    "begins": "2026-05-13T18:08:00Z", "ends": "2026-05-14T00:00:00Z", "people": ["lin"], "because": "the rota",
}  # fmt: skip
_DUTY_EXAMPLE = {
    "at": "2026-05-13T18:08:00Z",
    "duties": [
        {"study": "NCT06223646", "role": "safety_physician", "on_duty": ["lin"], "because": "the rota",
         "turns": [_TURN]}
    ],
}  # fmt: skip
_PLAN_EXAMPLE = {
    "study": "NCT06223646", "version": 1, "saved_at": "2026-05-01T01:00:00Z", "saved_by": "zhou",
    "reason": "the first rota of the study", "plan": call_plan.example(),
}  # fmt: skip


def add(routes: APIRouter, parts: Parts) -> None:
    """Add the calls to those of alerting."""
    _plans(routes, parts)
    _overrides(routes, parts)


def _plans(routes: APIRouter, parts: Parts) -> None:
    @routes.get(
        "/v1/on-duty",
        summary="Show who is on duty now, and every turn of the days to come",
        tags=["People"],
        openapi_extra=shows("By study and role.", "OnDuty", OnDutyShown, _DUTY_EXAMPLE, 422),
    )
    def on_duty(who: Reader, at: Moment | None = None, days: Annotated[int, Query(ge=1, le=92)] = 14) -> dict[str, Any]:
        """Of the roles that call plans fill. Roles of the study file alone have no turns and stand in /v1/contacts."""
        moment: datetime = at or parts.now()
        with parts.store.reading() as tx:
            found = call_plans.now_on_duty(tx, parts, moment, days)
        return {"at": moment.isoformat(), "duties": found}

    @routes.get(
        "/v1/call-plans/{study}",
        summary="Show the call plan of a study",
        tags=["People"],
        openapi_extra=shows("The version that counts.", "CallPlan", CallPlanShown, _PLAN_EXAMPLE, 404),
    )
    def show_plan(study: str, who: Reader) -> dict[str, Any]:
        """People with their addresses, rotas and policies, as they were saved."""
        with parts.store.reading() as tx:
            found = call_plans.document(tx, study)
        if found is None:
            raise NotFound(f"study {study} has no call plan: the people of its study file are rung")
        return found

    @routes.put(
        "/v1/call-plans/{study}",
        summary="Save the call plan of a study",
        tags=["People"],
        openapi_extra=call(
            taking(_FACTS, "CallPlanFacts", {"A first plan": _FACTS_EXAMPLE}),
            answering(
                200, "It counts from now on.", "CallPlanSaved", TypeAdapter(SavedShown),
                {"study": "NCT06223646", "version": 1, "cautions": [_CAUTION]},
            ),
            refusing(*_WRITING),
        ),
    )  # fmt: skip
    async def save_plan(study: str, request: Request, who: Planner) -> JSONResponse:
        """Whole, as a new version. A plan by which an alert would ring nobody is refused, with every place where."""
        facts = understood(await read_json(request, MOST_BYTES), _FACTS, "this call plan cannot be understood")

        def save() -> dict[str, Any]:
            with parts.store.transaction() as tx:
                version = call_plans.save(
                    tx, parts, study, facts.plan, replaces=facts.replaces, by=who.name, reason=facts.reason,
                    at=parts.now(),
                )  # fmt: skip
                return {"study": study, "version": version, "cautions": call_plans.cautions(tx, facts.plan)}

        return JSONResponse(await run_in_threadpool(save))


def _overrides(routes: APIRouter, parts: Parts) -> None:
    @routes.get(
        "/v1/call-plans/{study}/overrides",
        summary="List the overrides that have not ended",
        tags=["People"],
        openapi_extra=shows("Soonest first.", "Overrides", OverridesShown, _OVERRIDES_EXAMPLE, 404),
    )
    def list_overrides(study: str, who: Reader) -> dict[str, Any]:
        """Who takes a role in place of whoever the rota names, from when to when."""
        call_plans.must_be_served(parts, study)
        with parts.store.reading() as tx:
            return {"overrides": call_plans.overrides_of(tx, study, parts.now())}

    @routes.post(
        "/v1/call-plans/{study}/overrides",
        summary="Let somebody take a role for a time",
        tags=["People"],
        status_code=201,
        openapi_extra=call(
            taking(_OVERRIDE, "OverrideFacts", {"A night that is swapped": _OVERRIDE_EXAMPLE}),
            answering(201, "It counts.", "Overrides", TypeAdapter(OverridesShown), _OVERRIDES_EXAMPLE),
            refusing(*_WRITING),
        ),
    )
    async def make_override(study: str, request: Request, who: Swapper) -> JSONResponse:
        """An alarm that is open already rings by it from its next notice on."""
        facts = understood(await read_json(request, 10_000), _OVERRIDE, "this override cannot be understood")

        def make() -> dict[str, Any]:
            with parts.store.transaction() as tx:
                now = parts.now()
                call_plans.put_override(
                    tx, parts, study, facts.role.value, facts.person, facts.begins, facts.ends, by=who.name,
                    reason=facts.reason, at=now,
                )  # fmt: skip
                return {"overrides": call_plans.overrides_of(tx, study, now)}

        return JSONResponse(await run_in_threadpool(make), 201)

    @routes.delete(
        "/v1/call-plans/{study}/overrides/{override_id}",
        summary="Withdraw an override",
        tags=["People"],
        openapi_extra=shows("Those that count.", "Overrides", OverridesShown, {"overrides": []}, 404, 422),
    )
    def withdraw(study: str, override_id: UUID, who: Swapper) -> dict[str, Any]:
        """It counts no more from now on; that it was made stays on the record."""
        now = parts.now()
        with parts.store.transaction() as tx:
            call_plans.withdraw_override(tx, override_id, by=who.name, at=now, study=study)
            return {"overrides": call_plans.overrides_of(tx, study, now)}
