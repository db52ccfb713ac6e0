"""Episodes of grade 4 cell counts, and when each recovered.

An episode begins with a value below the limit and ends only by recovery; each later fall is an episode of its own.
Neutrophils recover on the first of three consecutive values at or above the limit on different days; platelets with a
value at or above the limit and no platelet transfusion in the seven days before it. Days are the site's; of several
values of one day the lowest counts. A value after a study day may still prove a recovery before it. Sources: rules.md
4.2 DLT-08 and DLT-09, readings.md DLT 11. Whether it is dose-limiting, and what a missing value means, is left to
others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from tocsin.domain.calendars import Partial, local_day
from tocsin.domain.cell_counts import Count, Day, RecoveryRule, counts_for_recovery, days_of, is_low, transfused
from tocsin.domain.known import Known
from tocsin.domain.stretches import moments


@dataclass(frozen=True, slots=True)
class Episode:
    """From the first value below the limit to the recovery.

    `recovered_on` None: not recovered by any value that we hold. `proved_on` is the day of the last value that the
    recovery needed, which may be days after it. `may_recover_on` is the first of values that would prove a recovery
    if more of them follow. `g_csf` NO: none is noted from its first day to its recovery.
    """

    rule: RecoveryRule
    first: Day
    nadir: Day
    recovered_on: date | None
    proved_on: date | None
    may_recover_on: date | None
    before_infusion: Known
    g_csf: Known
    reasons: tuple[str, ...]

    def is_open_on(self, day: date) -> bool:
        """Whether it had begun and not recovered by the end of a day, by what we hold now."""
        return self.first.day <= day and (self.recovered_on is None or self.recovered_on > day)

    def recovered_by(self, day: date) -> Known:
        """Whether it recovered by the end of a day: UNKNOWN while values of that day or before may still prove it."""
        if self.recovered_on is not None:
            return Known.of(self.recovered_on <= day)
        return Known.UNKNOWN if self.may_recover_on is not None and self.may_recover_on <= day else Known.NO

    def began_close_to(self, limit_day: date, at_least: timedelta = timedelta(days=14)) -> bool:
        """Whether its first value lies fewer than 14 days before the limit: too late to be judged by it alone."""
        return timedelta(0) <= limit_day - self.first.day < at_least


@dataclass(frozen=True, slots=True)
class CountCourse:
    """The episodes in order of time, and the counts that no day is known of: nothing can be judged by those."""

    episodes: tuple[Episode, ...]
    undated: tuple[Count, ...]


def count_course(
    counts: Iterable[Count],
    rule: RecoveryRule,
    zone: tzinfo,
    *,
    infused: Partial | None = None,
    transfusions: Sequence[Partial] = (),
    g_csf: Sequence[Partial] = (),
) -> CountCourse:
    """Every episode of the counts of one kind of cell of one subject; the order in which they come does not matter."""
    known = sorted(set(counts), key=lambda one: (one.at.text, one.value_10e9_per_l, one.evidence))
    days = days_of(known, zone)
    episodes, place = [], 0
    while place < len(days):
        if is_low(days[place], rule):
            end = _recovery(days, place, rule, transfusions, zone)
            episodes.append(_episode(days, place, end, rule, zone, infused, transfusions, g_csf))
            if end is None:
                break
            place = end + rule.values - 1
        place += 1
    return CountCourse(tuple(episodes), tuple(one for one in known if not one.at.is_whole_day))


def _recovery(
    days: Sequence[Day], start: int, rule: RecoveryRule, transfusions: Sequence[Partial], zone: tzinfo
) -> int | None:
    """The place of the first of the values that prove the recovery."""
    for place in range(start + 1, len(days) - rule.values + 1):
        if all(counts_for_recovery(day, rule, transfusions, zone) for day in days[place : place + rule.values]):
            return place
    return None


def _episode(
    days: Sequence[Day], start: int, end: int | None, rule: RecoveryRule, zone: tzinfo,
    infused: Partial | None, transfusions: Sequence[Partial], g_csf: Sequence[Partial],
) -> Episode:  # fmt: skip
    own = days[start:] if end is None else days[start:end]
    first, nadir = own[0], min(own, key=lambda day: (day.lowest.value_10e9_per_l, day.day))
    before = _before(first, infused, zone)
    noted = _noted(g_csf, first.day, None if end is None else days[end].day, zone)
    reasons = [f"{rule.name} {first} is below {rule.limit_10e9_per_l} 10*9/L: the episode begins"]
    if nadir is not first:
        reasons.append(f"the lowest is {nadir}")
    if before is Known.YES:
        reasons.append(f"it began before the infusion of {infused}")
    elif before is Known.UNKNOWN and infused is not None:
        reasons.append(f"it may have begun before the infusion of {infused}")
    for day in own[1:]:
        given = transfused(day, rule, transfusions, zone)
        if given and not is_low(day, rule):
            may = "; the dates leave it open and it is taken so" if given.is_provisional else ""
            reasons.append(f"{day} is no recovery: {given.reasons[0]}{may}")
    if noted is Known.NO and rule.untransfused is None:
        reasons.append("no G-CSF is noted")
    if end is None:
        reasons.append("no value that we hold proves a recovery")
        hope = _hope(own, rule, transfusions, zone)
        return Episode(rule, first, nadir, None, None, hope, before, noted, tuple(reasons))
    proved = days[end + rule.values - 1]
    reasons.append(f"recovered on {days[end].day} with {days[end]}, proved on {proved.day}")
    return Episode(rule, first, nadir, days[end].day, proved.day, None, before, noted, tuple(reasons))


def _hope(own: Sequence[Day], rule: RecoveryRule, transfusions: Sequence[Partial], zone: tzinfo) -> date | None:
    """The first of the values at the end that would prove a recovery if enough of them follow."""
    since: date | None = None
    for day in reversed(own):
        if not counts_for_recovery(day, rule, transfusions, zone):
            break
        since = day.day
    return since


def _before(first: Day, infused: Partial | None, zone: tzinfo) -> Known:
    started = moments(infused, zone) if infused is not None else None
    if started is None:
        return Known.UNKNOWN
    if first.at.latest < started.earliest:
        return Known.YES
    return Known.NO if first.at.earliest >= started.latest else Known.UNKNOWN


def _noted(given: Iterable[Partial], first: date, last: date | None, zone: tzinfo) -> Known:
    """Whether G-CSF was given between two days; a date that leaves it open leaves it unknown."""
    found = Known.NO
    for one in given:
        span = moments(one, zone)
        if span is None:
            found = Known.UNKNOWN
            continue
        earliest, latest = local_day(span.earliest, zone), local_day(span.latest, zone)
        if latest < first or (last is not None and earliest > last):
            continue
        if earliest >= first and (last is None or latest <= last):
            return Known.YES
        found = Known.UNKNOWN
    return found
