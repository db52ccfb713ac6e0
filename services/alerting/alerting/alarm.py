"""Whom to ring next about one alert, and why. Pure: no clock, no database, no address.

Sources: rules.md 1.5 (levels), readings.md "Clocks and alarms" 8 and 9 (default roles and waits). `routing` says who
has the role; `ringing` keeps what this decides.

Waits count from the first ring, not from when the facts became known: a service that was away for an hour owes the
first physician her fifteen minutes too. What was missed while away is owed once: every step rings, and repeats that
were missed are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

OPEN, ACKNOWLEDGED, CLOSED = "open", "acknowledged", "closed"
POLICY, ASSIGNED, REMINDER = "policy", "assigned", "reminder"
"""Why a notice is sent: a step of the policy, a person to whom the alarm was handed over, an answer nothing follows."""
PERSON = "person:"
"""Before a person's name, in place of a role."""

_AT_ONCE = timedelta(0)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
RETRY_NOBODY = timedelta(minutes=5)
"""How soon an alert that reached nobody is tried again."""
OFTEN = timedelta(hours=4)
"""How often a site or the cell lab is told again, on the first day, of a hold that it has not confirmed; then daily."""


@dataclass(frozen=True, slots=True)
class Step:
    """Ring `role` when the alert is still open `after` the first ring. `everyone`: all who are rung must answer."""

    after: timedelta
    role: str
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """Steps, soonest first; after the last its roles are rung again every `repeat`, and `last_resort` with them.

    `remind`: whoever acknowledged is rung again when so long nothing was done about it; from the second time on the
    last step's role is, too.
    """

    steps: tuple[Step, ...]
    repeat: timedelta | None = None
    last_resort: str | None = None
    remind: timedelta | None = None

    @property
    def again(self) -> tuple[str, ...]:
        """The roles of one repeat."""
        last = [step.role for step in self.steps if step.after == self.steps[-1].after]
        return tuple(dict.fromkeys([*last, *([self.last_resort] if self.last_resort else [])]))

    def as_json(self) -> dict[str, Any]:
        """The policy as it is kept with its alert."""
        return {
            "steps": [[_seconds(step.after), step.role, step.everyone] for step in self.steps],
            "repeat": _seconds(self.repeat), "last_resort": self.last_resort, "remind": _seconds(self.remind),
        }  # fmt: skip

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Policy:
        """The policy as it was kept."""
        return cls(
            tuple(Step(timedelta(seconds=after), role, everyone) for after, role, everyone in kept["steps"]),
            _span(kept["repeat"]), kept["last_resort"], _span(kept["remind"]),
        )  # fmt: skip


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())


def _span(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Handed:
    """To whom an alarm was handed over; `number` counts how often it was, from 1."""

    to: str
    number: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Alarm:
    """What `next_notice` needs to know of an alert. `until_answered`: its own roles are rung until they answer.

    `answered_by` and `last_deed_at` of one that was acknowledged: by whom, and when something was done about it last.
    """

    level: str
    state: str
    raised_at: datetime
    roles: tuple[str, ...] = ()
    until_answered: bool = False
    handed: Handed | None = None
    answered_by: str | None = None
    last_deed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """A step that was rung. One that reached nobody is not in the history: it is still owed."""

    step: int
    at: datetime
    cause: str = POLICY


@dataclass(frozen=True, slots=True)
class Notice:
    """Ring `role` now, because. `answer_by`: when the next one is rung; None when nobody is."""

    step: int
    role: str
    reason: str
    answer_by: datetime | None
    cause: str = POLICY
    everyone: bool = False


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


def still_to_answer(rung: Iterable[Sequence[str]], answered: Iterable[str], handed: int) -> frozenset[str]:
    """Of those whom the steps that everyone must acknowledge rang, who has not. Handed over, it is one person's."""
    return frozenset() if handed else frozenset(name for names in rung for name in names).difference(answered)


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


def ahead(
    alarm: Alarm, history: Iterable[Rung], policy: Policy, now: datetime, most: int = 2
) -> tuple[tuple[datetime, str], ...]:  # fmt: skip
    """Who is rung next and when, if nobody answers: the soonest first, an overdue one at its own time."""
    done, found = list(history), list[tuple[datetime, str]]()
    at = now
    while len(found) < most:
        coming = _next(alarm, sorted(done, key=lambda r: r.step), policy, at)
        if coming is None:
            break
        due, notice = coming
        found.append((due, notice.role))
        at = max(at, due)
        done.append(Rung(notice.step, at, notice.cause))
    return tuple(found)


def _next(alarm: Alarm, history: Sequence[Rung], policy: Policy, now: datetime) -> tuple[datetime, Notice] | None:
    if alarm.state == ACKNOWLEDGED:
        return _reminder(alarm, history, policy, now)
    if alarm.state != OPEN:
        return None
    by_policy = [r for r in history if r.cause == POLICY]
    first = min((r.at for r in by_policy), default=None)
    handed = alarm.handed
    # Whoever has it now is owed the first wait anew.
    base = max((at for at in (first, handed.at if handed else None) if at is not None), default=now)
    if handed is not None and not any(r.cause == ASSIGNED and r.step == handed.number for r in history):
        reason = "it was handed over to you"
        answer_by = _answer_by(policy, -1, base)
        return handed.at, Notice(handed.number, f"{PERSON}{handed.to}", reason, answer_by, ASSIGNED)
    rung = {r.step for r in by_policy}
    for number, step in enumerate(policy.steps):
        if number in rung:
            continue
        if step.after == _AT_ONCE:
            due, reason = alarm.raised_at, "rung at once"
        else:
            due, reason = base + step.after, f"not acknowledged within {_minutes(step.after)}"
        answer_by = _answer_by(policy, number, base)
        return due, Notice(number, step.role, reason, answer_by, everyone=step.everyone)
    if policy.repeat is None or first is None:
        return None
    return _repeat(by_policy, policy, policy.repeat, base, now)


def _repeat(
    history: Sequence[Rung], policy: Policy, every: timedelta, base: datetime, now: datetime
) -> tuple[datetime, Notice]:
    """The next of the repeats: each rings the roles of the last step, and the last resort, one after the other."""
    roles, steps = policy.again, len(policy.steps)
    start = base + policy.steps[-1].after
    done, behind = divmod(max(r.step for r in history) + 1 - steps, len(roles))
    waited = policy.steps[-1].after
    if behind:
        number = done + 1
        reason = f"still not acknowledged after {_minutes(waited + number * every)}"
        answer_by = start + (number + 1) * every
        # The others of this round were rung already: what it lacks is owed since then.
        return history[-1].at, _again(policy, number, behind, reason, answer_by)
    # Those that fell before a hand-over were owed to nobody.
    begun = sum(1 for r in history if r.step >= steps and r.at < base) // len(roles) if base > history[0].at else 0
    since = done - begun
    owed = max(since + 1, (now - start) // every)
    missed = owed - since - 1
    reason = f"still not acknowledged after {_minutes(waited + owed * every)}"
    if missed:
        reason += f"; {missed} earlier notices were not sent and are joined in this one"
    # What is owed is due since the first one missed.
    due = start + (since + 1) * every
    return due, _again(policy, begun + owed, 0, reason, start + (owed + 1) * every)


def _again(policy: Policy, number: int, place: int, reason: str, answer_by: datetime) -> Notice:
    role = policy.again[place]
    number = len(policy.steps) + (number - 1) * len(policy.again) + place
    last = policy.steps[-1].after
    everyone = any(step.everyone for step in policy.steps if step.after == last and step.role == role)
    return Notice(number, role, reason, answer_by, everyone=everyone)


def _reminder(alarm: Alarm, history: Sequence[Rung], policy: Policy, now: datetime) -> tuple[datetime, Notice] | None:
    """Who said to look after it and did nothing is asked; then somebody above is, too."""
    if policy.remind is None or alarm.answered_by is None or alarm.last_deed_at is None:
        return None
    reminders = [r for r in history if r.cause == REMINDER]
    # By when the last one was: of those that were missed, it was all.
    done = max(
        ((r.at - alarm.last_deed_at) // policy.remind for r in reminders if r.at > alarm.last_deed_at), default=0
    )
    owed = 1 if not done else max(done + 1, (now - alarm.last_deed_at) // policy.remind)
    due = alarm.last_deed_at + (done + 1) * policy.remind
    role = f"{PERSON}{alarm.answered_by}" if owed == 1 else policy.steps[-1].role
    reason = f"acknowledged, and nothing was done about it for {_minutes(owed * policy.remind)}"
    number = max((r.step for r in reminders), default=0) + 1
    return due, Notice(number, role, reason, None, REMINDER)


def _answer_by(policy: Policy, number: int, first: datetime) -> datetime | None:
    mine = policy.steps[number].after if number >= 0 else _AT_ONCE
    later = [step.after for step in policy.steps[number + 1 :] if step.after > mine]
    if later:
        return first + later[0]
    return first + policy.steps[-1].after + policy.repeat if policy.repeat is not None else None


def _minutes(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes} minutes" if minutes <= 60 or minutes % 60 else f"{minutes // 60} hours"
