"""Partial dates as CDISC writes them, local days, and the instants at their edges.

A date is kept as the site wrote it. What it leaves open is answered as a span, earliest to latest, never filled in.
Source: ISO 8601 as used by the CDISC SDTM implementation guide (representing partial dates by what is missing).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

_PARTIAL = re.compile(
    r"^(?P<year>\d{4}|-)(?:-(?P<month>\d{2}|-)(?:-(?P<day>\d{2}|-))?)?"
    r"(?:T(?P<hour>\d{2}|-)(?::(?P<minute>\d{2}|-)(?::(?P<second>\d{2})(?:\.\d{1,6})?)?)?)?"
    r"(?P<offset>Z|[+-]\d{2}:\d{2})?$"
)

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

    @classmethod
    def parse(cls, text: str) -> Partial:
        """Read `text`; ValueError says what is wrong, with the words of Python's own calendar for impossible dates."""
        found = _PARTIAL.match(text)
        if found is None:
            raise ValueError(f"{text!r} is not a date as CDISC writes them")
        part = {name: _number(found[name]) for name in ("year", "month", "day", "hour", "minute", "second")}
        if part["minute"] is not None and part["hour"] is None:
            raise ValueError(f"{text!r} has minutes without an hour")
        # An impossible date is refused even where the year is left open (2024 is a leap year: 29 February passes).
        date(part["year"] or 2024, part["month"] or 1, part["day"] or 1)
        time(part["hour"] or 0, part["minute"] or 0, part["second"] or 0)
        offset = _offset(found["offset"])
        if offset is not None and part["hour"] is None:
            raise ValueError(f"{text!r} has a zone without a time")
        return cls(
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

        Raises ValueError "nonexistent local time" when a whole local time falls into a gap of that zone.
        """
        if self.year is None:
            return None
        reading = self.offset or zone
        low = datetime.combine(
            date(self.year, self.month or 1, self.day or 1),
            time(self.hour or 0, self.minute or 0, self.second or 0),
            reading,
        )
        month = self.month or 12
        last = date(self.year, month, self.day) if self.day and self.month else _last_day(self.year, month, self.day)
        high = datetime.combine(
            last,
            time(
                23 if self.hour is None else self.hour,
                59 if self.minute is None else self.minute,
                59 if self.second is None else self.second,
            ),
            reading,
        ).replace(fold=1)
        if self.is_instant and not _exists(low):
            raise ValueError(f"nonexistent local time: {self.text} in {zone}")
        return Span(low.astimezone(UTC), high.astimezone(UTC))

    def __str__(self) -> str:
        return self.text


def instant(text: str, zone: tzinfo) -> datetime:
    """One exact instant from local text, in UTC.

    Raises ValueError: "nonexistent local time" in a gap, "ambiguous local time" in an overlap without an offset
    (rules.md D6), or Python's own words for an impossible date.
    """
    read = Partial.parse(text)
    span = read.span(zone)
    if span is None or not read.is_instant:
        raise ValueError(f"{text!r} is not an exact time: day, hour and minute are needed")
    if read.offset is None and is_ambiguous(text, zone):
        raise ValueError(f"ambiguous local time: {text} in {zone}; write it with its offset, as in {text}+08:00")
    return span.earliest


def is_ambiguous(text: str, zone: tzinfo) -> bool:
    """True when the wall clock of `zone` shows this time twice."""
    read = Partial.parse(text)
    if not read.is_instant or read.offset is not None:
        return False
    local = datetime(read.year or 1, read.month or 1, read.day or 1, read.hour or 0, read.minute or 0, tzinfo=zone)
    return local.utcoffset() != local.replace(fold=1).utcoffset() and _exists(local)


def local_day(at: datetime, zone: tzinfo) -> date:
    """The calendar day of an instant in a zone."""
    return at.astimezone(zone).date()


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """23:59:59 local on that day, as an instant in UTC (rules.md D2)."""
    return datetime.combine(day, time(23, 59, 59), zone).replace(fold=1).astimezone(UTC)


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
    if day:
        return date(year, month, day)
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _exists(local: datetime) -> bool:
    """A wall time in a gap does not survive the way to UTC and back."""
    back = local.astimezone(UTC).astimezone(local.tzinfo)
    return back.replace(tzinfo=None) == local.replace(tzinfo=None)
