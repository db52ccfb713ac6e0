"""The regulatory clocks of one case: when they start, when they are due.

Knows nothing of who is told; see alerting.alarm. Each rule is data with its clause (`tocsin.clockrules`); the rules
for counting days are here. Day 0 is the local date on which the sponsor first held a report that qualifies, the due
date is day 0 plus N calendar days, and the due instant is 23:59:59 of that date (rules.md 1.2 D1 to D7).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
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
        is_provisional=start.is_provisional or bool(start.awaits),
        started_at=start.aware_at,
        awaits=start.awaits,
    )


def clocks(
    rules: Iterable[ClockRule], starts: Iterable[Start], receiver: ZoneInfo, mode: Mode = Mode.CONSERVATIVE
) -> tuple[Clock, ...]:
    """Every clock that the starts set going, soonest due first: one for each rule and event."""
    rules, starts = tuple(rules), tuple(starts)
    found = []
    for rule in rules:
        for start in _firing(rule, starts):
            made = clock(rule, start, receiver, mode)
            if not rule.binds_on(made.day_zero):
                continue
            found.append(_no_later_than_running(made, rule, start, rules, starts, receiver, mode))
    return tuple(sorted(found, key=lambda c: (c.due_at, c.rule, c.event_id or "")))


def _firing(rule: ClockRule, starts: tuple[Start, ...]) -> Iterable[Start]:
    """The starts that set this rule going. For "any SUSAR" only the first of an event: an upgrade is no second one."""
    if rule.trigger is not Trigger.ANY_SUSAR:
        return [start for start in starts if start.trigger is rule.trigger]
    first: dict[str | None, Start] = {}
    for start in sorted(starts, key=lambda s: s.aware_at):
        if start.trigger in (Trigger.FATAL_LT_SUSAR, Trigger.OTHER_SUSAR):
            first.setdefault(start.event_id, start)
    return first.values()


def _no_later_than_running(
    made: Clock,
    rule: ClockRule,
    start: Start,
    rules: tuple[ClockRule, ...],
    starts: tuple[Start, ...],
    receiver: ZoneInfo,
    mode: Mode,
) -> Clock:
    """After an upgrade before submission: the earlier of the old due date and the new day 0 plus 7 (rules.md 1.4).

    One combined report then meets both. Nothing here knows of submissions: as long as none is told, none was made.
    A clock that had run out before the upgrade was known bounds nothing: it is overdue itself.
    """
    if start.trigger is not Trigger.FATAL_LT_SUSAR or rule.trigger is not Trigger.FATAL_LT_SUSAR or rule.follows:
        return made
    running = [
        clock(other, earlier, receiver, mode)
        for earlier in starts
        if earlier.trigger is Trigger.OTHER_SUSAR and earlier.event_id == start.event_id
        for other in rules
        if other.trigger in (Trigger.OTHER_SUSAR, Trigger.ANY_SUSAR) and other.jurisdiction == rule.jurisdiction
    ]
    sooner = min(running, key=lambda c: (c.due_at, c.recipient != rule.recipient, c.rule), default=made)
    if sooner.due_at >= made.due_at or sooner.due_on < made.day_zero:
        return made
    reason = f"upgraded before submission: due no later than {sooner.rule}, which already runs to {sooner.due_on}"
    return replace(made, due_on=sooner.due_on, due_at=sooner.due_at, reasons=(*made.reasons, reason))
