"""Cell counts of a subject by the days of the site, and which of them may count for a recovery.

Of several values of one day the lowest counts. Limits are parameters: those of CTCAE v5.0 grade 4 stand here (rules.md
3; v6.0 has others). What an episode is, is in `recovery`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from tocsin.domain.calendars import Partial, Span, local_day
from tocsin.domain.known import Finding
from tocsin.domain.stretches import moments


@dataclass(frozen=True, slots=True)
class RecoveryRule:
    """What a recovery is. `limit_10e9_per_l`: a value below it is grade 4, one at it is not.

    `values` at or above the limit in a row, each of another day; `untransfused`: for how long before the value no
    transfusion may have been given, None where transfusions do not matter.
    """

    name: str
    limit_10e9_per_l: Decimal
    values: int = 1
    untransfused: timedelta | None = None


NEUTROPHILS = RecoveryRule("neutrophils", Decimal("0.5"), values=3)
PLATELETS = RecoveryRule("platelets", Decimal(25), untransfused=timedelta(days=7))


@dataclass(frozen=True, slots=True)
class Count:
    """One cell count. `evidence` is the id of its observation."""

    at: Partial
    value_10e9_per_l: Decimal
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """The lowest count of one day of the site."""

    day: date
    lowest: Count
    at: Span

    def __str__(self) -> str:
        return f"{self.lowest.value_10e9_per_l} 10*9/L of {self.lowest.at}"


def days_of(counts: Iterable[Count], zone: tzinfo) -> list[Day]:
    """The days with a count, in order. A count whose day is not known is left out."""
    found: dict[date, Day] = {}
    for one in counts:
        at = moments(one.at, zone) if one.at.is_whole_day else None
        if at is None:
            continue
        day = Day(local_day(at.earliest, zone), one, at)
        other = found.get(day.day)
        if other is None or _depth(day) < _depth(other):
            found[day.day] = day
    return [found[day] for day in sorted(found)]


def _depth(day: Day) -> tuple[Decimal, datetime, datetime, str]:
    return day.lowest.value_10e9_per_l, day.at.earliest, day.at.latest, day.lowest.evidence


def is_low(day: Day, rule: RecoveryRule) -> bool:
    """Whether the count is of grade 4: below the limit, not at it."""
    return day.lowest.value_10e9_per_l < rule.limit_10e9_per_l


def counts_for_recovery(day: Day, rule: RecoveryRule, transfusions: Sequence[Partial], zone: tzinfo) -> bool:
    """Whether the count may be, or help to prove, a recovery."""
    return not is_low(day, rule) and not transfused(day, rule, transfusions, zone)


def transfused(day: Day, rule: RecoveryRule, transfusions: Sequence[Partial], zone: tzinfo) -> Finding:
    """Whether a transfusion was given in the time before the value; exactly seven days before is still in it.

    A transfusion that may have been in it counts.
    """
    if rule.untransfused is None:
        return Finding(False, ())
    for given in sorted(transfusions, key=lambda one: one.text):
        span = moments(given, zone)
        if span is None:
            return Finding(True, (f"a transfusion of {given} has no year, and may have been before it",), True)
        if span.earliest <= day.at.latest and day.at.earliest - span.latest <= rule.untransfused:
            is_sure = span.latest <= day.at.earliest and day.at.latest - span.earliest <= rule.untransfused
            return Finding(True, (f"transfused {given}",), not is_sure)
    return Finding(False, ())
