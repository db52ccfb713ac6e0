"""Which version of the reference safety information (RSI) an event is judged by: the one in force at its onset.

A later version changes nothing for an earlier onset, and follow-ups of an event keep its version (rules.md 1.1, 1.4).
What a partial onset leaves open is answered with every version that may be meant; `expectedness` reads them all.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from tocsin.domain.calendars import Partial, local_day
from tocsin.domain.protocol import APPROVED, Protocol, ReferenceSafetyInformation

NONE_YET: Final = ReferenceSafetyInformation("(none in force yet)", APPROVED)
"""What is in force before the first version, where that one has a first day: it lists nothing."""


def versions_of(protocol: Protocol) -> tuple[ReferenceSafetyInformation, ...]:
    """Every version that the study names, newest last."""
    return (*protocol.earlier_rsi, protocol.rsi)


def in_force(protocol: Protocol, onset: Partial | None, zone: ZoneInfo) -> tuple[ReferenceSafetyInformation, ...]:
    """Every version that may have been in force at the onset, newest last; never none.

    `zone` is the site's: a version is in force from the first moment of its first day there. One version where the
    onset is known well enough; all of them where its year, or all of it, is not known.
    """
    versions = versions_of(protocol)
    if versions[0].in_force_from is not None:
        versions = (NONE_YET, *versions)
    if len(versions) == 1:
        return versions
    span = onset.widest(zone) if onset is not None else None
    if span is None:
        return versions
    first, last = local_day(span.earliest, zone), local_day(span.latest, zone)
    starts = [version.in_force_from or date.min for version in versions]
    # Each is in force until the day before the next one is; the newest has no end.
    ended = [next_one <= first for _, next_one in pairwise(starts)] + [False]
    return tuple(v for v, since, is_over in zip(versions, starts, ended, strict=True) if since <= last and not is_over)
