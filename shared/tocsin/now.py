"""Time as an argument.

Only `app.py` and `__main__.py` of a service choose a source of time; everything below is handed one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Now = Callable[[], datetime]
"""Answers the present instant as an aware datetime in UTC."""


def wall() -> datetime:
    """The machine's clock, UTC."""
    return datetime.now(UTC)
