"""When a delivery is tried again: one readable list, over a day in all.

After the last pause a delivery is dead, which is an alert of its own by another channel.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

PAUSES = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=10),
)
JITTER = 0.1
"""Each pause is longer or shorter by up to this part of it, so that many do not come back at one moment."""

LONGEST_ASKED = timedelta(hours=10)
"""An endpoint may ask for a longer pause, up to this."""

Draw = Callable[[], float]
"""Answers a number from 0.0 up to 1.0."""


def next_attempt(attempts: int, after: timedelta | None, now: datetime, draw: Draw) -> datetime | None:
    """When to try again after `attempts` failures (1 or more); None when that was the last.

    `after` is what the other side asked for (`Retry-After`); it can lengthen a pause, never shorten it.
    """
    if attempts > len(PAUSES):
        return None
    pause = PAUSES[attempts - 1] * (1 - JITTER + 2 * JITTER * draw())
    if after is not None:
        pause = max(pause, min(after, LONGEST_ASKED))
    return now + pause
