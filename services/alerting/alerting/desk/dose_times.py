"""How the pages of the desk put times: in the study's own zone, with the weekday, and what is left beside the due."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)")
_DATE = re.compile(r"(?<![\d-])\d{4}-\d\d-\d\d(?![\dT-]| \d\d:)")
_CODES = {
    "MET_BY_RULE": "met by rule and not signed",
    "PENDING_DURATION": "a potential DLT that waits for its limit",
    "POTENTIAL_DLT": "a potential DLT",
    "NOT_DLT": "no DLT",
}
_CODE = re.compile(rf"\b(?:{'|'.join(_CODES)})\b")


@dataclass(frozen=True, slots=True)
class Times:
    """Times of one page. `now` is aware; texts that come in are ISO 8601."""

    zone: ZoneInfo
    now: datetime

    def moment(self, text: str) -> str:
        """An instant: "Thu 21 May 2026, 11:00". The last second of a day is its 24:00."""
        local = datetime.fromisoformat(text).astimezone(self.zone)
        if (local.hour, local.minute, local.second) == (23, 59, 59):
            return f"{_day(local.date())}, 24:00"
        return f"{_day(local.date())}, {local:%H:%M}"

    def near(self, at: datetime) -> str:
        """An instant by its time alone while it lies within half a day of now, else with its day."""
        if abs(at - self.now) < timedelta(hours=12):
            return f"{at.astimezone(self.zone):%H:%M}"
        return self.moment(at.isoformat())

    def day(self, text: str) -> str:
        """A date: "Fri 22 May 2026"."""
        return _day(date.fromisoformat(text))

    def local_day(self, text: str) -> str:
        """The date on which an instant falls."""
        return _day(datetime.fromisoformat(text).astimezone(self.zone).date())

    def left(self, text: str) -> str:
        """How long until an instant: "6 d 23 h left"; or that it has passed."""
        span = datetime.fromisoformat(text) - self.now
        if span <= timedelta(0):
            return "passed"
        minutes = span // timedelta(minutes=1)
        days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
        if days:
            return f"{days} d {hours} h left"
        return f"{hours} h {minutes} min left" if hours else f"{minutes} min left" if minutes else "under a minute left"

    def start_of(self, text: str) -> datetime:
        """The instant at which a date begins in the zone."""
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)

    def sentence(self, text: str) -> str:
        """A reason as the rules gave it, with its instants in the zone, its dates and its codes in words.

        What was written without a zone stays as it was written.
        """
        local = _INSTANT.sub(lambda found: self.moment(found[0]), text)
        local = _DATE.sub(lambda found: self.day(found[0]), local)
        return _CODE.sub(lambda found: _CODES[found[0]], local)

    def sentences(self, texts: list[str]) -> list[str]:
        """Several of them."""
        return [self.sentence(one) for one in texts]

    @property
    def end_of_day(self) -> datetime:
        """The instant at which today ends in the zone."""
        local = self.now.astimezone(self.zone)
        return self.start_of((local.date() + timedelta(days=1)).isoformat())

    @property
    def clock(self) -> str:
        """The time now, to the second: "02:14:05"."""
        return f"{self.now.astimezone(self.zone):%H:%M:%S}"

    @property
    def stands_at(self) -> str:
        """The time now, with its day."""
        return self.moment(self.now.isoformat())


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"
