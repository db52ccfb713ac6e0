"""What those outside of the house know for themselves: each request, each receipt, each deed of a person.

Nothing here was read from the tables of the house: this is what they are held against.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Sent:
    """One thing that a site sent, under one Idempotency-Key, and the receipt that it got in the end.

    `what` is report, follow_up, dose or observations; `answers` how often a receipt came (a repeated request has two),
    `alike` whether all of them were the same to the byte.
    """

    key: str
    what: str
    path: str
    body: Mapping[str, Any]
    receipt: Mapping[str, Any]
    answers: int = 1
    alike: bool = True

    @property
    def case_id(self) -> str:
        return str(self.receipt["case_id"])

    @property
    def revision(self) -> int:
        return int(self.receipt["revision"])

    @property
    def record_ids(self) -> tuple[str, ...]:
        """Of a dose, or of observations: the records that the receipt names."""
        records = self.receipt.get("records", [self.receipt])
        return tuple(str(one["record_id"]) for one in records)

    @property
    def received_at(self) -> datetime:
        return datetime.fromisoformat(str(self.receipt["received_at"]))


@dataclass(frozen=True, slots=True)
class Did:
    """A person's deed that the house answered with 201: `acknowledged` an alert, or `submitted` the report of a clock.

    `at` is when it was done, as the person said it.
    """

    what: str
    about: str
    at: datetime
    event_id: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A notice that somebody has: by which channel, at whose address, under which id, about which alert.

    `text` is what was told, so that two copies can be held against each other; `is_signed` whether its signature holds.
    """

    channel: str
    address: str
    notice_id: str
    alert_id: str
    text: str
    is_signed: bool = True


@dataclass
class Record:
    """All of it, written down as it happens, so that a failing run leaves its history behind."""

    path: Path | None = None
    sent: list[Sent] = field(default_factory=list)
    did: list[Did] = field(default_factory=list)
    arrived: list[Arrived] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Answers that no request of ours should get, such as 500."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, one: Sent | Did | Arrived) -> None:
        with self._lock:
            match one:
                case Sent():
                    self.sent.append(one)
                case Did():
                    self.did.append(one)
                case Arrived():
                    self.arrived.append(one)
            self._write(type(one).__name__, asdict(one))

    def again(self, one: Sent, is_alike: bool) -> None:
        """The same request was sent once more, and its receipt was the same or not."""
        with self._lock:
            at = next(n for n, kept in enumerate(self.sent) if kept.key == one.key)
            kept = self.sent[at]
            self.sent[at] = Sent(
                kept.key, kept.what, kept.path, kept.body, kept.receipt, kept.answers + 1, kept.alike and is_alike
            )
            self._write("Again", {"key": one.key, "alike": is_alike})

    def wrong(self, said: str) -> None:
        with self._lock:
            self.faults.append(said)
            self._write("Wrong", {"said": said})

    def mark(self, said: str) -> None:
        """A line between the others: what the nemesis did, and where a run stands."""
        with self._lock:
            self._write("Mark", {"said": said})

    def _write(self, kind: str, facts: Mapping[str, Any]) -> None:
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as out:
                out.write(
                    json.dumps(
                        {"kind": kind, "second": round(time.monotonic(), 3), **facts}, default=str, ensure_ascii=False
                    )
                    + "\n"
                )
