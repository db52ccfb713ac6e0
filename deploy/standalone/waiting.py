"""An application that is not there yet: answers "not ready" while the real one waits for its database.

The process is alive and its port is open; a proxy or supervisor sees 503 with `Retry-After` instead of a restart loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog
from starlette.concurrency import run_in_threadpool

from tocsin.errors import Away

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)


class Waiting:
    """Builds the real application as soon as what it needs answers, then hands everything to it.

    `build` may raise Away as often as it likes. Any other error of it ends the server: `failed` says which.
    """

    def __init__(self, build: Callable[[], Any]) -> None:
        self._build = build
        self._why = "it is starting"
        self.app: Any = None
        self.failed: BaseException | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self.app is not None:
            await self.app(scope, receive, send)
        else:
            await self._not_yet(scope, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        async with contextlib.AsyncExitStack() as lives:
            building = asyncio.create_task(self._bring_up(lives))
            await receive()
            building.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await building
        await send({"type": "lifespan.shutdown.complete"})

    async def _bring_up(self, lives: contextlib.AsyncExitStack) -> None:
        tries = 0
        while True:
            try:
                app = await run_in_threadpool(self._build)
                await lives.enter_async_context(app.router.lifespan_context(app))
            except Away as away:
                self._why = str(away)
                log.warning("waits_to_start", why=self._why, times=tries + 1)
                await asyncio.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
                tries += 1
            except Exception as error:
                self.failed = error  # a task has nobody above it: the server asks for this and ends
                log.exception("cannot_start")
                return
            else:
                self.app = app
                log.info("started")
                return

    async def _not_yet(self, scope: Scope, send: Send) -> None:
        alive = scope["path"] == "/health"
        body = {"status": "alive"} if alive else {"type": "about:blank", "title": "Not ready", "detail": self._why}
        if not alive:
            body["status"] = 503  # type: ignore[assignment]
        headers = [(b"content-type", b"application/json" if alive else b"application/problem+json")]
        if not alive:
            headers.append((b"retry-after", b"2"))
        await send({"type": "http.response.start", "status": 200 if alive else 503, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})
