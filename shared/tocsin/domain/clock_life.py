"""What becomes of the clocks of a case: started, met, late, superseded, put in question, cancelled by signature.

One pure function of everything known: reports, codings, submissions, signed decisions. It follows the facts by when
they happened, so the order in which they were told cannot matter. A clock is never deleted, and nothing but a
submission or a signature closes one (rules.md 1.4; readings.md, clocks 1 to 6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from tocsin.domain.clocks import Clock, ClockRule, Duty
from tocsin.domain.signed import Signed
from tocsin.domain.submissions import Submission


class Status(StrEnum):
    """What a clock may be (rules.md 1.4)."""

    RUNNING = "RUNNING"
    MET = "MET"
    LATE = "LATE"
    CANCELLED = "CANCELLED"
    SUPERSEDED = "SUPERSEDED"


class ClockKey(NamedTuple):
    """What a clock is known by, whatever else changes: its event, its rule, and the receipt of what started it."""

    event_id: str | None
    rule: str
    known_at: datetime


@dataclass(frozen=True, slots=True)
class ClockLife:
    """One clock and what became of it.

    `known_at` is the receipt (or the signature) of what started it: timed notices count from there. `is_open`:
    something is still owed; also of a LATE clock whose report was rejected. `questions`: why a person must look.
    `outstanding`: of copies, who has not been sent one. `submissions`: the ids that count for it.
    """

    clock: Clock
    duty: Duty
    days: int | None
    known_at: datetime
    status: Status
    because: str
    is_open: bool
    superseded_by: ClockKey | None = None
    questions: tuple[str, ...] = ()
    outstanding: tuple[str, ...] = ()
    submissions: tuple[str, ...] = ()

    @property
    def key(self) -> ClockKey:
        return ClockKey(self.clock.event_id, self.clock.rule, self.known_at)


@dataclass(frozen=True, slots=True)
class Past:
    """What people did about a case: sent and signed."""

    submissions: tuple[Submission, ...] = ()
    signed: tuple[Signed, ...] = ()


NOTHING_YET = Past()


@dataclass(frozen=True, slots=True)
class Effect:
    """What one signed decision did to the clocks, in words. `is_refused`: the rules do not bear it."""

    text: str
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Lives:
    """Every clock of a case, soonest due first; what each signed decision did; what only a person can judge."""

    clocks: tuple[ClockLife, ...]
    effects: Mapping[str, tuple[Effect, ...]] = field(default_factory=dict)
    to_judge: tuple[tuple[str, int], ...] = ()
    """(event, revision) whose narrative alone changed after a report: a person says whether that is significant."""


@dataclass(slots=True)
class Run:
    """A clock while its history is followed."""

    rule: ClockRule
    clock: Clock
    known_at: datetime
    episode: int
    closed: Status | None = None
    because: str = "started"
    successor: Run | None = None
    sent: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """Recipient to (submission, when): one entry, but for copies."""
    was_late: bool = False
    copies_to: tuple[str, ...] = ()

    @property
    def is_sent(self) -> bool:
        return bool(self.sent) and not self.outstanding

    @property
    def is_open(self) -> bool:
        return self.closed is None and not self.is_sent

    @property
    def outstanding(self) -> tuple[str, ...]:
        return tuple(name for name in self.copies_to if name not in self.sent)

    def close(self, status: Status, because: str, successor: Run | None = None) -> None:
        self.closed, self.because, self.successor = status, because, successor

    def ended(self, questions: tuple[str, ...]) -> ClockLife:
        """What became of it."""
        status, because = self._status()
        by = self.successor
        return ClockLife(
            clock=self.clock,
            duty=self.rule.duty,
            days=self.rule.days,
            known_at=self.known_at,
            status=status,
            because=because,
            is_open=self.is_open,
            superseded_by=None if by is None else ClockKey(by.clock.event_id, by.rule.id, by.known_at),
            questions=questions if self.is_open else (),
            outstanding=self.outstanding if self.is_open else (),
            submissions=tuple(sorted(sent for sent, _ in self.sent.values())),
        )

    def _status(self) -> tuple[Status, str]:
        if self.was_late:
            return Status.LATE, self.because
        if self.closed is not None:
            return self.closed, self.because
        if self.is_sent:
            last = max(at for _, at in self.sent.values())
            if last > self.clock.due_at:
                return Status.LATE, f"sent {last.isoformat()}, after it was due"
            return Status.MET, f"sent {last.isoformat()}"
        return Status.RUNNING, self.because
