"""What a text is about, word by word, so that different words for the same become equal.

A text becomes a key: the set of its concepts, in order of the alphabet. "Low platelets", "thrombocyte count
decreased" and "血小板降低" have one key, whatever the order of their words. Words that add nothing are left out; a
word that is not known stands for itself, so that nothing unknown is ever passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

NOTHING: Final = "-"
"""The concept of words that add nothing."""
LITTLE: Final = "~"
"""The concept of words that add nothing to what a site says, and may belong to a name: "feeling cold" is not a cold."""

BESIDE: Final = "+"
"""The concept of circumstances: words that name no event, alone or with others, and may belong to a phrase."""

QUALIFIERS: Final = frozenset(
    (
        "LOW", "HIGH", "PROLONGED", "ABNORMAL", "LOSS", "DISORDER", "DYSFUNCTION", "FAILURE", "REACTIVATION", "UPPER",
        "LOWER", "DISCOLORATION", "TYPE_1", "TYPE_2",
    )
)  # fmt: skip
"""Concepts that say how something is, and not what."""

GENERAL: Final = frozenset(
    (
        "PAIN", "EDEMA", "HEMORRHAGE", "INFECTION", "INFLAMMATION", "WEAKNESS", "ULCER", "SPASM", "INJURY", "NUMBNESS",
        "DRY", "OBSTRUCTION", "STENOSIS", "LEAK", "FRACTURE", "THROMBOSIS",
    )
)  # fmt: skip
"""Concepts of which many terms are made: alone, with words left out beside them, they may be any of those."""

PLACES: Final = frozenset(
    (
        "FACE", "HEAD", "SCALP", "NECK", "CHEST", "BREAST", "BACK", "ABDOMEN", "FLANK", "TRUNK", "BUTTOCK", "LIMB",
        "LEG", "ARM", "HAND", "FOOT", "HIP", "ANKLE", "WRIST", "KNEE", "SHOULDER", "ELBOW", "THIGH", "FOREARM", "SHIN",
        "DIGIT", "QUADRANT", "LOBE", "EAR", "EYE",
    )
)  # fmt: skip
"""Concepts that say where on the body something is."""

CJK: Final = "\u3400-\u9fff"
_PIECE: Final = re.compile(rf"[{CJK}]+|[↑↓]|[^\s↑↓{CJK}]+")
_IS_CJK: Final = re.compile(rf"[{CJK}]")
_IS_LATIN: Final = re.compile(r"[a-zγ]")
_KNOWN: Final = "\x02"
"""Before a concept that was found already: that of a word in both scripts, as in 肌钙蛋白i."""
_SHORTEST_PLURAL: Final = 4


class Concepts:
    """The concepts of words. Safe to share between threads; made once and then only read."""

    def __init__(self, words: Iterable[tuple[str, str]]) -> None:
        self._chinese: dict[str, str] = {}
        self._english: dict[tuple[str, ...], str] = {}
        mixed: dict[str, str] = {}
        for word, concept in words:
            if _IS_CJK.search(word) and _IS_LATIN.search(word):
                mixed.setdefault(word, concept)
            elif _IS_CJK.search(word):
                self._chinese.setdefault(word, concept)
            else:
                self._english.setdefault(tuple(word.split()), concept)
        self._mixed = mixed
        longest_first = sorted(mixed, key=lambda word: (-len(word), word))
        self._find_mixed = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        lengths: dict[str, set[int]] = {}
        for word in self._chinese:
            lengths.setdefault(word[0], set()).add(len(word))
        self._lengths = {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}
        """How long the Chinese words are that begin with a character, the longest first."""
        self._longest_english = max(map(len, self._english), default=1)
        self._begins = frozenset(words[0] for words in self._english if len(words) > 1)
        self._single = {words[0]: concept for words, concept in self._english.items() if len(words) == 1}

    def key(self, text: str, *, of_name: bool = False) -> str:
        """The key of a text in normal form, or of the name of a term; empty when it says nothing."""
        found = set()
        for words, concept in self.told(text):
            if concept == LITTLE:
                if of_name:
                    found.add(words)
            elif concept == BESIDE:
                found.add(words)
            elif concept != NOTHING:
                found.add(concept)
        return " ".join(sorted(found))

    def without(self, text: str, beside: Callable[[str], bool]) -> tuple[str, tuple[str, ...]]:
        """A text in normal form without the words of some concepts, and those words in their order."""
        kept: list[str] = []
        out: list[str] = []
        for words, concept in self.told(text):
            (out if beside(concept) else kept).append(words)
        if not out:
            return text, ()
        # Chinese words stand without blanks between them.
        joined = kept[:1]
        for word in kept[1:]:
            joined.append(word if _IS_CJK.match(word) and _IS_CJK.match(joined[-1]) else f" {word}")
        return "".join(joined), tuple(out)

    def told(self, text: str) -> Iterator[tuple[str, str]]:
        """(words, concept) of a text in normal form, in its order; the longest known run of words first."""
        if not text.isascii():
            text = self._find_mixed.sub(lambda found: f" {_KNOWN}{self._mixed[found.group()]} ", text)
        pieces = _PIECE.findall(text)
        place = 0
        while place < len(pieces):
            piece = pieces[place]
            if _IS_CJK.match(piece):
                yield from self._told_chinese(piece)
                place += 1
                continue
            if piece[0] == _KNOWN:
                yield piece[1:], piece[1:]
                place += 1
                continue
            if piece in self._begins:
                for size in range(min(self._longest_english, len(pieces) - place), 1, -1):
                    run = tuple(pieces[place : place + size])
                    concept = self._english.get(run)
                    if concept is not None:
                        yield " ".join(run), concept
                        place += size
                        break
                else:
                    yield piece, self._of(piece)
                    place += 1
                continue
            yield piece, self._of(piece)
            place += 1

    def knows(self, word: str) -> bool:
        """Whether this English word has a concept of its own."""
        return word in self._single or singular(word) in self._single

    @property
    def english(self) -> Iterable[str]:
        """Every English word, for the correction of spelling."""
        return {word for words in self._english for word in words}

    def _of(self, word: str) -> str:
        concept = self._single.get(word)
        if concept is None:
            one = singular(word)
            concept = self._single.get(one, one)
        return concept

    def _told_chinese(self, run: str) -> Iterator[tuple[str, str]]:
        place = 0
        while place < len(run):
            for size in self._lengths.get(run[place], ()):
                word = run[place : place + size]
                concept = self._chinese.get(word)
                if concept is not None:
                    yield word, concept
                    place += size
                    break
            else:
                yield run[place], run[place]
                place += 1


def singular(word: str) -> str:
    """A word without the ending of its plural: "ulcers", "arteries". Endings that are no plural stay."""
    if len(word) < _SHORTEST_PLURAL or not word.endswith("s") or word.endswith(("ss", "us", "is", "as", "os")):
        return word
    return word[:-3] + "y" if word.endswith("ies") and len(word) > _SHORTEST_PLURAL else word[:-1]
