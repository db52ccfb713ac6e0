"""One member of a group on the embedded log: what it is given, what it has done, and when it looks again."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

import structlog

from tocsin.bus import leases
from tocsin.bus.logfile import LogFile
from tocsin.bus.port import Received, Redelivery
from tocsin.errors import BusAway

log = structlog.get_logger(__name__)

POLL_S = 0.1
"""How often a waiting reader looks for what other processes published; its own process rings the bell."""


class EmbeddedReader:
    """One member of a group; see `port.Reader`."""

    def __init__(
        self, path: Path, group: str, topics: Sequence[str], lease_s: float, forget: Callable[[str], None]
    ) -> None:
        self.member = str(uuid4())
        self.last_call = time.monotonic()
        self._path = path
        self._group = group
        self._topics = tuple(topics)
        self._lease_s = lease_s
        self._forget = forget
        self._file = LogFile(path)
        self._held: set[int] = set()
        self._names: dict[int, tuple[str, int]] = {}
        self._ids: dict[tuple[str, int], int] = {}
        self._next: dict[int, int] = {}
        self._generation = -1
        self._settled_at = 0.0
        self._closed = False

    def read(self, max_records: int, wait_s: float) -> list[Received]:
        deadline = time.monotonic() + wait_s
        while True:
            self.last_call = time.monotonic()
            seen = self._file.bell.count
            self._settle()
            found = self._fetch(max_records)
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            self._file.bell.wait(seen, min(left, POLL_S))

    def commit(self, done: Sequence[Received]) -> None:
        self.last_call = time.monotonic()
        upto: dict[tuple[str, int], int] = {}
        for received in done:
            place = (received.topic, received.partition)
            upto[place] = max(upto.get(place, 0), received.offset + 1)
        if not upto:
            return
        lost = []
        with self._file.writing() as db:
            held = self._leases(db)
            for place, next_offset in upto.items():
                partition = self._ids.get(place)
                if partition is None or partition not in held:
                    lost.append(place)
                    continue
                db.execute(
                    "INSERT INTO committed VALUES (?, ?, ?) ON CONFLICT (group_name, partition_id)"
                    " DO UPDATE SET next_offset = max(next_offset, excluded.next_offset)",
                    (self._group, partition, next_offset),
                )
            leases.renew(db, [self.member])
        if lost:
            self._generation = -1
            places = ", ".join(f"{topic}/{number}" for topic, number in lost)
            raise Redelivery(f"group {self._group}: {places} moved to another reader before the commit")

    def rewind(self) -> None:
        self._next.clear()

    def lag(self) -> int:
        with self._file.reading() as db:
            held = self._leases(db)
            everything = self._all_partitions(db)
            waiting = 0
            for partition in held or set(everything):
                first, end = everything[partition][2:]
                waiting += max(0, end - max(first, self._committed(db, partition)))
            return waiting

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._forget(self.member)
        try:
            with self._file.writing() as db:
                leases.leave(db, self._group, self.member)
        except BusAway as error:
            # The lease runs out by itself; the others only wait longer.
            log.warning("reader_could_not_say_goodbye", group=self._group, error=str(error))
        self._file.bell.ring()
        self._file.close()

    def _settle(self) -> None:
        """Join, or look again at who holds what: when the group has changed, and now and then for the dead."""
        with self._file.reading() as db:
            current = leases.generation(db, self._group)
        due = time.monotonic() - self._settled_at > self._lease_s / 4
        if current == self._generation and not due:
            return
        with self._file.writing() as db:
            held, self._generation, changed = leases.settle(db, self._group, self.member, self._topics, self._lease_s)
            for partition, (topic, number, _, _) in self._all_partitions(db).items():
                self._names[partition] = (topic, number)
                self._ids[topic, number] = partition
        self._settled_at = time.monotonic()
        for gone in self._held - held:
            self._next.pop(gone, None)
        self._held = held
        if changed:
            self._file.bell.ring()

    def _fetch(self, max_records: int) -> list[Received]:
        with self._file.reading() as db:
            # First only places, from the index; then the bodies of those that are taken. Oldest first over all.
            places: list[tuple[int, int, int]] = []
            for partition in self._held:
                if partition not in self._next:
                    self._next[partition] = self._committed(db, partition)
                places += db.execute(
                    'SELECT seq, partition_id, "offset" FROM record WHERE partition_id = ? AND "offset" >= ?'
                    ' ORDER BY "offset" LIMIT ?',
                    (partition, self._next[partition], max_records),
                )
            found = []
            for seq, partition, offset in sorted(places)[:max_records]:
                key, value, headers = db.execute(
                    "SELECT key, value, headers FROM record WHERE seq = ?", (seq,)
                ).fetchone()
                topic, number = self._names[partition]
                found.append(Received(topic, number, offset, key, value, json.loads(headers)))
        for received in found:
            self._next[self._ids[received.topic, received.partition]] = received.offset + 1
        return found

    def _leases(self, db: sqlite3.Connection) -> set[int]:
        rows = db.execute(
            "SELECT partition_id FROM lease WHERE group_name = ? AND member_id = ?", (self._group, self.member)
        )
        return {row[0] for row in rows}

    def _committed(self, db: sqlite3.Connection, partition: int) -> int:
        row = db.execute(
            "SELECT next_offset FROM committed WHERE group_name = ? AND partition_id = ?",
            (self._group, partition),
        ).fetchone()
        return int(row[0]) if row else 0

    def _all_partitions(self, db: sqlite3.Connection) -> dict[int, tuple[str, int, int, int]]:
        marks = ", ".join("?" for _ in self._topics)
        rows = db.execute(
            f"SELECT id, topic, number, first_offset, end_offset FROM partition WHERE topic IN ({marks})",  # noqa: S608  only question marks
            self._topics,
        )
        return {row[0]: row[1:] for row in rows}
