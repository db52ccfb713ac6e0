"""What never is coded by a machine, and why: the words in a verbatim that change or take away what an event says.

The gate is asked of words that no name explains: "no" stops "no fever", and not "no appetite" where that phrase is
known. Each finding is a sentence for the person who decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from meddra_coder.concepts import CJK
from meddra_coder.lexicon import Held

REASONS: Final = {
    "negation": '"{word}" says that something is not there: only a person can tell whether an event remains',
    "provisional": '"{word}" says that it is not sure: a provisional diagnosis is coded by a person, with its symptoms',
    "outcome": '"{word}" is an outcome, not an event: its cause is coded, by a person',
    "procedure": '"{word}" is a procedure or a treatment, not an event: what it was done for is coded, by a person',
    "vague": '"{word}" is too vague to be one term: the site is to be asked',
    "history": '"{word}" is of the past, of a risk or of somebody else: a person decides whether there was an event',
}
"""The gates by name, each with its sentence."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One word that stops a coding."""

    gate: str
    word: str

    @property
    def sentence(self) -> str:
        return REASONS[self.gate].format(word=self.word)


class Gate:
    """The words that stop a coding. Made once from the lexicon."""

    def __init__(self, held: Iterable[Held]) -> None:
        words: dict[str, str] = {}
        for one in held:
            words.setdefault(one.word, one.reason)
        latin = sorted((word for word in words if not re.search(rf"[{CJK}]", word)), key=len, reverse=True)
        chinese = sorted((word for word in words if re.search(rf"[{CJK}]", word)), key=len, reverse=True)
        self._gate_of = words
        self._found = re.compile(
            r"(?<![\w])(?:" + "|".join(map(re.escape, latin)) + r")(?![a-z0-9])|" + "|".join(map(re.escape, chinese))
        )
        self._signs = re.compile(r"[?\u2212]")

    def stops(self, text: str) -> tuple[Stop, ...]:
        """Every word in a text in normal form that stops a coding, each gate once, in the order of the text."""
        found: dict[str, Stop] = {}
        for match in self._found.finditer(text):
            gate = self._gate_of[match.group()]
            found.setdefault(gate, Stop(gate, match.group()))
        for match in self._signs.finditer(text):
            gate = "provisional" if match.group() == "?" else "negation"
            found.setdefault(gate, Stop(gate, match.group()))
        return tuple(found.values())

    def past(self, text: str) -> tuple[Stop, ...]:
        """A year without a month: what happened "in 2018" is told as history. An onset has its day, or its month."""
        found = _YEAR_ALONE.search(text)
        return (Stop("history", found.group().strip()),) if found else ()


_YEAR_ALONE: Final = re.compile(
    r"(?<![\w])(?:in|since|from|back in) (?:19|20)\d\d(?![\w/-])|(?<!\d)(?:19|20)\d\d年(?!\s*\d)"
)
