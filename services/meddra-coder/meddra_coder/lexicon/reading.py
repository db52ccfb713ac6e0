"""Reads the tables of the lexicon, each error with file and line."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from tocsin.errors import TocsinError

RELEASE: Final = "1"
"""Raised by hand when the tables change in meaning; the fingerprint changes with every letter."""

KINDS: Final = ("abbreviations", "clinical", "lay", "chinese")
"""The columns of phrases: the manner in which a synonym is written."""


class LexiconError(TocsinError):
    """A table of the lexicon that cannot be read. Says file, line and what is allowed."""


@dataclass(frozen=True, slots=True)
class Synonym:
    """A phrase that means one term. `kind` is one of `KINDS`."""

    code: str
    phrase: str
    kind: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A phrase that may mean several terms, the likeliest first."""

    phrase: str
    codes: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Held:
    """A word that stops a coding. `reason` is the name of the gate (negation, provisional, outcome ...)."""

    reason: str
    word: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All tables. `revision` names what they say: the release and a fingerprint of every byte."""

    revision: str
    words: tuple[tuple[str, str], ...]
    """(word, concept); the concept of a word that adds nothing is "-"."""
    synonyms: tuple[Synonym, ...]
    ambiguous: tuple[Ambiguous, ...]
    held: tuple[Held, ...]


@functools.cache
def load_lexicon() -> Lexicon:
    """The lexicon that is shipped. Raises LexiconError where a table contradicts its form."""
    sha = hashlib.sha256()
    tables: dict[str, list[tuple[str, list[str]]]] = {}
    for folder in ("", "synonyms", "ambiguous"):
        place = files(__package__) / folder if folder else files(__package__)
        for path in sorted((one for one in place.iterdir() if one.name.endswith(".tsv")), key=lambda one: one.name):
            raw = path.read_bytes()
            sha.update(f"{folder}/{path.name}".encode() + b"\0" + raw)
            tables.setdefault(folder or path.name, []).extend(_rows(raw, f"{folder}/{path.name}".lstrip("/")))
    return Lexicon(
        revision=f"{RELEASE}-{sha.hexdigest()[:8]}",
        words=tuple(
            (word, cells[0])
            for _, cells in tables["words.tsv"]
            for cell in cells[1:]
            for word in cell.split("|")
            if word
        ),
        synonyms=tuple(
            Synonym(cells[0], phrase, kind)
            for _, cells in tables.get("synonyms", [])
            for kind, cell in zip(KINDS, cells[2:], strict=True)
            for phrase in cell.split("|")
            if phrase
        ),
        ambiguous=tuple(
            Ambiguous(cells[0], tuple(filter(None, cells[1].split("|"))), cells[2])
            for _, cells in tables.get("ambiguous", [])
        ),
        held=tuple(Held(cells[0], word) for _, cells in tables["holding.tsv"] for word in cells[1].split("|")),
    )


def _rows(raw: bytes, name: str) -> Iterator[tuple[str, list[str]]]:
    lines = raw.decode("utf-8").splitlines()
    width = len(lines[0].split("\t"))
    for number, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        if len(cells) != width:
            raise LexiconError(f"{name}, line {number}: {len(cells)} columns; allowed is {width}")
        yield f"{name}, line {number}", cells
