"""Reading a verbatim: what it says of the event, and what stands beside that, taken out step by step."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from meddra_coder.concepts import BESIDE, Concepts
from meddra_coder.taken_out import COURSE_AND_SIDE, MEASURED, SEVERITY, Told, take_out
from meddra_coder.wording import american_spelling, fold_accents, normalise

LONGEST: Final = 400
"""A longer verbatim is a narrative, and waits for a person: no more of it is read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A verbatim as it is read: the text of each stage, what was taken out up to there, and its concepts.

    The stages: as it is; without what is measured or dated; without severity; without course and side; without its
    circumstances as well. `bare` still has its punctuation, `measured` is what was taken out of it.
    """

    light: str
    bare: str
    measured: tuple[Told, ...]
    stages: tuple[tuple[str, str, tuple[Told, ...]], ...]
    alike: tuple[str, str]
    """(text, key) by which like names are looked for: course and side are part of many names."""

    @property
    def text(self) -> str:
        """The normal form of the whole."""
        return self.stages[0][0]

    @property
    def of_the_event(self) -> str:
        """The normal form without what is measured or done, or said of the cause."""
        return (self.stages[1][0] if self.measured else "") or self.text

    @property
    def core(self) -> tuple[str, str]:
        """(text, key) of the latest stage that says something."""
        return next(((text, key) for text, key, _ in reversed(self.stages) if text), ("", ""))


def read(verbatim: str, concepts: Concepts) -> Reading:
    """Read a verbatim: small letters in one spelling, then what is beside the event taken out, step by step."""
    text = unicodedata.normalize("NFKC", verbatim[:LONGEST]).casefold()
    light = american_spelling(fold_accents(" ".join(text.split())))
    bare, measured = take_out(light, MEASURED)
    mild, severity = take_out(bare, SEVERITY)
    plain, qualifying = take_out(mild, COURSE_AND_SIDE)
    key = concepts.key
    whole = normalise(verbatim[:LONGEST]).text
    stages: list[tuple[str, str, tuple[Told, ...]]] = [(whole, key(whole), ())]
    if measured:
        text = normalise(bare).text
        stages.append((text, key(text), measured))
    if severity:
        text = normalise(mild).text
        stages.append((text, key(text), measured + severity))
    alike = stages[-1][:2] if stages[-1][0] else stages[0][:2]
    if qualifying:
        text = normalise(plain).text
        stages.append((text, key(text), measured + severity + qualifying))
    left, circumstances = concepts.without(stages[-1][0], BESIDE.__eq__)
    if circumstances:
        beside = tuple(Told("circumstance", words) for words in circumstances)
        stages.append((left, key(left), stages[-1][2] + beside))
        left, _ = concepts.without(alike[0], BESIDE.__eq__)
        alike = (left, key(left)) if left else alike
    return Reading(light, bare, measured, tuple(stages), alike)
