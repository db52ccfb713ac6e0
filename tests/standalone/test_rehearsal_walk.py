"""How time walks in a rehearsal: where it stops, what it waits for, and what it says when the house is not quiet.

On a real embedded log; the services are a few lines each, so that each kind of waiting can be had by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from hypothesis import given
from hypothesis import strategies as st

from standalone import rehearsal_walk
from standalone.rehearsal import Standing
from standalone.rehearsal_door import Door
from standalone.rehearsal_walk import FARTHEST, NotQuiet, Walk, next_stop
from tests.support.shapes import wait_until
from tocsin.bus.consume import Consumer
from tocsin.bus.embedded import EmbeddedBus
from tocsin.bus.port import Record, Topic
from tocsin.errors import Conflict, Refused, StoreAway
from tocsin.web.app import Service
from tocsin.workers import Crew

NINE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[EmbeddedBus]:
    with EmbeddedBus(tmp_path / "log.db") as found:
        found.ensure([Topic("reports", partitions=2)])
        yield found


class Timers:
    """A service that owes something at given instants, and does each as soon as it is woken at its time."""

    def __init__(self, clock: Standing, *due: datetime) -> None:
        self.clock = clock
        self.due = sorted(due)
        self.done: list[tuple[datetime, datetime]] = []
        self.asleep = False

    name = "timers"

    def run(self, stop: threading.Event) -> None:
        stop.wait()

    def wake(self) -> None:
        while not self.asleep and self.due and self.due[0] <= self.clock():
            self.done.append((self.due.pop(0), self.clock()))

    def owes(self) -> datetime | None:
        return self.due[0] if self.due else None

    def service(self) -> Service:
        return Service(name="timers", router=APIRouter(), workers=(self,), owes=self.owes)


def standing(at: datetime = NINE) -> Standing:
    return Standing(at, lambda _: None)


def walk(clock: Standing, bus: EmbeddedBus, *services: Service, door: Door | None = None) -> Walk:
    return Walk(clock, door or Door(), bus, services)


def go(walk: Walk, target: datetime, crew: Crew | None = None) -> Any:
    return walk.to(target, crew or Crew([]), lambda: False)


@given(st.lists(st.integers(-100, 200)), st.integers(0, 100))
def test_it_stops_at_the_first_instant_that_is_owed_and_never_beyond_the_target(owed: list[int], far: int) -> None:
    stop = next_stop(NINE, NINE + far * HOUR, [None, *(NINE + n * HOUR for n in owed)])
    assert NINE <= stop <= NINE + far * HOUR
    assert [n for n in owed if NINE < NINE + n * HOUR < stop] == []


def test_each_thing_owed_is_done_at_its_own_instant(bus: EmbeddedBus) -> None:
    clock = standing()
    timers = Timers(clock, NINE, NINE + HOUR, NINE + HOUR, NINE + 2 * HOUR, NINE + 5 * HOUR)
    moved = go(walk(clock, bus, timers.service()), NINE + 3 * HOUR)
    assert timers.done == [(at, at) for at in (NINE, NINE + HOUR, NINE + HOUR, NINE + 2 * HOUR)]
    assert (moved.now, moved.stops, moved.owes) == (NINE + 3 * HOUR, 3, NINE + 5 * HOUR)


def test_what_comes_due_while_something_is_done_is_done_on_the_way(bus: EmbeddedBus) -> None:
    clock = standing()
    timers = Timers(clock, NINE + HOUR)
    again = timers.wake

    def wake() -> None:
        before = len(timers.done)
        again()
        if len(timers.done) > before and len(timers.done) < 4:
            timers.due.append(clock() + timedelta(minutes=10))

    timers.wake = wake  # type: ignore[method-assign]
    go(walk(clock, bus, timers.service()), NINE + 2 * HOUR)
    assert [at for at, _ in timers.done] == [NINE + HOUR + timedelta(minutes=m) for m in (0, 10, 20, 30)]


def test_at_the_present_instant_it_only_waits_until_all_is_quiet(bus: EmbeddedBus) -> None:
    clock = standing()
    timers = Timers(clock, NINE)
    assert go(walk(clock, bus, timers.service()), NINE).stops == 0
    assert timers.done == [(NINE, NINE)]


@pytest.mark.parametrize("target", [NINE - timedelta(microseconds=1), NINE + FARTHEST + timedelta(microseconds=1)])
def test_it_goes_neither_back_nor_farther_than_a_slip_of_the_pen(bus: EmbeddedBus, target: datetime) -> None:
    clock = standing()
    with pytest.raises(Refused) as refused:
        go(walk(clock, bus), target)
    assert (refused.value.status, refused.value.wrong[0].pointer, clock()) == (422, "/now", NINE)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal_walk, "PATIENCE_S", 0.2)


def said(refused: NotQuiet) -> list[str]:
    assert refused.status == 503
    return [wrong.problem for wrong in refused.wrong]


@pytest.mark.usefixtures("impatient")
def test_what_is_due_and_not_done_is_named_and_goes_on_later_from_there(bus: EmbeddedBus) -> None:
    clock = standing()
    timers = Timers(clock, NINE + HOUR)
    timers.asleep = True
    on_the_way = walk(clock, bus, timers.service())
    with pytest.raises(NotQuiet) as not_quiet:
        go(on_the_way, NINE + 2 * HOUR)
    assert said(not_quiet.value) == ["timers has not done what was due at 2026-03-02T02:00:00Z"]
    assert clock() == NINE + HOUR
    timers.asleep = False
    go(on_the_way, NINE + 2 * HOUR)
    assert timers.done == [(NINE + HOUR, NINE + HOUR)]


class Waiting(Exception):
    pass


def consumer(bus: EmbeddedBus) -> Consumer:
    """A reader of reports, for which nobody has started a thread."""
    return Consumer("reader", bus, None, ["reports"], {}, lambda: NINE)  # type: ignore[arg-type]


@pytest.mark.usefixtures("impatient")
def test_a_message_that_nobody_reads_holds_time_up(bus: EmbeddedBus) -> None:
    clock = standing()
    on_the_way = walk(clock, bus, Service(name="s", router=APIRouter(), workers=(consumer(bus),)))
    go(on_the_way, NINE + HOUR)
    bus.publish([Record("reports", "a", b"1"), Record("reports", "b", b"2")])
    with pytest.raises(NotQuiet) as not_quiet:
        go(on_the_way, NINE + 2 * HOUR)
    assert said(not_quiet.value)[0] == "reader has 2 messages to handle"
    assert clock() == NINE + HOUR


def test_a_message_read_and_not_yet_done_is_not_done(bus: EmbeddedBus) -> None:
    bus.publish([Record("reports", "a", b"1")])
    reader = bus.reader("reader", ["reports"])
    batch = reader.read(10, 5.0)
    assert bus.progress({"reader": ["reports"], "other": []}).unread == {"reader": 1, "other": 0}
    reader.commit(batch)
    assert bus.progress({"reader": ["reports"]}).unread == {"reader": 0}


@pytest.mark.usefixtures("impatient")
def test_a_database_that_is_away_is_named(bus: EmbeddedBus) -> None:
    def away() -> datetime | None:
        raise StoreAway("alerting.db does not answer")

    with pytest.raises(NotQuiet) as not_quiet:
        go(walk(standing(), bus, Service(name="s", router=APIRouter(), owes=away)), NINE + HOUR)
    assert said(not_quiet.value)[0] == "StoreAway: alerting.db does not answer"


def test_a_worker_that_failed_is_named_at_once(bus: EmbeddedBus) -> None:
    class Failing:
        name = "alerting chores"

        def run(self, stop: threading.Event) -> None:
            raise Waiting

    crew = Crew([Failing()])
    crew.start()
    wait_until(lambda: crew.failed, "the worker failed")
    with pytest.raises(NotQuiet) as not_quiet:
        go(walk(standing(), bus), NINE + HOUR, crew)
    assert said(not_quiet.value) == ["worker alerting chores has failed: Waiting"]


def test_a_house_that_ends_ends_a_move(bus: EmbeddedBus) -> None:
    clock = standing()
    timers = Timers(clock, *(NINE + n * HOUR for n in range(1, 2000)))
    on_the_way = walk(clock, bus, timers.service())
    with pytest.raises(NotQuiet) as not_quiet:
        on_the_way.to(NINE + 2000 * HOUR, Crew([]), lambda: len(timers.done) >= 2)
    assert said(not_quiet.value)[0] == "the house is ending"
    assert clock() == timers.done[-1][1] < NINE + 2000 * HOUR


def test_a_second_move_at_the_same_time_is_a_conflict(bus: EmbeddedBus) -> None:
    clock = standing()
    timers = Timers(clock, NINE)
    timers.asleep = True
    on_the_way = walk(clock, bus, timers.service())
    first = threading.Thread(target=go, args=(on_the_way, NINE + HOUR))
    first.start()

    def refused() -> bool:
        try:
            on_the_way.to(NINE, Crew([]), lambda: True)
        except Conflict:
            return True
        except NotQuiet:
            pass  # it was quicker than the first
        return False

    wait_until(refused, "the second is refused")
    timers.asleep = False
    first.join(30)
    assert clock() == NINE + HOUR


def test_time_waits_for_whoever_is_being_answered(bus: EmbeddedBus) -> None:
    clock, door = standing(), Door()
    assert door.enter()
    moving = threading.Thread(target=go, args=(walk(clock, bus, door=door), NINE + HOUR))
    moving.start()
    with door.shut() as inside:
        assert (inside, clock()) == (1, NINE)
    assert door.enter()  # a newcomer need not wait for those who are inside
    door.leave()
    door.leave()
    moving.join(30)
    assert clock() == NINE + HOUR


def test_nobody_comes_in_while_it_is_shut() -> None:
    door = Door()
    with door.shut() as inside:
        assert (inside, door.enter()) == (0, False)
    door.wait()
    assert door.enter()


def test_the_clock_keeps_before_it_shows_and_never_goes_back() -> None:
    seen: list[datetime] = []
    clock = Standing(NINE, lambda to: seen.append(clock()))
    clock.move(NINE + HOUR)
    assert (seen, clock()) == ([NINE], NINE + HOUR)
    with pytest.raises(ValueError, match="moves forward only"):
        clock.move(NINE)

    def full(_: datetime) -> None:
        raise OSError("disk full")

    stuck = Standing(NINE, full)
    with pytest.raises(OSError, match="disk full"):
        stuck.move(NINE + HOUR)
    assert stuck() == NINE
