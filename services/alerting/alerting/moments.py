"""When something was done, as a person writes it: an exact time, never a day, never "now".

Local text is read in the study's receiver zone; a time that does not exist there is refused, and one that comes twice
is asked about (rules.md D6). What is written to the minute means that minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tocsin.domain.calendars import Partial, instant
from tocsin.errors import Refused, Wrong


@dataclass(frozen=True, slots=True)
class Moment:
    """From `earliest` up to, not including, `end`: as long as what was written is fine. Aware, UTC."""

    earliest: datetime
    end: datetime

    def from_on(self, floor: datetime) -> datetime | None:
        """The earliest instant it may mean that is not before `floor`; None when all of it is before."""
        if self.end <= floor:
            return None
        return max(self.earliest, floor)


def moment(text: str, zone: ZoneInfo, pointer: str, now: datetime) -> Moment:
    """What `text` means. Refused when it is no exact time there, or has not come yet."""
    try:
        earliest = instant(text, zone)
    except ValueError as wrong:
        allowed = f"day, hour and minute, such as 2026-05-14T09:30+08:00; without an offset it is read in {zone.key}"
        raise Refused("the time cannot be read", [Wrong(pointer, str(wrong), allowed)]) from None
    if earliest > now:
        stands = now.astimezone(zone).isoformat(timespec="minutes")
        raise Refused("this has not happened yet", [Wrong(pointer, f"{text} is in the future", f"at most {stands}")])
    width = timedelta(minutes=1) if Partial.parse(text).second is None else timedelta(seconds=1)
    return Moment(earliest, earliest + width)
