"""Instants as the API writes them: in UTC, ending in Z, such as "2026-05-14T04:00:00Z"."""

from __future__ import annotations

from datetime import datetime
from typing import overload


@overload
def text(at: datetime) -> str: ...


@overload
def text(at: None) -> None: ...


def text(at: datetime | None) -> str | None:
    """None stays None: what has not happened has no time."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")
