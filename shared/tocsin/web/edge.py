"""The outermost layer of every house: request ids, security headers, HEAD, the access log, and faults caught.

The log holds the route, never the path or the body: a path may hold a subject's number. A fault is logged by its kind
and the lines it went through, never by its message, which may hold patient words.
"""

from __future__ import annotations

import random
import re
import time
import traceback
from http import HTTPStatus

import structlog
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tocsin.web.metrics import Traffic
from tocsin.web.problems import of_fault

log = structlog.get_logger(__name__)

_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECURITY = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
# Numbers to find a request by, no secrets: asking the system for each would give up the turn of this thread.
_random = random.Random()  # noqa: S311
_QUIET = {"/health", "/ready", "/metrics", "/desk/dose/stamp", "/desk/now", "/desk/stream", "/coding/now"}


class Edge:
    """ASGI middleware. One log line a request; the watchers' own calls are only counted."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        state = scope.setdefault("state", {})
        given = Headers(scope=scope).get("x-request-id", "")
        state["request_id"] = given if _GIVEN_ID.fullmatch(given) else f"{_random.getrandbits(128):032x}"
        method = scope["method"]
        is_head = method == "HEAD"
        if is_head:  # Whatever can be read can be asked for its head.
            scope["method"] = "GET"
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                raw = message.setdefault("headers", [])
                said = {name for name, _ in raw}
                raw += [header for header in _SECURITY if header[0] not in said]
                headers = MutableHeaders(raw=raw)
                headers["x-request-id"] = state["request_id"]
                if after_s := state.get("retry_after"):
                    headers["retry-after"] = str(after_s)
                if status == HTTPStatus.REQUEST_TIMEOUT:  # The rest of it may still be on its way.
                    headers["connection"] = "close"
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as fault:
            log.error("fault", request=state["request_id"], kind=type(fault).__name__, where=_where(fault))
            if status:
                raise  # The answer has begun: it can only be broken off.
            await of_fault(Request(scope))(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - began
            route = getattr(scope.get("route"), "path_format", "unmatched")
            self._traffic.answered(method, route, status, seconds, state.get("problem"))
            if route not in _QUIET:
                log.info(
                    "answered",
                    method=method,
                    route=route,
                    status=status,
                    ms=round(seconds * 1000, 1),
                    who=state.get("who"),
                    problem=state.get("problem"),
                    request=state["request_id"],
                )


def _where(fault: BaseException) -> list[str]:
    frames = traceback.extract_tb(fault.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
