"""Whom to ring next about one alert, and why. Pure: no clock, no database, no address.

Sources: rules.md 1.5 (levels), readings.md "Clocks and alarms" 8 and 9 (default roles and waits). `routing` says who
has the role; `ringing` keeps what this decides.

Waits count from the first ring, not from when the facts became known: a service that was away for an hour owes the
first physician her fifteen minutes too. What was missed while away is owed once: every step rings, and repeats that
were missed are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

OPEN = "open"

_AT_ONCE = timedelta(0)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
RETRY_NOBODY = timedelta(minutes=5)
"""How soon an alert that reached nobody is tried again."""
OFTEN = timedelta(hours=4)
"""How often a site or the cell lab is told again, on the first day, of a hold that it has not confirmed; then daily."""


@dataclass(frozen=True, slots=True)
class Step:
    """Ring `role` when the alert is still open `after` the first ring."""

    after: timedelta
    role: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Steps, soonest first; after the last one its role is rung again every `repeat`, until somebody acknowledges."""

    steps: tuple[Step, ...]
    repeat: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """What `next_notice` needs to know of an alert. `until_answered`: its own roles are rung until they answer."""

    level: str
    state: str
    raised_at: datetime
    roles: tuple[str, ...] = ()
    until_answered: bool = False


@dataclass(frozen=True, slots=True)
class Rung:
    """A step that was rung. One that reached nobody is not in the history: it is still owed."""

    step: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """Ring `role` now, because. `answer_by`: when the next one is rung; None when nobody is."""

    step: int
    role: str
    reason: str
    answer_by: datetime | None


def _once(*roles: str) -> Policy:
    return Policy(tuple(Step(_AT_ONCE, role) for role in roles))


POLICIES = {
    "page": Policy(
        (
            Step(_AT_ONCE, "safety_physician"),
            Step(timedelta(minutes=15), "second_physician"),
            Step(timedelta(minutes=60), "medical_director"),
        ),
        repeat=_HOUR,
    ),
    "overdue": Policy((Step(_AT_ONCE, "medical_director"),), repeat=_HOUR),
    "critical": _once("medical_director"),
    "escalate": _once("medical_director"),
    "warn": _once("safety_team"),
    "review": _once("medical_reviewer", "safety_team"),
    "info": _once("safety_physician", "safety_team"),
}


def policy_for(alarm: Alarm) -> Policy:
    """The policy of its level; an alert that names its own roles rings those at once, once each or until answered."""
    if not alarm.roles:
        return POLICIES[alarm.level]
    if not alarm.until_answered:
        return _once(*alarm.roles)
    first_day = tuple(Step(n * OFTEN, role) for n in range(_DAY // OFTEN + 1) for role in alarm.roles)
    return Policy(first_day, repeat=_DAY)


def next_notice(alarm: Alarm, history: Iterable[Rung], policy: Policy, now: datetime) -> Notice | None:
    """The notice that is due now and was not rung yet, the earliest first; None when nothing is.

    Call it again with the notice in the history until it answers None.
    """
    found = _next(alarm, sorted(history, key=lambda r: r.step), policy, now)
    return found[1] if found is not None and found[0] <= now else None


def next_due(alarm: Alarm, history: Iterable[Rung], policy: Policy, now: datetime) -> datetime | None:
    """When to look again: the instant of the next notice, in the past when one is owed; None when none will come."""
    found = _next(alarm, sorted(history, key=lambda r: r.step), policy, now)
    return None if found is None else found[0]


def _next(alarm: Alarm, history: Sequence[Rung], policy: Policy, now: datetime) -> tuple[datetime, Notice] | None:
    if alarm.state != OPEN:
        return None
    rung = {r.step for r in history}
    first = min((r.at for r in history), default=None)
    for number, step in enumerate(policy.steps):
        if number in rung:
            continue
        if step.after == _AT_ONCE:
            due, reason = alarm.raised_at, "rung at once"
        else:
            due = (first or now) + step.after
            reason = f"not acknowledged within {_minutes(step.after)}"
        return due, Notice(number, step.role, reason, _answer_by(policy, number, first or now))
    if policy.repeat is None or first is None:
        return None
    return _repeat(history, policy, policy.repeat, first, now)


def _repeat(
    history: Sequence[Rung], policy: Policy, every: timedelta, first: datetime, now: datetime
) -> tuple[datetime, Notice]:
    last = len(policy.steps) - 1
    base = first + policy.steps[-1].after
    done = max(r.step for r in history) - last
    owed = max(done + 1, (now - base) // every)
    missed = owed - done - 1
    reason = f"still not acknowledged after {_minutes(policy.steps[-1].after + owed * every)}"
    if missed:
        reason += f"; {missed} earlier notices were not sent and are joined in this one"
    # What is owed is due since the first one missed.
    due = base + (done + 1) * every
    return due, Notice(last + owed, policy.steps[-1].role, reason, base + (owed + 1) * every)


def _answer_by(policy: Policy, number: int, first: datetime) -> datetime | None:
    later = [step.after for step in policy.steps[number + 1 :] if step.after > policy.steps[number].after]
    if later:
        return first + later[0]
    return first + policy.steps[-1].after + policy.repeat if policy.repeat is not None else None


def _minutes(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes} minutes" if minutes <= 60 or minutes % 60 else f"{minutes // 60} hours"
