"""A word that nobody knows, and the one known word it is surely a slip of.

Only words of five letters or more are mended, with one slip (a letter too many, too few, wrong, or two changed places)
or, from seven letters, two, where both have the same consonants: "diahrea" is diarrhea, "sweating" is not swelling.
Where a second word is about as near, the slip stays: hypertension and hypotension are two letters apart, and one of
them is the other's opposite.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

_SHORTEST: Final = 5
_TWO_SLIPS_FROM: Final = 7
_OPPOSITES: Final = ("hypo", "hyper", "brady", "tachy", "intra", "inter")
_TWO: Final = 2
_VOWELS: Final = frozenset("aeiouy")
_REMEMBERED: Final = 16_384


class Spelling:
    """The known words; `meaning` says of two whether they mean the same, so that neither stands in the other's way."""

    def __init__(self, words: Iterable[str], meaning: Callable[[str], object] = lambda word: word) -> None:
        self._meaning = meaning
        self._known = frozenset(word for word in words if len(word) >= _SHORTEST - 1 and word.isalpha())
        self._shelves: dict[tuple[str, int], list[str]] = {}
        for word in sorted(self._known):
            self._shelves.setdefault((word[0], len(word)), []).append(word)
        self.mend = functools.lru_cache(_REMEMBERED)(self._mend)

    def _mend(self, word: str) -> str | None:
        """The word that was meant; None where it is known already, too short, or not sure."""
        if len(word) < _SHORTEST or not word.isascii() or not word.isalpha() or word in self._known:
            return None
        most = 2 if len(word) >= _TWO_SLIPS_FROM else 1
        shelves = [
            self._shelves.get((first, length), [])
            for first in dict.fromkeys((word[0], word[1]))  # the first two letters may have changed places
            for length in range(len(word) - most - 1, len(word) + most + 2)
        ]
        near = sorted(
            (slips, other)
            for shelf in shelves
            if shelf
            for other, slips, _ in process.extract(word, shelf, scorer=OSA.distance, score_cutoff=most + 1, limit=None)
        )
        if not near or near[0][0] > most:
            return None
        best, meant = near[0]
        if best == _TWO and _consonants(meant) != _consonants(word):
            return None
        said = self._meaning(meant)
        rivals = [
            other
            for slips, other in near[1:]
            if slips <= best + (_begins(other) != _begins(meant)) and self._meaning(other) != said
        ]
        return None if rivals else meant


def _begins(word: str) -> str | None:
    """The beginning that turns a word into its opposite."""
    return next((one for one in _OPPOSITES if word.startswith(one)), None)


def _consonants(word: str) -> frozenset[str]:
    return frozenset(word) - _VOWELS
