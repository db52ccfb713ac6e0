"""The synonyms that hold for a study, by phrase and by concepts: shipped ones, those approved here, and ambiguous ones.

A phrase that stands for two terms is ambiguous, whoever said so. Synonyms whose term the dictionary does not have, or
has no longer as current, say nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from meddra_coder.concepts import PLACES, Concepts
from meddra_coder.dictionary import Dictionary, Kind
from meddra_coder.dictionary.retrieval import Retrieval, build
from meddra_coder.dictionary.terms import concepts
from meddra_coder.homophones import Homophones
from meddra_coder.lexicon import Ambiguous, Lexicon, load_lexicon
from meddra_coder.spelling import Spelling
from meddra_coder.wording import normalise

STUDY: Final = "study"
GLOBAL: Final = "global"
SHIPPED: Final = "shipped"


@dataclass(frozen=True, slots=True)
class Approved:
    """A synonym that a person approved here: in one study, or in all."""

    phrase: str
    code: str
    scope: str


@dataclass(frozen=True, slots=True)
class Meant:
    """What a phrase means: one code, or several and why. `scope` is study, global or shipped; `phrase` as kept."""

    codes: tuple[str, ...]
    phrase: str
    scope: str
    why: str | None = None


class Thesaurus:
    """Looks up phrases. Made once for a dictionary and a revision of the synonyms, and then only read."""

    def __init__(self, dictionary: Dictionary, lexicon: Lexicon | None = None) -> None:
        lexicon = load_lexicon() if lexicon is None else lexicon
        self.revision = f"{lexicon.revision}/0"
        self.concepts: Concepts = concepts()
        self.not_alone: frozenset[str] = frozenset()
        self._dictionary = dictionary
        self._phrases: dict[str, Meant] = {}
        self._keys: dict[str, Meant] = {}
        self._base: Thesaurus | None = None
        for synonym in lexicon.synonyms:
            if self._has(synonym.code):
                _put(self._phrases, normalise(synonym.phrase).text, (synonym.code,), synonym.phrase, SHIPPED)
        for one in lexicon.ambiguous:
            _put_ambiguous(self._phrases, one, dictionary)
        self._index()

    def with_approved(self, approved: Iterable[Approved], not_alone: Iterable[str], number: int) -> Thesaurus:
        """This one with what people approved, and held, here; `number` counts their decisions.

        What people say of a phrase counts before what is shipped, and what a study says before what all say.
        """
        own = Thesaurus.__new__(Thesaurus)
        own.revision = f"{self.revision.partition('/')[0]}/{number}"
        own.concepts = self.concepts
        own.not_alone = frozenset(normalise(phrase).text for phrase in not_alone)
        own._dictionary = self._dictionary
        own._phrases = {}
        own._keys = {}
        own._base = self
        all_approved = tuple(approved)
        for scope in (GLOBAL, STUDY):
            here: dict[str, Meant] = {}
            for kept in all_approved:
                if kept.scope == scope and self._has(kept.code):
                    _put(here, normalise(kept.phrase).text, (kept.code,), kept.phrase, scope)
            own._phrases.update(here)
        own._index()
        return own

    def phrase(self, text: str) -> Meant | None:
        """What this normal form means."""
        return self._phrases.get(text) or (self._base.phrase(text) if self._base else None)

    def key(self, key: str) -> Meant | None:
        """What these concepts mean, where a phrase has exactly them."""
        return self._keys.get(key) or (self._base.key(key) if self._base else None)

    def nearest(self, asked: Sequence[tuple[str, str]], top: int) -> list[list[tuple[str, str, float]]]:
        """For each (normal form, key): (code, phrase, likeness) of the synonyms most alike, a code once."""
        own = self._retrieval.nearest(asked, 2 * top) if self._texts else [[]] * len(asked)
        base = self._base.nearest(asked, top) if self._base else [[]] * len(asked)
        return [self._best(mine, theirs)[:top] for mine, theirs in zip(own, base, strict=True)]

    def _best(
        self, own: Sequence[tuple[int, float]], base: Sequence[tuple[str, str, float]]
    ) -> list[tuple[str, str, float]]:
        best: dict[str, tuple[str, float]] = {}
        for place, likeness in own:
            meant = self._phrases[self._texts[place]]
            for rank, code in enumerate(meant.codes):
                if code not in best:
                    best[code] = (meant.phrase, likeness - rank / 10_000)
        for code, phrase, likeness in base:
            if code not in best or best[code][1] < likeness:
                best[code] = (phrase, likeness)
        ranked = sorted(best.items(), key=lambda one: (-one[1][1], one[0]))
        return [(code, phrase, likeness) for code, (phrase, likeness) in ranked]

    @functools.cached_property
    def spelling(self) -> Spelling:
        """Every word of the names and the phrases."""
        if self._base is not None and not self._phrases:
            return self._base.spelling
        words = {*self.concepts.english, *(word for one in load_lexicon().held for word in one.word.split())}
        texts = [*self._dictionary.columns.texts, *self._texts, *(self._base._texts if self._base else ())]
        for text in texts:
            if text.isascii():
                words.update(text.split())
        return Spelling(words, self._meaning)

    @functools.cached_property
    def homophones(self) -> Homophones:
        """Every Chinese name and phrase, by its sound."""
        if self._base is not None and not self._phrases:
            return self._base.homophones
        base = self._base._phrases if self._base else {}
        names = {text for text in self._dictionary.columns.texts if not text.isascii()}
        return Homophones(sorted({*names, *self._phrases, *base}), self._meaning)

    def told_by_place(self, rest: str, places: frozenset[str]) -> frozenset[str]:
        """The codes of the names that say these concepts with any place, and of the phrases with one of these."""
        own = (codes for there, codes in self._by_place.get(rest, ()) if there is None or not places.isdisjoint(there))
        found = frozenset().union(*own)
        return found | self._base.told_by_place(rest, places) if self._base else found

    @functools.cached_property
    def _by_place(self) -> dict[str, list[tuple[frozenset[str] | None, tuple[str, ...]]]]:
        """By what is said beside a place: the places, none for a name, and the codes."""
        found: dict[str, list[tuple[frozenset[str] | None, tuple[str, ...]]]] = {}
        for key, meant in self._keys.items():
            self._put_by_place(found, key, meant.codes, is_name=False)
        if self._base is None:
            columns = self._dictionary.columns
            for key, code in zip(columns.keys, columns.codes, strict=True):
                self._put_by_place(found, key, (code,), is_name=True)
        return found

    @staticmethod
    def _put_by_place(
        found: dict[str, list[tuple[frozenset[str] | None, tuple[str, ...]]]],
        key: str,
        codes: tuple[str, ...],
        *,
        is_name: bool,
    ) -> None:
        words = key.split()
        places = PLACES.intersection(words)
        if places:
            rest = " ".join(word for word in words if word not in places)
            found.setdefault(rest, []).append((None if is_name else places, codes))

    def _meaning(self, word: str) -> object:
        """What a word means by itself: its concept, or its terms."""
        if self.concepts.knows(word):
            return self.concepts.key(word)
        meant = self.phrase(word)
        if meant is not None:
            return meant.codes
        terms = self._dictionary.worded(word)
        return tuple(term.code for term in terms) if terms else self.concepts.key(word)

    def _has(self, code: str) -> bool:
        term = self._dictionary.coded(code)
        return term is not None and term.is_current

    def _index(self) -> None:
        keys = {text: self.concepts.key(text) for text in self._phrases}
        for text, meant in self._phrases.items():
            if keys[text]:
                _put(self._keys, keys[text], meant.codes, meant.phrase, meant.scope, meant.why)
        self._texts = tuple(text for text, meant in self._phrases.items() if meant.codes)
        self._keys_of_texts = tuple(keys[text] for text in self._texts)

    @functools.cached_property
    def _retrieval(self) -> Retrieval:
        return Retrieval(build(zip(self._texts, self._keys_of_texts, strict=True)))


def _put(
    shelf: dict[str, Meant], text: str, codes: tuple[str, ...], phrase: str, scope: str, why: str | None = None
) -> None:
    there = shelf.get(text)
    if there is None or there.codes == codes:
        if there is None:
            shelf[text] = Meant(codes, phrase, scope, why)
        return
    both = tuple(dict.fromkeys((*there.codes, *codes)))
    shelf[text] = Meant(both, there.phrase, there.scope, there.why or why or "it is a synonym of several terms")


def _put_ambiguous(shelf: dict[str, Meant], one: Ambiguous, dictionary: Dictionary) -> None:
    terms = [dictionary.coded(code) for code in one.codes]
    codes = tuple(term.code for term in terms if term is not None and term.kind is not Kind.OTHER_SPECIFY)
    text = normalise(one.phrase).text
    there = shelf.get(text)
    codes = tuple(dict.fromkeys((*(there.codes if there else ()), *codes)))
    shelf[text] = Meant(codes, one.phrase, SHIPPED, one.why or "it has more than one meaning")
