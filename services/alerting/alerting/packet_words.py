"""How a dose-review packet puts things: moments in two zones, the words of a state, the definition in sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from tocsin.domain.board.holds import Kind
from tocsin.domain.dlt.definition import DltDefinition, DltRule, Exclusion

_STATES: Final = {
    "none": "no rule names it",
    "NOT_DLT": "no DLT (advisory)",
    "POTENTIAL_DLT": "potential DLT",
    "PENDING_DURATION": "pending its duration",
    "MET_BY_RULE": "met by rule, not signed",
    "CONFIRMED": "confirmed DLT, signed",
    "REJECTED": "rejected, signed",
}
_STATUSES: Final = {
    "enrolled": "enrolled, not infused",
    "pending": "pending",
    "evaluable_without_dlt": "evaluable, no DLT",
    "dlt": "DLT",
    "not_evaluable": "not evaluable, replaced",
}


def moment(at: str | datetime | None, zone: tzinfo) -> str:
    """An instant in a zone and in UTC; "not known" where there is none."""
    if at is None:
        return "not known"
    known = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return f"{_written(known.astimezone(zone))} {zone} ({_written(known.astimezone(UTC))} UTC)"


def _written(at: datetime) -> str:
    """To the minute, and finer only where there is something finer."""
    precision = "minutes" if not (at.second or at.microsecond) else "seconds" if not at.microsecond else "microseconds"
    return at.replace(tzinfo=None).isoformat(" ", timespec=precision)


def state(word: str) -> str:
    """The state of a verdict as a physician says it."""
    return _STATES[word]


def status(word: str) -> str:
    """What a subject counts as."""
    return _STATUSES[word]


def spaced(word: str) -> str:
    """A word of the code as people write it: `second_dlt` is "second dlt"."""
    return word.replace("_", " ")


def keyed(key: str) -> str:
    """The key of a verdict: an event's id, or what was measured and the day on which it began."""
    return " since ".join(key.split("|"))


def listed(names: list[str] | str) -> str:
    """Names in a row, or a dash for none."""
    return names if isinstance(names, str) else ", ".join(names) or "–"


def ending(hold: Mapping[str, Any], zone: tzinfo) -> str:
    """How a hold ended, or will: a stagger on its date, two levels at once with the window, the rest by signature."""
    if hold["lifted"] is not None:
        lifted = hold["lifted"]
        return f"lifted by {listed(lifted['by'])}, {moment(lifted['at'], zone)}: {lifted['reason']}"
    if hold["ends_on"] is not None:
        return f"by itself: the first date on which it no longer holds is {hold['ends_on']}"
    if hold["kind"] == Kind.PARALLEL:
        return "by itself, when the subjects at the other level have completed the window"
    if hold["kind"] == Kind.REVIEW:
        return "by the committee's signed review"
    until = "" if hold["decide_by"] is None else f", to be decided by {moment(hold['decide_by'], zone)}"
    asked = "" if hold["asked_for"] else "; the facts no longer ask for it"
    return f"by signature{until}{asked}"


def known(value: object) -> str:
    """A value, or that it is not known."""
    return "not known" if value is None else str(value)


FILTERS: Final[Mapping[str, Callable[..., str]]] = {
    "moment": moment, "state": state, "status": status, "spaced": spaced, "listed": listed, "known": known,
    "ending": ending, "keyed": keyed,
}  # fmt: skip


def definition(found: DltDefinition) -> dict[str, Any]:
    """The definition of the study as people read it, whole."""
    return {
        "id": found.id,
        "status": found.status,
        "window_days": found.window_days,
        "day_base": found.day_base,
        "rules": [_rule(one) for one in found.rules],
        "exclusions": [_exclusion(one) for one in found.exclusions],
    }


def _rule(one: DltRule) -> dict[str, Any]:
    return {
        "id": one.id, "text": one.text, "limit_hours": _hours(one.longer_than), "strict_hours": _hours(one.strict),
        "needs_relation": one.needs_relation, "exclusions": sorted(one.exclusions),
    }  # fmt: skip


def _exclusion(one: Exclusion) -> dict[str, Any]:
    return {
        "id": one.id, "text": one.text, "within_hours": _hours(one.within),
        "needs": sorted(need.value for need in one.needs),
    }  # fmt: skip


def _hours(limit: timedelta | None) -> str | None:
    return None if limit is None else f"{limit.total_seconds() / 3600:g}"
