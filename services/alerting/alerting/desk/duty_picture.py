"""The turns of the days to come as a picture: a row for each person of each role, a bar for each turn. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from alerting.desk.role_words import role as in_words

WIDTH: Final = 1100
LEFT: Final = 176
_TOP, _ROW, _HEAD = 30, 28, 26
_NAME_MOST = 22


@dataclass(frozen=True, slots=True)
class Bar:
    """One turn. `kind`: rota, override or role; `says` the turn in words."""

    x: float
    width: float
    kind: str
    says: str


@dataclass(frozen=True, slots=True)
class Row:
    """A person in a role, or, with a name of None, the heading of a role; a role that nobody fills has a gap."""

    y: int
    label: str
    is_head: bool
    is_gap: bool
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """`days`: where each local midnight is, and its words."""

    width: int
    height: int
    left: int
    rows: tuple[Row, ...]
    days: tuple[tuple[float, str], ...]


_KINDS = {"an override": "override", "the rota": "rota"}


def picture(duties: Sequence[dict[str, Any]], at: datetime, days: int, zone: ZoneInfo) -> Picture:
    """The picture of duties as `call_plans.now_on_duty` gives them."""
    until = at + timedelta(days=days)
    scale = (WIDTH - LEFT) / (until - at).total_seconds()

    def place(moment: datetime) -> float:
        return round(LEFT + (moment - at).total_seconds() * scale, 1)

    rows: list[Row] = []
    y = _TOP
    for duty in duties:
        rows.append(Row(y, in_words(duty["role"]), is_head=True, is_gap=False, bars=()))
        y += _HEAD
        bars = _bars(duty, place, zone)
        for name, own in bars.items():
            label = name if len(name) <= _NAME_MOST else f"{name[: _NAME_MOST - 1]}…"
            rows.append(Row(y, label or "nobody", is_head=False, is_gap=not name, bars=tuple(own)))
            y += _ROW
    return Picture(WIDTH, y + 8, LEFT, tuple(rows), tuple(_midnights(at, until, zone, place)))


def _bars(duty: dict[str, Any], place: Any, zone: ZoneInfo) -> dict[str, list[Bar]]:
    found: dict[str, list[Bar]] = {}
    for turn in duty["turns"]:
        begins, ends = (datetime.fromisoformat(turn[name]) for name in ("begins", "ends"))
        for name in turn["people"] or [""]:
            says = f"{name or 'nobody'}: {_at(begins, zone)} to {_at(ends, zone)} ({turn['because']})"
            bar = Bar(
                place(begins), round(place(ends) - place(begins), 1), _KINDS.get(turn["because"], "role"), says
            )  # fmt: skip
            found.setdefault(name, []).append(bar)
    return found


def _midnights(at: datetime, until: datetime, zone: ZoneInfo, place: Any) -> list[tuple[float, str]]:
    found = []
    day = at.astimezone(zone).date() + timedelta(days=1)
    while (midnight := datetime.combine(day, time(), zone)) < until:
        found.append((place(midnight), f"{day:%a} {day.day}"))
        day += timedelta(days=1)
    return found


def _at(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"
