"""One version of a dictionary, held in memory and never changed.

Answers which terms have a name or say the same in other words, and which names are like it. Whether an event is coded
is left to `meddra_coder.coding`; where the terms come from, to the file of each dictionary.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rapidfuzz import fuzz

from meddra_coder.concepts import Concepts
from meddra_coder.dictionary.retrieval import Arrays, Retrieval, build
from meddra_coder.lexicon import load_lexicon
from meddra_coder.wording import normalise
from tocsin.errors import TocsinError

_REMEMBERED: Final = 16_384
_RESPELT: Final = 12
"""Of so many of the most alike the spelling of the whole is looked at."""
_SPELLING: Final = 0.4
"""How much the spelling of the whole counts in likeness, beside shared runs and concepts."""


class DictionaryError(TocsinError):
    """A dictionary that contradicts itself. Says which terms, and what is allowed."""


class Kind(StrEnum):
    """What a term stands for. Only an event is ever coded without a person."""

    EVENT = "event"
    OUTCOME = "outcome"
    """How something ended (death, progression): the cause is coded, so a person looks."""
    PROCEDURE = "procedure"
    """Something that was done: what it was done for is coded, so a person looks."""
    OTHER_SPECIFY = "other_specify"
    """A heading for what has no term. Its published code is a system organ class, not a lowest level term."""


@dataclass(frozen=True, slots=True)
class DictionaryTerm:
    """A term with its path as far as the publisher gives it.

    For CTCAE that is the lowest level term (`code`, `name`) and the system organ class (`soc`, `soc_code`); the levels
    `between`, preferred term first, belong to a licensed MedDRA, each as "PT 10000001 its name".
    """

    code: str
    name: str
    soc: str
    soc_code: str | None
    kind: Kind
    pt_code: str | None = None
    between: tuple[str, ...] = ()
    is_current: bool = True
    smqs: tuple[str, ...] = ()
    """The standardised queries that it belongs to, each as "20000001 its name (narrow)"."""

    @property
    def path(self) -> tuple[str, ...]:
        """From the lowest level term up to the system organ class, in words."""
        return (
            f"LLT {self.code} {self.name}",
            *self.between,
            f"SOC {self.soc_code} {self.soc}" if self.soc_code else f"SOC {self.soc}",
        )


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of a dictionary, ready to be looked up: `texts` are normal forms, `keys` their concepts."""

    codes: Sequence[str]
    names: Sequence[str]
    texts: Sequence[str]
    keys: Sequence[str]


@functools.cache
def concepts() -> Concepts:
    """The concepts of the lexicon that is shipped."""
    return Concepts(load_lexicon().words)


class Dictionary:
    """Terms of one version, by code, by name as written, by normal form, by concepts, and by likeness.

    `version` is the label kept on every coding, `ctcae` the edition of CTCAE whose terms these are. Safe to share
    between threads. `term_at` makes the term of a place in the columns, when it is asked for; `soc_at` names its class.
    """

    def __init__(
        self,
        version: str,
        columns: Columns,
        term_at: Callable[[int], DictionaryTerm],
        *,
        soc_at: Callable[[int], str],
        searched: Sequence[int] | None = None,
        arrays: Callable[[], Arrays] | None = None,
        ctcae: str | None = None,
    ) -> None:
        self.version: Final = version
        self.ctcae: Final = ctcae
        self._columns = columns
        self._term_at = functools.lru_cache(_REMEMBERED)(term_at)
        self._by_code = {code: place for place, code in enumerate(columns.codes)}
        self._by_name = {name: place for place, name in enumerate(columns.names)}
        self._by_text = _shelf(columns.texts)
        self._by_key = _shelf(columns.keys)
        self._soc_at = soc_at
        self._listed: dict[str, tuple[str, str]] = {}
        """What stands on every list, once it was asked for: at most every term of the dictionary."""
        self._searched = range(len(columns.codes)) if searched is None else searched
        self._may_be_chosen = frozenset(self._searched)
        self._arrays = arrays

    @classmethod
    def of(cls, version: str, terms: Iterable[DictionaryTerm], *, ctcae: str | None = None) -> Dictionary:
        """A dictionary of a few terms. Raises DictionaryError where one code or one name stands for two of them."""
        all_terms = tuple(terms)
        for what in ([term.code for term in all_terms], [term.name for term in all_terms]):
            seen: set[str] = set()
            for value in what:
                if value in seen:
                    raise DictionaryError(f'{version}: "{value}" stands for two terms; allowed is one.')
                seen.add(value)
        texts = [normalise(term.name).text for term in all_terms]
        keys = [concepts().key(text, of_name=True) for text in texts]
        return cls(
            version,
            Columns(
                [t.code for t in all_terms],
                [t.name for t in all_terms],
                texts,
                keys,
            ),
            all_terms.__getitem__,
            soc_at=lambda place: all_terms[place].soc,
            searched=[place for place, term in enumerate(all_terms) if term.kind is not Kind.OTHER_SPECIFY],
            ctcae=ctcae,
        )

    def __len__(self) -> int:
        return len(self._columns.codes)

    @property
    def terms(self) -> tuple[DictionaryTerm, ...]:
        """Every term, in the order of the dictionary."""
        return tuple(map(self._term_at, range(len(self))))

    @property
    def columns(self) -> Columns:
        """The names, ready to be looked up."""
        return self._columns

    def coded(self, code: str) -> DictionaryTerm | None:
        """The term with this code."""
        place = self._by_code.get(code)
        return None if place is None else self._term_at(place)

    def listed(self, code: str) -> tuple[str, str] | None:
        """(name, class) of a term that a person may choose: a current one, and no heading "Other, specify"."""
        try:
            return self._listed[code]
        except KeyError:
            pass
        place = self._by_code.get(code)
        if place is None or place not in self._may_be_chosen:
            return None
        found = self._listed[code] = self._columns.names[place], self._soc_at(place)
        return found

    def named(self, name: str) -> DictionaryTerm | None:
        """The term whose name is exactly this, letter case included."""
        place = self._by_name.get(name)
        return None if place is None else self._term_at(place)

    def worded(self, text: str) -> tuple[DictionaryTerm, ...]:
        """Every term whose normalised name is this normal form: none, one, or more."""
        return tuple(map(self._term_at, self._by_text.get(text, ())))

    def keyed(self, key: str) -> tuple[DictionaryTerm, ...]:
        """Every term whose name has exactly these concepts."""
        return tuple(map(self._term_at, self._by_key.get(key, ()))) if key else ()

    def nearest(self, asked: Sequence[tuple[str, str]], top: int) -> list[list[tuple[str, float]]]:
        """For each (normal form, key): (code, likeness) of up to `top` terms whose names are like it, the most alike
        first.

        Likeness is over 0, where nothing is shared, up to 1, where all is.

        Headings "Other, specify" are left out, as their codes are not lowest level terms.
        """
        codes, texts = self._columns.codes, self._columns.texts
        answers = []
        for (text, _), found in zip(asked, self._retrieval.nearest(asked, top), strict=True):
            # Runs of letters do not see their order: the spelling of the whole, words in any order, decides the first.
            ranked = [
                (
                    codes[place],
                    _blended(likeness, text, texts[place]) if rank < _RESPELT else likeness * (1 - _SPELLING),
                )
                for rank, (place, likeness) in enumerate((self._searched[place], like) for place, like in found)
            ]
            ranked.sort(key=lambda one: -one[1])
            answers.append(ranked)
        return answers

    def arrays(self) -> Arrays:
        """The index of the names as it is kept."""
        return self._retrieval.arrays

    @functools.cached_property
    def _retrieval(self) -> Retrieval:
        if self._arrays is not None:
            return Retrieval(self._arrays())
        columns = self._columns
        return Retrieval(build((columns.texts[place], columns.keys[place]) for place in self._searched))


def _blended(likeness: float, one: str, other: str) -> float:
    """Likeness with that of the spelling of the whole; another script has no spelling in common, and loses nothing."""
    if not (one.isascii() and other.isascii()):
        return likeness
    # Words in any order, or run together as they stand: "vomitingblood" is as near as "blood vomiting".
    spelling = max(fuzz.token_sort_ratio(one, other), fuzz.ratio(one, other))
    return round((1 - _SPELLING) * likeness + _SPELLING * spelling / 100, 3)


def _shelf(values: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """The places of each value."""
    shelf: dict[str, tuple[int, ...]] = {value: (place,) for place, value in enumerate(values)}
    if len(shelf) != len(values):
        shelf.clear()
        for place, value in enumerate(values):
            shelf[value] = (*shelf.get(value, ()), place)
    return shelf
