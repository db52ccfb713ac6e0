"""One web application out of one service or several: `house(services)`.

A service brings its routes, its workers and its own word on how it is; the house adds what all share: who asks,
problem documents, `/health`, `/ready`, `/metrics`, one merged `/openapi.json`, and the starting and stopping of the
workers.

`/health` is 503 when a worker has failed: the process is for its supervisor to restart. `/ready` is 503 only when a
service cannot do its own durable work; what merely waits (a bus that is away) is `degraded[]` in a 200.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute

from tocsin import __version__
from tocsin.errors import Away, Refused
from tocsin.now import Now
from tocsin.web import look, problems
from tocsin.web.describe import add_schemas
from tocsin.web.edge import Edge
from tocsin.web.identity import Identity, Logins, Machines
from tocsin.web.limits import Limits
from tocsin.web.metrics import Measure, Traffic, exposition
from tocsin.workers import Crew, Worker

log = structlog.get_logger(__name__)


def _nothing() -> None: ...


def _never() -> None:
    """Time owes this service nothing."""


@dataclass(frozen=True)
class Service:
    """One service, wired. `durable` raises Away when it cannot keep what it accepts; `degraded` says what waits.

    `workers` start in order and stop in reverse. `machines` is the look-up of site keys, `logins` that of logins, each
    of the service that has them.
    `owes` answers when time next owes something, by the time of cases: an instant that has come is being worked on,
    None is never. A rehearsal goes from one such instant to the next; whoever keeps timers must tell of each.
    """

    name: str
    router: APIRouter
    workers: Sequence[Worker] = ()
    durable: Callable[[], None] = _nothing
    degraded: Callable[[], list[str]] = list
    metrics: Callable[[], Iterable[Measure]] = tuple
    close: Callable[[], None] = _nothing
    machines: Machines | None = None
    logins: Logins | None = None
    owes: Callable[[], datetime | None] = _never


def _not_ending() -> bool:
    return False


def house(
    services: Sequence[Service], *, now: Now, signing_key: bytes | None = None, limits: Limits | None = None
) -> FastAPI:  # fmt: skip
    """The application that serves these services together. Its lifespan starts and stops all their workers.

    `limits`: how fast one asker may ask; None as fast as it can.
    """
    crew = Crew([worker for service in services for worker in service.workers])
    traffic = Traffic()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        crew.start()
        try:
            yield
        finally:
            await run_in_threadpool(_stop, crew, services)

    app = FastAPI(
        title="Tocsin",
        version=__version__,
        summary="Event-driven safety service for early-phase trials",
        lifespan=lifespan,
        docs_url=None,  # The page would load its scripts from elsewhere.
        redoc_url=None,
        redirect_slashes=False,
        # The trace is ours (`tocsin.observe`); the framework's own would carry addresses, and asks at every request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        middleware=[Middleware(Edge, traffic=traffic)],
        exception_handlers={
            Refused: problems.of_refusal,
            Away: problems.of_away,
            HTTPException: problems.of_http,
            RequestValidationError: problems.of_parameters,
        },
    )
    app.state.crew = crew
    app.state.is_ending = _not_ending  # until whoever serves it knows better
    app.state.limits = limits or Limits.none()
    app.state.identity = Identity(
        now,
        next((s.machines for s in services if s.machines is not None), None),
        signing_key,
        next((s.logins for s in services if s.logins is not None), None),
    )
    # Not `include_router`: it looks for a route three times in each router within a router, at every request.
    watch = _watch(services, crew, traffic, app.state.limits)
    for router in (*(service.router for service in services), look.routes(), watch):
        for route in _routes(router.routes):
            route.unique_id = route.name
            app.router.routes.append(route)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


_ALIVE = {"status": "alive", "failed": {}}
_FAILED = {"status": "failed", "failed": {"alerting": "DeadLetterLimit"}}
_READY = {
    "status": "ready",
    "away": {},
    "degraded": ["ae-intake: what was accepted waits for the bus: the broker does not answer"],
}
_NOT_READY = {"status": "not ready", "away": {"ae-intake": "the database does not answer"}, "degraded": []}
_NUMBERS = """# HELP tocsin_accepted_total Requests accepted, by kind
# TYPE tocsin_accepted_total counter
tocsin_accepted_total{kind="report"} 31.0
"""


def _watched(good: dict[str, Any], why: str, bad: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"content": {"application/json": {"example": good}}},
        503: {"description": why, "content": {"application/json": {"example": bad}}},
    }


def _watch(services: Sequence[Service], crew: Crew, traffic: Traffic, limits: Limits) -> APIRouter:
    router = APIRouter(tags=["Watch"])

    @router.get("/health", summary="Is the process alive?", responses=_watched(_ALIVE, "A worker has failed.", _FAILED))
    def health() -> Response:
        """503 when a worker has failed and the process must be restarted."""
        failed = {name: type(error).__name__ for name, error in crew.failed.items()}
        return JSONResponse({"status": "failed" if failed else "alive", "failed": failed}, 503 if failed else 200)

    @router.get(
        "/ready",
        summary="Can each service do its own durable work?",
        responses=_watched(_READY, "One cannot.", _NOT_READY),
    )
    def ready() -> Response:
        """503 only when one cannot. What merely waits is in `degraded`."""
        away, degraded = {}, []
        for service in services:
            try:
                service.durable()
            except Away as error:
                away[service.name] = str(error)
            degraded += [f"{service.name}: {finding}" for finding in service.degraded()]
        degraded += [f"worker {name} has failed: {type(error).__name__}" for name, error in crew.failed.items()]
        said = {"status": "not ready" if away else "ready", "away": away, "degraded": degraded}
        return JSONResponse(said, 503 if away else 200)

    @router.get(
        "/metrics",
        summary="Numbers for Prometheus",
        response_class=PlainTextResponse,
        responses={200: {"content": {"text/plain": {"example": _NUMBERS}}}},
    )
    def metrics() -> Response:
        text = exposition(traffic, [limits.measures, *(service.metrics for service in services)])
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    return router


def _stop(crew: Crew, services: Sequence[Service]) -> None:
    crew.stop()
    for service in reversed(services):
        service.close()


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            routes=[*app.routes],
            tags=app.openapi_tags,
        )
        add_schemas(document)
        app.openapi_schema = document
    return app.openapi_schema


def routes_of(app: FastAPI) -> list[APIRoute]:
    """The application's own routes, for tests that hold every call and page to the same law."""
    return list(_routes(app.routes))


def _routes(found: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    for route in found:
        # FastAPI keeps a router that was included as one route of its own, with its routes within.
        within = getattr(route, "original_router", None)
        if isinstance(route, APIRoute):
            yield route
        elif within is not None:
            yield from _routes(within.routes)
