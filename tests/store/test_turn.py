"""The turn at the database is taken in the order in which it was asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from tests.support.shapes import wait_until
from tocsin.store.turn import Turn


def waiting(turn: Turn) -> int:
    return len(turn._waiting)


def start(job: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=job, daemon=True)
    thread.start()
    return thread


def test_those_who_wait_get_it_in_their_order_and_before_whoever_had_it() -> None:
    turn, got = Turn(), list[str]()
    assert turn.acquire()

    def take(name: str) -> None:
        assert turn.acquire()
        got.append(name)
        turn.release()

    def waits(number: int) -> bool:
        return waiting(turn) == number

    threads = []
    for n, name in enumerate(("first", "second", "third"), 1):
        threads.append(start(partial(take, name)))
        wait_until(partial(waits, n), "the thread waits")
    turn.release()
    take("whoever had it")
    for thread in threads:
        thread.join(5)
    assert got == ["first", "second", "third", "whoever had it"]


def test_whoever_gives_up_is_passed_over_and_it_is_free_at_the_end() -> None:
    turn = Turn()
    assert turn.acquire()
    assert not turn.acquire(timeout=0.01)
    assert waiting(turn) == 0
    turn.release()
    assert turn.acquire(timeout=0)
    turn.release()
