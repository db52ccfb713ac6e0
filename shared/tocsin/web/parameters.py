"""Parameters in the address or a header: moments of our time, and in words what is allowed where one was refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime

FIRST_YEAR, LAST_YEAR = 1970, 2099
"""Before them zones have offsets with seconds, which no date of CDISC can say; after them dates end (2100)."""

_A_TIME: Final = "a time with its offset, such as 2026-05-14T09:00:00+08:00"


def _of_years(first: int, last: int) -> AfterValidator:
    def within(moment: datetime) -> datetime:
        if not first <= moment.year <= last:
            raise ValueError(f"is of the year {moment.year}; allowed is {_A_TIME}, of the years {first} to {last}")
        return moment

    return AfterValidator(within)


Moment = Annotated[AwareDatetime, _of_years(2, 9998)]
"""An exact time with its offset. At the ends of all time no other zone could tell it."""

Instant = Annotated[AwareDatetime, _of_years(FIRST_YEAR, LAST_YEAR)]
"""The same, of the years in which days are counted and dates written."""

_KINDS: Final[Mapping[str, str]] = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "uuid": "a UUID, such as 6a3c1f0e-7b1d-5f0e-9c55-0d4b8f6c2a11",
    "datetime": _A_TIME,
    "timezone": _A_TIME,
    "date": "a date, such as 2026-05-14",
    "string": "text",
    "missing": "one value: it must be given",
}
"""By the first word of the kind of an error."""

_BOUNDS: Final[Mapping[str, str]] = {
    "greater_than_equal": "a number of {ge} or more",
    "greater_than": "a number greater than {gt}",
    "less_than_equal": "a number of {le} or less",
    "less_than": "a number less than {lt}",
    "string_too_long": "text, at most {max_length} characters",
    "string_too_short": "text, at least {min_length} characters",
    "string_pattern_mismatch": "text of the form {pattern}",
    "int_parsing_size": "a whole number of fewer digits",
}


def allowed(error: Mapping[str, Any]) -> str | None:
    """In words, from one error of the framework; None for a kind that says nothing of what would be right."""
    context = error.get("ctx", {})
    kind = str(error["type"])
    if kind == "value_error":  # Our own validators say what is allowed behind a semicolon.
        return str(error["msg"]).partition("; allowed is ")[2] or None
    if "expected" in context:
        return str(context["expected"])
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**context)
    return _KINDS.get(kind.partition("_")[0])


def problem(error: Mapping[str, Any]) -> str:
    """What is wrong, as the rest of the house says it."""
    said = str(error["msg"]).partition("; allowed is ")[0]
    return "is missing" if error["type"] == "missing" else said.removeprefix("Value error, ").removeprefix("Input ")
