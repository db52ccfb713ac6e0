"""When a person hears of a clock that runs: review, warnings, escalation, last call (rules.md 1.5; readings, clocks 7).

Counted from the receipt, T0: a mark at n days is T0 + n × 24 h. The marks of a 7-day clock stand 4, 2 and 1 days
before its end; those of a 15-day clock 8, 4, 2 and 1. Only reports to an authority are marked; copies and follow-ups
stand on the desk. That a clock is overdue is told at its due instant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from tocsin.domain.clock_life import ClockLife
from tocsin.domain.clocks import Duty

REVIEW = "review"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Mark:
    """Tell this level when the clock still runs `after` T0."""

    level: str
    after: timedelta


MARKS: dict[int, tuple[Mark, ...]] = {
    7: (Mark(REVIEW, _DAY), Mark("warn", 3 * _DAY), Mark("escalate", 5 * _DAY), Mark("critical", 6 * _DAY)),
    15: (
        Mark(REVIEW, _DAY),
        Mark("warn", 7 * _DAY),
        Mark("warn", 11 * _DAY),
        Mark("escalate", 13 * _DAY),
        Mark("critical", 14 * _DAY),
    ),
}


def is_told(life: ClockLife) -> bool:
    """Whether timed notices are owed for this clock while it is open."""
    return life.duty is Duty.REPORT and life.days in MARKS


def marks_of(life: ClockLife) -> Iterable[Mark]:
    """The marks of a clock, soonest first; none for one that is not told."""
    return MARKS[life.days] if is_told(life) and life.days is not None else ()
