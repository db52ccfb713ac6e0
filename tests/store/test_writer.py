"""The writing thread: many works, one COMMIT, and nobody told "done" before it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from typing import Any, ClassVar

import pytest
from sqlalchemy import Connection, event, exc, insert, select, text

from tests.store.conftest import NOON, on_postgresql
from tests.support.postgres_server import PostgresServer
from tocsin.errors import StoreAway
from tocsin.store import audit, tables
from tocsin.store.engine import Store, open_store
from tocsin.store.writer import Alike, Overloaded, Writer

SOON_S = 10


@pytest.fixture
def writer(store: Store) -> Iterator[Writer]:
    # However slow the machine: what waits together is written together.
    writer = Writer(store, most_waiting=50, longest_s=SOON_S)
    yield writer
    writer.stop()


def keep(name: str) -> Callable[[Connection], str]:
    def work(tx: Connection) -> str:
        tx.execute(insert(tables.leases), {"name": name, "holder": "one", "until": NOON})
        audit.append(tx, at=NOON, who="site S01", did="report accepted", about=name)
        return name

    return work


def kept(store: Store) -> list[str]:
    with store.reading() as connection:
        return list(connection.scalars(select(tables.leases.c.name).order_by(tables.leases.c.name)))


def audited(store: Store) -> list[str]:
    with store.reading() as connection:
        assert isinstance(audit.verify(connection), audit.Verified)
        return list(connection.scalars(select(tables.audit.c.about).order_by(tables.audit.c.about)))


def commits_of(store: Store) -> list[None]:
    seen: list[None] = []
    event.listen(store._writing, "commit", lambda _: seen.append(None))
    return seen


def test_works_that_wait_share_one_commit(store: Store, writer: Writer) -> None:
    commits = commits_of(store)
    futures = [writer.submit(keep(f"case {n}")) for n in range(9)]
    writer.start()
    assert [future.result(SOON_S) for future in futures] == [f"case {n}" for n in range(9)]
    assert len(commits) == 1
    assert kept(store) == audited(store) == [f"case {n}" for n in range(9)]


def test_a_future_is_resolved_only_after_commit(store: Store, writer: Writer) -> None:
    """Seen from another connection at the very moment at which the future speaks."""
    seen: list[list[str]] = []
    future = writer.submit(keep("case 1"))
    future.add_done_callback(lambda _: seen.append(kept(store)))
    writer.start()
    writer.stop()  # Callbacks are run after those who wait are woken.
    assert seen == [["case 1"]]


def test_a_failing_work_harms_only_itself(store: Store, writer: Writer) -> None:
    def fails(tx: Connection) -> None:
        keep("half a case")(tx)
        raise LookupError("no such subject")

    def collides(tx: Connection) -> None:
        keep("case 1")(tx)

    def swallows(tx: Connection) -> str:
        """Wrong on PostgreSQL, where a failed statement spoils what follows; harmless on SQLite."""
        with pytest.raises(exc.IntegrityError):
            keep("case 1")(tx)
        return "swallowed"

    one = writer.submit(keep("case 1"))
    failing = writer.submit(fails)
    colliding = writer.submit(collides)
    swallowing = writer.submit(swallows)
    two = writer.submit(keep("case 2"))
    writer.start()

    assert (one.result(SOON_S), two.result(SOON_S)) == ("case 1", "case 2")
    with pytest.raises(LookupError, match="no such subject"):
        failing.result(SOON_S)
    with pytest.raises(exc.IntegrityError):
        colliding.result(SOON_S)
    if store.dialect == "postgresql":
        with pytest.raises(RuntimeError, match="swallowed"):
            swallowing.result(SOON_S)
    else:
        assert swallowing.result(SOON_S) == "swallowed"
    assert kept(store) == audited(store) == ["case 1", "case 2"]


class Kept(Alike[str]):
    """A work that is done with others; `done` has the names of each time."""

    done: ClassVar[list[list[str]]] = []

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def together(cls, tx: Connection, works: Sequence[Kept]) -> list[str]:
        cls.done.append([work.name for work in works])
        for work in works:
            if work.name == "wrong":
                raise LookupError("no such subject")
        return [keep(work.name)(tx) for work in works]


@pytest.fixture
def done_together() -> list[list[str]]:
    Kept.done.clear()
    return Kept.done


def test_works_that_are_alike_are_done_at_once_in_their_place_among_the_others(
    store: Store, writer: Writer, done_together: list[list[str]]
) -> None:
    seen: list[list[str]] = []

    def looks(tx: Connection) -> str:
        seen.append(list(tx.scalars(select(tables.leases.c.name).order_by(tables.leases.c.name))))
        return "looked"

    works: list[Callable[[Connection], str]] = [Kept("1"), Kept("2"), looks, Kept("3"), Kept("4"), looks]
    futures = [writer.submit(work) for work in works]
    writer.start()

    assert [future.result(SOON_S) for future in futures] == ["1", "2", "looked", "3", "4", "looked"]
    assert done_together == [["1", "2"], ["3", "4"]]
    assert seen == [["1", "2"], ["1", "2", "3", "4"]]
    assert kept(store) == audited(store) == ["1", "2", "3", "4"]


def test_of_works_that_are_alike_the_failing_one_harms_only_itself(
    store: Store, writer: Writer, done_together: list[list[str]]
) -> None:
    futures = [writer.submit(Kept(name)) for name in ("1", "wrong", "2")]
    writer.start()

    assert (futures[0].result(SOON_S), futures[2].result(SOON_S)) == ("1", "2")
    with pytest.raises(LookupError, match="no such subject"):
        futures[1].result(SOON_S)
    assert done_together == [["1", "wrong", "2"], ["1"], ["wrong"], ["2"]]
    assert kept(store) == audited(store) == ["1", "2"]


def test_no_more_works_share_a_transaction_than_may(store: Store, done_together: list[list[str]]) -> None:
    writer = Writer(store, most_together=3, longest_s=SOON_S)
    commits = commits_of(store)
    futures = [writer.submit(Kept(f"{n}")) for n in range(7)]
    writer.start()

    assert [future.result(SOON_S) for future in futures] == [f"{n}" for n in range(7)]
    assert done_together == [["0", "1", "2"], ["3", "4", "5"], ["6"]]
    assert len(commits) == 3
    writer.stop()


def test_a_group_that_cannot_commit_tells_everyone(store: Store, writer: Writer) -> None:
    def refuse_commit(_: Connection) -> None:
        raise StoreAway("the disk went away")

    event.listen(store._writing, "commit", refuse_commit)
    futures: list[Future[Any]] = [writer.submit(keep(f"case {n}")) for n in range(3)]
    writer.start()
    for future in futures:
        with pytest.raises(StoreAway, match="the disk went away"):
            future.result(SOON_S)
    event.remove(store._writing, "commit", refuse_commit)

    assert kept(store) == audited(store) == []
    assert writer.submit(keep("case 1")).result(SOON_S) == "case 1"


@on_postgresql
def test_a_deferred_check_that_fails_at_commit_tells_everyone(store: Store, writer: Writer) -> None:
    with store.altering() as tx:
        tx.execute(text("CREATE TABLE one_only (id INT UNIQUE DEFERRABLE INITIALLY DEFERRED)"))

    def twice(tx: Connection) -> None:
        tx.execute(text("INSERT INTO one_only VALUES (1), (1)"))

    futures: list[Future[Any]] = [writer.submit(keep("case 1")), writer.submit(twice)]
    writer.start()
    for future in futures:
        with pytest.raises(exc.IntegrityError):
            future.result(SOON_S)
    assert kept(store) == []


@pytest.mark.postgres
def test_a_server_lost_in_the_middle_tells_everyone_and_writing_goes_on(own_postgres: PostgresServer) -> None:
    store = open_store(own_postgres.fresh_database(), "ledger")
    with store.altering() as tx:
        tables.ledger.create_all(tx)
    writer = Writer(store, longest_s=SOON_S)

    def pulls_the_plug(tx: Connection) -> None:
        own_postgres.kill()
        keep("case 2")(tx)

    futures: list[Future[Any]] = [writer.submit(keep("case 1")), writer.submit(pulls_the_plug)]
    writer.start()
    for future in futures:
        with pytest.raises(StoreAway, match="does not answer"):
            future.result(SOON_S)
    with pytest.raises(StoreAway):
        writer.submit(keep("case 3")).result(SOON_S)
    own_postgres.start()
    assert writer.submit(keep("case 4")).result(SOON_S) == "case 4"
    assert kept(store) == audited(store) == ["case 4"]
    writer.stop()
    store.close()


def test_too_much_waiting_work_is_turned_away_at_once(store: Store) -> None:
    writer = Writer(store, most_waiting=2)
    taken = [writer.submit(keep(f"case {n}")) for n in range(2)]
    with pytest.raises(Overloaded, match="2 works are waiting"):
        writer.submit(keep("case 3"))
    assert writer.waiting() == 2
    writer.start()
    for future in taken:
        future.result(SOON_S)
    assert writer.submit(keep("case 3")).result(SOON_S) == "case 3"
    writer.stop()


def test_a_caller_that_has_gone_away_is_not_written_for(store: Store, writer: Writer) -> None:
    gone = writer.submit(keep("gone"))
    stays = writer.submit(keep("stays"))
    assert gone.cancel()
    writer.start()
    stays.result(SOON_S)
    with pytest.raises(CancelledError):
        gone.result(SOON_S)
    assert kept(store) == ["stays"]


def test_stopping_finishes_what_was_taken_and_takes_no_more(store: Store) -> None:
    writer = Writer(store)
    futures = [writer.submit(keep(f"case {n}")) for n in range(5)]
    writer.start()
    writer.stop()
    assert [future.result(0) for future in futures] == [f"case {n}" for n in range(5)]
    with pytest.raises(StoreAway, match="is stopping"):
        writer.submit(keep("late"))


def test_a_writer_stopped_before_it_ran_leaves_nobody_waiting(store: Store) -> None:
    writer = Writer(store)
    future = writer.submit(keep("case 1"))
    writer.stop()
    with pytest.raises(StoreAway, match="ended before this was written"):
        future.result(0)


def test_a_work_that_ends_the_thread_leaves_nobody_waiting(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    writer = Writer(store)

    def exits(_: Connection) -> None:
        raise SystemExit("out")

    futures: list[Future[Any]] = [writer.submit(exits), writer.submit(keep("case 1"))]
    writer.start()
    with pytest.raises(SystemExit):
        futures[0].result(SOON_S)
    with pytest.raises(StoreAway):
        futures[1].result(SOON_S)
    with pytest.raises(StoreAway):
        writer.submit(keep("case 2"))


def test_listeners_are_called_after_each_group(store: Store) -> None:
    seen: list[list[str]] = []
    heard = threading.Event()
    writer = Writer(store, after_commit=[lambda: seen.append(kept(store)), heard.set])
    writer.submit(keep("case 1"))
    writer.start()
    assert heard.wait(SOON_S)
    writer.stop()
    assert seen == [["case 1"]]


def test_many_callers_at_once_are_each_answered_with_their_own(store: Store, writer: Writer) -> None:
    """Every fourth work fails; groups form as they may."""
    writer.start()
    wrong: list[str] = []

    def call(thread: int) -> None:
        for n in range(10):
            name = f"case {thread}-{n}"

            def work(tx: Connection, name: str = name, n: int = n) -> str:
                keep(name)(tx)
                if n % 4 == 0:
                    raise LookupError(name)
                return name

            try:
                answer = writer.submit(work).result(SOON_S)
            except LookupError as error:
                answer = f"failed {error}"
            if answer != (f"failed {name}" if n % 4 == 0 else name):
                wrong.append(answer)

    threads = [threading.Thread(target=call, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    expected = sorted(f"case {thread}-{n}" for thread in range(8) for n in range(10) if n % 4)
    assert wrong == []
    assert kept(store) == audited(store) == expected


CHILD = """
import sys, threading
from datetime import UTC, datetime
from tests.store.test_writer import keep
from tocsin.store.engine import open_store
from tocsin.store.writer import Writer

store = open_store(sys.argv[1], "ledger")
writer = Writer(store)
writer.start()

def say(name):
    sys.stdout.write(name + chr(10))
    sys.stdout.flush()

def call(thread):
    for n in range(100_000):
        say(writer.submit(keep(f"case {thread}-{n}")).result(30))

for thread in range(4):
    threading.Thread(target=call, args=(thread,), daemon=True).start()
threading.Event().wait(60)
"""


@pytest.mark.rule("promise: accepted means durable")
def test_a_process_killed_while_writing_loses_nothing_that_it_had_answered(store: Store, any_database_url: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, any_database_url],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    answered = [child.stdout.readline().strip() for _ in range(60)]
    child.kill()
    answered += child.stdout.read().splitlines()[:-1]  # The last line may be cut in half.
    child.stdout.close()
    child.wait()

    assert "" not in answered
    assert set(answered) <= set(kept(store))
    assert audited(store) == kept(store)
