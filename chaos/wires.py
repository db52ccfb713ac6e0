"""A wire between the house and what it needs, with its faults: slow, cut, silent. Bytes pass as they are."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

CHUNK = 65_536


class Wire:
    """Passes connections on to `target` (host, port); listens on `port` of the loopback address from its start on."""

    def __init__(self) -> None:
        self.target = ("127.0.0.1", 0)
        self.delay_s = 0.0
        """How long each piece of a stream takes, either way."""
        self._loop = asyncio.new_event_loop()
        self._silent = asyncio.Event()
        self._pairs: dict[asyncio.StreamWriter, tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self._do(self._set(silent=False))
        self.port = int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Break every connection there is; new ones may be made."""
        self._do(self._cut())

    def silence(self) -> None:
        """Let nothing through, without a word: connections stay open."""
        self._do(self._set(silent=True))

    def heal(self) -> None:
        """Fast and open again."""
        self.delay_s = 0.0
        self._do(self._set(silent=False))

    def close(self) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _do(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    async def _set(self, *, silent: bool) -> None:
        self._silent.clear() if silent else self._silent.set()

    async def _cut(self) -> None:
        for writer in tuple(self._pairs):
            writer.transport.abort()

    async def _end(self) -> None:
        self._silent.set()
        self._server.close()
        await self._cut()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()  # Nobody is there: as it would be without a wire.
            return
        self._pairs |= {writer: (writer, back), back: (writer, back)}
        try:
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        finally:
            for one in (writer, back):
                self._pairs.pop(one, None)
                one.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(CHUNK):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self._silent.wait()
                writer.write(piece)
                await writer.drain()
            writer.write_eof()
        except OSError:
            # One side broke off (a killed process does, where an answer was on its way): the other must hear of it.
            for one in self._pairs[writer]:
                one.transport.abort()
