"""What became of one try: three answers, and nothing in between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Delivered:
    """The other side has taken it. `note` says how it answered; it holds nothing of what was sent."""

    note: str


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Not taken, and waiting may help. `after`: not before that long, where the other side said so."""

    why: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Not taken, and waiting does not help. `disable`: this address wants no more at all."""

    why: str
    disable: bool = False


Outcome = Delivered | TryAgain | GiveUp
