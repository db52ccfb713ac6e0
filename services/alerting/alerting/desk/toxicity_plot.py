"""Where everything stands on the timeline: a row for each subject in order of infusion, its events by study day.

A bar lasts from the onset to the end of an event, dashed where no end is told; the shape at the onset says the grade.
Bars that overlap stand under each other. What finds no room is named in the row, and the table beside it holds all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alerting.desk import toxicity_words
from alerting.desk.dose_plot import SHAPES
from alerting.desk.toxicity_facts import Infused
from tocsin.domain.toxicity import Choice, Counted, Period

LEFT, WIDTH, RIGHT, TOP = 156, 780, 130, 34
LANE: Final = 24
MOST_LANES, MOST_MARKS, MOST_DAYS = 8, 24, 182
DEATH: Final = 5
_APART: Final = 28
"""The least distance of two marks in one lane, so that neither hides the other."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One event. `width`: of its bar; `is_open`: no end is told."""

    x: int
    y: int
    width: int
    grade: int
    is_open: bool
    said: str

    @property
    def corners(self) -> str:
        return SHAPES.get(self.grade, "")


@dataclass(frozen=True, slots=True)
class Row:
    """One subject, from `y` down. `until`: how far it is followed; None: the study day now is not known."""

    y: int
    height: int
    subject: str
    level: str
    until: int | None
    marks: tuple[Mark, ...]
    beside: int
    worst: str
    severe: int
    severe_so_far: int
    events: str

    @property
    def middle(self) -> int:
        return self.y + LANE // 2


@dataclass(frozen=True, slots=True)
class Axis:
    """The study days from `first` to `last` across the plot. `infusion`: that of the first infusion."""

    first: int
    last: int
    infusion: int = 0

    def x(self, day: float) -> int:
        return LEFT + round(WIDTH * (day - self.first) / max(self.last - self.first, 1))

    def ticks(self) -> list[tuple[int, str]]:
        step = 7 if self.last - self.first <= 56 else 14 if self.last - self.first <= 112 else 28
        later = [day for day in range(step, self.last, step) if self.first < day < self.last - step // 2]
        days = sorted({self.first, self.infusion, *later, self.last})
        return [(self.x(day), "Infusion" if day == self.infusion else f"Day {day}") for day in days]


@dataclass(frozen=True, slots=True)
class Plot:
    """The whole timeline."""

    width: int
    height: int
    ticks: tuple[tuple[int, str], ...]
    rows: tuple[Row, ...]
    axis: Axis

    @property
    def foot(self) -> int:
        return self.height - 26


def plot(infused: Sequence[Infused], counted: Iterable[Counted], choice: Choice, day_base: int = 0) -> Plot:
    """The timeline of whoever was infused, in order of infusion."""
    of: dict[str, list[Counted]] = {one.treated.subject: [] for one in infused}
    for one in counted:
        of[one.event.subject or ""].append(one)
    axis = _axis(of, choice, day_base)
    rows: list[Row] = []
    y, so_far = TOP, 0
    for subject in infused:
        own = sorted(of[subject.treated.subject], key=_place)
        so_far += any(event.is_severe for event in own)
        row = _row(subject, own, axis, y, so_far)
        rows.append(row)
        y += row.height
    return Plot(LEFT + WIDTH + RIGHT, y + 34, tuple(axis.ticks()), tuple(rows), axis)


def _axis(of: Mapping[str, Sequence[Counted]], choice: Choice, day_base: int) -> Axis:
    if choice.period is Period.WINDOW:
        return Axis(day_base, choice.last_day, day_base)
    days = [one.event.onset.first for ones in of.values() for one in ones if one.event.onset.first is not None]
    last = min(max([28, *days]), MOST_DAYS)
    is_before = choice.period is Period.WHOLE and min(days, default=day_base) < day_base
    return Axis(-14 if is_before else day_base, -(-last // 7) * 7, day_base)


def _row(one: Infused, own: Sequence[Counted], axis: Axis, y: int, so_far: int) -> Row:
    marks, lanes = _marks(own, axis, one.today, y)
    known = [event.grade for event in own if event.grade is not None]
    worst = f"Grade {max(known)}" if known else "Not graded" if own else "No event"
    until = None if one.today is None else axis.x(min(max(one.today, axis.first), axis.last))
    return Row(
        y=y,
        height=lanes * LANE + 10,
        subject=one.treated.subject,
        level=one.treated.level or "no level",
        until=until,
        marks=marks,
        beside=len(own) - len(marks),
        worst=worst,
        severe=sum(event.is_severe for event in own),
        severe_so_far=so_far,
        events="; ".join(map(toxicity_words.counted, own)),
    )


def _marks(own: Iterable[Counted], axis: Axis, today: int | None, y: int) -> tuple[tuple[Mark, ...], int]:
    """The marks of one subject, the gravest first to find room; and how many lanes they take."""
    lanes: list[list[tuple[int, int]]] = []
    found: list[Mark] = []
    for one in sorted(own, key=lambda one: (-(one.grade or 0), _place(one))):
        first = one.event.onset.first
        if first is None or not axis.first <= first <= axis.last or len(found) == MOST_MARKS:
            continue
        is_open = one.event.ends is None and one.grade != DEATH
        ends = today if is_open else one.event.ends
        left, right = axis.x(first), axis.x(min(max(ends if ends is not None else first, first), axis.last))
        lane = _lane(lanes, left - _APART // 2, max(right, left) + _APART // 2)
        if lane is None:
            continue
        said = toxicity_words.counted(one)
        found.append(Mark(left, y + LANE * lane + LANE // 2, right - left, one.grade or 0, is_open, said))
    return tuple(sorted(found, key=lambda mark: (mark.x, mark.y))), max(len(lanes), 1)


def _lane(lanes: list[list[tuple[int, int]]], left: int, right: int) -> int | None:
    """The first lane in which there is room, which is then taken; None where there is none."""
    for n, taken in enumerate(lanes):
        if all(right <= start or left >= end for start, end in taken):
            taken.append((left, right))
            return n
    if len(lanes) == MOST_LANES:
        return None
    lanes.append([(left, right)])
    return len(lanes) - 1


def _place(one: Counted) -> tuple[bool, int, str, str]:
    first = one.event.onset.first
    return first is None, first or 0, one.event.case_id, one.event.event_id
