"""What only the embedded log can be asked: its file, its leases, and any interleaving of what people do to it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bus.carriers import SHARED, EmbeddedCarrier, other_process, read_until, records, texts, until_it_answers
from tocsin.bus import embedded, embedded_reader, leases, logfile
from tocsin.bus.embedded import EmbeddedBus
from tocsin.bus.embedded_reader import EmbeddedReader
from tocsin.bus.port import Received, Record, Redelivery, Topic
from tocsin.errors import BusAway, SettingsError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def bus(path: Path) -> Iterator[EmbeddedBus]:
    with EmbeddedBus(path) as made:
        made.ensure([Topic("t", partitions=2)])
        yield made


def test_the_file_is_durable_and_has_its_topics_as_stated(bus: EmbeddedBus, path: Path) -> None:
    bus.ensure([Topic("kept", partitions=4), Topic("passing", partitions=1, retention=timedelta(days=7))])
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("SELECT name, retention_s FROM topic ORDER BY name").fetchall() == [
            ("kept", None),
            ("passing", 604800.0),
            ("t", None),
        ]
        assert db.execute("SELECT count(*) FROM partition WHERE topic = 'kept'").fetchone() == (4,)
    with bus._file.reading() as own:
        full = 2
        assert own.execute("PRAGMA synchronous").fetchone() == (full,)


def test_a_publish_wakes_a_waiting_reader_at_once(bus: EmbeddedBus, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without the bell the reader would look again only after these 30 s.
    monkeypatch.setattr(embedded_reader, "POLL_S", 30.0)
    reader = bus.reader("g", ["t"])
    reader.read(1, 0)
    found: list[Received] = []
    waiting = threading.Thread(target=lambda: found.extend(reader.read(1, 10)))
    waiting.start()
    bus.publish(records("t", "1"))
    waiting.join(5)
    assert texts(found) == ["1"]


def test_a_publish_of_another_process_is_found_soon(bus: EmbeddedBus, path: Path) -> None:
    reader = bus.reader("g", ["t"])
    reader.read(1, 0)
    carrier = EmbeddedCarrier(path.parent / "unused")
    carrier.folder = path.parent
    body = 'from tocsin.bus.port import Record\nbus.publish([Record("t", "k", b"from afar")])'
    other = other_process(carrier, body)
    assert texts(read_until(reader, 1)) == ["from afar"]
    other.communicate(timeout=20)


def test_a_locked_file_is_a_bus_that_is_away_and_nothing_is_lost(bus: EmbeddedBus, path: Path) -> None:
    bus.publish(records("t", "1"))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        with pytest.raises(BusAway, match=r"log\.db: database is locked"):
            bus.publish(records("t", "2"))
        assert time.monotonic() - began < 3
        other.execute("ROLLBACK")
    bus.publish(records("t", "2"))
    assert texts(read_until(bus.reader("g", ["t"]), 2)) == ["1", "2"]


def test_a_full_disk_takes_the_whole_batch_or_nothing(bus: EmbeddedBus) -> None:
    bus.publish(records("t", "1"))
    with bus._file.reading() as db:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(BusAway, match="database or disk is full"):
        bus.publish([*records("t", "2"), Record("t", "k", b"x" * 100_000)])
    bus.publish(records("t", "3"))
    assert texts(read_until(bus.reader("g", ["t"]), 2)) == ["1", "3"]


def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    with EmbeddedBus(tmp_path / "unmounted" / "log.db") as bus:
        with pytest.raises(BusAway, match="unable to open database file"):
            bus.ping()
        (tmp_path / "unmounted").mkdir()
        bus.ping()


def test_a_file_that_was_taken_away_is_missed_and_not_made_anew(bus: EmbeddedBus, path: Path) -> None:
    bus.publish(records("t", "1"))
    path.rename(path.with_name("elsewhere.db"))
    for _ in range(2):
        with pytest.raises(BusAway):
            bus.publish(records("t", "2"))
    assert not path.exists()
    path.with_name("elsewhere.db").rename(path)
    assert texts(read_until(bus.reader("g", ["t"]), 1)) == ["1"]


def test_a_damaged_file_is_said(path: Path) -> None:
    path.write_bytes(b"this is no database, whatever its name says" * 100)
    with EmbeddedBus(path) as bus, pytest.raises(BusAway, match="file is not a database"):
        bus.ping()


def test_a_file_of_a_newer_format_is_refused(bus: EmbeddedBus, path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with EmbeddedBus(path) as other, pytest.raises(SettingsError, match="format 99, this Tocsin reads format 1"):
        other.ping()


def test_a_bus_that_was_closed_says_so(bus: EmbeddedBus) -> None:
    reader = bus.reader("g", ["t"])
    reader.read(1, 0)
    bus.close()
    with pytest.raises(BusAway, match="it was closed"):
        reader.read(1, 0)
    with pytest.raises(BusAway, match="it was closed"):
        bus.ping()


def test_stated_retention_lets_go_only_of_what_every_group_has_done(
    bus: EmbeddedBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.ensure([Topic("passing", partitions=1, retention=timedelta(days=7))])
    bus.publish(records("passing", "1", "2", "3"))
    bus.publish(records("t", "kept"))
    with closing(bus.reader("g", ["passing"])) as reader:
        reader.commit(read_until(reader, 3)[:2])
    later = time.time() + 8 * 24 * 3600
    monkeypatch.setattr(embedded, "seconds", lambda: later)
    bus.ensure([])
    assert texts(read_until(bus.reader("new", ["passing"]), 1)) == ["3"]
    assert bus.reader("newer", ["passing"]).lag() == 1
    assert texts(read_until(bus.reader("new", ["t"]), 1)) == ["kept"]


def test_the_lease_of_a_reader_that_fell_silent_runs_out(path: Path) -> None:
    silent = EmbeddedBus(path, lease_s=0.4)
    silent.ensure([Topic("t", partitions=1)])
    silent.publish(records("t", "1"))
    lost = silent.reader("g", ["t"])
    found = read_until(lost, 1)
    silent._closing.set()  # its background renewals end, as in a process that hangs
    with EmbeddedBus(path, lease_s=0.4) as bus:
        assert texts(read_until(bus.reader("g", ["t"]), 1)) == ["1"]
        with pytest.raises(Redelivery, match="t/0 moved to another reader"):
            lost.commit(found)
    silent.close()


def test_a_slow_handler_keeps_its_partitions(path: Path) -> None:
    with EmbeddedBus(path, lease_s=0.3) as bus:
        bus.ensure([Topic("t", partitions=1)])
        bus.publish(records("t", "1"))
        slow, other = bus.reader("g", ["t"]), bus.reader("g", ["t"])
        found = read_until(slow, 1)
        # Three leases long it neither reads nor commits.
        assert other.read(1, 0.9) == []
        slow.commit(found)


def test_a_reader_that_hangs_for_good_loses_its_partitions(path: Path) -> None:
    with EmbeddedBus(path, lease_s=0.3, max_hold_s=0.3) as bus:
        bus.ensure([Topic("t", partitions=1)])
        bus.publish(records("t", "1"))
        read_until(bus.reader("g", ["t"]), 1)
        assert texts(read_until(bus.reader("g", ["t"]), 1)) == ["1"]


def test_a_clock_set_back_does_not_make_a_dead_reader_immortal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = EmbeddedBus(path, lease_s=1.0)
    dead.ensure([Topic("t", partitions=1)])
    dead.publish(records("t", "1"))
    read_until(dead.reader("g", ["t"]), 1)
    dead._closing.set()
    an_hour_ago = time.time() - 3600
    monkeypatch.setattr(leases, "seconds", lambda: an_hour_ago)
    with EmbeddedBus(path, lease_s=1.0) as bus:
        assert texts(bus.reader("g", ["t"]).read(1, 0.1)) == ["1"]
    dead.close()


def test_opening_is_quick_and_imports_no_client_of_a_broker(path: Path) -> None:
    body = f"""
import sys, time
from tocsin.bus import open_bus
from tocsin.bus.port import Topic
bus = open_bus("embedded:{path}")
bus.ensure([Topic("t")])
print(time.process_time() < 1.0, "kafka" in sys.modules, "sqlalchemy" in sys.modules)
"""
    ran = subprocess.run(
        [sys.executable, "-c", body], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(SHARED)}
    )
    assert ran.stdout == "True False False\n"


def test_two_processes_that_open_a_new_log_at_once_make_one(tmp_path: Path) -> None:
    carrier = EmbeddedCarrier(tmp_path / "log")
    body = """
from tocsin.bus.port import Record, Topic
import os
bus.ensure([Topic("t", partitions=3)])
for number in range(20):
    bus.publish([Record("t", str(os.getpid()), str(number).encode())])
"""
    others = [other_process(carrier, body) for _ in range(3)]
    for other in others:
        other.communicate(timeout=20)
        assert other.returncode == 0
    with carrier.open() as bus:
        found = read_until(bus.reader("g", ["t"]), 60)
    for other in others:
        of_one = [r.value.decode() for r in found if r.key == str(other.pid)]
        assert of_one == [str(number) for number in range(20)]


OPERATIONS = st.one_of(
    st.tuples(st.just("publish"), st.integers(0, 3), st.integers(1, 4)),
    st.tuples(st.just("read"), st.integers(0, 2), st.integers(1, 5)),
    st.tuples(st.just("commit"), st.integers(0, 2), st.integers(0, 5)),
    st.tuples(st.just("rewind"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("leave"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("crash"), st.integers(0, 2), st.just(0)),
)


class Life:
    """A log with up to three readers of one group, each in a bus of its own that may crash."""

    lease_s = 0.02

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bus = EmbeddedBus(path)
        self.bus.ensure([Topic("t", partitions=2)])
        self.published: dict[str, list[str]] = {}
        self.seen: list[Received] = []
        self.members: dict[int, tuple[EmbeddedBus, EmbeddedReader, list[Received]]] = {}
        self.crashed: list[EmbeddedBus] = []

    def member(self, who: int) -> tuple[EmbeddedReader, list[Received]]:
        if who not in self.members:
            bus = EmbeddedBus(self.path, lease_s=self.lease_s)
            self.members[who] = (bus, bus.reader("g", ["t"]), [])
        return self.members[who][1:]

    def publish(self, key: int, count: int) -> None:
        same = self.published.setdefault(f"key-{key}", [])
        new = [f"{key}.{len(same) + number}" for number in range(count)]
        self.bus.publish(records("t", *new, key=f"key-{key}"))
        same += new

    def read(self, who: int, count: int) -> None:
        reader, held = self.member(who)
        got = reader.read(count, 0)
        assert len(got) <= count
        held += got
        self.seen += got

    def commit(self, who: int, count: int) -> None:
        reader, held = self.member(who)
        done, held[:] = held[:count], held[count:]
        try:
            reader.commit(done)
        except Redelivery:
            held.clear()
            reader.rewind()

    def rewind(self, who: int, _: int) -> None:
        reader, held = self.member(who)
        reader.rewind()
        held.clear()

    def leave(self, who: int, _: int) -> None:
        if who in self.members:
            self.members.pop(who)[0].close()

    def crash(self, who: int, _: int) -> None:
        if who in self.members:
            bus = self.members.pop(who)[0]
            bus._closing.set()
            self.crashed.append(bus)

    def end(self) -> list[Received]:
        """Everybody is gone; one last reader takes whatever the group has not done."""
        for who in list(self.members):
            self.leave(who, 0)
        total = sum(len(same) for same in self.published.values())
        # One that never reads holds nothing, so its lag is that of the whole group: a partition that still belongs to a
        # crashed reader counts too.
        with closing(self.bus.reader("g", ["t"])) as reader, closing(self.bus.reader("g", ["t"])) as onlooker:
            deadline = time.monotonic() + 10
            while onlooker.lag() > 0 and time.monotonic() < deadline:
                got = reader.read(100, 0.01)
                self.seen += got
                reader.commit(got)
            assert onlooker.lag() == 0
        assert len({(r.partition, r.offset) for r in self.seen}) == total
        return self.seen

    def close(self) -> None:
        for bus in [*self.crashed, *(member[0] for member in self.members.values()), self.bus]:
            bus.close()


@settings(max_examples=30, deadline=None)
@given(st.lists(OPERATIONS, min_size=3, max_size=25))
def test_no_interleaving_loses_a_record_or_the_order_of_a_key(operations: list[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        life = Life(Path(folder) / "log.db")
        try:
            for name, first, second in operations:
                getattr(life, name)(first, second)
            seen = life.end()
            for key, same in life.published.items():
                first_copies = list(dict.fromkeys(r.value.decode() for r in seen if r.key == key))
                assert first_copies == same
        finally:
            life.close()


def test_a_write_that_finds_no_turn_is_away(bus: EmbeddedBus, path: Path) -> None:
    with logfile.bell_of(path).writing, pytest.raises(BusAway, match="no turn to write within 2 s"):
        bus.ping()
    until_it_answers(bus.ping)
