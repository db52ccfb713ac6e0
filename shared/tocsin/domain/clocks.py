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
    """What sets a clock going."""

    FATAL_LT_SUSAR = "fatal_or_life_threatening_susar"
    OTHER_SUSAR = "other_susar"
    ANY_SUSAR = "any_susar"
    SITE_AWARE = "site_aware_of_serious_event"


class Mode(StrEnum):
    """Which zone dates day 0 (rules.md D7, C5): the receiver's, or the earlier of receiver's and authority's."""

    RECEIVER = "receiver"
    CONSERVATIVE = "conservative"


@dataclass(frozen=True, slots=True)
class ClockRule:
    """One row of a rule set. Exactly one of `days` (calendar days from day 0) and `hours` (elapsed) is set."""

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


@dataclass(frozen=True, slots=True)
class Start:
    """That something qualifies, since when, and why. `aware_at` is aware, UTC."""

    trigger: Trigger
    event_id: str | None
    aware_at: datetime
    reasons: tuple[str, ...]
    is_provisional: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """One running deadline. `day_zero` and `due_on` are dates in the zone that binds; `due_at` is the instant, UTC."""

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


def clock(rule: ClockRule, start: Start, receiver: ZoneInfo, mode: Mode = Mode.CONSERVATIVE) -> Clock:
    """The clock that `rule` gives for `start`."""
    zones = [receiver] if mode is Mode.RECEIVER or rule.zone is None else [receiver, rule.zone]
    day_zero = min(local_day(start.aware_at, zone) for zone in zones)
    if rule.hours is not None:
        due_at = start.aware_at + timedelta(hours=rule.hours)
        due_on = local_day(due_at, receiver)
        counted = f"{rule.hours} elapsed hours from {start.aware_at.astimezone(receiver):%Y-%m-%d %H:%M %Z}"
    else:
        due_on = day_zero + timedelta(days=rule.days or 0)
        due_at = min(end_of_day(due_on, zone) for zone in zones)
        counted = f"day 0 is {day_zero:%Y-%m-%d}, plus {rule.days} calendar days, to the end of {due_on:%Y-%m-%d}"
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
        is_provisional=start.is_provisional,
        started_at=start.aware_at,
    )


def clocks(
    rules: Iterable[ClockRule], starts: Iterable[Start], receiver: ZoneInfo, mode: Mode = Mode.CONSERVATIVE
) -> tuple[Clock, ...]:
    """Every clock that the starts set going, soonest due first."""
    found = [clock(rule, start, receiver, mode) for start in starts for rule in rules if _fires(rule, start)]
    return tuple(sorted(found, key=lambda c: (c.due_at, c.rule, c.event_id or "")))


def _fires(rule: ClockRule, start: Start) -> bool:
    if rule.trigger is Trigger.ANY_SUSAR:
        return start.trigger in (Trigger.FATAL_LT_SUSAR, Trigger.OTHER_SUSAR)
    return rule.trigger is start.trigger
