"""One version of a dictionary, held in memory and never changed.

Answers which term has a name and which names look alike. Whether an event is coded is left to
`meddra_coder.coding`; where the terms come from, to the file of each dictionary.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from meddra_coder.dictionary.likeness import LetterIndex
from meddra_coder.wording import normalise
from tocsin.errors import TocsinError


class DictionaryError(TocsinError):
    """A dictionary that contradicts itself. Says which terms, and what is allowed."""


class Kind(StrEnum):
    """What a term stands for. Only an event is ever coded without a person."""

    EVENT = "event"
    OUTCOME = "outcome"
    """How something ended (death, progression): the cause is coded, so a person looks."""
    OTHER_SPECIFY = "other_specify"
    """A heading for what has no term. Its published code is a system organ class, not a lowest level term."""


@dataclass(frozen=True, slots=True)
class DictionaryTerm:
    """A term with its path as far as the publisher gives it.

    For CTCAE that is the lowest level term (`code`, `name`) and the system organ class (`soc`, `soc_code`);
    preferred term and the levels between belong to a licensed MedDRA.
    """

    code: str
    name: str
    soc: str
    soc_code: str | None
    kind: Kind

    @property
    def path(self) -> tuple[str, ...]:
        """From the lowest level term up to the system organ class, in words."""
        return (
            f"LLT {self.code} {self.name}",
            f"SOC {self.soc_code} {self.soc}" if self.soc_code else f"SOC {self.soc}",
        )


@dataclass(frozen=True, slots=True)
class Near:
    """A term and how alike its letters are to what was asked: 0 nothing shared, 1 the same."""

    term: DictionaryTerm
    likeness: float


_REMEMBERED: Final = 8192
_LONGEST_REMEMBERED: Final = 500


class Dictionary:
    """Terms of one version, by code, by name as written, by normal form, and by likeness.

    `version` is the label kept on every coding, `ctcae` the edition of CTCAE whose terms these are. Safe to share
    between threads. Raises DictionaryError where one code or one written name stands for two terms.
    """

    def __init__(self, version: str, terms: Iterable[DictionaryTerm], *, ctcae: str | None = None) -> None:
        self.version: Final = version
        self.ctcae: Final = ctcae
        self.terms: Final = tuple(terms)
        self._by_code: dict[str, DictionaryTerm] = {}
        self._by_name: dict[str, DictionaryTerm] = {}
        by_wording: dict[str, list[DictionaryTerm]] = {}
        likely: list[DictionaryTerm] = []
        wordings: list[str] = []
        for term in self.terms:
            for shelf, key in ((self._by_code, term.code), (self._by_name, term.name)):
                if key in shelf:
                    raise DictionaryError(f'{version}: "{key}" stands for two terms; allowed is one.')
                shelf[key] = term
            text = normalise(term.name).text
            by_wording.setdefault(text, []).append(term)
            if term.kind is not Kind.OTHER_SPECIFY:
                likely.append(term)
                wordings.append(text)
        self._by_wording: dict[str, tuple[DictionaryTerm, ...]] = {
            text: tuple(found) for text, found in by_wording.items()
        }
        self._likely = tuple(likely)
        self._letters = LetterIndex(wordings)
        self._remembered = functools.lru_cache(_REMEMBERED)(self._rank)

    def __len__(self) -> int:
        return len(self.terms)

    def coded(self, code: str) -> DictionaryTerm | None:
        """The term with this code."""
        return self._by_code.get(code)

    def named(self, name: str) -> DictionaryTerm | None:
        """The term whose name is exactly this, letter case included."""
        return self._by_name.get(name)

    def worded(self, text: str) -> tuple[DictionaryTerm, ...]:
        """Every term whose normalised name is this normal form: none, one, or more."""
        return self._by_wording.get(text, ())

    def nearest(self, text: str, top: int) -> tuple[Near, ...]:
        """Up to `top` terms whose names share letters with this normal form, the most alike first.

        Letters only: a term that means the same in other words is not found. Headings "Other, specify" are
        left out, as their codes are not lowest level terms.
        """
        rank = self._remembered if len(text) <= _LONGEST_REMEMBERED else self._rank
        return rank(text, top)

    def _rank(self, text: str, top: int) -> tuple[Near, ...]:
        return tuple(Near(self._likely[place], likeness) for place, likeness in self._letters.nearest(text, top))
