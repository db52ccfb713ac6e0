"""Which names are like a text: shared runs of letters and shared concepts, the rare ones counting more.

A name is the set of its runs of three letters and its concepts; each weighs ln(1 + names / names that hold it), a
concept twice as much; likeness is the cosine of the two weighted sets. The search is exact for the names that share
the rarest features of the text, as far as a fixed number of entries reaches: that bounds the time of one search in a
dictionary of any size. The arrays are plain, so that they are kept as bytes and used as they are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RUN: Final = 3
_CONCEPT: Final = "\x01"
"""Before a concept, so that it is never a run of letters."""
_CONCEPT_COUNTS: Final = 2.0
_ENTRIES: Final = 4_000
"""How many entries of the rarest features are looked through at most (and the rarest two features always)."""
_BY_CONCEPTS: Final = 0.9
_ALWAYS: Final = 2
_RESCORED: Final = 128
_AT_ONCE: Final = 64
_NAME_BITS: Final = 20
_QUERY_BITS: Final = 44
"""The weight of an entry is below the first, the name below the second, the query above."""
_DIGITS: Final = 3
"""Likeness is rounded to this many digits before ranking, so that the order is the same on every machine."""


@dataclass(frozen=True, slots=True)
class Arrays:
    """An index as plain arrays. `names` of feature i are `holders[starts[i]:starts[i + 1]]`, in both directions."""

    features: tuple[str, ...]
    starts: NDArray[np.int32]
    holders: NDArray[np.int32]
    name_starts: NDArray[np.int32]
    name_features: NDArray[np.int32]


class Retrieval:
    """Names ready to be searched. Safe to share between threads: each search has a board of its own."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays: Final = arrays
        self._places = {feature: place for place, feature in enumerate(arrays.features)}
        self._size = len(arrays.name_starts) - 1
        held = np.diff(arrays.starts)
        weights = np.log1p(self._size / np.maximum(held, 1))
        is_concept = np.fromiter((f[0] == _CONCEPT for f in arrays.features), dtype=bool, count=len(arrays.features))
        self._weights = np.where(is_concept, weights * _CONCEPT_COUNTS, weights) ** 2
        self._unknown = float(np.log1p(self._size)) ** 2
        sums = np.concatenate([[0.0], np.cumsum(self._weights[arrays.name_features])])
        self._lengths = np.sqrt(np.maximum(np.diff(sums[arrays.name_starts]), 1e-9))
        self._concept_weights = np.where(is_concept, self._weights, 0.0)
        sums = np.concatenate([[0.0], np.cumsum(self._concept_weights[arrays.name_features])])
        self._concept_lengths = np.sqrt(np.maximum(np.diff(sums[arrays.name_starts]), 1e-9))
        self._shortness = 1.0 / self._lengths
        self._held = held
        self._whole_weights = np.minimum(self._weights * 64, (1 << _NAME_BITS) - 1).astype(np.int64)

    def nearest(self, asked: Sequence[tuple[str, str]], top: int) -> list[list[tuple[int, float]]]:
        """For each (normal form, key): (place of the name, likeness over 0 up to 1) of the names most alike.

        Equals stand in the order of the names. Many are asked at once, as the arrays are walked once for all of them.
        """
        found: list[list[tuple[int, float]]] = []
        for begin in range(0, len(asked), _AT_ONCE):
            found.extend(self._portion(asked[begin : begin + _AT_ONCE], top))
        return found

    def _portion(self, asked: Sequence[tuple[str, str]], top: int) -> Iterator[list[tuple[int, float]]]:
        whose: list[int] = []
        which: list[int] = []
        squares, of_concepts = np.zeros(len(asked)), np.zeros(len(asked))
        for query, (text, key) in enumerate(asked):
            for feature in features(text, key):
                place = self._places.get(feature)
                if place is None:
                    is_concept = feature[0] == _CONCEPT
                    squares[query] += self._unknown * (_CONCEPT_COUNTS**2 if is_concept else 1.0)
                    of_concepts[query] += self._unknown * _CONCEPT_COUNTS**2 if is_concept else 0.0
                else:
                    whose.append(query)
                    which.append(place)
        queries, places = np.array(whose, dtype=np.int64), np.array(which, dtype=np.int64)
        squares += np.bincount(queries, weights=self._weights[places], minlength=len(asked))
        of_concepts += np.bincount(queries, weights=self._concept_weights[places], minlength=len(asked))
        owners, names = self._candidates(queries, places)
        shared, concepts = self._shared(owners, names, queries, places, len(asked))
        # The same concepts in other letters, as in another language, are alike by their concepts alone.
        by_all = shared / (np.sqrt(squares)[owners] * self._lengths[names])
        by_concepts = concepts / (np.sqrt(np.maximum(of_concepts, 1e-9))[owners] * self._concept_lengths[names])
        likeness = np.round(np.maximum(by_all, _BY_CONCEPTS * by_concepts), _DIGITS)
        bounds = np.searchsorted(owners, np.arange(len(asked) + 1))
        for begin, end in pairwise(bounds.tolist()):
            # Names are in their order already, and a stable sort leaves equals so.
            order = np.argsort(-likeness[begin:end], kind="stable")[: max(top, 0)] + begin
            yield [
                (name, score)
                for name, score in zip(names[order].tolist(), likeness[order].tolist(), strict=True)
                if score > 0
            ]

    def _candidates(
        self, queries: NDArray[np.int64], places: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(query, name) of the names that hold the most of what is rare in each text, in order."""
        if not len(queries):
            return queries, places
        order = np.lexsort((self._held[places], queries))
        queries, places = queries[order], places[order]
        held = self._held[places]
        reach = np.cumsum(held)
        first = np.searchsorted(queries, queries)  # where the features of this query begin
        rank = np.arange(len(queries)) - first
        kept = (reach - reach[first] + held[first] <= _ENTRIES) | (rank < _ALWAYS)
        queries, places, held = queries[kept], places[kept], held[kept]
        ends = np.cumsum(held)
        at = np.arange(int(ends[-1])) + np.repeat(self.arrays.starts[places] - (ends - held), held)
        # Each entry is one number, query, name and weight: sorted, the entries of a name lie together.
        entries = (np.repeat(queries, held) << _QUERY_BITS) | (self.arrays.holders[at].astype(np.int64) << _NAME_BITS)
        entries |= np.repeat(self._whole_weights[places], held)
        entries.sort()
        pairs = entries >> _NAME_BITS
        begins = np.flatnonzero(np.concatenate([[True], pairs[1:] != pairs[:-1]]))
        pairs = pairs[begins]
        owners, names = pairs >> (_QUERY_BITS - _NAME_BITS), pairs & ((1 << (_QUERY_BITS - _NAME_BITS)) - 1)
        # A short name that is wholly there comes before a long one that shares as much.
        partial = np.add.reduceat(entries & ((1 << _NAME_BITS) - 1), begins) * self._shortness[names]
        bounds = np.searchsorted(owners, np.arange(int(queries[-1]) + 2)).tolist()
        best = [
            np.arange(begin, end)
            if end - begin <= _RESCORED
            else np.sort(np.argpartition(-partial[begin:end], _RESCORED)[:_RESCORED]) + begin
            for begin, end in pairwise(bounds)
        ]
        chosen = np.concatenate(best)
        return owners[chosen], names[chosen]

    def _shared(
        self,
        owners: NDArray[np.int64],
        names: NDArray[np.int64],
        queries: NDArray[np.int64],
        places: NDArray[np.int64],
        size: int,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The weight that each name shares with its query: over all features, and over concepts alone."""
        asked = np.zeros((size, len(self._weights)), dtype=bool)
        asked[queries, places] = True
        begin = self.arrays.name_starts[names].astype(np.int64)
        counts = self.arrays.name_starts[names + 1] - begin
        if not len(counts):
            return np.zeros(0), np.zeros(0)
        ends = np.cumsum(counts)
        at = np.arange(int(ends[-1])) + np.repeat(begin - (ends - counts), counts)
        rows, features_of = np.repeat(np.arange(len(names)), counts), self.arrays.name_features[at]
        both = asked[owners[rows], features_of]
        rows, features_of = rows[both], features_of[both]
        shared = np.bincount(rows, weights=self._weights[features_of], minlength=len(names))
        concepts = np.bincount(rows, weights=self._concept_weights[features_of], minlength=len(names))
        return shared.astype(np.float64), concepts.astype(np.float64)


def features(text: str, key: str) -> tuple[str, ...]:
    """The different runs of three letters of each word and the concepts, in a fixed order."""
    found: dict[str, None] = {}
    for word in text.split():
        edged = f" {word} "
        for start in range(max(1, len(edged) - _RUN + 1)):
            found[edged[start : start + _RUN]] = None
    for concept in key.split():
        found[_CONCEPT + concept] = None
    return tuple(found)


def build(names: Iterable[tuple[str, str]]) -> Arrays:
    """The arrays of (normal form, key) of names, in their order."""
    places: dict[str, int] = {}
    held: list[int] = []
    starts = [0]
    for text, key in names:
        held.extend([places.setdefault(feature, len(places)) for feature in features(text, key)])
        starts.append(len(held))
    name_features = np.array(held, dtype=np.int32)
    name_starts = np.array(starts, dtype=np.int32)
    names_of = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(name_starts))
    order = np.argsort(name_features, kind="stable")
    counts = np.bincount(name_features, minlength=len(places)) if held else np.zeros(0, dtype=np.int64)
    return Arrays(
        features=tuple(places),
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        holders=names_of[order],
        name_starts=name_starts,
        name_features=name_features,
    )
