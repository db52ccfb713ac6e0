"""Stretches of time in which something holds, and how long it lasts when its dates are partly known.

Limits are inclusive: exactly 168 h 00 min is still within 168 hours, more is not (readings.md DLT 4). A pause shorter
than the bridging does not part a stretch (readings.md DLT 12).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from tocsin.domain.calendars import Partial, Span
from tocsin.domain.known import Known


def moments(at: Partial, zone: tzinfo) -> Span | None:
    """The moments that a date may mean; None where the year is open.

    A time that is given to the minute is its first second, else no limit in minutes could be met exactly.
    """
    span = at.widest(zone)
    if span is None or not at.is_instant or at.second is not None:
        return span
    return Span(span.earliest, span.latest.replace(second=0))


@dataclass(frozen=True, slots=True)
class Stretch:
    """From one moment to another, the second not included; `until` None: nothing says that it is over."""

    since: datetime
    until: datetime | None

    def length(self, as_of: datetime) -> timedelta:
        """How long it lasts, as far as it is known at a moment; never less than nothing."""
        end = as_of if self.until is None else min(self.until, as_of)
        return max(end - self.since, timedelta(0))


@dataclass(frozen=True, slots=True)
class GradeSpan:
    """One time at or above a grade. `longest` is the widest reading; `sure` are the parts that every reading allows.

    No sure part: whether the grade was reached at all is open.
    """

    longest: Stretch
    sure: tuple[Stretch, ...]

    @property
    def began(self) -> Span | None:
        """The first and the last moment at which it may have begun; None when it may never have."""
        return Span(self.longest.since, self.sure[0].since) if self.sure else None

    @property
    def ended(self) -> Span | None:
        """The first and the last moment at which it may have ended; None while it may go on."""
        if self.longest.until is None or not self.sure or self.sure[-1].until is None:
            return None
        return Span(self.sure[-1].until, self.longest.until)

    def lasts_longer_than(self, limit: timedelta, as_of: datetime) -> Known:
        """Whether it lasted longer than a limit by a moment; exactly the limit is still within."""
        if any(part.length(as_of) > limit for part in self.sure):
            return Known.YES
        return Known.NO if self.longest.length(as_of) <= limit else Known.UNKNOWN


def bridged(holds: Sequence[tuple[datetime, bool]], bridging: timedelta) -> list[Stretch]:
    """The stretches of what holds from each moment to the next, those with a short pause between made one."""
    found: list[Stretch] = []
    for one in _stretches(holds):
        last = found[-1] if found else None
        if last is not None and last.until is not None and one.since - last.until < bridging:
            found[-1] = Stretch(last.since, one.until)
        else:
            found.append(one)
    return found


def _stretches(holds: Sequence[tuple[datetime, bool]]) -> Iterable[Stretch]:
    since: datetime | None = None
    for moment, does_hold in holds:
        if does_hold and since is None:
            since = moment
        elif not does_hold and since is not None:
            yield Stretch(since, moment)
            since = None
    if since is not None:
        yield Stretch(since, None)
