"""What every design answers with, what it refuses, and where in the dose range it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final, TypeAlias

Parameters: TypeAlias = tuple[tuple[str, str], ...]
"""The numbers that a design was run with, by name and as they are written: with them anybody can run it again."""

WAIT: Final = "WAIT"
"""Nothing is decided while somebody's window is open (rules.md 5.4)."""


class Impossible(ValueError):
    """Numbers that cannot be. Says all that is wrong with them, and what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))


class Position(StrEnum):
    """Where a dose stands among the planned ones."""

    LOWEST = "lowest"
    MIDDLE = "middle"
    HIGHEST = "highest"

    @classmethod
    def of(cls, level: int, levels: int) -> Position:
        """The position of one of several levels, counted from 1."""
        if levels < 2 or not 1 <= level <= levels:
            raise Impossible([f"level {level} of {levels}; allowed is a level from 1 to the last of at least two"])
        if level == 1:
            return cls.LOWEST
        return cls.HIGHEST if level == levels else cls.MIDDLE


@dataclass(frozen=True, slots=True)
class Pending:
    """Subjects at the dose who are infused and not yet evaluable, and when the last of them will be, where known."""

    subjects: int = 0
    earliest_on: date | None = None


NOBODY: Final = Pending()


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision in the words of its design, what follows from it, why, and the parameters it rests on."""

    decision: str
    next_action: str
    reasons: tuple[str, ...]
    parameters: Parameters


def waiting(pending: Pending, parameters: Parameters, *reasons: str) -> Decision:
    """The decision to wait for those who are pending."""
    until = f", {pending.earliest_on.isoformat()} at the earliest" if pending.earliest_on else ""
    return Decision(
        WAIT,
        f"wait for {pending.subjects} pending{until}",
        (*reasons, "a decision only when every subject at the dose is evaluable or replaced"),
        parameters,
    )


def wrong_counts(n: int, dlt: int, pending: int = 0, *, most: int | None = None, least: int = 0) -> list[str]:
    """What is impossible in counts of subjects at one dose."""
    allowed = f"{least} to {most}" if most is not None else f"{least} or more"
    problems = [] if least <= n and (most is None or n <= most) else [f"{n} evaluable; allowed is {allowed}"]
    if not 0 <= dlt <= max(n, 0):
        problems.append(f"{dlt} with a DLT of {n} evaluable; allowed is 0 to {max(n, 0)}")
    if pending < 0:
        problems.append(f"{pending} pending; allowed is 0 or more")
    return problems


def position_of(word: str) -> Position:
    """A position by its word. Raises Impossible."""
    try:
        return Position(word)
    except ValueError:
        raise Impossible([f"position is {word!r}; allowed are {', '.join(Position)}"]) from None


def told(number: Fraction, places: int = 6) -> str:
    """A fraction in decimal figures, without the zeros at its end: exact where it ends within `places`."""
    whole = f"{float(number):.{places}f}".rstrip("0")
    return f"{whole}0" if whole.endswith(".") else whole
