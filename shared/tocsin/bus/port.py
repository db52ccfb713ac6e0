"""What a bus promises, whichever it is. Knows bytes and keys, nothing of medicine.

**Publish.** `publish` returns when every record is durable on the bus, in the order given per key. If it raises
`BusAway`, any of the records may or may not be there: publish them again (readers take a second copy in stride).

**Order.** Records of one key land in one partition and are read in the order they were published. Across keys
nothing is promised, and nothing in Tocsin may need it.

**Groups.** Readers of one group share a topic's partitions: each partition is held by at most one live reader. When
a reader leaves or dies its partitions go to the others, which begin at the last commit.

**Commit.** A record counts as done only when it, or a later one of its partition, was committed. What was read and
not committed is read again after a restart or a move. At least once, never zero times. A group that never committed
begins at the oldest record kept. `commit` may raise `Redelivery` when the partition has moved meanwhile: the work is
done, another reader will see the record again, and the inbox knows it.

**Pause.** A reader holds at most `max_records` unhandled records: who does not read is not sent to (back-pressure).

**Away.** A bus that is not there at start, or leaves, raises `BusAway` from any call within about two seconds, and
works again without a new object once it is back.

**Keeping.** Safety data does not expire by default: a topic is created with its stated partitions, replication and
retention (`None` keeps for ever).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Protocol, Self

from tocsin.errors import TocsinError


@dataclass(frozen=True, slots=True)
class Record:
    """One record to publish. `headers` are CloudEvents attributes (`ce_*`) and `traceparent`, as text."""

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Received:
    """One record as read, with its place. `(topic, partition, offset)` is unique and never changes."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Topic:
    """How a topic is created. `retention=None` keeps its records for ever."""

    name: str
    partitions: int = 6
    replication: int = 1
    retention: timedelta | None = None


class Redelivery(TocsinError):
    """A commit came too late: the partition is another reader's now, and it will see the record again."""


class Reader(Protocol):
    """One member of a group. Not thread-safe: one thread reads and commits."""

    def read(self, max_records: int, wait_s: float) -> list[Received]:
        """Up to `max_records` next records; waits up to `wait_s` seconds for the first; [] when none came."""

    def commit(self, done: Sequence[Received]) -> None:
        """All records up to and including these, per partition, are done. Durable on return."""

    def rewind(self) -> None:
        """Forget what was read and not committed: the next read starts at the last commit."""

    def lag(self) -> int:
        """How many records of the reader's partitions are not committed yet; while it holds none, of all of them.

        A reader that was given nothing yet must not look like one that has nothing to do.
        """

    def close(self) -> None:
        """Leave the group at once, so that others take over without waiting for a time-out."""


class Bus(Protocol):
    """The whole carrier. Thread-safe."""

    def ensure(self, topics: Sequence[Topic]) -> None:
        """Create what is missing; leave what exists as it is. More partitions than asked for is no error."""

    def publish(self, records: Sequence[Record]) -> None:
        """Durable on return, in order per key. Raises BusAway."""

    def reader(self, group: str, topics: Sequence[str]) -> Reader:
        """A new member of `group`, reading from the group's last commit, else from the oldest record."""

    def ping(self) -> None:
        """Return if the bus answers, raise BusAway if not."""

    def close(self) -> None:
        """Let go of connections. Published records stay."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
