"""Whether what a page shows is part of what really comes. Times and addresses differ from run to run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_DAY = r"\d{4}-\d\d-\d\d"
_CLOCK = r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?"
_TIME = re.compile(rf"{_DAY}(?:[T ]{_CLOCK}(?:Z|[+-]\d\d:\d\d)?)?|\bhttp://127\.0\.0\.1:\d+")
_SPOKEN = re.compile(rf"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d+ [A-Z][a-z]{{2}} \d{{4}}\b|\b{_CLOCK}\b|{_TIME.pattern}")


def not_in(shown: Any, real: Any, at: str = "") -> list[str]:
    """Where what is shown is not part of what came. A list may be shown in part, but none as if it were empty."""
    if isinstance(shown, dict) and isinstance(real, Mapping):
        return [
            wrong
            for name, value in shown.items()
            for wrong in (not_in(value, real[name], f"{at}/{name}") if name in real else [f"{at}/{name} is not there"])
        ]
    if isinstance(shown, list) and isinstance(real, list):
        if not shown and real:
            return [f"{at} is not empty"]
        return [f"{at}/{n} is not there" for n, one in enumerate(shown) if all(not_in(one, other) for other in real)]
    if isinstance(shown, str) and isinstance(real, str):
        return [] if _TIME.sub("…", shown) == _TIME.sub("…", real) else [f"{at}: {shown!r} is {real!r}"]
    return [] if (shown, type(shown)) == (real, type(real)) else [f"{at}: {shown!r} is {real!r}"]


def lines_not_in(shown: str, real: str) -> list[str]:
    """The lines that are shown and did not come."""
    came = {_SPOKEN.sub("…", line.strip()) for line in real.splitlines()}
    return [line for line in shown.splitlines() if _SPOKEN.sub("…", line.strip()) not in came]
