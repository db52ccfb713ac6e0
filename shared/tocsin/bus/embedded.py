"""The embedded log: the bus in one SQLite file (WAL, `synchronous=FULL`), for one machine without a broker.

Keeps every promise of `port.py`, also between several processes on one file. A batch is one transaction. Readers of the
publishing process wake at once; those of other processes look every tenth of a second. A reader's lease is renewed
in the background, so that a slow handler keeps its partitions, but not longer than `max_hold_s` after its last call.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from tocsin.bus import leases
from tocsin.bus.embedded_reader import EmbeddedReader
from tocsin.bus.logfile import LogFile, seconds
from tocsin.bus.port import Record, Topic
from tocsin.errors import BusAway

log = structlog.get_logger(__name__)

_CLEAR_OLD_EVERY_S = 3600.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the log is and its groups are, at one instant. `published` is how many records were ever published."""

    published: int
    unread: Mapping[str, int]


class EmbeddedBus:
    """The bus in the file `path`. Its folder must exist; the file is made when first needed."""

    def __init__(self, path: Path, *, lease_s: float = 6.0, max_hold_s: float = 300.0) -> None:
        self._path = path
        self._lease_s = lease_s
        self._max_hold_s = max_hold_s
        self._file = LogFile(path)
        self._looking = LogFile(path, durable=False)
        self._looking_lock = threading.Lock()
        self._readers: dict[str, EmbeddedReader] = {}
        self._readers_lock = threading.Lock()
        self._keeper: threading.Thread | None = None
        self._closing = threading.Event()

    def ensure(self, topics: Sequence[Topic]) -> None:
        with self._file.writing() as db:
            for topic in topics:
                retention_s = None if topic.retention is None else topic.retention.total_seconds()
                made = db.execute("INSERT OR IGNORE INTO topic VALUES (?, ?)", (topic.name, retention_s))
                if not made.rowcount:
                    continue
                db.executemany(
                    "INSERT INTO partition (topic, number) VALUES (?, ?)",
                    [(topic.name, number) for number in range(topic.partitions)],
                )
                # Readers may have been waiting for this topic to appear.
                db.execute("UPDATE reader_group SET generation = generation + 1")
            _clear_old(db)
        self._file.bell.ring()

    def publish(self, records: Sequence[Record]) -> None:
        if not records:
            return
        with self._file.writing() as db:
            partitions: dict[str, dict[int, int]] = {}
            ends: dict[int, int] = {}
            rows = []
            now = seconds()
            for record in records:
                if record.topic not in partitions:
                    partitions[record.topic] = self._partitions(db, record.topic, ends)
                of_topic = partitions[record.topic]
                partition = of_topic[zlib.crc32(record.key.encode()) % len(of_topic)]
                headers = json.dumps(dict(record.headers), ensure_ascii=False)
                rows.append((partition, ends[partition], record.key, record.value, headers, now))
                ends[partition] += 1
            db.executemany(
                'INSERT INTO record (partition_id, "offset", key, value, headers, published_at)'
                " VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )
            db.executemany("UPDATE partition SET end_offset = ? WHERE id = ?", [(end, at) for at, end in ends.items()])
        self._file.bell.ring()

    def reader(self, group: str, topics: Sequence[str]) -> EmbeddedReader:
        reader = EmbeddedReader(self._path, group, topics, self._lease_s, self._forget)
        with self._readers_lock:
            self._readers[reader.member] = reader
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, name="embedded-log-leases", daemon=True)
                self._keeper.start()
        return reader

    def progress(self, groups: Mapping[str, Sequence[str]]) -> Progress:
        """What of its topics each of these groups has not committed yet, whether or not anybody reads for it."""
        with self._looking_lock, self._looking.reading() as db:
            db.execute("BEGIN")  # One snapshot: what is published and what is done are of the same instant.
            try:
                (published,) = db.execute("SELECT sum(end_offset) FROM partition").fetchone()
                unread = {group: _unread(db, group, topics) for group, topics in groups.items()}
            finally:
                db.execute("COMMIT")
        return Progress(published or 0, unread)

    def ping(self) -> None:
        with self._file.writing():
            pass

    def close(self) -> None:
        self._closing.set()
        with self._readers_lock:
            readers, keeper = list(self._readers.values()), self._keeper
        for reader in readers:
            reader.close()
        if keeper is not None:
            keeper.join(self._lease_s)
        with self._looking_lock:
            self._looking.close()
        with self._file.bell.writing:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _partitions(self, db: sqlite3.Connection, topic: str, ends: dict[int, int]) -> dict[int, int]:
        found = {}
        for number, partition, end in db.execute(
            "SELECT number, id, end_offset FROM partition WHERE topic = ?", (topic,)
        ):
            found[number] = partition
            ends[partition] = end
        if not found:
            raise BusAway(f"embedded log {self._path}: there is no topic {topic!r}; it is made with ensure()")
        return found

    def _forget(self, member: str) -> None:
        with self._readers_lock:
            self._readers.pop(member, None)

    def _keep(self) -> None:
        """Renew the leases of the readers of this bus, and once an hour clear what a stated retention lets go."""
        # A lost renewal costs a redelivery and no record, so this connection need not wait for the disk.
        file = LogFile(self._path, durable=False)
        cleared = time.monotonic()
        while not self._closing.wait(self._lease_s / 3):
            oldest = time.monotonic() - self._max_hold_s
            with self._readers_lock:
                alive = [reader.member for reader in self._readers.values() if reader.last_call > oldest]
            try:
                with file.writing() as db:
                    leases.renew(db, alive)
                    if time.monotonic() - cleared > _CLEAR_OLD_EVERY_S:
                        cleared = time.monotonic()
                        _clear_old(db)
            except BusAway as error:
                log.warning("lease_renewal_failed", error=str(error))
        file.close()


def _unread(db: sqlite3.Connection, group: str, topics: Sequence[str]) -> int:
    (number,) = db.execute(
        "SELECT sum(max(0, p.end_offset - max(p.first_offset, coalesce(c.next_offset, 0)))) FROM partition p"
        " LEFT JOIN committed c ON c.partition_id = p.id AND c.group_name = ?"
        " WHERE p.topic IN (SELECT value FROM json_each(?))",
        (group, json.dumps(list(topics))),
    ).fetchone()
    return number or 0


def _clear_old(db: sqlite3.Connection) -> None:
    """Let go of records past their topic's stated retention, but never of one that a group has not done yet."""
    now = seconds()
    aged = db.execute(
        "SELECT p.id, t.retention_s FROM topic t JOIN partition p ON p.topic = t.name WHERE t.retention_s IS NOT NULL"
    ).fetchall()
    for partition, retention_s in aged:
        db.execute(
            "DELETE FROM record WHERE partition_id = ? AND published_at < ? AND NOT EXISTS"
            " (SELECT 1 FROM committed c WHERE c.partition_id = record.partition_id"
            ' AND c.next_offset <= record."offset")',
            (partition, now - retention_s),
        )
        db.execute(
            'UPDATE partition SET first_offset = coalesce((SELECT min("offset") FROM record'
            " WHERE partition_id = partition.id), end_offset) WHERE id = ?",
            (partition,),
        )
