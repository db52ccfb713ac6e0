"""Haematotoxicity by the consensus of 2023 (Rejeski 2023; rules.md 3.6): depth and duration of neutropenia.

Early is day 0 to day 30 with the infusion on day 0, late is after. The bound is "500 or less", where CTCAE has "less
than 500". Counts are per microlitre. Platelets are graded by another proposal, not here.

A day without a value is counted both ways: the lowest grade counts measured days only; the highest also the days
between two low values, unless a recovery of three days lies between them, and the days from a low value to the next
value. Days add up over the whole time, so a recovery ends no count, and a measured day above the bound is never counted
as low.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Final

from tocsin.domain.axes import Axis, bounds, missing, told
from tocsin.domain.graded import ICAHT, Graded, Grading, NotGradable
from tocsin.domain.known import Known
from tocsin.domain.words import Scale

EARLY: Final = "Early immune effector cell-associated hematotoxicity"
LATE: Final = "Late immune effector cell-associated hematotoxicity"
LAST_EARLY_DAY: Final = 30
EARLY_DAYS: Final = LAST_EARLY_DAY + 1
RECOVERY_DAYS: Final = 3
LOW: Final = 500
VERY_LOW: Final = 100


@dataclass(frozen=True, slots=True)
class Neutrophils:
    """An absolute neutrophil count on a day of the site's calendar. Of several on one day the lowest counts."""

    on: date
    per_ul: Decimal


@dataclass(frozen=True, slots=True)
class Days:
    """How many days, at least and at most."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class EarlyFacts:
    """The days of day 0 to 30 at 500 or less and at 100 or less, and whether the count was never above 500."""

    low: Days | None = None
    very_low: Days | None = None
    never_above: Known = Known.UNKNOWN


def early(facts: EarlyFacts) -> Graded:
    """The grade of early haematotoxicity, from counted days."""
    low, very_low = (days or Days(0, EARLY_DAYS) for days in (facts.low, facts.very_low))
    # Whoever is at 100 is at 500 too: days that contradict each other are read at the longer.
    low = Days(max(low.least, very_low.least), max(low.most, very_low.least))
    axes = (
        _days("duration", low, LOW, _by_low),
        _days("depth", very_low, VERY_LOW, _by_very_low),
        _never(facts.never_above if low.most or facts.never_above is Known.YES else Known.NO),
    )
    return Graded(Scale.ICAHT, ICAHT, EARLY, None, *bounds(axes), told(axes), missing(axes))


def early_from(values: Iterable[Neutrophils], infused_on: date) -> Grading:
    """The grade of early haematotoxicity, from a series of counts in any order."""
    lowest = _by_day(values, infused_on)
    window = {day: count for day, count in lowest.items() if 0 <= day <= LAST_EARLY_DAY}
    if not window:
        return NotGradable(Scale.ICAHT, ICAHT, EARLY, None, "no neutrophil count of day 0 to day 30")
    return early(EarlyFacts(_counted(window, LOW), _counted(window, VERY_LOW), _never_above(window)))


def late(per_ul: Decimal | None) -> Grading:
    """The grade of late haematotoxicity, from a depth that at least two counts have confirmed."""
    if per_ul is None:
        return NotGradable(Scale.ICAHT, ICAHT, LATE, None, "no neutrophil count after day 30")
    grade = _by_depth(per_ul)
    return Graded(Scale.ICAHT, ICAHT, LATE, None, grade, grade, (f"Grade {grade}: {per_ul:f} per microlitre.",))


def late_from(values: Iterable[Neutrophils], infused_on: date) -> Grading:
    """The grade of late haematotoxicity: the worst depth that two counts in a row reached, on days of their own.

    A last count that is deeper than the one before leaves the grade open, until the next one.
    """
    counts = [count for day, count in sorted(_by_day(values, infused_on).items()) if day > LAST_EARLY_DAY]
    if not counts:
        return late(None)
    pairs = pairwise(counts)
    confirmed = min((max(pair) for pair in pairs), default=None)
    lowest = 0 if confirmed is None else _by_depth(confirmed)
    highest = max(lowest, _by_depth(counts[-1]))
    said = "no two counts in a row are low" if lowest == 0 else f"two counts in a row at {confirmed:f} or less"
    reasons: tuple[str, ...] = (f"{'At least grade' if highest > lowest else 'Grade'} {lowest}: {said}.",)
    if highest > lowest:
        reasons += (f"It is grade {highest} if the next count confirms the last, {counts[-1]:f} per microlitre.",)
    asked = ("the next neutrophil count",) if highest > lowest else ()
    return Graded(Scale.ICAHT, ICAHT, LATE, None, lowest, highest, reasons, asked)


def _by_day(values: Iterable[Neutrophils], infused_on: date) -> dict[int, Decimal]:
    lowest: dict[int, Decimal] = {}
    for one in values:
        day = (one.on - infused_on).days
        lowest[day] = min(one.per_ul, lowest.get(day, one.per_ul))
    return lowest


def _counted(window: Mapping[int, Decimal], bound: int) -> Days:
    measured = {day for day, count in window.items() if count <= bound}
    if not measured:
        return Days(0, 0)
    possible = set(measured)
    recovered = sorted(day for day in window if day not in measured)
    low = sorted(measured)
    for start, end in pairwise(low):
        between = [day for day in recovered if start < day < end]
        if not between or between[-1] - between[0] + 1 < RECOVERY_DAYS:
            possible |= set(range(start, end)) - set(between)
    for day in low:
        possible |= set(range(day, min((later for later in window if later > day), default=EARLY_DAYS)))
    return Days(len(measured), len(possible))


def _never_above(window: Mapping[int, Decimal]) -> Known:
    if any(count > LOW for count in window.values()):
        return Known.NO
    return Known.YES if len(window) == EARLY_DAYS else Known.UNKNOWN


def _days(name: str, days: Days, bound: int, grade_of: Callable[[int], int]) -> Axis:
    is_settled = days.least == days.most
    count = str(days.least) if is_settled else f"{days.least} to {days.most}"
    what = f"{'day' if count == '1' else 'days'} at {bound} per microlitre or less"
    return Axis(name, grade_of(days.least), grade_of(days.most), f"{count} {what}", () if is_settled else (what,))


def _never(never_above: Known) -> Axis:
    name = "recovery"
    if never_above is Known.YES:
        return Axis(name, 4, 4, "never above 500 from day 0 to day 30")
    if never_above is Known.UNKNOWN:
        asked = ("a neutrophil count on each day from day 0 to day 30",)
        return Axis(name, 0, 4, "whether it was ever above 500 is not known", asked)
    return Axis(name, 0, 0, "above 500 at some time")


def _by_low(days: int) -> int:
    if days >= 14:
        return 3
    return 2 if days >= 7 else min(days, 1)


def _by_very_low(days: int) -> int:
    if days >= 14:
        return 4
    return 3 if days >= 7 else 0


def _by_depth(per_ul: Decimal) -> int:
    return sum(per_ul <= bound for bound in (1500, 1000, 500, 100))
