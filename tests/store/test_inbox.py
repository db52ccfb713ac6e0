"""A message takes effect once, however often it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID

from sqlalchemy import select

from tests.store.conftest import NOON
from tocsin.bus.port import Record
from tocsin.store import inbox, outbox
from tocsin.store.engine import Store
from tocsin.store.tables import inbox as inbox_rows
from tocsin.store.tables import outbox as outbox_rows

ONE = UUID(int=1)
TWO = UUID(int=2)


def test_the_second_copy_is_known(store: Store) -> None:
    with store.transaction() as tx:
        assert inbox.first_time(tx, "coder", ONE, NOON)
    with store.transaction() as tx:
        assert not inbox.first_time(tx, "coder", ONE, NOON)


def test_a_second_copy_in_the_same_batch_is_known(store: Store) -> None:
    with store.transaction() as tx:
        assert [inbox.first_time(tx, "coder", ONE, NOON) for _ in range(3)] == [True, False, False]


def test_each_consumer_has_its_own_memory(store: Store) -> None:
    with store.transaction() as tx:
        assert inbox.first_time(tx, "coder", ONE, NOON)
        assert inbox.first_time(tx, "alerting", ONE, NOON)


def test_a_handler_that_failed_is_not_remembered(store: Store) -> None:
    try:
        with store.transaction() as tx:
            inbox.first_time(tx, "coder", ONE, NOON)
            raise ValueError
    except ValueError:
        pass
    with store.transaction() as tx:
        assert inbox.first_time(tx, "coder", ONE, NOON)


def test_it_says_after_which_own_message_each_was_handled(store: Store) -> None:
    with store.transaction() as tx:
        inbox.first_time(tx, "coder", ONE, NOON)
    with store.transaction() as tx:
        outbox.put_record(tx, Record("alerts.raised.v1", "TOC-0001", b"{}", {}), message_id=TWO, at=NOON)
    with store.transaction() as tx:
        inbox.first_time(tx, "coder", TWO, NOON)
        after = dict(tx.execute(select(inbox_rows.c.message_id, inbox_rows.c.after_seq)).all())
        number = tx.scalars(select(outbox_rows.c.seq)).one()
    assert after == {ONE: 0, TWO: number}


def test_known_answers_for_a_batch(store: Store) -> None:
    with store.transaction() as tx:
        inbox.first_time(tx, "coder", ONE, NOON)
        inbox.first_time(tx, "alerting", TWO, NOON)
        assert inbox.known(tx, "coder", [ONE, TWO]) == {ONE}
        assert inbox.known(tx, "coder", []) == set()


def test_of_many_at_once_exactly_one_is_first(open_ledger: Callable[[], Store]) -> None:
    """Eight consumers in two processes, each handling the same ten messages."""
    stores = [open_ledger(), open_ledger()]
    firsts: list[int] = []

    def consume(store: Store) -> None:
        for number in range(10):
            with store.transaction() as tx:
                if inbox.first_time(tx, "coder", UUID(int=number), NOON):
                    firsts.append(number)

    threads = [threading.Thread(target=consume, args=(stores[n % 2],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(firsts) == list(range(10))
