"""The workers that send. Each has one channel, one deliverer and one parcel in hand.

One transaction records what became of the last parcel and claims the next, so that an intent is always committed
before its send. What could not be recorded (the database was away) is kept in hand until it can be; if the process
ends first, the lease runs out and the parcel is sent again under the same id.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import structlog
from sqlalchemy import Connection

from alerting.delivery import ledger
from alerting.delivery.outcome import GiveUp, Outcome, TryAgain
from alerting.delivery.parcel import Deliverer, Parcel
from alerting.delivery.schedule import Draw
from tocsin.errors import Away
from tocsin.now import Now
from tocsin.store.engine import Store

log = structlog.get_logger(__name__)

OnDead = Callable[[Connection, str, Parcel, Outcome], None]
"""What to do, in the same transaction, when a parcel is given up: channel, parcel, the last outcome."""

OnTried = OnDead
"""What to do, in the same transaction, after every try, before anything else."""

AWAY_S = 1.0


@dataclass(frozen=True, slots=True)
class _Sent:
    parcel: Parcel
    outcome: Outcome
    took: timedelta


class Courier:
    """One worker of one channel. `make` builds its deliverer when there is first something to send."""

    def __init__(
        self,
        channel: str,
        number: int,
        store: Store,
        make: Callable[[], Deliverer],
        *,
        now: Now,
        wall: Now,
        draw: Draw,
        on_tried: OnTried,
        on_dead: OnDead,
        every_s: float = 0.5,
    ) -> None:
        self.name = f"{channel} courier {number}"
        self.channel = channel
        self._store = store
        self._make = make
        self._deliverer: Deliverer | None = None
        self._now, self._wall, self._draw = now, wall, draw
        self._on_tried, self._on_dead = on_tried, on_dead
        self._every_s = every_s
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._in_hand: _Sent | None = None
        self._woken = threading.Event()
        self._trouble: str | None = None
        store.after_commit(ledger.DUE[channel], self.wake)

    @property
    def trouble(self) -> str | None:
        """Why nothing is sent at present; None when all is well."""
        return self._trouble

    def wake(self) -> None:
        """Something may be due: look now, not at the next half second."""
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Send until `stop`: at once when something is due in this process, else every half second."""
        try:
            while not stop.is_set():
                self._woken.clear()
                try:
                    while self.turn() and not stop.is_set():
                        pass
                    self._trouble = None
                except Away as error:
                    if self._trouble is None:
                        log.warning("courier_waits", courier=self.name, because=str(error))
                    self._trouble = str(error)
                    stop.wait(AWAY_S)
                    continue
                self._rest()
                if not stop.is_set():
                    self._woken.wait(self._every_s)
            self._record_last()
        finally:
            self._rest()

    def turn(self) -> bool:
        """Record the last parcel, take the next, send it. False when none is due. Raises StoreAway."""
        parcel = self._next()
        if parcel is None:
            return False
        begun = time.monotonic()
        outcome = self._send(parcel)
        self._in_hand = _Sent(parcel, outcome, timedelta(seconds=time.monotonic() - begun))
        return True

    def _next(self) -> Parcel | None:
        if self._in_hand is None and not self._is_any_due():
            return None
        with self._store.transaction() as tx:
            self._record(tx)
            found = ledger.claim(tx, self.channel, self._holder, most=1, now=self._now(), wall=self._wall())
        self._in_hand = None
        return found[0] if found else None

    def _is_any_due(self) -> bool:
        """A look without the writer's lock: an idle courier must not hold others up."""
        with self._store.reading() as connection:
            return ledger.is_any_due(connection, self.channel, now=self._now(), wall=self._wall())

    def _record(self, tx: Connection) -> None:
        sent = self._in_hand
        if sent is None:
            return
        state = ledger.record(
            tx, sent.parcel, sent.outcome, now=self._now(), wall=self._wall(), took=sent.took, draw=self._draw
        )
        self._on_tried(tx, self.channel, sent.parcel, sent.outcome)
        if state == ledger.DEAD:
            self._on_dead(tx, self.channel, sent.parcel, sent.outcome)
        log.info(
            "notice_tried",
            delivery=str(sent.parcel.delivery_id),
            channel=self.channel,
            attempt=sent.parcel.attempt,
            outcome=type(sent.outcome).__name__,
            state=state,
        )

    def _record_last(self) -> None:
        if self._in_hand is None:
            return
        try:
            with self._store.transaction() as tx:
                self._record(tx)
            self._in_hand = None
        except Away as error:
            log.warning("courier_left_one_unrecorded", courier=self.name, because=str(error))

    def _send(self, parcel: Parcel) -> Outcome:
        try:
            if self._deliverer is None:
                self._deliverer = self._make()
            return self._deliverer.send(parcel)
        except Exception as error:  # noqa: BLE001  a fault of ours is an outcome too, and is tried again
            fault = type(error).__name__  # its message could hold more than a log may
            log.error("courier_fault", courier=self.name, delivery=str(parcel.delivery_id), error=fault)
            return TryAgain(f"a fault inside Tocsin: {type(error).__name__}")

    def _rest(self) -> None:
        if self._deliverer is not None:
            self._deliverer.rest()


class Couriers:
    """Several couriers as one worker, so that all are asked to stop at once and one slow receiver holds up no other.

    A courier that waits for an answer beyond `patience_s` is left: its intent stands, and its parcel is sent again.
    """

    def __init__(self, name: str, couriers: Sequence[Courier], *, patience_s: float = 3.0) -> None:
        self.name = name
        self._couriers = tuple(couriers)
        self._patience_s = patience_s
        self._failed: BaseException | None = None

    @property
    def trouble(self) -> str | None:
        """Why nothing is sent at present; None when all is well."""
        return next((courier.trouble for courier in self._couriers if courier.trouble), None)

    def wake(self) -> None:
        """Wake every one of them."""
        for courier in self._couriers:
            courier.wake()

    def run(self, stop: threading.Event) -> None:
        """Send until `stop`. Ends by the error of the first courier that fails."""
        mine = threading.Event()
        threads = [threading.Thread(target=self._run, args=(c, mine), name=c.name, daemon=True) for c in self._couriers]
        for thread in threads:
            thread.start()
        while not stop.wait(0.1) and self._failed is None:
            pass
        mine.set()
        self.wake()
        until = time.monotonic() + self._patience_s
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        if self._failed is not None:
            raise self._failed

    def _run(self, courier: Courier, stop: threading.Event) -> None:
        try:
            courier.run(stop)
        except BaseException as error:  # noqa: BLE001  a thread has nobody above it: `run` raises it
            self._failed = error


def wants_no_more(outcome: Outcome) -> bool:
    """Whether the address asked never to be called again."""
    return isinstance(outcome, GiveUp) and outcome.disable
