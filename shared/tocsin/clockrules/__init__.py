"""The regulatory clocks as versioned data: one TOML file a profile, and the reader that checks it.

What a rule means is in `tocsin.domain.clocks`; which profiles a study runs is in the study's own file.
"""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tocsin.domain.clocks import ClockRule, DayZero, Trigger
from tocsin.errors import ProtocolError

_HEAD = ("profile", "zone", "rule")
_FIELDS = {
    "id", "recipient", "trigger", "days", "hours", "follows", "clause", "text", "confidence", "day_zero", "valid_from",
}  # fmt: skip
_NEEDED = ("id", "recipient", "trigger", "clause", "text", "confidence")
_CONFIDENCE = ("high", "medium", "low")
# In place of an authority's zone, where a rule belongs to no authority: days are counted in the receiver's zone alone.
_RECEIVER = "receiver"


def profiles() -> tuple[str, ...]:
    """The profiles a study may name."""
    names = (f.name for f in resources.files(__package__).iterdir() if f.name.endswith(".toml"))
    return tuple(sorted(name.removesuffix(".toml").upper() for name in names))


@cache
def rules_of(profile: str) -> tuple[ClockRule, ...]:
    """The rules of one profile; ProtocolError names the file and the place that is wrong."""
    if profile not in profiles():
        raise ProtocolError(f"clock profile {profile!r} is not known; allowed are {', '.join(profiles())}")
    file = f"{profile.lower()}.toml"
    found = read(resources.files(__package__).joinpath(file).read_text("utf-8"), file)
    if found[0].jurisdiction != profile:
        raise ProtocolError(
            f"{file}: profile is {found[0].jurisdiction!r}; allowed is {profile!r}, as the file is named"
        )
    return found


def read(text: str, file: str) -> tuple[ClockRule, ...]:
    """The rules in `text`; `file` is only for the errors."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise ProtocolError(f"{file}: not TOML: {wrong}") from None
    for key in table:
        if key not in _HEAD:
            raise ProtocolError(f"{file}: unknown key {key!r}; allowed are {', '.join(_HEAD)}")
    profile = _text(table, "profile", file)
    rows = table.get("rule")
    if not isinstance(rows, list) or not rows:
        raise ProtocolError(f"{file}: key 'rule' is missing or empty; allowed are one [[rule]] or more")
    zone = _zone(table["zone"], file) if "zone" in table else None
    found = tuple(_rule(row, n, profile, zone, "zone" in table, file) for n, row in enumerate(rows, 1))
    ids = [rule.id for rule in found]
    for rule in found:
        if ids.count(rule.id) > 1:
            raise ProtocolError(f"{file}: rule id {rule.id!r} stands twice; ids are unique in a profile")
        if rule.follows is not None and rule.follows not in ids:
            raise ProtocolError(f"{file}: rule {rule.id!r} follows {rule.follows!r}; known are {', '.join(ids)}")
    return found


def _rule(
    row: dict[str, Any], number: int, profile: str, zone: ZoneInfo | None, has_zone: bool, file: str
) -> ClockRule:
    where = f"{file}: rule {number} ({row.get('id', 'without an id')})"
    if unknown := set(row) - _FIELDS:
        raise ProtocolError(f"{where}: unknown key {sorted(unknown)[0]!r}; allowed are {', '.join(sorted(_FIELDS))}")
    for key in _NEEDED:
        _text(row, key, where)
    if ("days" in row) == ("hours" in row):
        raise ProtocolError(f"{where}: allowed is exactly one of 'days' and 'hours'")
    limit = row.get("days", row.get("hours"))
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise ProtocolError(f"{where}: the limit is {limit!r}; allowed is a whole number from 1")
    if not has_zone and "days" in row:
        raise ProtocolError(f"{where}: 'days' needs the authority's 'zone' at the head of the file, an IANA time zone")
    if row["trigger"] not in list(Trigger):
        raise ProtocolError(f"{where}: trigger {row['trigger']!r}; allowed are {', '.join(Trigger)}")
    if row["confidence"] not in _CONFIDENCE:
        raise ProtocolError(f"{where}: confidence {row['confidence']!r}; allowed are {', '.join(_CONFIDENCE)}")
    if "day_zero" in row and row["day_zero"] not in list(DayZero):
        raise ProtocolError(f"{where}: day_zero {row['day_zero']!r}; allowed are {', '.join(DayZero)}")
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
        day_zero=DayZero(row["day_zero"]) if "day_zero" in row else None,
        valid_from=_valid_from(row, where),
    )


def _valid_from(row: dict[str, Any], where: str) -> date | None:
    value = row.get("valid_from")
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    raise ProtocolError(f"{where}: valid_from is {value!r}; allowed is a date without quotes, such as 2018-05-01")


def _text(table: dict[str, Any], key: str, where: str) -> str:
    if key not in table:
        raise ProtocolError(f"{where}: key {key!r} is missing; allowed is a text")
    value = table[key]
    if not isinstance(value, str) or not value.strip():
        raise ProtocolError(f"{where}: {key} is {value!r}; allowed is a text that is not empty")
    return value


def _zone(name: Any, file: str) -> ZoneInfo | None:
    if name == _RECEIVER:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, AttributeError, OSError):
        raise ProtocolError(
            f"{file}: zone is {name!r}; allowed is the name of an IANA time zone, such as Asia/Shanghai, "
            'or "receiver" where the rules belong to no authority'
        ) from None
