"""A regulatory clock as the desk shows it: what is owed to whom, how long is left, when it is due, how much is used up.

A state is told in words first: left, Today, Late by, recorded as sent. Amber under three days, red under a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.desk.dose_times import Times
from tocsin.domain.clocks import ClockRule, Duty
from tocsin.domain.protocol import Protocol

SOON, URGENT = timedelta(days=3), timedelta(days=1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Chip:
    """One clock on a page. `percent` of its time that is used up; `tone`: "", soon, today, over or sent."""

    tone: str
    percent: int
    left: str
    due: str
    is_provisional: bool


def title(rule: ClockRule | None, rule_id: str, recipient: str) -> str:
    """What is owed to whom: "7-day report to CDE", "24-hour site report"."""
    if rule is None:
        return f"{rule_id}, to {recipient}"
    span = f"{rule.days}-day" if rule.days is not None else f"{rule.hours}-hour"
    match rule.duty:
        case Duty.SITE_REPORT:
            return f"{span} site report"
        case Duty.FOLLOW_UP:
            return f"{span} follow-up to {recipient}"
        case Duty.COPIES:
            return f"{span} copies to {recipient}"
        case _:
            return f"{span} report to {recipient}"


def rules_of(protocol: Protocol | None) -> Mapping[str, ClockRule]:
    """The rules of a study by id."""
    return {rule.id: rule for rule in protocol.clock_rules} if protocol is not None else {}


def chip(
    *, started_at: datetime, due_at: datetime, is_open: bool, status: str, is_provisional: bool, times: Times
) -> Chip:  # fmt: skip
    """The clock at this moment."""
    due = times.moment(due_at.isoformat())
    if not is_open:
        return Chip("sent", 100, ENDED.get(status, status.lower()), f"was due {due}", is_provisional)
    left = due_at - times.now
    whole = max(due_at - started_at, _MINUTE)
    used = min(max((times.now - started_at) / whole, 0), 1)
    if left <= timedelta(0):
        return Chip("today over", 100, f"Late by {span(-left)}", f"was due {due}", is_provisional)
    is_today = due_at.astimezone(times.zone).date() == times.now.astimezone(times.zone).date()
    tone = "today" if left < URGENT else "soon" if left < SOON else ""
    return Chip(tone, round(used * 100), f"{span(left)} left", f"{'Today, ' if is_today else ''}{due}", is_provisional)


ENDED = {
    "MET": "Recorded as sent", "MET_LATE": "Recorded as sent, late", "CANCELLED": "Ended: not owed any more",
    "SUPERSEDED": "Went over into another clock",
}  # fmt: skip
"""What a clock that has ended is called; recorded as sent until the authority acknowledges."""


def span(length: timedelta) -> str:
    """A span in the two largest units: "2 d 21 h", "12 h 06 min", "4 min"."""
    minutes = length // _MINUTE
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min" if minutes else "under a minute"
