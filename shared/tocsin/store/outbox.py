"""What this service says, kept in the transaction of the fact itself, and the relay that carries it to the bus.

So a fact and its message are kept both or neither, whatever the bus does meanwhile. The relay publishes, waits for
the bus's answer, and only then marks: a crash in between sends again, and every reader's inbox knows the second copy.

Sent rows stay: they show what was said and when. The log is what keeps messages for ever, so a chore may `prune`
rows that were sent long ago; nothing does so by itself.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Connection, delete, func, insert, select, update

from tocsin.bus.port import Bus, Record
from tocsin.errors import Away
from tocsin.now import Now
from tocsin.store import lease
from tocsin.store.pending import announce, pending_of
from tocsin.store.tables import outbox

if TYPE_CHECKING:  # The engine needs nothing from here; at run time a Store is handed in.
    from tocsin.messages.envelope import Envelope
    from tocsin.store.engine import Store

log = structlog.get_logger(__name__)

PUT = "outbox"
"""What a transaction announces when it has put a message here."""

BREATH_S = 0.02
"""How long the relay rests after a small batch. The first message after a pause never waits for it."""

_UNSENT = outbox.c.sent_at.is_(None)

# Made once: it runs for every message, and making a statement costs as much as running it.
_PUT = insert(outbox).inline()


def put(tx: Connection, envelope: Envelope[Any]) -> None:
    """Say this, if and only if the transaction (and savepoint) is kept.

    The row is written with the others on leaving the savepoint or the transaction: IntegrityError there when its id
    was said before.
    """
    # Imported late: the ledger itself knows nothing of what messages look like.
    from tocsin.messages.envelope import encode

    put_record(tx, encode(envelope), message_id=envelope.id, at=envelope.recorded_at)


def put_record(tx: Connection, record: Record, *, message_id: UUID, at: datetime) -> None:
    """As `put`, for a record that is encoded already. `at` is when it was written down."""
    headers = dict(record.headers)
    pending_of(tx).said.append(
        {"message_id": message_id, "topic": record.topic, "key": record.key, "headers": headers,
         "value": record.value, "created_at": at}
    )  # fmt: skip
    announce(tx, PUT)


def write(tx: Connection) -> None:
    """Write what was put since the last time, in order. Called by `Store` at each savepoint and just before COMMIT."""
    said = pending_of(tx).said
    if said:
        rows = list(said)
        said.clear()  # First: what cannot be written is not tried again when the savepoint has been rolled back.
        tx.execute(_PUT, rows)


def pending(tx: Connection) -> int:
    """How many messages wait for the bus."""
    return tx.scalars(select(func.count()).select_from(outbox).where(_UNSENT)).one()


def waiting_since(tx: Connection) -> datetime | None:
    """When the message that has waited longest was written down; None when none waits."""
    return tx.scalars(select(outbox.c.created_at).where(_UNSENT).order_by(outbox.c.seq).limit(1)).one_or_none()


def prune(tx: Connection, before: datetime) -> int:
    """Remove what was sent before this instant; answers how many. What was not sent stays, however old."""
    return tx.execute(delete(outbox).where(outbox.c.sent_at < before)).rowcount


class Relay:
    """The worker that carries the outbox to the bus. `now` is real time, also in a rehearsal.

    **Nothing is skipped.** Rows are found by `sent_at IS NULL`, never by a cursor: on PostgreSQL a row with a lower
    `seq` may become visible after a higher one was sent.

    **Order per key.** Two revisions of one case are written one after the other has been committed, so the order of
    `seq` is their order, and unsent rows go out by `seq`. That holds even when two relays publish at once (one was
    paused past its lease): each sends every unsent row in order, so the *first* copies of two rows are always in
    order, and the inbox drops the later copies. The lease only spares the double work.
    """

    def __init__(
        self,
        store: Store,
        bus: Bus,
        now: Now,
        *,
        name: str = "relay",
        batch: int = 500,
        every_s: float = 0.5,
        lease_s: float = 3.0,
        slowest_s: float = 5.0,
        breath_s: float = BREATH_S,
    ) -> None:
        self.name = name
        self._store = store
        self._bus = bus
        self._now = now
        self._batch = batch
        self._every_s = every_s
        self._lasts = timedelta(seconds=lease_s)
        self._slowest_s = slowest_s
        self._breath_s = breath_s
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._ours_until = 0.0
        self._theirs_until = 0.0
        self._woken = threading.Event()
        self._trouble: str | None = None
        store.after_commit(PUT, self.wake)

    @property
    def trouble(self) -> str | None:
        """Why nothing is carried at present, for the health page; None when all is well."""
        return self._trouble

    def wake(self) -> None:
        """Something was put into the outbox: look now, not at the next half second."""
        self._woken.set()

    def pending(self) -> int:
        """How many messages wait for the bus. StoreAway when the database does not answer."""
        with self._store.reading() as connection:
            return pending(connection)

    def run(self, stop: threading.Event) -> None:
        """Carry until `stop`. Waits out a bus or a database that is away, for ever, and drops nothing."""
        pause_s = 0.0
        while not stop.is_set():
            self._woken.clear()  # Before looking: what is put while we look wakes us again.
            try:
                sent = self.turn()
            except Away as error:
                if self._trouble is None:
                    log.warning("relay_waits", relay=self.name, because=str(error))
                self._trouble = str(error)
                pause_s = min(max(2 * pause_s, 0.1), self._slowest_s)
                stop.wait(pause_s)
                continue
            if self._trouble is not None:
                log.info("relay_goes_on", relay=self.name)
            self._trouble, pause_s = None, 0.0
            if 0 < sent < self._batch:
                stop.wait(self._breath_s)  # What comes meanwhile goes together: one flush of the disk for all of it.
            if sent < self._batch:
                self._wait(stop)
        self._release()

    def turn(self) -> int:
        """Publish one batch of what waits; answers how many were sent: 0 when none waits or another relay does it.

        Raises BusAway or StoreAway; whatever of the batch is not marked is sent again next time.
        """
        rows = self._unsent() if self._is_ours() else []
        if not rows:
            return 0
        self._bus.publish([record for _, record in rows])
        with self._store.transaction() as tx:
            tx.execute(update(outbox).where(outbox.c.seq.in_([seq for seq, _ in rows])).values(sent_at=self._now()))
            self._claim(tx)
        return len(rows)

    def _wait(self, stop: threading.Event) -> None:
        """Until the next look is due, somebody wakes us, or we are to stop (seen within half a second)."""
        until = time.monotonic() + self._every_s
        while not stop.is_set() and (left_s := until - time.monotonic()) > 0:
            if self._woken.wait(min(left_s, 0.5)):
                return

    def _unsent(self, limit: int | None = None) -> list[tuple[int, Record]]:
        columns = (outbox.c.seq, outbox.c.topic, outbox.c.key, outbox.c.headers, outbox.c.value)
        query = select(*columns).where(_UNSENT).order_by(outbox.c.seq).limit(limit or self._batch)
        with self._store.reading() as connection:
            rows = connection.execute(query).all()
        return [(row.seq, Record(row.topic, row.key, row.value, row.headers)) for row in rows]

    def _is_ours(self) -> bool:
        """Whether this relay is the one to publish. An idle relay writes nothing: it claims only if something waits."""
        moment = time.monotonic()
        if moment < self._ours_until:
            return True
        if moment < self._theirs_until or not self._unsent(1):
            return False
        with self._store.transaction() as tx:
            self._claim(tx)
        return self._ours_until > moment

    def _claim(self, tx: Connection) -> None:
        moment = time.monotonic()
        if lease.claim(tx, self._lease_name, self._holder, now=self._now(), lasts=self._lasts):
            self._ours_until = moment + self._lasts.total_seconds()
        else:
            self._ours_until, self._theirs_until = 0.0, moment + self._every_s

    @property
    def _lease_name(self) -> str:
        return "outbox"

    def _release(self) -> None:
        """Let another process's relay take over at once. If the database is away, the lease ends by itself."""
        try:
            with self._store.transaction() as tx:
                lease.release(tx, self._lease_name, self._holder)
        except Away as error:
            log.warning("relay_kept_its_lease", relay=self.name, because=str(error))
        self._ours_until = 0.0
