"""The window of dose-limiting toxicity: from the start of infusion to the end of its last study day.

Sources: rules.md 4.2 W, vectors W01 to W04; readings.md DLT 1: onset is that of the event at any grade.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tocsin.domain.calendars import Partial, Span, end_of_day, local_day
from tocsin.domain.case import Infusion
from tocsin.domain.dlt.definition import DltDefinition


@dataclass(frozen=True, slots=True)
class Place:
    """Where an onset lies. `is_inside`: as far as the dates allow; `missing`: what that had to assume.

    `infusion` is the one whose window it lies in; None while none is recorded. `study_day` None: the dates leave it
    open.
    """

    is_inside: bool
    said: str
    missing: str = ""
    infusion: Infusion | None = None
    study_day: int | None = None


def window(started: datetime, zone: ZoneInfo, definition: DltDefinition) -> Span:
    """From the start of infusion to 23:59:59 site-local of the last study day."""
    return Span(started, end_of_day(day(started, definition.window_days, zone, definition), zone))


def day(started: datetime, study_day: int, zone: ZoneInfo, definition: DltDefinition) -> date:
    """The date of a study day."""
    return local_day(started, zone) + timedelta(days=study_day - definition.day_base)


def study_day_of(at: date, started: datetime, zone: ZoneInfo, definition: DltDefinition) -> int:
    """The study day of a date."""
    return (at - local_day(started, zone)).days + definition.day_base


def place(
    onset: Partial | None, infusions: Sequence[Infusion], zone: ZoneInfo, definition: DltDefinition
) -> Place:  # fmt: skip
    """Where an onset lies; what the dates leave open is taken as inside, and says so."""
    if not infusions:
        return Place(True, "no infusion is recorded for this subject", "taken as inside the DLT window")
    when = onset.widest(zone) if onset is not None else None
    if onset is None or when is None:
        only = infusions[0] if len(infusions) == 1 else None
        return Place(True, "the onset is not known", "taken as inside the DLT window", only)
    length = f"the window of {definition.window_days} days"
    inside = []
    for infusion in infusions:
        started = infusion.started.widest(zone)
        if started is None:
            said = f"the infusion of {infusion.started} has no year: the dates leave it open"
            inside.append(Place(True, said, "the dates leave it open: taken as inside the DLT window", infusion))
            continue
        early, late = (window(edge, zone, definition) for edge in (started.earliest, started.latest))
        if when.latest < early.earliest or when.earliest > late.latest:
            continue
        is_sure = when.earliest >= late.earliest and when.latest <= early.latest
        one_day = local_day(when.earliest, zone)
        is_day = one_day == local_day(when.latest, zone) and infusion.started.is_whole_day
        number = study_day_of(one_day, started.earliest, zone, definition) if is_day else None
        which = "study day open" if number is None else f"study day {number}"
        missing = "" if is_sure else "the dates leave it open: taken as inside the DLT window"
        said = f"onset {onset} is inside {length} from {infusion.started} ({which})"
        inside.append(Place(True, said, missing, infusion, number))
    if not inside:
        return Place(False, f"onset {onset} is outside {length} after infusion")
    return min(inside, key=lambda found: (bool(found.missing), found.said))
