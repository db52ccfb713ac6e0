"""The form of a file of clock rules, ours or a sponsor's: read whole, with everything that is wrong told at once.

What a rule means is in `tocsin.domain.clocks`. That a sponsor's file fits the rules it is laid over is found in
`own_rules`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tocsin.domain.clocks import ClockRule, DayZero, Trigger
from tocsin.errors import ProtocolError

COUNTS_FROM: Final = {
    Trigger.FATAL_LT_SUSAR: DayZero.FIRST_KNOWLEDGE,
    Trigger.OTHER_SUSAR: DayZero.FIRST_KNOWLEDGE,
    Trigger.ANY_SUSAR: DayZero.FIRST_KNOWLEDGE,
    Trigger.EXPECTED_FATAL_LT: DayZero.FIRST_KNOWLEDGE,
    Trigger.OTHER_RISK: DayZero.FIRST_KNOWLEDGE,
    Trigger.UPGRADE_AFTER_SUBMISSION: DayZero.NEW_INFORMATION,
    Trigger.SIGNIFICANT_FOLLOW_UP: DayZero.NEW_INFORMATION,
    Trigger.LATE_DETERMINATION: DayZero.DETERMINATION,
    Trigger.SITE_AWARE: DayZero.SITE_AWARENESS,
}
"""Which day zero each trigger has (rules.md 1.2 D1, D4, D5). A row may say it and may not change it."""

_HEAD = ("profile", "zone", "replaces_profile", "rule")
_FIELDS = {
    "id", "recipient", "trigger", "days", "hours", "follows", "clause", "text", "confidence", "day_zero", "valid_from",
    "copies", "strict_days",
}  # fmt: skip
_NEEDED = ("id", "recipient", "trigger", "clause", "text", "confidence")
_CONFIDENCE = ("high", "medium", "low")
_SUSARS = (Trigger.FATAL_LT_SUSAR, Trigger.OTHER_SUSAR, Trigger.ANY_SUSAR)
# A slip of the pen beyond a year would be a date far away, which nobody notices, or none at all.
_MOST = {"days": 366, "hours": 366 * 24}
# In place of an authority's zone, where a rule belongs to no authority: days are counted in the receiver's zone alone.
_RECEIVER = "receiver"
# Ids and profiles are joined by `;`, `=` and `|` elsewhere; and "cn" beside CN would be read as the same by a person.
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One file as it was read. `name` is for the errors; `replaces_profile`: nothing of ours in that profile stays."""

    name: str
    profile: str
    rules: tuple[ClockRule, ...]
    replaces_profile: bool = False

    def place(self, rule: ClockRule) -> str:
        """Where a rule of this file stands, for errors."""
        return f"{self.name}: rule {self.rules.index(rule) + 1} ({rule.id})"


def read(text: str, name: str) -> RuleFile:
    """The rules in `text`. ProtocolError has a line for each wrong place: file, rule, value and what is allowed."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as wrong:  # beside its own: a number of thousands of digits, and nesting
        raise ProtocolError(f"{name}: not TOML: {wrong}") from None
    rows = table.get("rule")
    found = [f"{name}: {problem}" for problem in _wrong_head(table)]
    if isinstance(rows, list):
        for n, row in enumerate(rows, 1):
            id_ = row.get("id", "without an id") if isinstance(row, dict) else row
            found += [f"{name}: rule {n} ({id_}): {problem}" for problem in _wrong_rule(row, "zone" in table)]
    if found:
        raise ProtocolError("\n".join(found))
    zone = _zone(table["zone"]) if "zone" in table else None
    rules = tuple(_rule(row, table["profile"], zone) for row in table["rule"])
    ids = [rule.id for rule in rules]
    if twice := sorted({i for i in ids if ids.count(i) > 1}):
        raise ProtocolError(
            "\n".join(f"{name}: rule id {i!r} stands twice; ids are unique in a profile" for i in twice)
        )
    return RuleFile(name, table["profile"], rules, table.get("replaces_profile", False))


def wrongly_followed(rules: Collection[ClockRule]) -> Iterable[tuple[ClockRule, str]]:
    """The rules of one profile that follow what they cannot, and why. A follow-up starts with what it follows."""
    known = {rule.id: rule for rule in rules}
    for rule in rules:
        if rule.follows is None:
            continue
        first = known.get(rule.follows)
        if first is None or first is rule:
            others = ", ".join(i for i in known if i != rule.id) or "none"
            yield rule, f"follows {rule.follows!r}; known are {others}"
        elif first.follows is not None:
            yield (
                rule,
                f"follows {first.id!r}, which itself follows {first.follows!r}; allowed is one that follows none",
            )
        elif first.trigger is not rule.trigger:
            yield rule, f"trigger is {rule.trigger}; allowed is {first.trigger}, as of {first.id!r} that it follows"
        elif first.days is not None and rule.days is not None and rule.days <= first.days:
            yield rule, f"the limit is {rule.days} days; allowed is more than the {first.days} of {first.id!r}"


def _wrong_head(table: dict[str, Any]) -> Iterable[str]:
    for key in table:
        if key not in _HEAD:
            yield f"unknown key {key!r}; allowed are {', '.join(_HEAD)}"
    yield from _wrong_text(table, "profile")
    yield from _wrong_name(table, "profile", "CN")
    if not isinstance(table.get("replaces_profile", False), bool):
        yield f"replaces_profile is {table['replaces_profile']!r}; allowed are true and false"
    if "zone" in table:
        try:
            _zone(table["zone"])
        except ValueError as wrong:
            yield str(wrong)
    if not isinstance(table.get("rule"), list) or not table["rule"]:
        yield "key 'rule' is missing or empty; allowed are one [[rule]] or more"


def _wrong_rule(row: Any, has_zone: bool) -> Iterable[str]:
    if not isinstance(row, dict):
        yield "it is no table; allowed is [[rule]] with its keys under it"
        return
    for key in sorted(set(row) - _FIELDS):
        yield f"unknown key {key!r}; allowed are {', '.join(sorted(_FIELDS))}"
    for key in _NEEDED:
        yield from _wrong_text(row, key)
    yield from _wrong_name(row, "id", "CN_SUSAR_7D")
    yield from _wrong_limit(row, has_zone)
    if "confidence" in row and row["confidence"] not in _CONFIDENCE:
        yield f"confidence {row['confidence']!r}; allowed are {', '.join(_CONFIDENCE)}"
    day = row.get("valid_from")
    if day is not None and (not isinstance(day, date) or isinstance(day, datetime)):
        yield f"valid_from is {day!r}; allowed is a date without quotes, such as 2018-05-01"
    if "follows" in row:
        yield from _wrong_text(row, "follows")
    if row.get("trigger") not in list(Trigger):
        if "trigger" in row:
            yield f"trigger {row['trigger']!r}; allowed are {', '.join(Trigger)}"
    else:
        yield from _wrong_for_trigger(row, Trigger(row["trigger"]))


def _wrong_limit(row: dict[str, Any], has_zone: bool) -> Iterable[str]:
    if ("days" in row) == ("hours" in row):
        yield "allowed is exactly one of 'days' and 'hours'"
        return
    unit = "days" if "days" in row else "hours"
    if not _is_whole(row[unit], _MOST[unit]):
        yield f"the limit is {row[unit]!r}; allowed is a whole number from 1 to {_MOST[unit]} {unit}"
    elif "strict_days" in row and "follows" in row and not _is_whole(row["strict_days"], row[unit]):
        yield f"strict_days is {row['strict_days']!r}; allowed is a whole number from 1 to the limit, {row[unit]}"
    if "strict_days" in row and "follows" not in row:
        yield "strict_days is only for a rule that 'follows' another: it counts from the day the first report was sent"
    if "follows" in row and unit == "hours":
        yield "a rule that 'follows' another is counted in days, from the day zero of both"
    if not has_zone and unit == "days":
        yield "'days' needs the authority's 'zone' at the head of the file, an IANA time zone"


def _wrong_for_trigger(row: dict[str, Any], trigger: Trigger) -> Iterable[str]:
    if trigger is Trigger.SITE_AWARE and "days" in row:
        yield f"trigger {trigger} counts 'hours' from the investigator's awareness; 'days' are not allowed"
    day_zero = row.get("day_zero", COUNTS_FROM[trigger])
    if day_zero not in list(DayZero):
        yield f"day_zero {day_zero!r}; allowed are {', '.join(DayZero)}"
    elif day_zero != COUNTS_FROM[trigger]:
        yield f"day_zero {day_zero!r}; trigger {trigger} counts from {COUNTS_FROM[trigger]}, nothing else is allowed"
    copies = row.get("copies", False)
    if not isinstance(copies, bool):
        yield f"copies is {copies!r}; allowed are true and false"
    elif copies and (trigger not in _SUSARS or "follows" in row):
        yield f"copies is true; allowed is that for a rule that follows none, with the trigger {', '.join(_SUSARS)}"


def _rule(row: dict[str, Any], profile: str, zone: ZoneInfo | None) -> ClockRule:
    trigger = Trigger(row["trigger"])
    return ClockRule(
        id=row["id"],
        jurisdiction=profile,
        recipient=row["recipient"],
        trigger=trigger,
        clause=row["clause"],
        text=row["text"],
        confidence=row["confidence"],
        zone=zone,
        days=row.get("days"),
        hours=row.get("hours"),
        follows=row.get("follows"),
        day_zero=COUNTS_FROM[trigger],
        valid_from=row.get("valid_from"),
        copies=row.get("copies", False),
        strict_days=row.get("strict_days"),
    )


def _is_whole(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _wrong_text(table: dict[str, Any], key: str) -> Sequence[str]:
    if key not in table:
        return [f"key {key!r} is missing; allowed is a text"]
    value = table[key]
    if not isinstance(value, str) or not value.strip():
        return [f"{key} is {value!r}; allowed is a text that is not empty"]
    return []


def _wrong_name(table: dict[str, Any], key: str, example: str) -> Sequence[str]:
    value = table.get(key)
    if isinstance(value, str) and value.strip() and _NAME.fullmatch(value) is None:
        return [f"{key} is {value!r}; allowed are capital letters, digits and _, such as {example}"]
    return []


def _zone(name: Any) -> ZoneInfo | None:
    if name == _RECEIVER:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, AttributeError, OSError):
        raise ValueError(
            f"zone is {name!r}; allowed is the name of an IANA time zone, such as Asia/Shanghai, "
            'or "receiver" where the rules belong to no authority'
        ) from None
