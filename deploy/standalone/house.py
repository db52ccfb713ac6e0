"""Puts the services together: the one place that knows all three."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from standalone.names import ServiceName
from tocsin.errors import Away
from tocsin.now import Now, wall

if TYPE_CHECKING:
    from tocsin.bus.port import Bus
    from tocsin.domain.protocol import Protocol
    from tocsin.settings import Settings
    from tocsin.web.app import Service

log = structlog.get_logger(__name__)

APPS: Mapping[ServiceName, str] = {
    "intake": "ae_intake.app",
    "coder": "meddra_coder.app",
    "alerting": "alerting.app",
}


def build(
    names: Sequence[ServiceName],
    settings: Settings,
    studies: Mapping[str, Protocol],
    bus: Bus,
    *,
    now: Now = wall,
    is_rehearsal: bool = False,
) -> list[Service]:
    """The named services, wired and not yet running. Imports no other. Raises Away while a database is away.

    `now` is the time of cases. What speaks to people, or beats, is told when this is a rehearsal.
    """
    built: list[Service] = []
    for name in names:
        make: Callable[..., Service] = importlib.import_module(APPS[name]).build
        try:
            built.append(make(settings, studies, bus, now=now, is_rehearsal=is_rehearsal))
        except BaseException:
            for service in reversed(built):
                service.close()
            raise
    return built


class TopicMaker:
    """A worker that makes the topics as soon as the broker answers. Whoever needs one before then waits anyway."""

    name = "topics"

    def __init__(self, bus: Bus, partitions: int, replication: int, pause_s: float = 2.0) -> None:
        self._bus = bus
        self._partitions = partitions
        self._replication = replication
        self._pause_s = pause_s

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self.make()
            except Away as away:
                log.warning("topics_wait_for_the_bus", why=str(away))
                stop.wait(self._pause_s)
            else:
                return

    def make(self) -> None:
        """Make what is missing, now. Raises BusAway."""
        from tocsin.messages.topics import all_topics

        self._bus.ensure(all_topics(self._partitions, self._replication))


def failed_workers(app: Any) -> str | None:
    """Which workers of a running application ended by an error, and by which; None when all is well."""
    crew = getattr(getattr(app, "state", None), "crew", None)
    failed: Mapping[str, BaseException] = crew.failed if crew is not None else {}
    return "; ".join(f"{name}: {type(error).__name__}: {error}" for name, error in failed.items()) or None
