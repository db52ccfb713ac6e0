"""The copy of the log that a rebuild reads: every record once, in one order, and none that is missing unnoticed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standalone.rebuild_log import Handled, LogCopy, Said, unread
from tocsin.bus.port import Bus, Received
from tocsin.errors import BusAway

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
FACTS, SAID, DEAD = "reports.received.v1", "decisions.recorded.v1", "reports.received.v1.dead"


@dataclass
class ScriptedReader:
    """Hands out these batches, whatever is asked."""

    batches: list[list[Received]]
    there: int
    committed: list[Received] = field(default_factory=list)

    def read(self, max_records: int, wait_s: float) -> list[Received]:
        return self.batches.pop(0) if self.batches else []

    def commit(self, done: Sequence[Received]) -> None:
        self.committed += done

    def lag(self) -> int:
        return self.there

    def close(self) -> None: ...


@dataclass
class ScriptedBus:
    script: ScriptedReader

    def reader(self, group: str, topics: Sequence[str]) -> ScriptedReader:
        return self.script


def bus_with(*batches: list[Received], there: int | None = None) -> Bus:
    distinct = {(r.topic, r.partition, r.offset) for batch in batches for r in batch}
    return cast("Bus", ScriptedBus(ScriptedReader(list(batches), len(distinct) if there is None else there)))


def record(topic: str, partition: int, offset: int, minute: int) -> Received:
    at = (NOON + timedelta(minutes=minute)).isoformat()
    return Received(topic, partition, offset, "TOC-0031", b"{}", {"ce_recordedat": at})


def numbered(number: int, topic: str, partition: int, offset: int, minute: int) -> Received:
    found = record(topic, partition, offset, minute)
    return replace(found, headers={**found.headers, "ce_id": str(UUID(int=number))})


@contextmanager
def copied(bus: Bus, *, is_ordered: bool = False) -> Iterator[LogCopy]:
    with TemporaryDirectory() as folder, LogCopy(Path(folder) / "log.db", is_ordered=is_ordered) as log:
        log.read(bus, "a copy", [FACTS, SAID, DEAD], lambda done, of: None, patience_s=0.0)
        yield log


def order(log: LogCopy) -> list[tuple[str, int, int]]:
    return [(r.topic, r.partition, r.offset) for r in log.records()]


PARTITIONS = st.dictionaries(
    st.tuples(st.sampled_from([FACTS, SAID]), st.integers(0, 2)), st.lists(st.integers(0, 9), min_size=1, max_size=5),
    min_size=1,
)  # fmt: skip


@given(partitions=PARTITIONS, shuffled=st.randoms(use_true_random=False), is_ordered=st.booleans())
def test_each_record_comes_once_and_never_before_an_earlier_one_of_its_partition(
    partitions: dict[tuple[str, int], list[int]], shuffled: Any, is_ordered: bool
) -> None:
    batches = [[record(*at, n, minute) for n, minute in enumerate(of)] for at, of in partitions.items()]
    shuffled.shuffle(batches)
    with copied(bus_with(*batches, batches[0]), is_ordered=is_ordered) as log:
        found = order(log)
        assert sorted(found) == sorted((*at, n) for at, of in partitions.items() for n in range(len(of)))
        for at, of in partitions.items():
            assert [n for topic, partition, n in found if (topic, partition) == at] == list(range(len(of)))


@given(partitions=PARTITIONS, shuffled=st.randoms(use_true_random=False))
def test_on_a_broker_the_order_is_that_of_time_and_does_not_depend_on_how_it_was_read(
    partitions: dict[tuple[str, int], list[int]], shuffled: Any
) -> None:
    batches = [[record(*at, n, minute) for n, minute in enumerate(sorted(of))] for at, of in partitions.items()]
    minutes = {(r.topic, r.partition, r.offset): r.headers["ce_recordedat"] for batch in batches for r in batch}
    with copied(bus_with(*batches)) as log:
        first = order(log)
    shuffled.shuffle(batches)
    with copied(bus_with(*batches)) as log:
        assert order(log) == first
    assert [minutes[place] for place in first] == sorted(minutes.values())


def test_at_one_instant_facts_come_before_what_was_said_of_them() -> None:
    with copied(bus_with([record(SAID, 0, 0, 5)], [record(FACTS, 0, 0, 5)])) as log:
        assert order(log) == [(FACTS, 0, 0), (SAID, 0, 0)]


def test_the_embedded_log_keeps_the_order_in_which_it_was_written() -> None:
    with copied(bus_with([record(SAID, 0, 0, 9)], [record(FACTS, 0, 0, 5)]), is_ordered=True) as log:
        assert order(log) == [(SAID, 0, 0), (FACTS, 0, 0)]


@pytest.mark.parametrize("is_ordered", [False, True], ids=["on a broker", "on the embedded log"])
@pytest.mark.parametrize("after_seq", [7, None], ids=["as the inbox says", "by its time, where the inbox does not say"])
def test_what_a_broker_brought_late_has_its_turn_when_it_was_handled(is_ordered: bool, after_seq: int | None) -> None:
    """The first fact was handled an hour late: what rang meanwhile rang without it. The second one is not handled yet.

    Within its partition it goes first all the same.
    """
    late, rang, second = numbered(1, FACTS, 0, 0, 1), numbered(2, SAID, 0, 0, 2), record(FACTS, 0, 1, 3)
    with copied(bus_with([late], [rang], [second]), is_ordered=is_ordered) as log:
        log.order_as_handled(
            [Said(UUID(int=2), 7, NOON + timedelta(minutes=2))],
            [Handled(UUID(int=1), NOON + timedelta(minutes=61), after_seq)],
        )
        assert order(log) == [(SAID, 0, 0), (FACTS, 0, 0), (FACTS, 0, 1)]


def test_a_deed_that_was_begun_before_a_fact_was_handled_and_waited_for_it_comes_after_it() -> None:
    """A person acts at minute 2; the fact is handled at minute 3, and the deed is kept behind it, as number 8."""
    fact, deed = numbered(1, FACTS, 0, 0, 1), numbered(2, SAID, 0, 0, 2)
    with copied(bus_with([deed], [fact])) as log:
        log.order_as_handled(
            [Said(UUID(int=2), 8, NOON + timedelta(minutes=2))], [Handled(UUID(int=1), NOON + timedelta(minutes=3), 7)]
        )
        assert order(log) == [(FACTS, 0, 0), (SAID, 0, 0)]


def test_an_own_deed_has_its_turn_when_it_was_said_and_not_when_it_was_read_again() -> None:
    """It came back from the bus at minute 9, behind another's word that was handled late; number 4 was first."""
    other, deed, fact = numbered(1, SAID, 0, 0, 1), numbered(2, SAID, 0, 1, 2), numbered(3, FACTS, 0, 0, 3)
    with copied(bus_with([other, deed], [fact])) as log:
        log.order_as_handled(
            [Said(UUID(int=2), 4, NOON + timedelta(minutes=2))],
            [
                Handled(UUID(int=1), NOON + timedelta(minutes=8), 6),
                Handled(UUID(int=2), NOON + timedelta(minutes=9), 6),
                Handled(UUID(int=3), NOON + timedelta(minutes=4), 4),
            ],
        )
        assert order(log) == [(SAID, 0, 1), (FACTS, 0, 0), (SAID, 0, 0)]


def test_what_was_set_aside_and_put_back_has_its_turn_where_it_was_handled_and_holds_up_nobody_before() -> None:
    """The first fact was given up and put back an hour later; the second one, behind it, was handled at once."""
    given_up, second, rang = numbered(1, FACTS, 0, 0, 1), numbered(2, FACTS, 0, 1, 2), numbered(3, SAID, 0, 0, 3)
    put_back = numbered(1, FACTS, 0, 2, 1)
    with copied(bus_with([given_up, second, put_back], [rang])) as log:
        log.order_as_handled(
            [Said(UUID(int=3), 1, NOON + timedelta(minutes=3))],
            [
                Handled(UUID(int=2), NOON + timedelta(minutes=2), 0),
                Handled(UUID(int=1), NOON + timedelta(minutes=61), 1),
            ],
            aside={(FACTS, 0, 0)},
        )
        assert order(log) == [(FACTS, 0, 0), (FACTS, 0, 1), (SAID, 0, 0), (FACTS, 0, 2)]


def test_what_was_set_aside_after_the_time_was_put_back_holds_up_nobody_behind_it_either() -> None:
    """It bears a later time than the fact behind it, and than what rang for that fact."""
    given_up, second, rang = numbered(1, FACTS, 0, 0, 5), numbered(2, FACTS, 0, 1, 2), numbered(3, SAID, 0, 0, 3)
    with copied(bus_with([given_up, second], [rang])) as log:
        log.order_as_handled(
            [Said(UUID(int=3), 1, NOON + timedelta(minutes=3))],
            [Handled(UUID(int=2), NOON + timedelta(minutes=2), 0)],
            aside={(FACTS, 0, 0)},
        )
        assert order(log) == [(FACTS, 0, 0), (FACTS, 0, 1), (SAID, 0, 0)]


def test_a_word_that_bears_the_time_of_an_old_fact_was_not_said_before_those_ahead_of_it() -> None:
    """Number 3 bears minute 1, and came after minute 9. A fact was handled at minute 4; it is not said after which."""
    first, second, third = numbered(1, SAID, 0, 0, 2), numbered(2, SAID, 0, 1, 9), numbered(3, SAID, 0, 2, 1)
    fact = numbered(4, FACTS, 0, 0, 4)
    with copied(bus_with([first, second, third], [fact])) as log:
        log.order_as_handled(
            [
                Said(UUID(int=1), 1, NOON + timedelta(minutes=2)),
                Said(UUID(int=2), 2, NOON + timedelta(minutes=9)),
                Said(UUID(int=3), 3, NOON + timedelta(minutes=1)),
            ],
            [Handled(UUID(int=4), NOON + timedelta(minutes=4), None)],
        )
        assert order(log) == [(SAID, 0, 0), (FACTS, 0, 0), (SAID, 0, 1), (SAID, 0, 2)]


def test_a_dead_letter_has_its_turn_when_it_rang_and_not_when_its_message_was_handled() -> None:
    """Another service gave the message up; this one handled it at once, and told of the letter an hour later."""
    message, rang, letter = numbered(1, FACTS, 0, 0, 1), numbered(3, SAID, 0, 0, 3), numbered(1, DEAD, 0, 0, 2)
    with copied(bus_with([message], [rang], [letter])) as log:
        log.order_as_handled(
            [Said(UUID(int=3), 1, NOON + timedelta(minutes=3))],
            [
                Handled(UUID(int=1), NOON + timedelta(minutes=1), 0),
                Handled(UUID(int=2), NOON + timedelta(minutes=61), 1),
            ],
            letters={(DEAD, 0, 0): UUID(int=2)},
        )
        assert order(log) == [(FACTS, 0, 0), (SAID, 0, 0), (DEAD, 0, 0)]


def test_a_log_that_has_lost_its_beginning_is_noticed() -> None:
    with copied(bus_with([record(FACTS, 0, 3, 1), record(FACTS, 0, 4, 2)])) as log:
        assert log.gaps() == [f"{FACTS}/0 holds 2 of its 5 messages, from 3 to 4"]


def test_what_is_there_and_does_not_arrive_is_said_and_not_left_out() -> None:
    with (
        pytest.raises(BusAway, match="another process reads in the place of this service"),
        copied(bus_with([record(FACTS, 0, 0, 1)], there=2)),
    ):
        pass


def test_what_a_group_has_not_read_is_found_and_stays_unread() -> None:
    script = ScriptedReader([[record(FACTS, 1, 7, 1)], [record(FACTS, 0, 3, 2)]], 2)
    assert unread(cast("Bus", ScriptedBus(script)), "alerting", [FACTS]) == {(FACTS, 1, 7), (FACTS, 0, 3)}
    assert script.committed == []
