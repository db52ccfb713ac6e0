"""One axis of a syndrome: between which grades its facts leave it, and how the worst of several axes is told.

A syndrome is graded by its worst axis. An axis that is not known reaches as far up as it could, so that the answer
says "at least" and "at most" instead of guessing. Which facts make which grade is left to each syndrome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.domain.known import Known


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis. `because` is part of a sentence ("oxygen by facemask"), `missing` are what would settle it."""

    name: str
    lowest: int
    highest: int
    because: str
    missing: tuple[str, ...] = ()


def bounds(axes: Sequence[Axis]) -> tuple[int, int]:
    """The grade at least and at most: that of the worst axis."""
    return max(axis.lowest for axis in axes), max(axis.highest for axis in axes)


def told(axes: Sequence[Axis]) -> tuple[str, ...]:
    """The grade in whole sentences: which axis decides, what the others would be, and what could make it worse."""
    lowest, highest = bounds(axes)
    said = [] if lowest == highest else [f"The facts leave grade {lowest} to grade {highest}."]
    if highest == 0:
        return (f"Grade 0: {'; '.join(axis.because for axis in axes)}.",)
    least = "Grade" if lowest == highest else "At least grade"
    said += [f"{least} {lowest} by {axis.name}: {axis.because}." for axis in axes if axis.lowest == lowest > 0]
    said += [
        f"By {axis.name} alone it would be grade {axis.lowest}: {axis.because}."
        for axis in axes
        if 0 < axis.lowest < lowest and axis.highest <= lowest
    ]
    said += [
        f"By {axis.name} it could be up to grade {axis.highest}: {axis.because}."
        for axis in axes
        if axis.highest > lowest
    ]
    return tuple(said)


def missing(axes: Sequence[Axis]) -> tuple[str, ...]:
    """The facts that would settle the grade; those of an axis that cannot change it are not asked for."""
    lowest, _ = bounds(axes)
    return tuple(dict.fromkeys(fact for axis in axes if axis.highest > lowest for fact in axis.missing))


def any_of(*facts: Known) -> Known:
    """Yes when one is; no only when each is known not to be."""
    if Known.YES in facts:
        return Known.YES
    return Known.UNKNOWN if Known.UNKNOWN in facts else Known.NO


def death(died_of_it: Known) -> tuple[Axis, ...]:
    """Death of the syndrome is grade 5. What is graded is a living subject unless the death is stated."""
    if died_of_it is Known.NO:
        return ()
    lowest = 5 if died_of_it is Known.YES else 0
    because = "death of it" if lowest else "whether the subject died of it is not known"
    return (Axis("death", lowest, 5, because, () if lowest else ("whether the subject died of it",)),)
