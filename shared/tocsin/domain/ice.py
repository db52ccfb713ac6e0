"""The ICE score, 0 to 10 (rules.md 3.3): from its items, or as a total. A part of the items leaves a range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ITEMS: Final = {"orientation": 4, "naming": 3, "command": 1, "writing": 1, "attention": 1}
"""Each item with the points it gives at most: year, month, city, hospital; three objects; one for each of the rest."""

FULL: Final = sum(ITEMS.values())


@dataclass(frozen=True, slots=True)
class Ice:
    """One test as far as it is known. `score` is the total as stated.

    Raises ValueError for points that an item cannot give.
    """

    score: int | None = None
    orientation: int | None = None
    naming: int | None = None
    command: int | None = None
    writing: int | None = None
    attention: int | None = None

    def __post_init__(self) -> None:
        for name, most in {"score": FULL, **ITEMS}.items():
            points = getattr(self, name)
            if points is not None and not 0 <= points <= most:
                raise ValueError(f"ICE {name} is {points}; allowed is 0 to {most}")

    def bounds(self) -> tuple[int, int]:
        """The score at least and at most. Where the total contradicts its items, both are kept."""
        given = {name: getattr(self, name) for name in ITEMS}
        least = sum(points for points in given.values() if points is not None)
        most = least + sum(ITEMS[name] for name, points in given.items() if points is None)
        if self.score is None:
            return least, most
        if least <= self.score <= most:
            return self.score, self.score
        return min(least, self.score), max(most, self.score)

    def missing(self) -> tuple[str, ...]:
        """The items that would settle the score."""
        least, most = self.bounds()
        if least == most:
            return ()
        asked = tuple(f"ICE {name}" for name in ITEMS if getattr(self, name) is None)
        return ("ICE score",) if len(asked) in (0, len(ITEMS)) else asked

    def contradicts(self) -> bool:
        """Whether the total cannot be that of its items."""
        least, most = self.bounds()
        return self.score is not None and least != most
