"""HTTP on one connection, with an end to waiting: for the head of a request, and for a body that nobody reads.

Uvicorn waits for ever for a request that has begun, and keeps headers of any length. Who opens connections and says a
byte now and then would have all of them. What is waited for while a call reads its body is `tocsin.web.arriving`.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEAD_WITHIN_S: Final = 20.0
"""From the first byte, or from the opening of the connection, to the end of the headers."""

MOST_HEAD_BYTES: Final = 64 * 1024
"""Of the address and all headers together, and what comes in the same breath."""


class Impatient(HttpToolsProtocol):
    """Uvicorn's own protocol, with a deadline."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._is_in_head = True
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_in_head or self.cycle.response_complete:
            self._expect()
        if self._is_in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        # What came in one breath may hold a body besides: only a head that goes on is too long.
        if self._is_in_head and self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            allowed = f"at most {MOST_HEAD_BYTES} bytes"
            self._refuse(431, "too-large", "the headers are too large", f"{self._head_bytes} bytes or more", allowed)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._head_bytes = 0
        self._expect_nothing()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_in_head = True
        if self.cycle.response_complete:  # Uvicorn has begun to wait for the next request and was interrupted.
            self._expect()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP at all, in our words."""
        self._refuse(400, "malformed", "the request is not HTTP", "cannot be read", "HTTP/1.1")

    def _expect(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_WITHIN_S, self._too_late)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if self._is_in_head and self._head_bytes and not is_answering:
            allowed = f"all headers within {HEAD_WITHIN_S:.0f} s"
            self._refuse(408, "too-slow", "the request came too slowly", "its headers have no end yet", allowed)
        else:
            self.transport.close()

    def _refuse(self, status: int, kind: str, title: str, problem: str, allowed: str) -> None:
        """A problem document without the application, and the end of the connection."""
        wrong = [{"pointer": "", "problem": problem, "allowed": allowed}]
        said = {"type": f"urn:tocsin:problem:{kind}", "title": title, "status": status, "errors": wrong}
        body = json.dumps(said).encode()
        head = (
            b"content-type: application/problem+json\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n"
            b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        )
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()
