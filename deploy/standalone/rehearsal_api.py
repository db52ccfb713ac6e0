"""The two calls that only a rehearsal house has: where time stands, and let it pass."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from starlette.concurrency import run_in_threadpool

from standalone.rehearsal import ALLOWED, Unreadable, instant, shown
from standalone.rehearsal_door import PATH
from standalone.rehearsal_walk import Walk
from tocsin.errors import Refused, Wrong
from tocsin.web.app import Service
from tocsin.web.describe import answering, call, refusing, taking
from tocsin.web.identity import Machine, Person, anybody
from tocsin.web.reading import read_json, understood

Anybody = Annotated[Machine | Person, Depends(anybody)]
"""Whoever may come into a rehearsal house may move its time: every case in it is invented."""


class TimeAsked(BaseModel):
    """Where time shall stand."""

    model_config = ConfigDict(extra="forbid")
    now: str = Field(description=f"The instant to move to: {ALLOWED}. Not behind where time stands.")


class TimeShown(BaseModel):
    """Where time stands."""

    now: str = Field(description="Where time stands, UTC.")
    next: str | None = Field(description="When time next owes something, UTC; null when nothing is owed.")


class TimeMoved(TimeShown):
    """Where time stands after a move."""

    stops: int = Field(description="At how many instants time stood on the way, the last one included.")


_ASKED, _SHOWN, _MOVED = TypeAdapter(TimeAsked), TypeAdapter(TimeShown), TypeAdapter(TimeMoved)
_EXAMPLE = {"now": "2026-03-01T01:00:00Z", "next": "2026-03-01T01:15:00Z"}


def service(walk: Walk) -> Service:
    """What a rehearsal house has beside the three services."""
    return Service(name="rehearsal", router=_router(walk), workers=(walk,), degraded=lambda: _said(walk))


def _said(walk: Walk) -> list[str]:
    return [f"REHEARSAL, every case is invented; time stands at {shown(walk.now())}"]


def _router(walk: Walk) -> APIRouter:
    routes = APIRouter(tags=["Rehearsal"])

    @routes.get(
        PATH,
        summary="Show where time stands",
        openapi_extra=call(answering(200, "Where time stands.", "RehearsalTime", _SHOWN, _EXAMPLE), refusing(401, 503)),
    )
    def show_time(who: Anybody) -> dict[str, Any]:
        """Where time stands, and when time next owes something: a warning, a ring, a letter, another try."""
        owes = walk.owes()
        return {"now": shown(walk.now()), "next": shown(owes) if owes else None}

    @routes.post(
        PATH,
        summary="Let time pass",
        openapi_extra=call(
            taking(_ASKED, "RehearsalMove", {"To nine in the morning": {"now": "2026-03-01T09:00+08:00"}}),
            answering(200, "All is quiet there.", "RehearsalMoved", _MOVED, {**_EXAMPLE, "stops": 4}),
            refusing(400, 401, 409, 413, 415, 422, 503),
        ),
    )
    async def move_time(request: Request, who: Anybody) -> dict[str, Any]:
        """Let time pass until this instant, through everything that falls due on the way.

        Answers when all is quiet there, however long that takes. 409 while another move is under way. 503 when the
        house does not get quiet: it names what is not, and the same call goes on from where time was reached.
        """
        asked = understood(await read_json(request, 10_000), _ASKED, "this time cannot be understood")
        try:
            target = instant(asked.now)
        except Unreadable as wrong:
            raise Refused("this time cannot be understood", [Wrong("/now", str(wrong), ALLOWED)]) from None
        house = request.app.state
        moved = await run_in_threadpool(walk.to, target, house.crew, house.is_ending)
        return {"now": shown(moved.now), "next": shown(moved.owes) if moved.owes else None, "stops": moved.stops}

    return routes
