"""How time moves in a rehearsal: from one instant at which something is owed to the next, and dry before each step.

**Dry** means that nothing more happens unless time moves or somebody acts. A message is in an outbox, or on the log
and not done by every group that reads it; what time owes is a timer or a delivery whose instant has come. The order
in which `findings` looks is what makes the answer true, although it cannot look everywhere at once:

1. Every group has done everything on the log. So no handler is at work, and none begins before something is published.
2. Time owes nothing that has come. So no chore and no courier is at work, and from here on nobody writes an outbox.
3. Every outbox is empty. So nothing is left to be published.
4. Nothing was published since 1. So 1 to 3 hold together, now.

Nobody from outside comes in meanwhile: the door is shut. It stays shut until time has moved.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from standalone.rehearsal import Standing, shown
from standalone.rehearsal_door import Door
from tocsin.bus.consume import Consumer
from tocsin.bus.embedded import EmbeddedBus
from tocsin.errors import Away, Conflict, Refused, Wrong
from tocsin.store.outbox import Relay
from tocsin.store.writer import Writer
from tocsin.web.app import Service
from tocsin.workers import Crew, Sleeper

log = structlog.get_logger(__name__)

PATIENCE_S = 60.0
"""How long, in real time, a house may stay at one instant without any change before it is said not to get quiet.
Longer than the lease of a delivery whose process was killed, and than the slowest webhook."""

LONGEST_S = 900.0
"""How long it may stay at one instant however much changes."""

FARTHEST = timedelta(days=3660)
"""How far one call may go: a slip of the pen in the year must not walk through decades, hour by hour."""

_PAUSE_S = 0.015
_WAKE_EVERY_S = 0.25


class NotQuiet(Refused):
    """The house does not get quiet. Time stands where it was reached, nothing is lost, and the call may be repeated."""

    status = 503
    kind = "not-quiet"


@dataclass(frozen=True, slots=True)
class Moved:
    """Where time stands now, at how many instants it stood on the way, and when time next owes something."""

    now: datetime
    stops: int
    owes: datetime | None


def next_stop(now: datetime, target: datetime, owed: Iterable[datetime | None]) -> datetime:
    """Where time stands next on its way from `now` to `target`: where something is owed first, or at the target."""
    return min((at for at in owed if at is not None and now < at < target), default=target)


class Walk:
    """Moves the time of one house. Also a worker of it, so that a long move ends when the house does."""

    name = "rehearsal"

    def __init__(self, clock: Standing, door: Door, bus: EmbeddedBus, services: Sequence[Service]) -> None:
        self._clock = clock
        self._door = door
        self._bus = bus
        self._services = tuple(services)
        workers = [worker for service in services for worker in service.workers]
        self._consumers = [w for w in workers if isinstance(w, Consumer)]
        self._relays = [w for w in workers if isinstance(w, Relay)]
        self._writers = [w for w in workers if isinstance(w, Writer)]
        # A relay is woken by whoever puts something into its outbox; time alone gives it nothing to do.
        self._sleepers = [w for w in workers if isinstance(w, Sleeper) and not isinstance(w, Relay)]
        self._groups: Mapping[str, Sequence[str]] = {c.name: c.topics for c in self._consumers}
        self._moving = threading.Lock()
        self._ending = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Nothing of its own to do; when the house ends, a move under way does too."""
        stop.wait()
        self._ending.set()

    def now(self) -> datetime:
        """Where time stands."""
        return self._clock()

    def owes(self) -> datetime | None:
        """When time next owes something."""
        return min((at for service in self._services if (at := service.owes()) is not None), default=None)

    def to(self, target: datetime, crew: Crew, is_ending: Callable[[], bool]) -> Moved:
        """Let time pass until `target`. At the present instant itself it only waits until all is quiet.

        Raises Refused for an instant behind or too far ahead, Conflict while another move is under way, NotQuiet.
        """
        if not self._moving.acquire(blocking=False):
            raise Conflict("time is being moved already: wait for the answer to that call, then move on from there")
        try:
            self._check(target)
            began, stops = time.monotonic(), 0
            self._wake()
            while True:
                with self._quiet(crew, is_ending) as owed:
                    now = self._clock()
                    if now >= target:
                        break
                    self._clock.move(next_stop(now, target, [owed]))
                    stops += 1
                self._wake()
                self._ending.wait(_PAUSE_S)  # Nobody is done before that: the first look would be in vain.
            log.info("time_moved", to=shown(target), stops=stops, took_s=round(time.monotonic() - began, 3))
            return Moved(now, stops, owed)
        finally:
            self._moving.release()

    def _check(self, target: datetime) -> None:
        now = self._clock()
        if target < now:
            raise _wrong(f"lies behind: time stands at {shown(now)}", f"{shown(now)} or later; time moves forward only")
        if target - now > FARTHEST:
            raise _wrong(
                f"lies too far ahead of {shown(now)}", f"at most {FARTHEST.days} days in one call; go in several"
            )

    @contextmanager
    def _quiet(self, crew: Crew, is_ending: Callable[[], bool]) -> Iterator[datetime | None]:
        """Wait until the house is dry and keep the door shut inside; yields when time next owes something."""
        seen: list[str] = []
        began = changed = woken = time.monotonic()
        while True:
            if failed := [f"worker {name} has failed: {type(error).__name__}" for name, error in crew.failed.items()]:
                raise self._given_up([*failed, *seen])
            if self._ending.is_set() or is_ending():
                raise self._given_up(["the house is ending", *seen])
            with self._door.shut() as inside:
                found, owed = ([f"{inside} calls are being answered"], None) if inside else self.findings()
                if not found:
                    yield owed
                    return
            moment = time.monotonic()
            if found != seen:
                seen, changed = found, moment
            if moment - changed > PATIENCE_S or moment - began > LONGEST_S:
                raise self._given_up([*found, *self._troubles()])
            if moment - woken > _WAKE_EVERY_S:
                woken = moment
                self._wake()
            self._ending.wait(_PAUSE_S)

    def findings(self) -> tuple[list[str], datetime | None]:
        """What is not dry, in words, and when time next owes something. See above for why in this order."""
        try:
            before = self._bus.progress(self._groups)
            if unread := [f"{group} has {n} messages to handle" for group, n in before.unread.items() if n]:
                return unread, None
            now, owed = self._clock(), [(service.name, service.owes()) for service in self._services]
            if due := [f"{name} has not done what was due at {shown(at)}" for name, at in owed if at and at <= now]:
                return due, None
            waiting = [(w.name, w.waiting()) for w in self._writers] + [(r.name, r.pending()) for r in self._relays]
            if still := [f"{name} has {n} waiting" for name, n in waiting if n]:
                return still, None
            if self._bus.progress(self._groups) != before:
                return ["messages are on their way"], None
        except Away as away:
            return [f"{type(away).__name__}: {away}"], None
        return [], min((at for _, at in owed if at is not None), default=None)

    def _wake(self) -> None:
        for worker in self._sleepers:
            worker.wake()

    def _troubles(self) -> list[str]:
        """What the workers and services say of themselves, so that a person knows where to look."""
        statuses = [c.status() for c in self._consumers]
        said = [f"{s.name} is {s.state}: {s.why}" for s in statuses if s.why is not None]
        return said + [f"{service.name}: {finding}" for service in self._services for finding in service.degraded()]

    def _given_up(self, found: Sequence[str]) -> NotQuiet:
        now = shown(self._clock())
        log.warning("rehearsal_is_not_quiet", at=now, found=list(found))
        return NotQuiet(
            f"time stands at {now}, where the house does not get quiet. Nothing is lost: mend what is named, then "
            "send the same again",
            [Wrong("", sentence) for sentence in found],
        )


def _wrong(problem: str, allowed: str) -> Refused:
    return Refused("time cannot be moved there", [Wrong("/now", problem, allowed)])
