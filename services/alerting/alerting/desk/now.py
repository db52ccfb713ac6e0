"""`/desk/now`: the few numbers that stand beside the links of every page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy import Connection, func, select
from starlette.responses import JSONResponse, Response

from alerting import kinds
from alerting.alarm import OPEN
from alerting.delivery.ledger import DEAD
from alerting.parts import Parts
from alerting.tables import alerts, deliveries
from tocsin.web.pages import Pages
from tocsin.web.places import READERS

RINGING_LEVELS = kinds.LEVELS[kinds.LEVELS.index("page") :]
"""The levels at which people are rung until somebody answers."""


def add(routes: APIRouter, parts: Parts, pages: Pages) -> None:
    """The route."""

    @routes.get("/desk/now", include_in_schema=False)
    def now(request: Request) -> Response:
        who = pages.who(request)
        if who is None:
            return JSONResponse({}, 401)
        if not who.roles & READERS:
            return JSONResponse({})
        with parts.store.reading() as tx:
            return JSONResponse(counts(tx))


def counts(tx: Connection) -> dict[str, int]:
    """How many alarms ring, and how many deliveries of open alerts were given up."""
    ringing = select(func.count()).where(alerts.c.state == OPEN, alerts.c.level.in_(RINGING_LEVELS))
    open_alerts = select(alerts.c.id).where(alerts.c.state == OPEN)
    dead = select(func.count()).where(deliveries.c.state == DEAD, deliveries.c.alert_id.in_(open_alerts))
    return {"ringing": tx.scalar(ringing) or 0, "dead": tx.scalar(dead) or 0}
