"""The regulatory clocks as versioned data: one TOML file a profile, and the reader that checks it.

What a rule means is in `tocsin.domain.clocks`; which profiles a study runs is in the study's own file.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from tocsin.domain.clocks import ClockRule, Trigger
from tocsin.errors import ProtocolError

_FIELDS = {"id", "recipient", "trigger", "days", "hours", "follows", "clause", "text", "confidence"}
_NEEDED = {"id", "recipient", "trigger", "clause", "text", "confidence"}
_CONFIDENCE = ("high", "medium", "low")


def profiles() -> tuple[str, ...]:
    """The profiles a study may name."""
    names = (f.name for f in resources.files(__package__).iterdir() if f.name.endswith(".toml"))
    return tuple(sorted(name.removesuffix(".toml").upper() for name in names))


@cache
def rules_of(profile: str) -> tuple[ClockRule, ...]:
    """The rules of one profile; ProtocolError names the file and the place that is wrong."""
    file = f"{profile.lower()}.toml"
    return read(resources.files(__package__).joinpath(file).read_text("utf-8"), file)


def read(text: str, file: str) -> tuple[ClockRule, ...]:
    """The rules in `text`; `file` is only for the errors."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise ProtocolError(f"{file}: not TOML: {wrong}") from None
    zone = ZoneInfo(table["zone"]) if "zone" in table else None
    found = tuple(_rule(row, n, table.get("profile", ""), zone, file) for n, row in enumerate(table.get("rule", []), 1))
    ids = [rule.id for rule in found]
    for rule in found:
        if ids.count(rule.id) > 1:
            raise ProtocolError(f"{file}: rule id {rule.id!r} stands twice; ids are unique in a profile")
        if rule.follows is not None and rule.follows not in ids:
            raise ProtocolError(f"{file}: rule {rule.id!r} follows {rule.follows!r}; known are {', '.join(ids)}")
    return found


def _rule(row: dict[str, Any], number: int, profile: str, zone: ZoneInfo | None, file: str) -> ClockRule:
    where = f"{file}: rule {number} ({row.get('id', 'without an id')})"
    if unknown := set(row) - _FIELDS:
        raise ProtocolError(f"{where}: unknown key {sorted(unknown)[0]!r}; allowed are {', '.join(sorted(_FIELDS))}")
    if lacking := _NEEDED - set(row):
        raise ProtocolError(f"{where}: key {sorted(lacking)[0]!r} is missing")
    if ("days" in row) == ("hours" in row):
        raise ProtocolError(f"{where}: exactly one of 'days' and 'hours' is needed")
    limit = row.get("days", row.get("hours"))
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise ProtocolError(f"{where}: the limit is {limit!r}; allowed is a whole number from 1")
    if row["trigger"] not in list(Trigger):
        raise ProtocolError(f"{where}: trigger {row['trigger']!r}; allowed are {', '.join(Trigger)}")
    if row["confidence"] not in _CONFIDENCE:
        raise ProtocolError(f"{where}: confidence {row['confidence']!r}; allowed are {', '.join(_CONFIDENCE)}")
    return ClockRule(
        id=row["id"],
        jurisdiction=profile,
        recipient=row["recipient"],
        trigger=Trigger(row["trigger"]),
        clause=row["clause"],
        text=row["text"],
        confidence=row["confidence"],
        zone=zone,
        days=row.get("days"),
        hours=row.get("hours"),
        follows=row.get("follows"),
    )
