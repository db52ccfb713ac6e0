"""The regulatory clocks of one case: when they start, when they are due.

Knows nothing of who is told; see alerting.alarm. Each rule is data with its clause (`tocsin.clockrules`); the rules
for counting days are here. Day 0 is the local date on which the sponsor first held a report that qualifies, the due
date is day 0 plus N calendar days, and the due instant is 23:59:59 of that date (rules.md 1.2 D1 to D7).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from tocsin.domain.calendars import end_of_day, local_day


class Trigger(StrEnum):
    """What sets a clock going.

    The first five follow from the facts of a case alone. The others need to know what was submitted or determined
    before: whoever keeps the submissions gives their starts.
    """

    FATAL_LT_SUSAR = "fatal_or_life_threatening_susar"
    OTHER_SUSAR = "other_susar"
    ANY_SUSAR = "any_susar"
    EXPECTED_FATAL_LT = "expected_fatal_or_life_threatening_reaction"
    SITE_AWARE = "site_aware_of_serious_event"
    UPGRADE_AFTER_SUBMISSION = "upgrade_after_submission"
    SIGNIFICANT_FOLLOW_UP = "significant_follow_up"
    LATE_DETERMINATION = "late_determination"
    OTHER_RISK = "other_safety_risk"


class DayZero(StrEnum):
    """Which day a rule counts from (rules.md 1.2 D1, D4, D5)."""

    FIRST_KNOWLEDGE = "first_knowledge_of_sponsor"
    NEW_INFORMATION = "receipt_of_new_information"
    DETERMINATION = "determination_by_sponsor"
    SITE_AWARENESS = "awareness_of_investigator"


class Mode(StrEnum):
    """Which zone dates day 0 (rules.md D7, C5): the receiver's, or the earlier of receiver's and authority's."""

    RECEIVER = "receiver"
    CONSERVATIVE = "conservative"


class Duty(StrEnum):
    """What a clock is kept by: a report to an authority, copies to many, more on a report made, a site's own report."""

    REPORT = "report"
    COPIES = "copies"
    FOLLOW_UP = "follow_up"
    SITE_REPORT = "site_report"


@dataclass(frozen=True, slots=True)
class ClockRule:
    """One row of a rule set. Exactly one of `days` (calendar days from day 0) and `hours` (elapsed) is set.

    `zone` is the authority's; None where a rule has no authority of its own, and the receiver's zone alone counts.
    `valid_from`: the rule binds from this day zero on; None means always. `strict_days`: a rule that follows another
    is also due that many days after the first report was sent, whichever is sooner (rules.md 1.6 C4).
    """

    id: str
    jurisdiction: str
    recipient: str
    trigger: Trigger
    clause: str
    text: str
    confidence: str
    zone: ZoneInfo | None = None
    days: int | None = None
    hours: int | None = None
    follows: str | None = None
    day_zero: DayZero | None = None
    valid_from: date | None = None
    copies: bool = False
    strict_days: int | None = None

    @property
    def duty(self) -> Duty:
        """What this rule asks for."""
        if self.trigger is Trigger.SITE_AWARE:
            return Duty.SITE_REPORT
        if self.follows is not None or self.trigger is Trigger.SIGNIFICANT_FOLLOW_UP:
            return Duty.FOLLOW_UP
        return Duty.COPIES if self.copies else Duty.REPORT

    def binds_on(self, day_zero: date) -> bool:
        """Whether the rule was in force on that day zero."""
        return self.valid_from is None or day_zero >= self.valid_from


@dataclass(frozen=True, slots=True)
class Start:
    """That something qualifies, since when, and why. `aware_at` is aware, UTC.

    `awaits` names the minimum elements still missing: until they come the start is not yet the legal day zero.
    """

    trigger: Trigger
    event_id: str | None
    aware_at: datetime
    reasons: tuple[str, ...]
    is_provisional: bool = False
    awaits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clock:
    """One running deadline. `day_zero` and `due_on` are dates in the zone that binds; `due_at` is the instant, UTC.

    `is_provisional`: it rests on a fact that is missing. `awaits`: the minimum elements still missing, so that
    `day_zero` is only the first contact and the legal one will be the receipt of the last of them.
    """

    rule: str
    clause: str
    recipient: str
    event_id: str | None
    day_zero: date
    due_on: date
    due_at: datetime
    reasons: tuple[str, ...]
    confidence: str
    is_provisional: bool
    started_at: datetime
    awaits: tuple[str, ...] = ()


def clock(
    rule: ClockRule, start: Start, receiver: ZoneInfo, mode: Mode = Mode.CONSERVATIVE,
    non_working: frozenset[date] = frozenset(),
) -> Clock:  # fmt: skip
    """The clock that `rule` gives for `start`. `non_working`: dates on which no day clock may end (rules.md 1.6 C3)."""
    zones = zones_of(rule, receiver, mode)
    day_zero = min(local_day(start.aware_at, zone) for zone in zones)
    if rule.hours is not None:
        due_at = start.aware_at + timedelta(hours=rule.hours)
        due_on = local_day(due_at, receiver)
        counted = f"{rule.hours} elapsed hours from {start.aware_at.astimezone(receiver):%Y-%m-%d %H:%M %Z}"
    else:
        counted_to = day_zero + timedelta(days=rule.days or 0)
        due_on = _extended(counted_to, non_working)
        due_at = end_of(due_on, zones)
        counted = f"day 0 is {day_zero:%Y-%m-%d}, plus {rule.days} calendar days, to the end of {counted_to:%Y-%m-%d}"
        if due_on != counted_to:
            counted += f"; this study extends what ends on a day without work: to the end of {due_on:%Y-%m-%d}"
    reasons = [*start.reasons, counted, f"{rule.clause}: {rule.text}"]
    if rule.confidence == "low":
        reasons.append("this rule is held with low confidence: the sponsor must verify it")
    return Clock(
        rule=rule.id,
        clause=rule.clause,
        recipient=rule.recipient,
        event_id=start.event_id,
        day_zero=day_zero,
        due_on=due_on,
        due_at=due_at,
        reasons=tuple(reasons),
        confidence=rule.confidence,
        is_provisional=start.is_provisional or bool(start.awaits),
        started_at=start.aware_at,
        awaits=start.awaits,
    )


def zones_of(rule: ClockRule, receiver: ZoneInfo, mode: Mode) -> tuple[ZoneInfo, ...]:
    """The zones whose dates count: the earlier of two binds (rules.md D7)."""
    return (receiver,) if mode is Mode.RECEIVER or rule.zone is None else (receiver, rule.zone)


def end_of(day: date, zones: Iterable[ZoneInfo]) -> datetime:
    """When a date has ended in the first of these zones, UTC."""
    return min(end_of_day(day, zone) for zone in zones)


def _extended(day: date, non_working: frozenset[date]) -> date:
    while day in non_working:
        day += timedelta(days=1)
    return day


def clocks(
    rules: Iterable[ClockRule], starts: Iterable[Start], receiver: ZoneInfo, mode: Mode = Mode.CONSERVATIVE
) -> tuple[Clock, ...]:
    """Every clock that the starts of one moment set going, soonest due first: one for each rule and event."""
    starts = tuple(starts)
    found = []
    for rule in rules:
        made = (clock(rule, start, receiver, mode) for start in starts if fires(rule, start.trigger))
        found += [one for one in made if rule.binds_on(one.day_zero)]
    return tuple(sorted(found, key=lambda c: (c.due_at, c.rule, c.event_id or "")))


SUSAR = (Trigger.FATAL_LT_SUSAR, Trigger.OTHER_SUSAR)


def fires(rule: ClockRule, trigger: Trigger) -> bool:
    """Whether this trigger sets this rule going. Either class of SUSAR is "any SUSAR"."""
    return rule.trigger is trigger or (rule.trigger is Trigger.ANY_SUSAR and trigger in SUSAR)
