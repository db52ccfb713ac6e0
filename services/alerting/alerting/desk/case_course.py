"""How the grades of a case went, drawn by day: one line for each event and scale, with a table behind the picture.

A line is a range where the facts leave several grades. Where nothing says when a grade began it is left to the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerting.desk.dose_times import Times

LEFT, RIGHT, TOP, BOTTOM = 52, 740, 24, 184
_SCALES = {"ctcae": "CTCAE", "astct": "ASTCT", "iec_hs": "IEC-HS", "icaht": "ICAHT"}


@dataclass(frozen=True, slots=True)
class Mark:
    """One change of a grade. `grade` is the highest that the facts leave."""

    x: float
    y: float
    grade: int


@dataclass(frozen=True, slots=True)
class Line:
    """One event on one scale. `dash`: which of the patterns it has, so that no colour is needed."""

    name: str
    path: str
    marks: tuple[Mark, ...]
    dash: int
    end_x: float
    end_y: float


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table."""

    name: str
    grade: str
    since: str
    said: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The chart. `days`: (x, the day since the infusion or the date); `now_x`: None where it lies outside."""

    lines: tuple[Line, ...]
    days: tuple[tuple[float, str], ...]
    rows: tuple[tuple[float, str], ...]
    now_x: float | None
    axis: str
    told: str
    steps: tuple[Step, ...]


def picture(events: Sequence[dict[str, Any]], names: dict[str, str], started: datetime | None, times: Times) -> Picture:
    """The courses of these events. `names`: what each event is called; `started`: the infusion, for the days."""
    courses = [(names[event["event_id"]], course) for event in events for course in event["courses"]]
    dated = [datetime.fromisoformat(step["from"]["earliest"]) for _, course in courses
             for step in course["steps"] if step["from"]]  # fmt: skip
    first, last = min([*dated, times.now], default=times.now), max([*dated, times.now], default=times.now)
    first_day = first.astimezone(times.zone).date()
    days = max((last.astimezone(times.zone).date() - first_day).days, 1)
    start = times.start_of(first_day.isoformat())

    def x_of(at: datetime) -> float:
        share = (at - start).total_seconds() / (days + 1) / 86400
        return round(LEFT + min(max(share, 0), 1) * (RIGHT - LEFT), 1)

    lines = tuple(_line(name, course, n, x_of, times.now) for n, (name, course) in enumerate(courses))
    base = None if started is None else started.astimezone(times.zone).date()
    every = max(1, -(-days // 14))
    labels = tuple(
        (round(LEFT + n / (days + 1) * (RIGHT - LEFT), 1), _day_label(n, first_day, base))
        for n in range(0, days + 1, every)
    )
    return Picture(
        tuple(line for line in lines if line.path), labels,
        tuple((_y(grade), "None" if grade == 0 else f"G{grade}") for grade in range(6)),
        x_of(times.now), "Day since the infusion" if base is not None else "Date",
        ". ".join(f"{name}, {_scale(course)}: {_told(course)}" for name, course in courses) or "No grade is known.",
        tuple(step for name, course in courses for step in _steps(name, course, times)),
    )  # fmt: skip


def _line(name: str, course: dict[str, Any], number: int, x_of: Any, now: datetime) -> Line:
    path, marks, y = "", [], _y(0)
    for step in course["steps"]:
        if step["from"] is None or step["highest"] is None:
            continue
        x = x_of(datetime.fromisoformat(step["from"]["earliest"]))
        y = _y(step["highest"])
        path += f"M{x} {y}" if not path else f"H{x}V{y}"
        if not step["is_end"]:
            marks.append(Mark(x, y, step["highest"]))
    end = x_of(now)
    return Line(f"{name}, {_scale(course)}", f"{path}H{end}" if path else "", tuple(marks), number % 4, end, y)


def _steps(name: str, course: dict[str, Any], times: Times) -> list[Step]:
    return [
        Step(
            f"{name}, {_scale(course)}", _grade(step),
            "not known" if step["from"] is None else times.moment(step["from"]["earliest"]),
            times.sentence(step["said"]),
        )
        for step in course["steps"]
    ]  # fmt: skip


def _told(course: dict[str, Any]) -> str:
    return ", then ".join(_grade(step) for step in course["steps"])


def _grade(step: dict[str, Any]) -> str:
    if step["is_end"]:
        return "ended"
    low, high = step["lowest"], step["highest"]
    return f"grade {low}" if low == high else f"grade {low} to {high}"


def _scale(course: dict[str, Any]) -> str:
    return _SCALES.get(course["scale"], str(course["scale"]))


def _y(grade: int) -> float:
    return round(BOTTOM - grade / 5 * (BOTTOM - TOP), 1)


def _day_label(n: int, first: Any, base: Any) -> str:
    from datetime import timedelta

    day = first + timedelta(days=n)
    return str((day - base).days) if base is not None else f"{day.day} {day:%b}"
