"""Named loops: how a process runs what is neither a request nor a test.

A worker is a name and a `run(stop)` that returns soon after `stop` is set. A worker that raises is not restarted
behind anybody's back: the crew remembers why, health turns red, and the process is for its supervisor to restart.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import structlog

log = structlog.get_logger(__name__)


class Worker(Protocol):
    """A named loop."""

    @property
    def name(self) -> str: ...

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then return within a second or two."""


@runtime_checkable
class Sleeper(Protocol):
    """A worker that looks now and then, and at once when it is woken."""

    def wake(self) -> None:
        """There is something to do: look now."""


class Crew:
    """Starts workers in order, each in its own thread, and stops them in reverse order, one after the other."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = tuple(workers)
        self._stops = [threading.Event() for _ in self._workers]
        self._threads: list[threading.Thread] = []
        self._failed: dict[str, BaseException] = {}

    def start(self) -> None:
        for worker, stop in zip(self._workers, self._stops, strict=True):
            thread = threading.Thread(target=self._run, args=(worker, stop), name=worker.name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, each_s: float = 5.0) -> list[str]:
        """Stop all; answers the names of those that did not end within `each_s` seconds."""
        slow = []
        for worker, stop, thread in reversed(list(zip(self._workers, self._stops, self._threads, strict=True))):
            stop.set()
            if isinstance(worker, Sleeper):
                worker.wake()
            thread.join(each_s)
            if thread.is_alive():
                slow.append(worker.name)
                log.error("worker_did_not_stop", worker=worker.name, waited_s=each_s)
        return slow

    @property
    def failed(self) -> dict[str, BaseException]:
        """Who ended by an error, and by which."""
        return dict(self._failed)

    def _run(self, worker: Worker, stop: threading.Event) -> None:
        try:
            worker.run(stop)
        except BaseException as error:  # a thread has nobody above it: the crew is where it surfaces
            self._failed[worker.name] = error
            log.exception("worker_failed", worker=worker.name)
