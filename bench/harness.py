"""What every measurement here shares: how it is summed up, how sides are set against each other, and what it is told.

A figure is a median of rounds. Sides are measured in turn within one run (A B C A B C), so that what the machine does
beside it falls on all of them alike, and what counts is the ratio of their medians.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Progress = Callable[[str], None]
"""Where a measurement says how far it is."""


class Measure(Protocol):
    """One measurement: what it found, as a JSON document. `is_quick`: enough to try it, too little to quote."""

    def __call__(self, progress: Progress, *, is_quick: bool) -> dict[str, Any]: ...


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of them do not exceed: the nearest rank, never between two.

    ValueError without values, or for a share outside.
    """
    if not values or not 0 < share <= 1:
        raise ValueError(f"a percentile needs values and a share over 0 and up to 1, not {len(values)} and {share}")
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)  # rounded up
    return ordered[max(rank, 1) - 1]


def in_ms(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95, p99 and the longest, in milliseconds."""
    found = {"p50": percentile(seconds, 0.5), "p95": percentile(seconds, 0.95), "p99": percentile(seconds, 0.99)}
    return {name: round(value * 1000, 2) for name, value in {**found, "max": max(seconds)}.items()}


def in_turn(sides: Mapping[str, Callable[[int], T]], rounds: int) -> dict[str, list[T]]:
    """Each side once in every round, in the order given. A side is told the number of its round, from 0."""
    found: dict[str, list[T]] = {name: [] for name in sides}
    for number in range(rounds):
        for name, side in sides.items():
            found[name].append(side(number))
    return found


def medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each figure over the rounds."""
    return {name: round(statistics.median(one[name] for one in rounds), 2) for name in rounds[0]}


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of ours over the median of theirs."""
    return round(statistics.median(ours) / statistics.median(theirs), 2)
