"""The door of a rehearsal house: what changes something goes in one by one with the moves of time, never through one.

A call is inside from its first byte to its answer, so what it stamps is committed before time moves. Time moves
while nobody is inside. Every answer says by a header that this is a rehearsal, and where time stood.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from standalone.rehearsal import shown

HEADER = "x-tocsin-rehearsal"
PATH = "/v1/rehearsal/now"
_ONLY_LOOKS = ("GET", "HEAD", "OPTIONS")


class Door:
    """Open to many; `shut` only while nobody is inside, for a moment."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._is_shut = False

    def enter(self) -> bool:
        """Go in; False while it is shut."""
        with self._changed:
            if not self._is_shut:
                self._inside += 1
            return not self._is_shut

    def wait(self) -> None:
        """Return when it is open. By then it may be shut again."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_shut)

    def leave(self) -> None:
        with self._changed:
            self._inside -= 1

    @contextmanager
    def shut(self) -> Iterator[int]:
        """Keep everybody out for a moment; yields how many are inside: with any, it was not shut at all."""
        with self._changed:
            inside = self._inside
            # Who is inside may wait for a thread that a waiting newcomer holds: never keep newcomers out for them.
            self._is_shut = inside == 0
        try:
            yield inside
        finally:
            with self._changed:
                self._is_shut = False
                self._changed.notify_all()


class Porter:
    """ASGI middleware: leads every call through the door, and names the rehearsal on every answer."""

    def __init__(self, app: ASGIApp, door: Door, now: Callable[[], datetime]) -> None:
        self._app = app
        self._door = door
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(raw=message.setdefault("headers", []))[HEADER] = shown(self._now())
            await send(message)

        # A move of time waits for all who are inside, so it cannot be inside itself; who only looks may stay long.
        if scope["method"] in _ONLY_LOOKS or scope["path"] == PATH:
            await self._app(scope, receive, answer)
            return
        while not self._door.enter():
            await run_in_threadpool(self._door.wait)
        try:
            await self._app(scope, receive, answer)
        finally:
            self._door.leave()
