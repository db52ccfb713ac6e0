"""The facts of one moment in words, as a row of a file or the options of a command give them, and the answer in cells.

Which clocks the facts start is decided in `tocsin.domain.due`; files, printing and exit codes are left to others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tocsin.domain.calendars import Partial, instant
from tocsin.domain.clocks import Clock, ClockRule
from tocsin.domain.due import SITE, Due, Facts, SaidCausality, SaidExpectedness, SaidSeriousness, due

READ: Final = ("seriousness", "causality", "expectedness", "jurisdiction", "awareness_local", "tz")
ADDED: Final = ("computed", "reason", "error")

Rules: TypeAlias = Mapping[str, tuple[ClockRule, ...]]
"""The rules of each profile, `SITE` among them."""

_Word = TypeVar("_Word", bound=StrEnum)
_YEARS: Final = range(1900, 9000)


class Unread(Exception):
    """The facts cannot be read. `problems` says all that is wrong, `is_time_wrong` whether the time is."""

    def __init__(self, problems: tuple[str, ...], is_time_wrong: bool) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
        self.is_time_wrong = is_time_wrong


def answer(row: Mapping[str, str], rules: Rules) -> tuple[Facts, Due]:
    """The clocks of one row. Raises Unread with everything that is wrong in it, the time first."""
    facts = read(row, authorities(rules))
    return facts, due(facts, rules)


def read(row: Mapping[str, str], allowed: Sequence[str]) -> Facts:
    """The facts of one row; what is absent or empty is unknown, but a time has to be known."""
    problems: list[str] = []
    zone = at = None
    try:
        zone, at = _time(row)
    except ValueError as wrong:
        problems.append(str(wrong))
    is_time_wrong = bool(problems)
    seriousness = _word(row, "seriousness", SaidSeriousness.UNKNOWN, problems)
    causality = _word(row, "causality", SaidCausality.NOT_ASSESSED, problems)
    expectedness = _word(row, "expectedness", SaidExpectedness.NOT_ASSESSED, problems)
    authority = _cell(row, "jurisdiction").upper() or None
    if authority is not None and authority not in allowed:
        problems.append(f"jurisdiction is {row['jurisdiction']!r}; allowed are {', '.join(allowed)}")
    if problems or zone is None or at is None:
        raise Unread(tuple(problems), is_time_wrong)
    return Facts(seriousness, causality, expectedness, authority, at, zone)


def cells(facts: Facts, found: Due, rules: Rules) -> tuple[str, str, str]:
    """The answer as the cells of `ADDED`."""
    computed = ";".join(f"{clock.rule}={written(clock, facts, rules)}" for clock in found.clocks)
    return computed, "; ".join(why(found)), ""


def why(found: Due) -> list[str]:
    """The facts as they were read, then how each clock was counted and by which clause."""
    return [*found.reasons, *(_why(clock, found) for clock in found.clocks)]


def written(clock: Clock, facts: Facts, rules: Rules) -> str:
    """When a clock is due: a date for one of days, a local time with its offset for one of hours."""
    if not any(rule.id == clock.rule and rule.hours is not None for of in rules.values() for rule in of):
        return clock.due_on.isoformat()
    local = clock.due_at.astimezone(facts.receiver)
    return local.isoformat(timespec="seconds" if local.second else "minutes")


def authorities(rules: Rules) -> tuple[str, ...]:
    """Whose clocks there are rules for."""
    return tuple(profile for profile in rules if profile != SITE)


def _why(clock: Clock, found: Due) -> str:
    own = "; ".join(reason for reason in clock.reasons if reason not in found.reasons)
    return f"{clock.rule}{' (provisional)' if clock.is_provisional else ''}: {own}"


def _time(row: Mapping[str, str]) -> tuple[ZoneInfo, datetime]:
    """The receiver's zone and the instant. The date itself is checked first, then the zone, then both together."""
    text, name = _cell(row, "awareness_local"), _cell(row, "tz")
    if not text:
        raise ValueError("awareness_local is unknown; needed is a local time, such as 2026-03-02T09:15")
    try:
        year = Partial.parse(text).year
    except ValueError as wrong:
        raise ValueError(f"{wrong}; allowed is a local time, such as 2026-03-02T09:15") from None
    if year is not None and year not in _YEARS:
        raise ValueError(f"year is out of range: {text!r}, allowed is {_YEARS.start} to {_YEARS.stop - 1}")
    if not name:
        raise ValueError("tz is unknown; needed is the IANA time zone of whoever received it, such as Asia/Shanghai")
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"tz is {name!r}; allowed is the name of an IANA time zone, such as Asia/Shanghai") from None
    return zone, instant(text, zone)


def _word(row: Mapping[str, str], name: str, unknown: _Word, problems: list[str]) -> _Word:
    told = _cell(row, name).casefold()
    words = type(unknown)
    if not told:
        return unknown
    try:
        return words(told)
    except ValueError:
        problems.append(f"{name} is {row[name]!r}; allowed are {', '.join(words)}")
        return unknown


def _cell(row: Mapping[str, str], name: str) -> str:
    return (row.get(name) or "").strip()
