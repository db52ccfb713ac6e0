"""What was said is carried to the bus: at least once, in order per key, whatever is away meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, event, exc, insert, select, text, update

from tests.store.conftest import NOON, on_postgresql
from tests.support.postgres_server import PostgresServer
from tocsin.bus.port import Record
from tocsin.errors import BusAway, StoreAway
from tocsin.now import wall
from tocsin.store import lease, outbox, tables
from tocsin.store.engine import Store, open_store
from tocsin.store.outbox import Relay

SOON_S = 10


class FakeBus:
    """Takes what is published, unless it is `away`. `before` runs first: a place for trouble."""

    def __init__(self) -> None:
        self.taken: list[Record] = []
        self.away = False
        self.before: Callable[[], None] = lambda: None

    def publish(self, records: Sequence[Record]) -> None:
        self.before()
        if self.away:
            raise BusAway("the broker does not answer")
        self.taken.extend(records)

    @property
    def said(self) -> list[str]:
        return [record.value.decode() for record in self.taken]


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


def say(store: Store, *numbers: int, key: str = "TOC-0001") -> None:
    with store.transaction() as tx:
        for n in numbers:
            record = Record("reports.received.v1", key, str(n).encode(), {"ce_id": str(UUID(int=n))})
            outbox.put_record(tx, record, message_id=UUID(int=n), at=NOON)


def relay_of(store: Store, bus: FakeBus, **settings: Any) -> Relay:
    return Relay(store, bus, wall, **settings)  # type: ignore[arg-type]  # Only `publish` is asked of it.


@contextmanager
def running(*relays: Relay) -> Iterator[None]:
    stop = threading.Event()
    threads = [threading.Thread(target=relay.run, args=(stop,)) for relay in relays]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(SOON_S)
            assert not thread.is_alive()


def soon(what: Callable[[], object]) -> None:
    """Wait until `what` is true; fail after ten seconds."""
    deadline = time.monotonic() + SOON_S
    while not what():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.005)


def test_what_was_said_arrives_as_it_was_said(store: Store, bus: FakeBus) -> None:
    record = Record("reports.received.v1", "TOC-0001", b"\x00\xff", {"ce_id": "1", "traceparent": "ö"})
    with store.transaction() as tx:
        outbox.put_record(tx, record, message_id=UUID(int=1), at=NOON)
    relay = relay_of(store, bus)
    assert relay.pending() == 1
    assert relay.turn() == 1
    assert bus.taken == [record]
    assert relay.pending() == 0
    assert relay.turn() == 0


def test_what_was_not_committed_was_never_said(store: Store, bus: FakeBus) -> None:
    with pytest.raises(ValueError, match="no"), store.transaction() as tx:  # noqa: PT012
        outbox.put_record(tx, Record("t", "k", b""), message_id=UUID(int=1), at=NOON)
        raise ValueError("no")
    assert relay_of(store, bus).turn() == 0


def test_a_savepoint_that_fails_takes_along_what_was_said_in_it_and_nothing_else(store: Store, bus: FakeBus) -> None:
    def put(tx: Connection, number: int) -> None:
        outbox.put_record(tx, Record("t", "k", str(number).encode()), message_id=UUID(int=number), at=NOON)

    with store.transaction() as tx:
        put(tx, 1)
        with pytest.raises(ValueError, match="no"), store.savepoint(tx):  # noqa: PT012
            put(tx, 2)
            raise ValueError("no")
        with store.savepoint(tx):
            put(tx, 3)
        with pytest.raises(exc.IntegrityError), store.savepoint(tx):
            put(tx, 1)
        nested = tx.begin_nested()
        put(tx, 4)
        nested.rollback()
        with tx.begin_nested():
            put(tx, 5)
        put(tx, 6)
    relay_of(store, bus).turn()
    assert [record.value for record in bus.taken] == [b"1", b"3", b"5", b"6"]


def test_what_one_transaction_says_is_written_in_one_statement_and_in_its_order(store: Store, bus: FakeBus) -> None:
    written: list[str] = []

    @event.listens_for(store._writing, "before_cursor_execute")
    def count(_: object, __: object, statement: str, *___: object) -> None:
        written.extend([statement] if "outbox" in statement else [])

    with store.transaction() as tx:
        for number in (3, 1, 2):
            outbox.put_record(tx, Record("t", "k", str(number).encode()), message_id=UUID(int=number), at=NOON)
    assert len(written) == 1
    relay_of(store, bus).turn()
    assert [record.value for record in bus.taken] == [b"3", b"1", b"2"]


def test_an_envelope_is_put_as_it_is_encoded(store: Store, bus: FakeBus) -> None:
    from tocsin.messages.envelope import Body, Envelope, encode

    class Said(Body):
        words: str

    envelope = Envelope(
        id=UUID(int=7),
        type="reports.received.v1",
        key="TOC-0001",
        source="ae-intake",
        study="NCT06223646",
        occurred_at=NOON,
        recorded_at=NOON + timedelta(seconds=1),
        body=Said(words="发热"),
    )
    with store.transaction() as tx:
        outbox.put(tx, envelope)
    with store.reading() as connection:
        assert outbox.waiting_since(connection) == datetime(2026, 3, 2, 4, 0, 1, tzinfo=UTC)
    relay_of(store, bus).turn()
    assert bus.taken == [encode(envelope)]


def test_the_same_message_cannot_be_said_twice(store: Store) -> None:
    say(store, 1)
    with pytest.raises(exc.IntegrityError):
        say(store, 1)


def test_order_is_kept_over_many_batches(store: Store, bus: FakeBus) -> None:
    say(store, *range(1, 26))
    relay = relay_of(store, bus, batch=10)
    assert [relay.turn() for _ in range(4)] == [10, 10, 5, 0]
    assert bus.said == [str(n) for n in range(1, 26)]


def test_a_running_relay_is_woken_at_once(store: Store, bus: FakeBus) -> None:
    """Well before its own next look, which would be in an hour."""

    def has_taken(n: int) -> Callable[[], bool]:
        return lambda: len(bus.taken) == n

    with running(relay_of(store, bus, every_s=3600)):
        for n in range(1, 4):
            say(store, n)
            soon(has_taken(n))


def test_what_another_process_put_is_found_by_looking(
    store: Store, open_ledger: Callable[[], Store], bus: FakeBus
) -> None:
    other_process = open_ledger()
    with running(relay_of(store, bus, every_s=0.05)):
        say(other_process, 1)
        soon(lambda: bus.said == ["1"])


def test_a_crash_between_publishing_and_marking_sends_again(store: Store, bus: FakeBus) -> None:
    """At least once: the bus has it, we do not know it."""
    say(store, 1, 2)
    crashing = relay_of(store, bus, lease_s=0.0)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):  # noqa: PT012
        patch.setattr(store, "transaction", _crash_after(1, store.transaction))
        crashing.turn()
    assert bus.said == ["1", "2"]

    restarted = relay_of(store, bus)
    assert restarted.pending() == 2
    assert restarted.turn() == 2
    assert bus.said == ["1", "2", "1", "2"]
    assert restarted.pending() == 0


def _crash_after(times: int, transaction: Callable[[], Any]) -> Callable[[], Any]:
    left = [times]

    def crashing() -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return transaction()

    return crashing


def test_a_bus_that_is_away_is_waited_for_and_nothing_is_dropped(store: Store, bus: FakeBus) -> None:
    bus.away = True
    relay = relay_of(store, bus, slowest_s=0.2)
    with running(relay):
        say(store, 1)
        soon(lambda: relay.trouble == "the broker does not answer")
        say(store, 2)
        assert relay.pending() == 2
        bus.away = False
        soon(lambda: relay.pending() == 0)
        soon(lambda: relay.trouble is None)
    assert bus.said == ["1", "2"]


@pytest.mark.postgres
def test_a_database_that_is_away_is_waited_for(own_postgres: PostgresServer, bus: FakeBus) -> None:
    store = open_store(own_postgres.fresh_database(), "ledger")
    with store.altering() as tx:
        tables.ledger.create_all(tx)
    relay = relay_of(store, bus, every_s=0.05, slowest_s=0.2)
    with running(relay):
        say(store, 1)
        soon(lambda: bus.said == ["1"])
        own_postgres.stop()
        soon(lambda: "does not answer" in (relay.trouble or ""))
        with pytest.raises(StoreAway):
            say(store, 2)
        own_postgres.start()
        say(store, 3)
        soon(lambda: bus.said[-1] == "3")
        soon(lambda: relay.trouble is None)
    store.close()


def test_one_relay_at_a_time_and_the_next_takes_over_in_order(
    store: Store, open_ledger: Callable[[], Store], bus: FakeBus
) -> None:
    other_bus = FakeBus()
    first, second = relay_of(store, bus, lease_s=60), relay_of(open_ledger(), other_bus, every_s=0)
    say(store, 1, 2)
    assert first.turn() == 2
    say(store, 3, 4)
    assert second.turn() == 0
    assert other_bus.taken == []
    with store.transaction() as tx:  # The first one died; its lease has run out.
        tx.execute(update(tables.leases).values(until=NOON))
    assert second.turn() == 2
    assert (bus.said, other_bus.said) == (["1", "2"], ["3", "4"])


def test_a_relay_that_stops_hands_over_at_once(store: Store, open_ledger: Callable[[], Store], bus: FakeBus) -> None:
    with running(relay_of(store, bus, lease_s=3600)):
        say(store, 1)
        soon(lambda: bus.said == ["1"])
    other = relay_of(open_ledger(), bus)
    say(store, 2)
    assert other.turn() == 1


def test_first_copies_stay_in_order_even_when_two_relays_publish_at_once(
    store: Store, open_ledger: Callable[[], Store], bus: FakeBus
) -> None:
    """The first is paused in the middle of publishing, past its lease; the second does the same work."""
    other = relay_of(open_ledger(), bus)
    paused = relay_of(store, bus, lease_s=0.0)
    say(store, 1, 2)

    def meanwhile() -> None:
        bus.before = lambda: None
        say(store, 3)
        assert other.turn() == 3

    bus.before = meanwhile
    paused.turn()
    say(store, 4)
    other.turn()
    assert bus.said == ["1", "2", "3", "1", "2", "4"]
    assert list(dict.fromkeys(bus.said)) == ["1", "2", "3", "4"]


@on_postgresql
def test_a_row_that_becomes_visible_late_is_not_skipped(store: Store, open_ledger: Callable[[], Store]) -> None:
    """On PostgreSQL a lower number can be committed after a higher one was sent."""
    bus = FakeBus()
    relay = relay_of(store, bus)
    slow_process = open_ledger()
    with slow_process.transaction() as tx:
        outbox.put_record(tx, Record("t", "TOC-0001", b"low"), message_id=UUID(int=1), at=NOON)
        say(store, 2, key="TOC-0002")
        assert relay.turn() == 1
    assert relay.turn() == 1
    assert bus.said == ["2", "low"]


def test_the_oldest_waiting_message_is_known(store: Store, bus: FakeBus) -> None:
    with store.reading() as connection:
        assert outbox.waiting_since(connection) is None
    say(store, 1)
    with store.reading() as connection:
        assert outbox.waiting_since(connection) == NOON


def test_pruning_takes_what_was_sent_long_ago_and_nothing_else(store: Store, bus: FakeBus) -> None:
    say(store, 1, 2)
    relay_of(store, bus).turn()
    say(store, 3)
    with store.transaction() as tx:
        tx.execute(update(tables.outbox).where(tables.outbox.c.message_id == UUID(int=1)).values(sent_at=NOON))
        assert outbox.prune(tx, NOON + timedelta(days=1)) == 1
        assert tx.scalars(select(tables.outbox.c.message_id).order_by(tables.outbox.c.seq)).all() == [
            UUID(int=2),
            UUID(int=3),
        ]


def test_finding_what_waits_stays_cheap_when_much_was_sent(store: Store) -> None:
    rows = 20_000
    row = {"topic": "t", "key": "k", "headers": {}, "value": b"x" * 100, "created_at": NOON, "sent_at": NOON}
    with store.transaction() as tx:
        tx.execute(insert(tables.outbox), [row | {"message_id": UUID(int=n)} for n in range(rows)])
    say(store, rows + 1)
    with store.altering() as tx:
        tx.execute(text("ANALYZE"))
    find = "SELECT seq, topic FROM outbox WHERE sent_at IS NULL ORDER BY seq LIMIT 500"
    count = "SELECT count(*) FROM outbox WHERE sent_at IS NULL"
    explain = "EXPLAIN QUERY PLAN " if store.dialect == "sqlite" else "EXPLAIN "
    with store.reading() as connection:
        for query in (find, count):
            plan = " ".join(str(row) for row in connection.execute(text(explain + query)))
            assert "ix_outbox_unsent" in plan, plan


def test_a_lease_is_one_holders_until_it_ends(store: Store) -> None:
    def claim(holder: str, now: datetime, lasts_s: float = 60) -> bool:
        with store.transaction() as tx:
            return lease.claim(tx, "chores", holder, now=now, lasts=timedelta(seconds=lasts_s))

    now = wall()
    assert claim("one", now)
    assert claim("one", now)
    assert not claim("two", now)
    with store.transaction() as tx:
        lease.release(tx, "chores", "two")
    assert not claim("two", now)
    assert claim("one", now, lasts_s=-1)
    assert claim("two", now)
    with store.transaction() as tx:
        lease.release(tx, "chores", "two")
    assert claim("one", now)


@on_postgresql
def test_on_postgresql_leases_go_by_the_servers_clock(store: Store) -> None:
    """Two machines' clocks may differ; a holder whose clock is a day ahead takes nothing from another."""
    ahead = wall() + timedelta(days=1)
    with store.transaction() as tx:
        assert lease.claim(tx, "chores", "one", now=wall(), lasts=timedelta(seconds=60))
        assert not lease.claim(tx, "chores", "two", now=ahead, lasts=timedelta(seconds=60))
