"""The body of a request as it arrives: refused when it comes too slowly, or not whole.

Who sends a byte now and then would hold a connection and its memory for as long as they like.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import Request

from tocsin.errors import Wrong
from tocsin.web.problems import Malformed, TooSlow

FIRST_S = 20.0
"""How long a sender may take for nothing at all."""

LEAST_BYTES_PER_S = 1000
"""What must come on the average after that: a quarter of what a telephone line carried."""


async def arriving(request: Request) -> AsyncIterator[bytes]:
    """The parts of the body in order. Raises TooSlow, or Malformed when the sender goes before all was sent."""
    clock = asyncio.get_running_loop().time
    began, size = clock(), 0
    is_whole = False
    try:
        while not is_whole:
            async with asyncio.timeout_at(began + FIRST_S + size / LEAST_BYTES_PER_S):
                message = await request.receive()
            if message["type"] == "http.disconnect":
                wrong = Wrong("", f"it broke off after {size} bytes", "as many bytes as Content-Length says")
                raise Malformed("the request was not sent whole", [wrong])
            is_whole = not message.get("more_body", False)
            if part := message.get("body", b""):
                size += len(part)
                yield part
    except TimeoutError:
        problem = f"{size} bytes came in {clock() - began:.0f} s"
        allowed = f"{LEAST_BYTES_PER_S} bytes a second after the first {FIRST_S:.0f} s"
        raise TooSlow("the request came too slowly: nothing was kept", [Wrong("", problem, allowed)]) from None
