"""What `port.py` promises, held on both carriers: one test for each promise."""

from __future__ import annotations

import time
from functools import partial
from itertools import groupby

import pytest

from tests.bus.carriers import (
    Carrier,
    nothing_more,
    other_process,
    read_until,
    records,
    texts,
    until_it_answers,
)
from tocsin.bus.port import Bus, Received, Record, Redelivery, Topic
from tocsin.errors import BusAway


@pytest.fixture
def topic(carrier: Carrier, bus: Bus) -> str:
    """A topic of three partitions."""
    name = carrier.topic("reports")
    bus.ensure([Topic(name, partitions=3)])
    return name


def test_a_published_record_is_read_as_it_was(bus: Bus, topic: str) -> None:
    headers = {"ce_id": "7", "ce_source": "临床/研究", "empty": ""}
    bus.publish([Record(topic, "受试者-0042 é", "急性 发热\x00\xff".encode(), headers)])
    (found,) = read_until(bus.reader("g", [topic]), 1)
    assert (found.topic, found.key, found.value) == (topic, "受试者-0042 é", "急性 发热\x00\xff".encode())
    assert dict(found.headers) == headers
    assert found.offset == 0


def test_a_large_record_is_carried(bus: Bus, topic: str) -> None:
    bus.publish([Record(topic, "k", b"x" * 3_000_000)])
    (found,) = read_until(bus.reader("g", [topic]), 1)
    assert len(found.value) == 3_000_000


def test_records_of_one_key_keep_their_order_over_many_publishes(bus: Bus, topic: str) -> None:
    for number in range(20):
        bus.publish([Record(topic, key, f"{key}{number:02}".encode()) for key in ("a", "b", "c", "d")])
    found = read_until(bus.reader("g", [topic]), 80)
    of_key = {
        key: [r.value.decode() for r in same]
        for key, same in groupby(sorted(found, key=lambda r: r.key), lambda r: r.key)
    }
    assert of_key["a"] == [f"a{number:02}" for number in range(20)]
    assert of_key["d"] == [f"d{number:02}" for number in range(20)]


def test_a_key_stays_in_its_partition_also_for_another_bus(carrier: Carrier, bus: Bus, topic: str) -> None:
    bus.publish(records(topic, "1", key="case-7"))
    carrier.open().publish(records(topic, "2", key="case-7"))
    found = read_until(bus.reader("g", [topic]), 2)
    assert len({record.partition for record in found}) == 1
    assert texts(found) == ["1", "2"]


def test_a_new_group_begins_with_the_oldest_record(bus: Bus, topic: str) -> None:
    bus.publish(records(topic, "old", "older"))
    early = bus.reader("early", [topic])
    read_until(early, 2, commit=True)
    assert texts(read_until(bus.reader("late", [topic]), 2)) == ["old", "older"]


def test_two_groups_each_see_every_record(bus: Bus, topic: str) -> None:
    bus.publish(records(topic, "1", "2"))
    assert texts(read_until(bus.reader("coder", [topic]), 2, commit=True)) == ["1", "2"]
    assert texts(read_until(bus.reader("alerting", [topic]), 2, commit=True)) == ["1", "2"]


def test_readers_of_one_group_share_the_partitions(bus: Bus, topic: str) -> None:
    one, two = bus.reader("g", [topic]), bus.reader("g", [topic])
    deadline = time.monotonic() + 20
    seen_by: dict[str, set[int]] = {"one": set(), "two": set()}
    number = 0
    # Both must be asked in turns: a member that does not read cannot give anything up.
    while not (seen_by["one"] and seen_by["two"]) and time.monotonic() < deadline:
        bus.publish([Record(topic, f"key-{key}", b"x") for key in range(12)])
        seen_by = {"one": set(), "two": set()}
        for name, reader in (("one", one), ("two", two), ("one", one), ("two", two)):
            got = reader.read(100, 0.3)
            seen_by[name] |= {record.partition for record in got}
            try:
                reader.commit(got)
            except Redelivery:
                continue
        number += 1
    assert seen_by["one"]
    assert seen_by["two"]
    assert seen_by["one"] & seen_by["two"] == set()
    assert seen_by["one"] | seen_by["two"] == {0, 1, 2}


def test_a_reader_takes_over_at_the_last_commit_when_another_leaves(bus: Bus, topic: str) -> None:
    bus.publish(records(topic, "1", "2", "3"))
    first = bus.reader("g", [topic])
    found = read_until(first, 3)
    first.commit(found[:1])
    first.close()
    began = time.monotonic()
    assert texts(read_until(bus.reader("g", [topic]), 2)) == ["2", "3"]
    assert time.monotonic() - began < 3


def test_a_reader_takes_over_when_another_dies(carrier: Carrier, bus: Bus, topic: str) -> None:
    bus.publish(records(topic, "1", "2"))
    body = f"""
reader = bus.reader("g", [{topic!r}])
found = []
while len(found) < 2:
    found += reader.read(10, 1.0)
reader.commit(found[:1])
print("holding", flush=True)
import time
time.sleep(60)
"""
    other = other_process(carrier, body)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "holding\n"
    finally:
        other.kill()
        other.communicate()
    assert texts(read_until(bus.reader("g", [topic]), 1)) == ["2"]


def test_a_group_resumes_after_a_restart_where_it_committed(carrier: Carrier, bus: Bus, topic: str) -> None:
    bus.publish(records(topic, "1", "2"))
    read_until(bus.reader("g", [topic]), 2, commit=True)
    bus.close()
    again = carrier.open()
    again.publish(records(topic, "3"))
    reader = again.reader("g", [topic])
    assert texts(read_until(reader, 1)) == ["3"]


def test_what_was_read_and_not_committed_comes_again_after_a_restart(carrier: Carrier, bus: Bus, topic: str) -> None:
    bus.publish(records(topic, "1", "2"))
    read_until(bus.reader("g", [topic]), 2)
    bus.close()
    assert texts(read_until(carrier.open().reader("g", [topic]), 2)) == ["1", "2"]


def test_rewind_goes_back_to_the_last_commit(bus: Bus, topic: str) -> None:
    bus.publish(records(topic, "1", "2", "3"))
    reader = bus.reader("g", [topic])
    reader.commit(read_until(reader, 3)[:1])
    reader.rewind()
    assert texts(read_until(reader, 2)) == ["2", "3"]
    reader.rewind()
    assert texts(read_until(reader, 2)) == ["2", "3"]


def test_rewind_without_any_commit_goes_back_to_the_oldest(bus: Bus, topic: str) -> None:
    bus.publish(records(topic, "1", "2"))
    reader = bus.reader("g", [topic])
    read_until(reader, 2)
    reader.rewind()
    assert texts(read_until(reader, 2)) == ["1", "2"]


def test_a_commit_never_goes_back(carrier: Carrier, bus: Bus, topic: str) -> None:
    bus.publish(records(topic, "1", "2"))
    reader = bus.reader("g", [topic])
    found = read_until(reader, 2)
    reader.commit(found)
    reader.commit(found[:1])
    reader.close()
    after = bus.reader("g", [topic])
    bus.publish(records(topic, "3"))
    assert texts(read_until(after, 1)) == ["3"]


def test_a_commit_after_the_partition_moved_is_answered_by_redelivery(bus: Bus, topic: str) -> None:
    bus.publish([Record(topic, f"key-{key}", b"x") for key in range(12)])
    slow = bus.reader("g", [topic])
    found = read_until(slow, 12)
    quick = bus.reader("g", [topic])
    moved: list[Received] = []
    deadline = time.monotonic() + 20
    while not moved and time.monotonic() < deadline:
        slow.read(1, 0.2)
        moved = quick.read(100, 0.3)
    places = {record.partition for record in moved}
    with pytest.raises(Redelivery):
        slow.commit([record for record in found if record.partition in places])
    quick.commit(moved)


def test_a_partition_that_comes_back_is_read_from_the_last_commit(bus: Bus, topic: str) -> None:
    bus.publish([Record(topic, f"key-{key}", b"x") for key in range(12)])
    first = bus.reader("g", [topic])
    read_until(first, 12)
    second = bus.reader("g", [topic])
    moved: list[Received] = []
    deadline = time.monotonic() + 20
    while not moved and time.monotonic() < deadline:
        first.read(1, 0.2)
        moved = second.read(100, 0.3)
    second.close()
    missing = {(record.partition, record.offset) for record in moved}
    assert missing
    while missing and time.monotonic() < deadline:
        missing -= {(record.partition, record.offset) for record in first.read(100, 0.2)}
    assert missing == set()


def test_lag_knows_what_another_reader_did_meanwhile(bus: Bus, topic: str) -> None:
    bus.publish([Record(topic, f"key-{key}", b"x") for key in range(12)])
    first = bus.reader("g", [topic])
    read_until(first, 12)
    second = bus.reader("g", [topic])
    moved: list[Received] = []
    deadline = time.monotonic() + 20
    while not moved and time.monotonic() < deadline:
        first.read(1, 0.2)
        moved = second.read(100, 0.3)
    second.commit(moved)
    second.close()
    assert 0 < len(moved) < 12
    bus.publish(records(topic, "new", key=moved[0].key))
    while "new" not in texts(first.read(100, 0.2)):
        assert time.monotonic() < deadline
    assert first.lag() == 12 - len(moved) + 1


def test_a_slow_reader_is_sent_no_more_than_it_asked_for(bus: Bus, topic: str) -> None:
    bus.publish(records(topic, *(str(number) for number in range(10))))
    reader = bus.reader("g", [topic])
    first = read_until(reader, 1, max_records=3)
    assert 1 <= len(first) <= 3
    assert reader.lag() == 10
    reader.commit(first)
    rest = read_until(reader, 10 - len(first), commit=True, max_records=3)
    assert texts(first) + texts(rest) == [str(number) for number in range(10)]
    assert reader.lag() == 0


def test_lag_counts_everything_before_the_first_read(bus: Bus, topic: str) -> None:
    bus.publish([Record(topic, f"key-{key}", b"x") for key in range(9)])
    assert bus.reader("g", [topic]).lag() == 9


def test_an_empty_publish_and_an_empty_commit_do_nothing(bus: Bus, topic: str) -> None:
    bus.publish([])
    reader = bus.reader("g", [topic])
    reader.commit([])
    assert nothing_more(reader)


def test_ensure_twice_changes_nothing_and_leaves_more_partitions_alone(carrier: Carrier, bus: Bus, topic: str) -> None:
    bus.publish(records(topic, "1"))
    bus.ensure([Topic(topic, partitions=1), Topic(carrier.topic("doses"), partitions=2)])
    bus.ensure([Topic(topic, partitions=3)])
    bus.publish([Record(topic, f"key-{key}", b"x") for key in range(12)])
    found = read_until(bus.reader("g", [topic]), 13)
    assert {record.partition for record in found} == {0, 1, 2}


def test_a_topic_that_nobody_made_takes_no_record(carrier: Carrier, topic: str) -> None:
    with pytest.raises(BusAway):
        carrier.open(hasty=True).publish(records(carrier.topic("unheard-of"), "1"))


def test_a_reader_that_came_before_its_topic_finds_it_later(carrier: Carrier, bus: Bus, topic: str) -> None:
    later = carrier.topic("later")
    reader = bus.reader("g", [topic, later])
    assert reader.read(10, 0.2) == []
    bus.ensure([Topic(later)])
    bus.publish(records(later, "1"))
    assert texts(read_until(reader, 1)) == ["1"]


def test_a_reader_that_hardly_waits_gets_its_records_all_the_same(carrier: Carrier, bus: Bus, topic: str) -> None:
    later = carrier.topic("later")
    reader = bus.reader("g", [topic, later])
    deadline = time.monotonic() + 30
    for name in (topic, later):
        bus.ensure([Topic(name)])
        bus.publish(records(name, name))
        # Every join of the group takes longer than such a read.
        while (got := reader.read(10, 0.001)) == []:
            assert time.monotonic() < deadline
        assert texts(got) == [name]


def test_a_published_record_survives_the_crash_of_the_carrier(carrier: Carrier, bus: Bus, topic: str) -> None:
    bus.publish(records(topic, *(str(number) for number in range(50))))
    carrier.crash()
    found = read_until(until_it_answers(lambda: carrier.open().reader("g", [topic])), 50)
    assert texts(found) == [str(number) for number in range(50)]


def test_a_process_that_dies_after_publishing_leaves_its_records(carrier: Carrier, bus: Bus, topic: str) -> None:
    body = f"""
from tocsin.bus.port import Record
bus.publish([Record({topic!r}, "k", b"last words")])
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""
    other = other_process(carrier, body)
    other.communicate(timeout=20)
    assert other.returncode == -9
    assert texts(read_until(bus.reader("g", [topic]), 1)) == ["last words"]


def test_a_bus_that_is_away_at_start_works_once_it_is_there(carrier: Carrier, bus: Bus, topic: str) -> None:
    carrier.go_away()
    early = carrier.open(hasty=True)
    reader = early.reader("g", [topic])
    began = time.monotonic()
    with pytest.raises(BusAway):
        early.ping()
    with pytest.raises(BusAway):
        early.publish(records(topic, "1"))
    with pytest.raises(BusAway):
        reader.read(1, 0.1)
    assert time.monotonic() - began < 3 * 4.0
    carrier.come_back()
    until_it_answers(early.ping)
    until_it_answers(lambda: early.publish(records(topic, "2")))
    found = until_it_answers(lambda: read_until(reader, 1))
    assert texts(found)[-1] in {"1", "2"}


def test_a_bus_that_leaves_says_so_and_loses_nothing(carrier: Carrier, topic: str) -> None:
    bus = carrier.open(hasty=True)
    reader = bus.reader("g", [topic])
    bus.publish(records(topic, "1", "2"))
    found = read_until(reader, 2)
    carrier.go_away()
    with pytest.raises(BusAway):
        bus.publish(records(topic, "3"))
    with pytest.raises(BusAway):
        reader.commit(found)
    with pytest.raises(BusAway):
        reader.lag()
    with pytest.raises(BusAway):
        reader.read(10, 3.0)
    carrier.come_back()
    reader.rewind()
    until_it_answers(lambda: bus.publish(records(topic, "3")))
    seen: list[str] = []
    deadline = time.monotonic() + 20
    while "3" not in seen and time.monotonic() < deadline:
        got = until_it_answers(lambda: reader.read(10, 0.5))
        seen += texts(got)
        if got:
            until_it_answers(partial(reader.commit, got))
    # A second copy may be there, a gap or a step back may not.
    assert list(dict.fromkeys(seen))[-1] == "3"
    assert set(seen) <= {"1", "2", "3"}
