"""How alike two names are by their letters: shared runs of three letters, the rare ones counting more.

The weight of a run is ln(1 + names / names that hold it), as in the inverse document frequency of text
retrieval; likeness is the cosine of the two weighted sets. No meaning is known here.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import Final

_RUN: Final = 3
_DIGITS: Final = 3
"""Likeness is rounded to this many digits before ranking, so that the order is the same on every machine."""


class LetterIndex:
    """Normalised names, ready to be ranked against a text. Built once, then only read."""

    def __init__(self, names: Sequence[str]) -> None:
        # In the order of the names, so that equally alike ones stand in that order.
        self._places = sorted(range(len(names)), key=lambda place: (names[place], place))
        runs_of = [runs(names[place]) for place in self._places]
        holders: dict[str, list[int]] = {}
        for row, found in enumerate(runs_of):
            for run in found:
                holders.setdefault(run, []).append(row)
        size = len(names)
        # The square of each weight is all that the cosine of two sets needs.
        self._holders = {run: (math.log(1 + size / len(rows)) ** 2, rows) for run, rows in holders.items()}
        self._unknown = (math.log(1 + size) ** 2, ())
        self._length = [math.sqrt(sum(self._holders[run][0] for run in found)) for found in runs_of]

    def nearest(self, text: str, top: int) -> tuple[tuple[int, float], ...]:
        """(place in `names`, likeness over 0 up to 1) of the names most alike; equals in the order of the names."""
        shared = [0.0] * len(self._places)
        square = 0.0
        for run in runs(text):
            weight, rows = self._holders.get(run, self._unknown)
            square += weight
            for row in rows:
                shared[row] += weight
        length = math.sqrt(square)
        scored = [
            (-round(weight / (length * self._length[row]), _DIGITS), row) for row, weight in enumerate(shared) if weight
        ]
        return tuple((self._places[row], -score) for score, row in heapq.nsmallest(top, scored) if score < 0)


def runs(text: str) -> tuple[str, ...]:
    """The different runs of three letters of each word, in the order they appear, blanks marking the edges.

    The order is fixed, so that sums are the same in every process.
    """
    found: dict[str, None] = {}
    for word in text.split():
        edged = f" {word} "
        for start in range(max(1, len(edged) - _RUN + 1)):
            found[edged[start : start + _RUN]] = None
    return tuple(found)
