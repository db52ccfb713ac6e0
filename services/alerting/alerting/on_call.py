"""Who has a role at a moment: people, rotas with hand-overs in a time zone, and overrides. Pure: no clock, no database.

A turn ends at an instant: the hand-over's local time on its day. Where a day has no such time (clocks go forward) it
is as far after midnight as the offset before the change says; where it has two, it is the first. So every moment
belongs to one turn, and a night with a change of the clocks is an hour shorter or longer for whoever has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Quiet:
    """From `begins` to `ends`, local, over midnight where it ends earlier: nothing but a threat to life is sent."""

    begins: time
    ends: time
    zone: ZoneInfo

    def until(self, at: datetime) -> datetime | None:
        """When the quiet ends in which this moment lies; None where it lies in none."""
        day = at.astimezone(self.zone).date()
        for begun in (day - _DAY, day):
            ended = begun if self.begins < self.ends else begun + _DAY
            begins, ends = _instant(begun, self.begins, self.zone), _instant(ended, self.ends, self.zone)
            if begins <= at < ends:
                return ends
        return None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is rung. `name` is the login's name; `webhooks` are ids; `roles` as in the study file."""

    name: str
    mails: tuple[str, ...]
    webhooks: tuple[str, ...]
    roles: tuple[str, ...]
    quiet: Quiet | None = None


@dataclass(frozen=True, slots=True)
class Rota:
    """Who of several has a role, turn by turn, each `every_days` long, from the first hand-over on `begins`."""

    role: str
    zone: ZoneInfo
    begins: date
    handover: time
    every_days: int
    people: tuple[str, ...]

    def turn(self, number: int) -> datetime:
        """When a turn begins, in UTC; 0 is the first."""
        return _instant(self.begins + number * self.every_days * _DAY, self.handover, self.zone)

    def at(self, at: datetime) -> tuple[str, datetime] | None:
        """Whose turn it is, and when it ends; None before the first hand-over."""
        number = (at.astimezone(self.zone).date() - self.begins).days // self.every_days
        if self.turn(number) > at:
            number -= 1
        if number < 0:
            return None
        return self.people[number % len(self.people)], self.turn(number + 1)


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody else has a role from `begins` until before `ends`. Of several the one that was made last counts."""

    role: str
    person: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Who has a role now. `until`: when that may change; None where no hand-over is planned. `why` in words."""

    people: tuple[Person, ...]
    until: datetime | None
    why: str


def on_duty(
    role: str, at: datetime, people: Sequence[Person], rotas: Iterable[Rota], overrides: Sequence[Override]
) -> OnDuty:
    """Who has this role at this moment: by an override, else by a rota of the role, else everybody who has it."""
    by_name = {person.name: person for person in people}
    rota = next((one for one in rotas if one.role == role), None)
    edges = [edge for one in overrides if one.role == role for edge in (one.begins, one.ends) if edge > at]
    turn = rota.at(at) if rota is not None else None
    if turn is not None:
        edges.append(turn[1])
    elif rota is not None:
        edges.append(rota.turn(0))
    until = min(edges, default=None)
    standing = [one for one in overrides if one.role == role and one.begins <= at < one.ends and one.person in by_name]
    if standing:
        return OnDuty((by_name[standing[-1].person],), until, "an override")
    if rota is None:
        return OnDuty(tuple(person for person in people if role in person.roles), until, "has the role")
    if turn is None:
        return OnDuty((), until, "the rota has not begun")
    return OnDuty(tuple(by_name[name] for name in (turn[0],) if name in by_name), until, "the rota")


def shifts(
    role: str, begins: datetime, ends: datetime, people: Sequence[Person], rotas: Sequence[Rota],
    overrides: Sequence[Override],
) -> Iterator[tuple[datetime, datetime, OnDuty]]:  # fmt: skip
    """Who has the role from when to when, between two moments, in order."""
    at = begins
    while at < ends:
        duty = on_duty(role, at, people, rotas, overrides)
        until = ends if duty.until is None else min(duty.until, ends)
        yield at, until, duty
        at = until


def _instant(day: date, local: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, local, zone).astimezone(UTC)
