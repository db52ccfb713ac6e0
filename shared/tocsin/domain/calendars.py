"""Partial dates as CDISC writes them, local days, and the instants at their edges.

A date is kept as the site wrote it. What it leaves open is answered as a span, earliest to latest, never filled in.
Source: ISO 8601 as used by the CDISC SDTM implementation guide (representing partial dates by what is missing).
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache

_PARTIAL = re.compile(
    r"(?P<year>\d{4}|-)(?:-(?P<month>\d{2}|-)(?:-(?P<day>\d{2}|-))?)?"
    r"(?:T(?P<hour>\d{2}|-)(?::(?P<minute>\d{2}|-)(?::(?P<second>\d{2})(?:\.\d{1,6})?)?)?)?"
    r"(?P<offset>Z|[+-]\d{2}:[0-5]\d)?",
    re.ASCII,
)
# A year beyond these is a slip of the pen, and has no instants in every zone: it is kept as written and read as this.
_FIRST_YEAR, _LAST_YEAR = 2, 9990

ALLOWED = (
    "an ISO 8601 date, whole or partial: 2026, 2026-03, 2026-03-05, 2026-03-05T14:30, 2026-03-05T14:30+08:00, 2026---05"
)


@dataclass(frozen=True, slots=True)
class Span:
    """From the earliest to the latest instant that a partial date allows, both aware and inclusive."""

    earliest: datetime
    latest: datetime


@dataclass(frozen=True, slots=True)
class Partial:
    """A date or time as far as it is known. `text` is what was written."""

    text: str
    year: int | None
    month: int | None
    day: int | None
    hour: int | None
    minute: int | None
    second: int | None
    offset: timezone | None

    @staticmethod
    @lru_cache(maxsize=4096)
    def parse(text: str) -> Partial:
        """Read `text`; ValueError says what is wrong; for a date that does not exist, which part."""
        found = _PARTIAL.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not a date as CDISC writes them")
        part = {name: _number(found[name]) for name in ("year", "month", "day", "hour", "minute", "second")}
        if all(number is None for number in part.values()):
            raise ValueError(f"{text!r} says nothing of a date")
        _refuse_impossible(text, part)
        offset = _offset(found["offset"])
        if offset is not None and part["hour"] is None and part["minute"] is None:
            raise ValueError(f"{text!r} has a zone without a time")
        return Partial(
            text,
            part["year"],
            part["month"],
            part["day"],
            part["hour"],
            part["minute"],
            part["second"],
            offset,
        )

    @property
    def is_whole_day(self) -> bool:
        """True when year, month and day are all known."""
        return None not in (self.year, self.month, self.day)

    @property
    def is_instant(self) -> bool:
        """True when day, hour and minute are known."""
        return self.is_whole_day and self.hour is not None and self.minute is not None

    def span(self, zone: tzinfo) -> Span | None:
        """The instants it may mean, read in `zone` unless it carries its own offset; None when the year is open.

        Raises ValueError "nonexistent local time" when all it may mean falls into a gap of that zone.
        """
        edges = self._edges(zone)
        if edges is None:
            return None
        low, high = edges
        if self.hour is not None and not _exists(low) and not _exists(high):
            raise ValueError(f"nonexistent local time: {self.text} in {zone}")
        return _span(low, high)

    def widest(self, zone: tzinfo) -> Span | None:
        """As `span`, for rules that must answer: a time in a gap is read on both sides of it and nothing is raised."""
        return _widest(self, zone)

    def _edges(self, zone: tzinfo) -> tuple[datetime, datetime] | None:
        """The first and the last local time that the parts allow."""
        if self.year is None:
            return None
        reading = self.offset or zone
        year = min(max(self.year, _FIRST_YEAR), _LAST_YEAR)
        first = date(year, self.month or 1, self.day or 1)
        low = datetime.combine(first, time(self.hour or 0, self.minute or 0, self.second or 0), reading)
        latest = time(
            23 if self.hour is None else self.hour,
            59 if self.minute is None else self.minute,
            59 if self.second is None else self.second,
        )
        return low, datetime.combine(_last_day(year, self.month or 12, self.day), latest, reading).replace(fold=1)

    def __str__(self) -> str:
        return self.text


@lru_cache(maxsize=4096)
def _widest(partial: Partial, zone: tzinfo) -> Span | None:
    edges = partial._edges(zone)
    return None if edges is None else _span(*edges)


def instant(text: str, zone: tzinfo) -> datetime:
    """One exact instant from local text, in UTC.

    Raises ValueError: "nonexistent local time" in a gap, "ambiguous local time" in an overlap without an offset
    (rules.md D6), or which part of an impossible date is out of range.
    """
    read = Partial.parse(text)
    span = read.span(zone)
    if span is None or not read.is_instant:
        raise ValueError(f"{text!r} is not an exact time: day, hour and minute are needed")
    if read.offset is None and is_ambiguous(text, zone):
        seen = " or ".join(f"{text}{_written(edge, zone)}" for edge in (span.earliest, span.latest))
        raise ValueError(f"ambiguous local time: {text} in {zone}; write it with its offset: {seen}")
    return span.earliest


def is_ambiguous(text: str, zone: tzinfo) -> bool:
    """True when the wall clock of `zone` shows this time twice."""
    read = Partial.parse(text)
    edges = read._edges(zone)
    if edges is None or not read.is_instant or read.offset is not None:
        return False
    local = edges[0]
    return local.utcoffset() != local.replace(fold=1).utcoffset() and _exists(local)


def local_day(at: datetime, zone: tzinfo) -> date:
    """The calendar day of an instant in a zone."""
    return at.astimezone(zone).date()


def local_minute(at: datetime, zone: tzinfo) -> str:
    """An instant as a sentence tells it in a zone: "2026-05-14 12:00"."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """23:59:59 local on that day, as an instant in UTC (rules.md D2)."""
    return datetime.combine(day, time(23, 59, 59), zone).replace(fold=1).astimezone(UTC)


def _refuse_impossible(text: str, part: dict[str, int | None]) -> None:
    """The words are ours and not the interpreter's, which change between versions (clock_invalid_inputs.csv)."""
    limits = {
        "year": (1, 9999),
        "month": (1, 12),
        "day": (1, 31),
        "hour": (0, 23),
        "minute": (0, 59),
        "second": (0, 59),
    }
    for name, (least, most) in limits.items():
        number = part[name]
        if number is not None and not least <= number <= most:
            raise ValueError(f"{name} is out of range: {text!r} has {number}, allowed is {least} to {most}")
    # Where the year is open 29 February passes (2024 is a leap year); where the month is open, so does the 31st.
    year, month, day = part["year"], part["month"], part["day"]
    if month is not None and day is not None and day > _days_of(2024 if year is None else year, month):
        raise ValueError(f"day is out of range for month: {text!r}")


def _days_of(year: int, month: int) -> int:
    return monthrange(year, month)[1]


def _number(text: str | None) -> int | None:
    return None if text is None or text == "-" else int(text)


def _offset(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _last_day(year: int, month: int, day: int | None) -> date:
    return date(year, month, _days_of(year, month) if day is None else day)


def _span(low: datetime, high: datetime) -> Span:
    """A span in UTC. Inside a gap the two local edges can change places on the way, hence the sorting."""
    earliest, latest = sorted((low.astimezone(UTC), high.astimezone(UTC)))
    return Span(earliest, latest)


def _written(at: datetime, zone: tzinfo) -> str:
    """The offset of an instant in a zone, as ISO 8601 writes it."""
    return at.astimezone(zone).isoformat()[-6:]


def _exists(local: datetime) -> bool:
    """A wall time in a gap does not survive the way to UTC and back."""
    back = local.astimezone(UTC).astimezone(local.tzinfo)
    return back.replace(tzinfo=None) == local.replace(tzinfo=None)
