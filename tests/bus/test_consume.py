"""The consume loop on the embedded log and a real SQLite store: what happens to a message, whatever it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import pytest
from sqlalchemy import Column, Connection, MetaData, String, Table, exc, insert, select

from tests.bus.carriers import read_until
from tocsin.bus import consume
from tocsin.bus.consume import Consumer, Status
from tocsin.bus.embedded import EmbeddedBus
from tocsin.bus.port import Received, Record, Redelivery, Topic
from tocsin.bus.replay import replay
from tocsin.bus.verdict import DeadLimit
from tocsin.errors import BusAway, DeadLetterLimit, Poison, StoreAway
from tocsin.messages.envelope import Envelope
from tocsin.store.engine import Store, open_store
from tocsin.store.tables import ledger

NOW = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
RUNG = Table("rung", MetaData(), Column("text", String))


def identity(text: str) -> UUID:
    return uuid5(NAMESPACE_OID, text)


def decode(received: Received) -> Envelope[Any]:
    """The least that a message can be: its text, identified by the text before any `#`."""
    text = received.value.decode()
    if text == "unreadable":
        raise Poison("the body breaks its contract")
    return Envelope(
        id=identity(text.split("#")[0]),
        type=received.headers.get("type", received.topic),
        key=received.key,
        source="ae-intake",
        study="NCT06223646",
        occurred_at=NOW,
        recorded_at=NOW,
        body=text,
    )


@dataclass
class House:
    """One consumer with its bus, its store and a handler that does as the text says."""

    folder: Path
    bus: EmbeddedBus
    store: Store
    rung: list[str] = field(default_factory=list)
    fails: dict[str, list[Exception]] = field(default_factory=dict)
    before: Callable[[str], None] | None = None

    def handler(self, message: Envelope[Any], tx: Connection) -> None:
        text = str(message.body)
        tx.execute(insert(RUNG).values(text=text))
        if self.before is not None:
            self.before(text)
        if self.fails.get(text):
            raise self.fails[text].pop(0)

    def consumer(self, **more: Any) -> Consumer:
        settings: dict[str, Any] = {
            "decode": decode,
            "pauses_s": (0.01, 0.02),
            "away_pauses_s": (0.01,),
            "wait_s": 0.05,
            **more,
        }
        return Consumer(
            "alerting", self.bus, self.store, ["reports"], {"reports": self.handler}, lambda: NOW, **settings
        )

    def publish(self, *texts: str, key: str = "case-1") -> None:
        self.bus.publish([Record("reports", key, text.encode(), {"ce_id": text}) for text in texts])

    def kept(self) -> list[str]:
        with self.store.reading() as connection:
            return list(connection.scalars(select(RUNG.c.text)))

    def dead(self, count: int) -> list[Received]:
        reader = self.bus.reader("the-test", ["reports.dead"])
        try:
            return read_until(reader, count)
        finally:
            reader.close()

    def lag(self) -> int:
        reader = self.bus.reader("alerting", ["reports"])
        try:
            reader.read(1, 0)
            return reader.lag()
        finally:
            reader.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    bus = EmbeddedBus(tmp_path / "log.db")
    store = open_store(f"sqlite:///{tmp_path / 'alerting.db'}", "alerting")
    with store.altering() as tx:
        ledger.create_all(tx)
        RUNG.metadata.create_all(tx)
    bus.ensure([Topic("reports", partitions=1)])
    yield House(tmp_path, bus, store)
    bus.close()
    store.close()


@contextmanager
def running(consumer: Consumer) -> Iterator[list[BaseException]]:
    """The consumer in a thread of its own; answers what it ended by."""
    stop, ended = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            consumer.run(stop)
        except Exception as error:  # noqa: BLE001  the test looks at it
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield ended
    finally:
        stop.set()
        thread.join(5)
        assert not thread.is_alive()


def until(consumer: Consumer, condition: Callable[[Status], bool]) -> Status:
    deadline = time.monotonic() + 10
    while not condition(consumer.status()):
        assert time.monotonic() < deadline, consumer.status()
        time.sleep(0.005)
    return consumer.status()


def test_messages_are_handled_in_order_and_committed(house: House) -> None:
    house.publish("a", "b", "c")
    consumer = house.consumer()
    with running(consumer):
        status = until(consumer, lambda s: s.handled == 3 and s.lag == 0)
    assert house.kept() == ["a", "b", "c"]
    assert (status.state, status.why, status.dead, status.last_handled_at) == ("running", None, 0, NOW)
    assert (consumer.status().state, consumer.status().why) == ("stopped", "asked to stop")


def test_an_unreadable_message_is_a_dead_letter_at_once_and_whole(house: House) -> None:
    house.publish("a", "unreadable", "b")
    consumer = house.consumer()
    with running(consumer):
        until(consumer, lambda s: s.handled == 2 and s.dead == 1)
    (letter,) = house.dead(1)
    assert house.kept() == ["a", "b"]
    assert (letter.key, letter.value) == ("case-1", b"unreadable")
    assert dict(letter.headers) == {
        "ce_id": "unreadable",
        "dead_reason": "poison",
        "dead_error": "Poison: the body breaks its contract",
        "dead_consumer": "alerting",
        "dead_topic": "reports",
        "dead_partition": "0",
        "dead_offset": "1",
        "dead_at": "2026-03-02T09:15:00+00:00",
    }


def test_a_known_type_that_nobody_here_handles_is_poison(house: House) -> None:
    house.bus.publish([Record("reports", "k", b"x", {"type": "doses"})])
    consumer = house.consumer()
    with running(consumer):
        until(consumer, lambda s: s.dead == 1)
    assert house.dead(1)[0].headers["dead_error"] == "Poison: alerting does not handle 'doses'; it handles reports"


def test_a_failing_message_is_tried_again_in_its_place_and_leaves_nothing_behind(house: House) -> None:
    house.fails["b"] = [ValueError("once"), ValueError("twice")]
    house.publish("a", "b", "c")
    consumer = house.consumer()
    with running(consumer):
        until(consumer, lambda s: s.handled == 3)
    assert house.kept() == ["a", "b", "c"]
    assert consumer.status().dead == 0


def test_a_message_that_goes_on_failing_becomes_a_dead_letter_and_the_next_go_on(house: House) -> None:
    house.fails["b"] = [ValueError(f"try {number}") for number in (1, 2, 3)]
    house.publish("a", "b", "c")
    consumer = house.consumer()
    with running(consumer):
        until(consumer, lambda s: s.handled == 2 and s.dead == 1 and s.lag == 0)
    assert house.kept() == ["a", "c"]
    assert house.fails["b"] == []
    (letter,) = house.dead(1)
    assert letter.headers["dead_reason"] == "handler_error"
    assert letter.headers["dead_error"] == "ValueError: try 3"


def test_while_a_message_is_tried_again_the_status_says_which_and_why(house: House) -> None:
    house.fails["b"] = [ValueError("once")]
    house.publish("a", "b")
    consumer = house.consumer(pauses_s=(0.5,))
    with running(consumer):
        status = until(consumer, lambda s: s.state == "waiting")
        assert status.why == "reports/0/1 failed with ValueError, try 1"
        # What stood before it is kept already, and no transaction is open while it waits.
        assert house.kept() == ["a"]
        until(consumer, lambda s: s.state == "running" and s.handled == 2)


def test_a_duplicate_changes_nothing_also_within_one_batch(house: House) -> None:
    house.publish("a", "a#copy", "b")
    consumer = house.consumer()
    with running(consumer):
        until(consumer, lambda s: s.handled == 2 and s.duplicates == 1)
        house.publish("b#copy")
        until(consumer, lambda s: s.duplicates == 2)
    assert house.kept() == ["a", "b"]


def test_the_copy_of_a_message_that_failed_is_handled(house: House) -> None:
    house.fails["a"] = [ValueError("always")] * 3
    house.publish("a", "a#copy")
    consumer = house.consumer()
    with running(consumer):
        until(consumer, lambda s: s.dead == 1 and s.handled == 1)
    assert house.kept() == ["a#copy"]


def test_what_was_decided_is_seen_before_a_long_batch_has_ended(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each message takes so long that no transaction has room for a second: an alarm waits for none behind it."""
    monkeypatch.setattr(consume, "LONGEST_S", 0.0)
    seen: list[list[str]] = []
    house.before = lambda _: seen.append(house.kept())
    house.publish("a", "b", "c")
    consumer = house.consumer()
    with running(consumer):
        until(consumer, lambda status: status.handled == 3)
    assert seen == [[], ["a"], ["a", "b"]]


@pytest.mark.parametrize(
    "error",
    [
        StoreAway("the database does not answer"),
        BusAway("the broker does not answer"),
        exc.OperationalError("SELECT 1", {}, Exception("server closed the connection")),
        exc.InterfaceError("SELECT 1", {}, Exception("connection already closed")),
        exc.DBAPIError("SELECT 1", {}, Exception("gone"), connection_invalidated=True),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_away_is_waited_for_and_never_dead_lettered(house: House, error: Exception) -> None:
    house.fails["b"] = [error] * 20
    house.publish("a", "b")
    consumer = house.consumer(limit=DeadLimit(0, 10))
    with running(consumer):
        status = until(consumer, lambda s: s.state == "waiting")
        assert status.why is not None
        assert type(error).__name__ in status.why
        until(consumer, lambda s: s.handled == 2 and s.state == "running")
    assert house.kept() == ["a", "b"]
    assert consumer.status().dead == 0


def test_nothing_is_committed_on_the_bus_before_the_transaction(house: House) -> None:
    lag_seen = []
    house.before = lambda text: lag_seen.append(house.lag())
    house.publish("a")
    consumer = house.consumer()
    with running(consumer):
        until(consumer, lambda s: s.handled == 1 and s.lag == 0)
    assert lag_seen == [1]


def test_a_crash_between_the_transaction_and_the_offsets_has_one_effect(house: House) -> None:
    house.publish("a", "b")

    def crash() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        house.consumer(on_committed=crash).run(threading.Event())
    assert house.kept() == ["a", "b"]
    assert house.lag() == 2
    consumer = house.consumer()
    with running(consumer):
        until(consumer, lambda s: s.duplicates == 2 and s.lag == 0)
    assert house.kept() == ["a", "b"]


def test_the_dead_letter_is_there_before_the_offset_is_committed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.publish("unreadable")
    publish = house.bus.publish
    away = [BusAway("the broker is gone just now")] * 3

    def failing(records: list[Record]) -> None:
        if records and away:
            raise away.pop()
        publish(records)

    monkeypatch.setattr(house.bus, "publish", failing)
    consumer = house.consumer()
    with running(consumer):
        until(consumer, lambda s: s.dead == 1 and s.lag == 0)
    assert len(house.dead(1)) == 1


def test_the_limit_stops_before_the_message_that_is_one_too_many(house: House) -> None:
    house.publish("a", *(["unreadable"] * 4), "b")
    consumer = house.consumer(limit=DeadLimit(3, 10))
    with running(consumer) as ended:
        status = until(consumer, lambda s: s.state == "stopped")
    assert isinstance(ended[0], DeadLetterLimit)
    assert status.why == (
        "DeadLetterLimit: alerting: 3 of the last 10 messages became dead letters; stopped before reports/0/4,"
        " which failed with Poison. Find the cause, then restart"
    )
    assert len(house.dead(3)) == 3
    assert house.kept() == ["a"]
    assert house.lag() == 2


def test_dead_letters_further_apart_than_the_window_do_not_stop_it(house: House) -> None:
    for number in range(4):
        house.publish("unreadable", f"a{number}", f"b{number}")
    consumer = house.consumer(limit=DeadLimit(1, 3))
    with running(consumer):
        until(consumer, lambda s: s.handled == 8 and s.dead == 4)


def test_a_failing_commit_is_blamed_on_the_message_that_causes_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.publish("a", "spoils the commit", "b")
    transaction = house.store.transaction

    @contextmanager
    def checked() -> Iterator[Connection]:
        with transaction() as tx:
            yield tx
            if tx.scalar(select(RUNG.c.text).where(RUNG.c.text == "spoils the commit")):
                raise exc.IntegrityError("COMMIT", {}, Exception("a deferred constraint"))

    monkeypatch.setattr(house.store, "transaction", checked)
    consumer = house.consumer()
    with running(consumer):
        until(consumer, lambda s: s.handled == 2 and s.dead == 1)
    assert house.kept() == ["a", "b"]
    assert house.dead(1)[0].value == b"spoils the commit"


def test_a_redelivery_is_no_error_and_has_no_second_effect(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.publish("a")
    moved = [Redelivery("moved")]
    make = house.bus.reader

    def reader(group: str, topics: list[str]) -> Any:
        made = make(group, topics)
        commit = made.commit

        def once(done: list[Received]) -> None:
            if moved:
                raise moved.pop()
            commit(done)

        monkeypatch.setattr(made, "commit", once)
        return made

    monkeypatch.setattr(house.bus, "reader", reader)
    consumer = house.consumer()
    with running(consumer):
        until(consumer, lambda s: s.duplicates == 1 and s.lag == 0)
    assert house.kept() == ["a"]


def test_who_wants_to_know_is_told_after_the_commit(house: House) -> None:
    seen: list[list[str]] = []
    house.publish("a")
    consumer = house.consumer(on_committed=lambda: seen.append(house.kept()))
    with running(consumer):
        until(consumer, lambda s: s.handled == 1)
    assert seen == [["a"]]


def test_it_stops_soon_while_a_message_is_being_tried_again(house: House) -> None:
    house.fails["a"] = [ValueError("no")]
    house.publish("a")
    consumer = house.consumer(pauses_s=(60,))
    with running(consumer):
        until(consumer, lambda s: s.state == "waiting")
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert house.lag() == 1


def test_a_log_that_is_away_at_start_is_waited_for(house: House) -> None:
    house.publish("a")
    moved = house.folder / "moved.db"
    (house.folder / "log.db").rename(moved)
    consumer = house.consumer()
    with running(consumer):
        until(consumer, lambda s: s.state == "waiting")
        moved.rename(house.folder / "log.db")
        until(consumer, lambda s: s.handled == 1)


def test_dead_letters_are_replayed_once_as_they_were(house: House) -> None:
    house.fails["b"] = [ValueError("a bug")] * 3
    house.publish("a", "b")
    consumer = house.consumer()
    with running(consumer):
        until(consumer, lambda s: s.dead == 1)
        assert replay(house.bus, "reports.dead") == 1
        assert replay(house.bus, "reports.dead") == 0
        until(consumer, lambda s: s.handled == 2 and s.lag == 0)
    assert house.kept() == ["a", "b"]
    reader = house.bus.reader("another", ["reports"])
    again = read_until(reader, 3)[2]
    assert (again.key, again.value) == ("case-1", b"b")
    assert dict(again.headers) == {"ce_id": "b", "replayed_from": "reports.dead/0/0"}


def test_replay_refuses_what_is_no_dead_letter(house: House) -> None:
    house.publish("a")
    with pytest.raises(ValueError, match="reports/0/0 is no dead letter: header 'dead_topic' is missing"):
        replay(house.bus, "reports")
