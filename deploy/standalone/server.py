"""One HTTP server in one process: binds early, says when it is ready, ends within ten seconds of being asked."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import structlog
import uvicorn

from standalone.impatience import Impatient
from tocsin.errors import SettingsError

log = structlog.get_logger(__name__)

REQUESTS_END_S = 3
"""How long requests that are being answered may take once the end was asked for."""

ALL_ENDS_S = 9.5
"""When the process ends whatever still runs. What it had not committed, the next start does."""


def bind(host: str, port: int) -> socket.socket:
    """The socket to listen on, so that a port in use is known before anything else is done."""
    try:
        [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host} port {port}: {error.strerror}; name others with --host and --port, "
            "or TOCSIN_HOST and TOCSIN_PORT"
        ) from None
    return listener


class Server(uvicorn.Server):
    """Uvicorn, with a word when it is ready, a deadline for its end, and a reason to end besides a signal."""

    def __init__(self, app: Any, *, on_ready: Callable[[], None], must_end: Callable[[], str | None] = lambda: None):
        super().__init__(
            uvicorn.Config(
                app,
                http=Impatient,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=65,
                timeout_graceful_shutdown=REQUESTS_END_S,
            )
        )
        self._on_ready = on_ready
        self._must_end = must_end
        self.ended_because: str | None = None
        self._deadline: threading.Timer | None = None

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        _allow_connections()
        super().run(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            # What was imported and wired stays: the collector need not look through it again and again.
            gc.freeze()
            gc.enable()
            gc.set_threshold(50_000, 20, 20)
            log.info("ready")
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        log.info("ending", because=self.ended_because or "asked to")
        await super().shutdown(sockets=sockets)
        log.info("ended")

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0 and not self.should_exit and (why := self._must_end()):
            self.ended_because = why
            self._end_anyway_later()
            self.should_exit = True
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn does it, but a signal is an order carried out, not raised again once all is done."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:
            self._end_anyway_later()
        super().handle_exit(sig, frame)

    def _end_anyway_later(self) -> None:
        """The promise of ten seconds holds also when a worker hangs: nothing that was answered for is lost by it."""
        self._deadline = threading.Timer(ALL_ENDS_S, _end_by_force)
        self._deadline.daemon = True
        self._deadline.start()

    def live_on(self) -> None:
        """For a process that goes on after its server has ended, as a test does."""
        if self._deadline is not None:
            self._deadline.cancel()


MOST_FILES = 65_536


def _allow_connections() -> None:
    """As many open connections as this user may have: many systems begin with a thousand, which a stranger can hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _end_by_force() -> None:
    alive = [thread.name for thread in threading.enumerate() if thread is not threading.current_thread()]
    log.error("ended_by_force", waited_s=ALL_ENDS_S, still_running=alive)
    os._exit(1)
