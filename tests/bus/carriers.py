"""The two carriers as the contract suite sees them: open it, take it away, bring it back."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import uuid4

from tests.support.kafka_broker import Broker
from tocsin.bus.embedded import EmbeddedBus
from tocsin.bus.port import Bus, Reader, Received, Record
from tocsin.errors import BusAway

T = TypeVar("T")
PATIENCE_S = 20.0
SESSION_MS = 6_000
SHARED = Path(__file__).parents[2] / "shared"


class Carrier(Protocol):
    """One implementation under test, in a place of its own."""

    def open(self, *, hasty: bool = False) -> Bus:
        """A new bus object on the same records; a `hasty` one waits two seconds, the others a busy machine out."""

    def go_away(self) -> None: ...

    def come_back(self) -> None: ...

    def crash(self) -> None:
        """What a power cut does to it, and the machine that comes up again."""

    def source(self) -> str:
        """Python that makes a `bus` in another process."""

    def topic(self, name: str) -> str:
        """A name that no other test uses."""


@dataclass
class EmbeddedCarrier:
    folder: Path
    opened: list[Bus] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir()

    def open(self, *, hasty: bool = False) -> Bus:
        self.opened.append(EmbeddedBus(self.folder / "log.db", lease_s=2.0))
        return self.opened[-1]

    def go_away(self) -> None:
        self.folder.rename(self.folder.with_suffix(".unmounted"))

    def come_back(self) -> None:
        self.folder.with_suffix(".unmounted").rename(self.folder)

    def crash(self) -> None:
        for bus in self.opened:
            bus.close()

    def source(self) -> str:
        path = str(self.folder / "log.db")
        return f"import pathlib\nfrom tocsin.bus.embedded import EmbeddedBus\nbus = EmbeddedBus(pathlib.Path({path!r}))"

    def topic(self, name: str) -> str:
        return name


@dataclass
class KafkaCarrier:
    broker: Broker
    suffix: str = field(default_factory=lambda: uuid4().hex[:8])
    opened: list[Bus] = field(default_factory=list)

    def open(self, *, hasty: bool = False) -> Bus:
        from tocsin.bus.kafka import KafkaBus

        patience_ms = 2_000 if hasty else 10_000
        bus = KafkaBus([self.broker.bootstrap], session_timeout_ms=SESSION_MS, patience_ms=patience_ms)
        self.opened.append(bus)
        return self.opened[-1]

    def go_away(self) -> None:
        self.broker.pause()

    def come_back(self) -> None:
        self.broker.resume()

    def crash(self) -> None:
        self.broker.kill()
        self.broker.start()

    def source(self) -> str:
        return (
            "from tocsin.bus.kafka import KafkaBus\n"
            f"bus = KafkaBus([{self.broker.bootstrap!r}], session_timeout_ms={SESSION_MS})"
        )

    def topic(self, name: str) -> str:
        return f"{name}.{self.suffix}"


def records(topic: str, *texts: str, key: str = "k") -> list[Record]:
    """Records of one key, their texts in order."""
    return [Record(topic, key, text.encode()) for text in texts]


def texts(received: Sequence[Received]) -> list[str]:
    return [record.value.decode() for record in received]


def read_until(reader: Reader, count: int, *, commit: bool = False, max_records: int = 100) -> list[Received]:
    """Read until so many records came, however many reads that takes."""
    found: list[Received] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(found) < count:
        if time.monotonic() > deadline:
            raise AssertionError(f"{len(found)} of {count} records came within {PATIENCE_S:g} s")
        got = reader.read(max_records, 0.2)
        if commit and got:
            reader.commit(got)
        found += got
    return found


def nothing_more(reader: Reader) -> bool:
    """Whether nothing arrives any more. Lag first: a reader that has not joined yet reads nothing either."""
    return reader.read(100, 0.5) == []


def until_it_answers(call: Callable[[], T]) -> T:
    """Call again while the bus is away, as every caller of a bus does."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return call()
        except BusAway:
            if time.monotonic() > deadline:
                raise


def other_process(carrier: Carrier, body: str) -> subprocess.Popen[str]:
    """Another process with a `bus` on the same records."""
    return subprocess.Popen(
        [sys.executable, "-c", f"{carrier.source()}\n{body}"],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(SHARED), "PATH": "/usr/bin:/bin"},
    )
