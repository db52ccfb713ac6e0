"""The numbers that every service has: database, outbox, readers of messages, audit trail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from tocsin.bus.consume import Status
from tocsin.errors import StoreAway
from tocsin.now import Now
from tocsin.store import outbox
from tocsin.store.audit_watch import AuditWatch
from tocsin.store.engine import Store
from tocsin.web.metrics import Measure


class Counted(Protocol):
    """A consumer that says how it is."""

    def status(self) -> Status: ...


def of_ledger(store: Store, consumers: Sequence[Counted], chain: AuditWatch, now: Now, wall: Now) -> Iterator[Measure]:
    """Everything that this module measures. `now`: the time by which messages are written down."""
    yield from of_store(store, now())
    yield from of_consumers(consumer.status() for consumer in consumers)
    yield from of_chain(store.schema, chain, wall())


def of_store(store: Store, now: datetime) -> Iterator[Measure]:
    """Whether the database answers, and what waits for the bus. Without it there is nothing else to say of it."""
    labels = {"service": store.schema}
    try:
        with store.reading() as connection:
            waiting, since = outbox.pending(connection), outbox.waiting_since(connection)
    except StoreAway:
        yield Measure("store_up", "Whether the database answers", 0, labels=labels)
        return
    yield Measure("store_up", "Whether the database answers", 1, labels=labels)
    yield Measure("outbox_waiting", "Messages that wait for the bus", waiting, labels=labels)
    seconds = 0.0 if since is None else max((now - since).total_seconds(), 0.0)
    yield Measure("outbox_waiting_seconds", "How long the oldest of them waits", seconds, labels=labels)


def of_consumers(statuses: Iterable[Status]) -> Iterator[Measure]:
    """How each reader of messages is. Its lag is not known while it has never reached the bus."""
    for status in statuses:
        labels = {"consumer": status.name}
        is_running = status.state == "running" or (status.state == "starting" and status.why is None)
        yield Measure("consumer_up", "Whether it reads (0: it waits or stopped)", int(is_running), labels=labels)
        yield Measure("consumer_handled", "Messages handled since start", status.handled, "counter", labels)
        yield Measure("consumer_dead_letters", "Messages given up since start", status.dead, "counter", labels)
        if status.lag is not None:
            yield Measure("consumer_lag", "Messages not read yet", status.lag, labels=labels)


def of_chain(service: str, chain: AuditWatch, wall: datetime) -> Iterator[Measure]:
    """What the last reading of the audit trail found. Until it was first read its age is that of the process."""
    labels = {"service": service}
    last = chain.last
    is_whole = last is None or last.broken is None
    age = (wall - (chain.since if last is None else last.at)).total_seconds()
    yield Measure("audit_whole", "Whether the audit trail was whole when last read", int(is_whole), labels=labels)
    yield Measure("audit_checked_age_seconds", "How long ago it was last read", max(age, 0.0), labels=labels)
    yield Measure("audit_rows", "Rows that were whole then", 0 if last is None else last.rows, labels=labels)
