"""Where everything stands in the swimmer plot: a row for each subject in order of infusion, the study days across.

Solid is what has passed, hatched what is still to come. A ring is a DLT, a dashed ring a potential one; the shape
inside says the grade. The table beside the plot holds the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from alerting.desk import dose_words
from tocsin.domain.dlt.verdict import State

LEFT, WIDTH, RIGHT = 236, 690, 220
ROW, TOP = 38, 30
_APART: Final = 32
_OCTAGON: Final = "-5,-12 5,-12 12,-5 12,5 5,12 -5,12 -12,5 -12,-5"
SHAPES: Final = {3: "0,-13 13,0 0,13 -13,0", 4: _OCTAGON, 5: "0,-14 14,10 -14,10"}
"""The corners of a grade's shape about its middle; 1 is a circle and 2 a square."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """One verdict on a row. `ring`: "dlt", "potential" or nothing."""

    x: int
    ring: str
    grade: int | None
    said: str
    day: int

    @property
    def corners(self) -> str:
        return SHAPES.get(self.grade or 0, "")


@dataclass(frozen=True, slots=True)
class Row:
    """One subject. `seen` and `rest` are (x, width) in the plot; None: there are no such days, or nobody knows."""

    y: int
    subject: str
    level: str
    status: str
    is_alarming: bool
    seen: tuple[int, int] | None
    rest: tuple[int, int] | None
    note: str
    is_ended: bool
    marks: tuple[Mark, ...]
    off_axis: tuple[str, ...]
    days_seen: str
    days_left: str


@dataclass(frozen=True, slots=True)
class Plot:
    """The whole plot: its size, its lines (x, label), and its rows."""

    width: int
    height: int
    ticks: tuple[tuple[int, str], ...]
    rows: tuple[Row, ...]

    @property
    def foot(self) -> int:
        return self.height - 26


@dataclass(frozen=True, slots=True)
class Axis:
    """The study days from `first` to `last` across the plot."""

    first: int
    last: int

    def x(self, day: float) -> int:
        return LEFT + round(WIDTH * (day - self.first) / max(self.last - self.first, 1))

    def ticks(self) -> tuple[tuple[int, str], ...]:
        weeks = [day for day in range(7, self.last, 7) if day > self.first]
        ends = ((self.x(self.first), "Infusion"), (self.x(self.last), f"Day {self.last}"))
        return (ends[0], *((self.x(day), f"Day {day}") for day in weeks), ends[1])


def in_order(subjects: Iterable[Json]) -> list[Json]:
    """Subjects in order of infusion, whoever is not infused last."""
    return sorted(subjects, key=lambda one: (one["infused_at"] is None, one["infused_at"] or "", one["subject"]))


def plot(subjects: Sequence[Json], judged: Mapping[str, Sequence[Json]], axis: Axis) -> Plot:
    """The plot of these subjects with what is judged of each."""
    rows = [
        _row(one, judged.get(one["subject"], ()), axis, TOP + ROW * n) for n, one in enumerate(in_order(subjects))
    ]  # fmt: skip
    return Plot(LEFT + WIDTH + RIGHT, TOP + ROW * len(rows) + 30, axis.ticks(), tuple(rows))


def _row(one: Json, judged: Sequence[Json], axis: Axis, y: int) -> Row:
    day, note, is_ended = _day(one, axis)
    until = None if day is None else min(max(day, axis.first), axis.last)
    seen = None if until is None else (axis.x(axis.first), axis.x(until) - axis.x(axis.first))
    rest = None if until is None or is_ended or until >= axis.last else _rest(axis, until)
    rings = {ring(verdict) for verdict in judged}
    marks, off = _marks(judged, axis)
    is_over = until is not None and until >= axis.last
    return Row(
        y=y,
        subject=one["subject"],
        level=one["level"] or "no level",
        status="Potential DLT" if "potential" in rings and "dlt" not in rings else dose_words.status(one),
        is_alarming=bool(rings & {"dlt", "potential"}),
        seen=seen,
        rest=rest,
        note="" if is_over else note,
        is_ended=is_ended,
        marks=marks,
        off_axis=off,
        days_seen="not known" if until is None else f"to day {until}",
        days_left="not known" if until is None else "0" if rest is None else str(axis.last - until),
    )


def _rest(axis: Axis, day: int) -> tuple[int, int]:
    return axis.x(day), axis.x(axis.last) - axis.x(day)


def _day(one: Json, axis: Axis) -> tuple[int | None, str, bool]:
    """The study day up to which a subject was seen, what to say of it, and whether the subject died or left then.

    None where the day cannot be said.
    """
    if one["infused_at"] is None or one["status"] == "enrolled":
        return None, "not infused" if one["status"] == "enrolled" else "the start of infusion is not known", False
    if one["window_day"] is None:
        return None, "the day of infusion is not known", False
    calendar = one["follow_up"]
    if calendar is not None and calendar["ended"] and calendar["last_contact"] and calendar["infused_on"]:
        days = date.fromisoformat(calendar["last_contact"]) - date.fromisoformat(calendar["infused_on"])
        last = min(axis.first + days.days, one["window_day"])
        return last, f"{calendar['ended']}", True
    return one["window_day"], f"today, day {one['window_day']}", False


def ring(verdict: Json) -> str:
    """Which ring a verdict has. What meets its rule is ringed like a DLT: it counts until a physician decides."""
    state = State(verdict["state"])
    return "dlt" if state.counts else "potential" if state.is_open else ""


def _marks(judged: Sequence[Json], axis: Axis) -> tuple[tuple[Mark, ...], tuple[str, ...]]:
    """Marks at the day of onset, those of one day beside each other; and what lies outside the axis, in words."""
    found: list[Mark] = []
    off: list[str] = []
    for one in judged:
        state, day = State(one["state"]), one["window_day"]
        if state is State.NONE:
            continue
        said = f"{dose_words.named(one)}: {dose_words.STATES[state]}"
        if day is None or not axis.first <= day <= axis.last:
            off.append(f"{said}, {'day not known' if day is None else f'day {day}'}")
            continue
        beside = sum(1 for mark in found if mark.day == day)
        found.append(Mark(axis.x(day) + beside * _APART, ring(one), one["grade"], said, day))
    return tuple(found), tuple(off)
