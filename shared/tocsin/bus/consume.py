"""The consume loop: from records on the bus to handlers, at least once on the wire and once in effect.

A batch is one transaction with a savepoint for each message, or several where it takes long. In it the inbox is asked
first, then the handler called.
The transaction is committed, then dead letters are published, then the offsets are committed: a crash between any two
brings the batch again, and the inbox knows what was done. What happens to a message that does not go through:

* It cannot be read, or nobody here handles its type (`Poison`): a dead letter at once.
* Its handler fails: its savepoint is rolled back, what stood before it is committed, and it is tried again in its
  place after each pause of `pauses_s`, so that order per key is kept. Then it is a dead letter.
* The bus or the database is away: never a dead letter. Everything open is rolled back and read again, for ever.

**The limit.** Of the last `DeadLimit.of` messages at most `DeadLimit.most` may have become dead letters. One more, and
the fault is likely ours: that message is neither dead-lettered nor committed, the worker ends with `DeadLetterLimit`,
and a restart begins with that very message. Handlers never commit; this loop does.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import structlog
from sqlalchemy import Connection

from tocsin.bus.dead import Reason, dead_letter, dead_topics
from tocsin.bus.port import Bus, Reader, Received, Redelivery
from tocsin.bus.verdict import DeadLimit, is_away, verdict
from tocsin.errors import DeadLetterLimit, Poison
from tocsin.now import Now
from tocsin.store.inbox import first_time

if TYPE_CHECKING:
    from tocsin.messages.envelope import Envelope

log = structlog.get_logger(__name__)

Handler: TypeAlias = "Callable[[Envelope[Any], Connection], None]"
Decode: TypeAlias = "Callable[[Received], Envelope[Any]]"
Alone: TypeAlias = "Callable[[Envelope[Any], Connection], None]"
"""Waits until nobody else works on what a message is about, to the end of the transaction."""

AWAY_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Pauses while something is away; the last one is repeated for ever."""

BREATH_S = 0.02
"""How long the loop rests after a small batch, so that what comes meanwhile shares one transaction with the next."""
LONGEST_S = 0.1
"""A transaction takes no further message after so long. Nothing of it is seen before its end: an alarm would wait for
the messages behind it, and a courier for the whole batch."""

_LAG_EVERY_S = 1.0


class Transactions(Protocol):
    """What the loop needs of a store."""

    def transaction(self) -> AbstractContextManager[Connection]: ...

    def savepoint(self, tx: Connection) -> AbstractContextManager[None]: ...


@dataclass(frozen=True, slots=True)
class Status:
    """How a consumer is. `waiting` means degraded, and `why` says for what; `lag` is None while it is not known."""

    name: str
    state: Literal["starting", "running", "waiting", "stopped"] = "starting"
    why: str | None = None
    lag: int | None = None
    handled: int = 0
    duplicates: int = 0
    dead: int = 0
    last_handled_at: datetime | None = None


@dataclass(slots=True)
class _Turn:
    """What one transaction did with the head of a batch."""

    done: list[Received] = field(default_factory=list)
    died: list[bool] = field(default_factory=list)
    dead: list[tuple[Received, Reason, Exception]] = field(default_factory=list)
    duplicates: int = 0
    try_again: Exception | None = None
    over_limit: Exception | None = None

    def went_through(self, received: Received) -> None:
        self.done.append(received)
        self.died.append(False)

    def gave_up(self, received: Received, reason: Reason, error: Exception) -> None:
        self.done.append(received)
        self.died.append(True)
        self.dead.append((received, reason, error))


class Consumer:
    """A worker that hands the messages of some topics to handlers, by type. `name` is its group and its inbox."""

    def __init__(
        self,
        name: str,
        bus: Bus,
        store: Transactions,
        topics: Sequence[str],
        handlers: Mapping[str, Handler],
        now: Now,
        *,
        decode: Decode | None = None,
        alone: Alone | None = None,
        on_committed: Callable[[], None] | None = None,
        pauses_s: Sequence[float] = (0.1, 0.5, 2.0),
        away_pauses_s: Sequence[float] = AWAY_PAUSES_S,
        limit: DeadLimit = DeadLimit(),
        max_records: int = 100,
        wait_s: float = 0.1,
        breath_s: float = BREATH_S,
    ) -> None:
        self._name = name
        self._bus = bus
        self._store = store
        self._topics = tuple(topics)
        self._handlers = dict(handlers)
        self._now = now
        self._decode = decode or _envelope_decode()
        self._alone = alone
        self._on_committed = on_committed
        self._pauses_s = tuple(pauses_s)
        self._away_pauses_s = tuple(away_pauses_s)
        self._limit = limit
        self._max_records = max_records
        self._wait_s = wait_s
        self._breath_s = breath_s
        self._recent: deque[bool] = deque(maxlen=limit.of)
        self._status = Status(name)
        self._lag_read_at = float("-inf")

    @property
    def name(self) -> str:
        return self._name

    @property
    def topics(self) -> tuple[str, ...]:
        return self._topics

    def status(self) -> Status:
        """How it is, from any thread."""
        return self._status

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set. Ends by an error only at the dead-letter limit, or by a fault of this loop."""
        reader: Reader | None = None
        away = 0
        try:
            while not stop.is_set():
                try:
                    if reader is None:
                        if self._limit.most:  # who may give nothing up needs no place for it
                            self._bus.ensure(dead_topics(self._topics))
                        reader = self._bus.reader(self._name, self._topics)
                    batch = reader.read(self._max_records, self._wait_s)
                    self._work(reader, batch, stop)
                    self._look_at_lag(reader, idle=not batch)
                    away = 0
                    if 0 < len(batch) < self._max_records:
                        stop.wait(self._breath_s)
                except Redelivery as moved:
                    log.info("redelivery_expected", consumer=self._name, why=str(moved))
                    if reader is not None:
                        reader.rewind()
                except Exception as error:
                    if not is_away(error):
                        raise
                    if reader is not None:
                        reader.rewind()
                    self._say("waiting", f"{type(error).__name__}: {error}")
                    log.warning("consumer_waits", consumer=self._name, error=type(error).__name__, times=away + 1)
                    stop.wait(self._away_pauses_s[min(away, len(self._away_pauses_s) - 1)])
                    away += 1
        except BaseException as error:
            self._say("stopped", f"{type(error).__name__}: {error}")
            raise
        else:
            self._say("stopped", "asked to stop")
        finally:
            if reader is not None:
                reader.close()

    def _work(self, reader: Reader, batch: Sequence[Received], stop: threading.Event) -> None:
        """Bring a whole batch to its end, in order, however many transactions that takes."""
        rest, together, tries = list(batch), len(batch), 0
        while rest and not stop.is_set():
            try:
                turn = self._transact(rest[:together], tries)
            except Exception as error:
                if is_away(error):
                    raise
                # The commit itself failed and nothing was kept. Alone, the message that is to blame can be named.
                if together > 1:
                    together = 1
                    continue
                turn = _Turn()
                self._set_aside(turn, rest[0], error, tries)
            self._finish(reader, turn)
            rest = rest[len(turn.done) :]
            tries = 0 if turn.done else tries
            if turn.over_limit is not None:
                raise self._too_many(rest[0], turn.over_limit)
            if turn.try_again is not None:
                kind = type(turn.try_again).__name__
                self._say("waiting", f"{place(rest[0])} failed with {kind}, try {tries + 1}")
                log.warning("handler_failed", consumer=self._name, at=place(rest[0]), error=kind, tries=tries + 1)
                stop.wait(self._pauses_s[tries])
                tries += 1
        if not stop.is_set():
            self._say("running", None)

    def _transact(self, chunk: Sequence[Received], tries: int) -> _Turn:
        """One transaction over as much of the chunk as goes through. `tries` were made for its first message."""
        turn, begun = _Turn(), time.monotonic()
        with self._store.transaction() as tx:
            for received in chunk:
                if turn.done and time.monotonic() - begun > LONGEST_S:
                    break  # the rest is another transaction: others write in between, and what was decided goes out
                try:
                    with self._store.savepoint(tx):
                        is_new = self._handle(received, tx)
                except Exception as error:
                    if is_away(error):
                        raise
                    if not self._set_aside(turn, received, error, 0 if turn.done else tries):
                        break
                else:
                    turn.duplicates += not is_new
                    turn.went_through(received)
        return turn

    def _handle(self, received: Received, tx: Connection) -> bool:
        envelope = self._decode(received)
        handler = self._handlers.get(envelope.type)
        if handler is None:
            known = ", ".join(sorted(self._handlers)) or "nothing"
            raise Poison(f"{self._name} does not handle {envelope.type!r}; it handles {known}")
        if self._alone is not None:  # before the inbox says after what it was handled
            self._alone(envelope, tx)
        if not first_time(tx, self._name, envelope.id, self._now()):
            return False
        handler(envelope, tx)
        return True

    def _set_aside(self, turn: _Turn, received: Received, error: Exception, tries: int) -> bool:
        """Decide what becomes of a message that failed; answers whether those behind it may go on."""
        decided = verdict(error, tries < len(self._pauses_s), [*self._recent, *turn.died], self._limit)
        if decided == "try again":
            turn.try_again = error
        elif decided == "stop":
            turn.over_limit = error
        else:
            turn.gave_up(received, decided, error)
        return decided in ("poison", "handler_error")

    def _finish(self, reader: Reader, turn: _Turn) -> None:
        """After the transaction's commit: dead letters first, the offsets last."""
        if not turn.done:
            return
        if self._on_committed is not None:
            self._on_committed()
        at = self._now()
        self._bus.publish(
            [
                dead_letter(received, reason=reason, error=error, consumer=self._name, at=at)
                for received, reason, error in turn.dead
            ]
        )
        reader.commit(turn.done)
        for received, reason, error in turn.dead:
            log.error(
                "dead_lettered",
                consumer=self._name,
                at=place(received),
                reason=reason,
                error=type(error).__name__,
            )
        self._recent.extend(turn.died)
        before = self._status
        self._status = replace(
            before,
            handled=before.handled + len(turn.done) - len(turn.dead) - turn.duplicates,
            duplicates=before.duplicates + turn.duplicates,
            dead=before.dead + len(turn.dead),
            last_handled_at=at,
        )

    def _too_many(self, received: Received, error: Exception) -> DeadLetterLimit:
        return DeadLetterLimit(
            f"{self._name}: {self._limit.most} of the last {self._limit.of} messages became dead letters; stopped"
            f" before {place(received)}, which failed with {type(error).__name__}. Find the cause, then restart"
        )

    def _look_at_lag(self, reader: Reader, *, idle: bool) -> None:
        if time.monotonic() - self._lag_read_at >= _LAG_EVERY_S or (idle and self._status.lag != 0):
            self._status = replace(self._status, lag=reader.lag())
            self._lag_read_at = time.monotonic()

    def _say(self, state: Literal["running", "waiting", "stopped"], why: str | None) -> None:
        if (self._status.state, self._status.why) != (state, why):
            self._status = replace(self._status, state=state, why=why)


def _envelope_decode() -> Decode:
    from tocsin.messages.reading import decode  # late: the messages know the bus, the bus need not know them

    return decode


def place(received: Received) -> str:
    """Where a record stands: topic/partition/offset."""
    return f"{received.topic}/{received.partition}/{received.offset}"
