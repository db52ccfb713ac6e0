"""A private copy of the log for one rebuild, in one file: read once from its beginning, handed out in one order.

It is read in a group of its own that commits nothing, so no position of a service moves. Where what stands in the
tables depends on the order, it is the one in which they were written: what the service said itself, by the number in
its outbox, and each message of others after the last of its own that the service had said by then, as its inbox says.
Else the embedded log has one order over all topics, and that is kept; a broker has none, and there it is the time at
which a message was written down. So the same log gives the same tables every time. Within a partition the order of what
others said stays what it was.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from uuid import UUID

from tocsin.errors import BusAway

if TYPE_CHECKING:
    from tocsin.bus.port import Bus, Reader, Received

Told = Callable[[int, int | None], None]
Place = tuple[str, int, int]
"""Topic, partition, offset."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the service's own, as its outbox holds it."""

    message_id: UUID
    seq: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Handled:
    """A message that the service has handled: when, and after which of its own. None: it is not known after which."""

    message_id: UUID
    at: datetime
    after_seq: int | None


PATIENCE_S = 45.0
"""How long nothing may arrive that is known to be there: longer than a dead reader keeps what it held."""
_BATCH = 500

_TABLE = """
CREATE TABLE record (
    seq INTEGER PRIMARY KEY, topic TEXT, partition INTEGER, "offset" INTEGER, rank INTEGER, at TEXT, id TEXT,
    key BLOB, value BLOB, headers TEXT, turn REAL, is_own INTEGER NOT NULL DEFAULT 0,
    UNIQUE (topic, partition, "offset")
)
"""
_AS_PUBLISHED = """
SELECT topic, partition, "offset", key, value, headers FROM record WHERE ?1 IS NULL OR topic = ?1 ORDER BY seq
"""
# A later record of a partition is never handed out before an earlier one, whatever its clock said. At one instant
# facts come before what was said of them: `rank` is the place of the topic among those asked for.
_BY_TIME = """
SELECT topic, partition, "offset", key, value, headers FROM (
    SELECT *, max(at) OVER (PARTITION BY topic, partition ORDER BY "offset") AS latest FROM record
) WHERE ?1 IS NULL OR topic = ?1 ORDER BY latest, rank, partition, "offset"
"""
# Half a step after the own message that was said last: before the next one. What is between the same two has its turn
# by when it was handled. An own message does not wait for those of others that stand before it in its partition.
_AS_HANDLED = """
SELECT topic, partition, "offset", key, value, headers FROM (
    SELECT *, max(turn) OVER place AS latest_turn, max(at) OVER place AS latest FROM record
    WINDOW place AS (PARTITION BY topic, partition, is_own ORDER BY "offset")
) WHERE ?1 IS NULL OR topic = ?1 ORDER BY latest_turn, latest, rank, partition, "offset"
"""
_NAMED = 'UPDATE record SET id = ? WHERE topic = ? AND partition = ? AND "offset" = ?'
_ASIDE = 'INSERT INTO aside SELECT seq FROM record WHERE topic = ? AND partition = ? AND "offset" = ?'
_TURN = "UPDATE record SET at = ?, turn = ? WHERE id = ? AND seq NOT IN (SELECT seq FROM aside)"
_HOLDS_UP_NOTHING = "UPDATE record SET turn = 0, at = '' WHERE seq IN (SELECT seq FROM aside)"
# A word of our own may bear the time of an old fact. By the time of the one that was said before it, it was not said.
_SAID_BY = "CREATE TABLE said_by AS SELECT max(at) OVER (ORDER BY seq) AS at, seq FROM said"
_AFTER = """
UPDATE record SET turn = 0.5 + coalesce(
    (SELECT seq FROM said_by WHERE said_by.at <= record.at ORDER BY said_by.at DESC, seq DESC LIMIT 1), 0
) WHERE turn IS NULL
"""


class LogCopy:
    """The records of some topics. `path` is made; `is_ordered`: the bus has one order over all topics."""

    def __init__(self, path: Path, *, is_ordered: bool) -> None:
        self._in_order = _AS_PUBLISHED if is_ordered else _BY_TIME
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute(_TABLE)
        self._db.execute("CREATE INDEX by_id ON record (id)")

    def read(self, bus: Bus, group: str, topics: Sequence[str], told: Told, patience_s: float = PATIENCE_S) -> None:
        """Copy everything that is on these topics now, as a group that never commits.

        BusAway when what is known to be there does not arrive.
        """
        ranks = {topic: rank for rank, topic in enumerate(topics)}
        with closing(bus.reader(group, topics)) as reader:
            of = reader.lag()
            for found in _batches(reader, lambda: self.count() < of, patience_s):
                self._keep(found, ranks)
                told(self.count(), of)

    def order_as_handled(
        self,
        said: Iterable[Said],
        handled: Iterable[Handled],
        *,
        letters: Mapping[Place, UUID] | None = None,
        aside: Collection[Place] = (),
    ) -> None:
        """Give each message the turn that it had. Where neither inbox nor outbox knows any, nothing changes.

        What came late, or waited while something else was handled, was judged late: another order would tell another
        history of the same facts. Where only the time of a message is known, it comes after what was said by then.
        `letters`: the id under which each dead letter was handled, which is not that of the message in it. `aside`:
        where the service gave a message up, to handle it elsewhere, if ever: that holds up nothing behind it.
        """
        self._db.execute("BEGIN")
        self._db.executemany(_NAMED, ((str(message_id), *place) for place, message_id in (letters or {}).items()))
        self._db.execute("CREATE TEMP TABLE aside (seq INTEGER PRIMARY KEY)")
        self._db.executemany(_ASIDE, aside)
        self._db.execute("CREATE TABLE said (id TEXT PRIMARY KEY, seq INTEGER, at TEXT)")
        self._db.executemany(
            "INSERT INTO said VALUES (?, ?, ?)", ((str(one.message_id), one.seq, _text(one.at)) for one in said)
        )
        self._db.execute(_SAID_BY)
        self._db.execute("CREATE INDEX by_time ON said_by (at, seq)")
        turns = (
            (_text(one.at), None if one.after_seq is None else one.after_seq + 0.5, str(one.message_id))
            for one in handled
        )
        known = self._db.executemany(_TURN, turns).rowcount
        self._db.execute(_HOLDS_UP_NOTHING)
        known += self._db.execute(
            "UPDATE record SET is_own = 1, turn = said.seq, at = said.at FROM said WHERE said.id = record.id"
        ).rowcount
        if known > 0:
            self._db.execute(_AFTER)
            self._in_order = _AS_HANDLED
        self._db.execute("COMMIT")

    def count(self) -> int:
        """How many records were copied."""
        (number,) = self._db.execute("SELECT count(*) FROM record").fetchone()
        return int(number)

    def counts(self) -> dict[str, int]:
        """How many, by topic."""
        return dict(self._db.execute("SELECT topic, count(*) FROM record GROUP BY topic ORDER BY rank"))

    def gaps(self) -> list[str]:
        """Where the log has lost records, in words: a partition that does not begin at 0, or is not whole."""
        rows = self._db.execute(
            'SELECT topic, partition, min("offset"), max("offset"), count(*) FROM record GROUP BY topic, partition'
        )
        return [
            f"{topic}/{partition} holds {number} of its {last + 1} messages, from {first} to {last}"
            for topic, partition, first, last, number in rows
            if number != last + 1
        ]

    def holds(self, message_id: UUID) -> bool:
        """Whether a message of this id is on the log."""
        return self._db.execute("SELECT 1 FROM record WHERE id = ? LIMIT 1", (str(message_id),)).fetchone() is not None

    def records(self, topic: str | None = None) -> Iterator[Received]:
        """Every record in its turn; or those of one topic."""
        from tocsin.bus.port import Received

        for of, partition, offset, key, value, headers in self._db.execute(self._in_order, (topic,)):
            yield Received(of, partition, offset, key.decode("utf-8", "surrogateescape"), value, json.loads(headers))

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _keep(self, found: Sequence[Received], ranks: dict[str, int]) -> None:
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT OR IGNORE INTO record VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, 0)",
            [
                (r.topic, r.partition, r.offset, ranks[r.topic], _written_at(r), r.headers.get("ce_id"),
                 r.key.encode("utf-8", "surrogateescape"), r.value, json.dumps(dict(r.headers)))
                for r in found
            ],
        )  # fmt: skip
        self._db.execute("COMMIT")


def unread(bus: Bus, group: str, topics: Sequence[str], patience_s: float = PATIENCE_S) -> set[Place]:
    """What a group has not committed yet. It is read as the group and not committed, so it stays unread.

    BusAway when some of it does not arrive: another reader of the group holds it.
    """
    places: set[Place] = set()
    with closing(bus.reader(group, topics)) as reader:
        of = reader.lag()
        for found in _batches(reader, lambda: len(places) < of, patience_s):
            places.update((r.topic, r.partition, r.offset) for r in found)
    return places


def _batches(reader: Reader, wanted: Callable[[], bool], patience_s: float) -> Iterator[list[Received]]:
    last = time.monotonic()
    while wanted():
        found = reader.read(_BATCH, 0.5)
        if found:
            last = time.monotonic()
            yield found
        elif time.monotonic() - last > patience_s:
            raise BusAway(
                f"there are messages on the log that do not arrive within {patience_s:g} s: another process reads in "
                "the place of this service. Stop the service, wait half a minute and try again; nothing was changed"
            )


def _written_at(received: Received) -> str:
    """When it was written down, as text that sorts; empty where it does not say, and then its neighbour's counts."""
    for name in ("dead_at", "ce_recordedat"):
        try:
            at = datetime.fromisoformat(received.headers[name])
        except (KeyError, ValueError):
            continue
        if at.utcoffset() is not None:
            return _text(at)
    return ""


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
