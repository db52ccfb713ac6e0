"""Coding one verbatim: a term where its name was written, otherwise a person with a list.

Pure. The same verbatim and dictionary give the same answer, byte for byte. A verbatim is coded only when its
normal form is the name of exactly one term that stands for an event; likeness never codes, it only orders the
list. Grades, synonyms, review and messages are left to others.

Confidence is None for now: it will be a measured probability of being right, and none has been measured. A
match of names is a rule with a reason, not an estimate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from meddra_coder.dictionary import Dictionary, DictionaryTerm, Kind
from meddra_coder.wording import STEPS, Wording, normalise

MOST_CANDIDATES: Final = 20


class Status(StrEnum):
    """What became of a verbatim."""

    CODED = "coded"
    NEEDS_REVIEW = "needs_review"


class Method(StrEnum):
    """How the term was found."""

    EXACT = "exact"
    """The verbatim is the name, character for character, blanks around it apart."""
    NORMALISED = "normalised"
    """The verbatim is the name after the steps of `meddra_coder.wording`."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A term a person may choose. `score` is likeness of letters from 0 to 1, not a probability."""

    code: str
    term: str
    soc: str
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Coding:
    """The answer for one verbatim. `llt_code`, `term` and `soc` are given only when `status` is coded."""

    verbatim: str
    status: Status
    llt_code: str | None
    term: str | None
    soc: str | None
    method: Method
    confidence: float | None
    candidates: tuple[Candidate, ...]
    reasons: tuple[str, ...]
    dictionary_version: str


def code_event(verbatim: str, dictionary: Dictionary, *, top: int = MOST_CANDIDATES) -> Coding:
    """Code one verbatim, or hold it for a person. Never fails, whatever the text.

    `top` limits the candidates, from 0 to 20. Those of that very name stand first.
    """
    wording = normalise(verbatim)
    named = dictionary.named(verbatim.strip())
    worded = (named,) if named else dictionary.worded(wording.text)
    candidates = _candidates(wording, worded, dictionary, max(0, min(top, MOST_CANDIDATES)))
    against = _why_not(wording, worded, dictionary)
    if against:
        order = "candidates are ordered by shared letters only, not by meaning"
        if not candidates:
            order = "no candidates: no term shares letters with the verbatim" if top > 0 else "no candidates asked for"
        return Coding(
            verbatim=verbatim,
            status=Status.NEEDS_REVIEW,
            llt_code=None,
            term=None,
            soc=None,
            method=Method.NONE,
            confidence=None,
            candidates=candidates,
            reasons=(*against, order),
            dictionary_version=dictionary.version,
        )
    term = worded[0]
    return Coding(
        verbatim=verbatim,
        status=Status.CODED,
        llt_code=term.code,
        term=term.name,
        soc=term.soc,
        method=Method.EXACT if named else Method.NORMALISED,
        confidence=None,
        candidates=candidates,
        reasons=(_why(term, wording, is_exact=named is not None),),
        dictionary_version=dictionary.version,
    )


_OUTCOME: Final = re.compile(
    r"\b(?:deaths?|dead|died|dies|dying|deceased|decease|demise|exitus|fatal|fatality|passed away"
    r"|(?:disease|tumor|cancer|myeloma|lymphoma|leukemia) progression|progression of|progressive disease)\b"
    r"|死亡|病死|去世|猝死|疾病进展|肿瘤进展"
)
"""Words for an outcome, in normal form. rules.md section 6: code the cause; an outcome is not an event."""


def names_an_outcome(text: str) -> str | None:
    """The first word in a normal form that names an outcome (death, progression), or None."""
    found = _OUTCOME.search(text)
    return found.group() if found else None


def _why_not(wording: Wording, worded: tuple[DictionaryTerm, ...], dictionary: Dictionary) -> tuple[str, ...]:
    """Why this verbatim must not be coded without a person; empty when it may."""
    if not wording.text:
        return ("the verbatim is empty: the site is to be asked",)
    reasons: list[str] = []
    if not worded:
        reasons.append(f"no term of {dictionary.version} has this name")
    elif len(worded) > 1:
        reasons.append(f"the name fits {len(worded)} terms: {', '.join(term.name for term in worded)}")
    for term in worded:
        if term.kind is Kind.OTHER_SPECIFY:
            reasons.append(
                f'"{term.name}" is never coded automatically: '
                "it names a class without an event, and its published code is that of the class"
            )
        elif term.kind is Kind.OUTCOME:
            reasons.append(f'the term "{term.name}" is an outcome, not an event: its cause is coded, by a person')
    outcome = names_an_outcome(wording.text)
    if outcome and not any(term.kind is Kind.OUTCOME for term in worded):
        reasons.append(f'"{outcome}" is an outcome, not an event: its cause is coded, by a person')
    return tuple(reasons)


def _why(term: DictionaryTerm, wording: Wording, *, is_exact: bool) -> str:
    if is_exact:
        return f'the verbatim is the term "{term.name}"'
    done = {*wording.steps, *normalise(term.name).steps}
    steps = ", ".join(name for name, _ in STEPS if name in done)
    return f'the verbatim is the term "{term.name}" when both are written in one way ({steps})'


def _candidates(
    wording: Wording, worded: tuple[DictionaryTerm, ...], dictionary: Dictionary, top: int
) -> tuple[Candidate, ...]:
    same = [
        Candidate(term.code, term.name, term.soc, 1.0, "the same name")
        for term in worded
        if term.kind is not Kind.OTHER_SPECIFY
    ]
    alike = [
        Candidate(
            near.term.code, near.term.name, near.term.soc, near.likeness, f"shares letters: {near.likeness:.3f} of 1"
        )
        for near in dictionary.nearest(wording.text, top)
        if near.term not in worded
    ]
    return tuple((same + alike)[:top])
