"""Coding one verbatim: a term where it is sure which, otherwise a person with a list.

Pure. The same verbatim, dictionary and synonyms give the same answer, byte for byte. The steps, each with its reason
kept: the name as written; its normal form; approved and shipped phrases; the same after grade, date, value and relation
are taken out; after severity, course and side; the same words in another order or language; a mended slip of the pen;
one event said twice; a laboratory value. Likeness never codes, it only orders the list. Then the gate is asked. Grades,
review and messages are left to others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from meddra_coder.candidates import MOST_CANDIDATES, Candidate, Wanted, candidates_of
from meddra_coder.coder import Coder
from meddra_coder.confidence import LEAST, confidence
from meddra_coder.doubts import why_not
from meddra_coder.finding import Found, find, is_treatment, parts_of
from meddra_coder.manner import Manner
from meddra_coder.reading import read
from meddra_coder.taken_out import Told


class Status(StrEnum):
    """What became of a verbatim."""

    CODED = "coded"
    NEEDS_REVIEW = "needs_review"


@dataclass(frozen=True, slots=True)
class Coding:
    """The answer for one verbatim. `llt_code`, `term` and `soc` are given only when `status` is coded.

    `told` is what the verbatim says beside the event. `split` are the codes of its parts where it names several events.
    """

    verbatim: str
    status: Status
    llt_code: str | None
    term: str | None
    soc: str | None
    method: Manner
    confidence: float | None
    candidates: tuple[Candidate, ...]
    reasons: tuple[str, ...]
    dictionary_version: str
    synonyms: str
    told: tuple[Told, ...] = ()
    split: tuple[tuple[str, str], ...] = ()
    """(part of the verbatim, code) of each event."""
    path: tuple[str, ...] = ()
    """From the lowest level term up to the system organ class, as far as the dictionary gives it."""
    smqs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Draft:
    """A verbatim on which it is decided already; only the list of terms is missing."""

    verbatim: str
    wanted: Wanted
    told: tuple[Told, ...]
    against: tuple[str, ...]


def code_event(verbatim: str, coder: Coder, *, top: int = MOST_CANDIDATES) -> Coding:
    """Code one verbatim, or hold it for a person. Never fails, whatever the text.

    `top` limits the candidates, from 0 to 20. What was found stands first.
    """
    (coding,) = code_events([verbatim], coder, top=top)
    return coding


def code_events(verbatims: Sequence[str], coder: Coder, *, top: int = MOST_CANDIDATES) -> list[Coding]:
    """Code verbatims, each as it would be alone; many at once are quicker, as the lists are searched together."""
    top = max(0, min(top, MOST_CANDIDATES))
    drafts = [_draft(verbatim, coder) for verbatim in verbatims]
    lists = candidates_of([draft.wanted for draft in drafts], coder, top)
    return [_coding(draft, candidates, coder, top) for draft, candidates in zip(drafts, lists, strict=True)]


def _draft(verbatim: str, coder: Coder) -> _Draft:
    """Decide on one verbatim."""
    reading = read(verbatim, coder.thesaurus.concepts)
    found, told = find(verbatim, reading, coder)
    is_sure = found is not None and found.why_not is None and found.manner is not Manner.SPELLING
    parts = () if is_sure else parts_of(reading, coder)
    split: tuple[tuple[str, str], ...] = ()
    if parts:
        codes = {one.terms[0].code for _, one in parts if one}
        if all(one for _, one in parts) and len(codes) == 1:
            (first, *_) = (one for _, one in parts if one)
            found = found or Found(first.terms, Manner.SAME_PARTS, "each of its parts is the same term", first.said)
        elif len(codes) == 1 and all(one or is_treatment(words, coder) for words, one in parts):
            ((words, first), *_) = ((words, one) for words, one in parts if one)
            found = replace(first, manner=Manner.TREATED, within=words)
            told = (*told, *(Told("treatment", words) for words, one in parts if one is None))
        elif codes:
            split = tuple((words, one.terms[0].code) for words, one in parts if one)
    against = why_not(verbatim, reading, found, split, parts, coder)
    if found and not against:
        sure = confidence(found.manner)
        if sure is not None and sure < LEAST:
            against = (f"right in {sure:.1%} of such cases, less than {LEAST:.0%}",)
    return _Draft(verbatim, Wanted(reading, found, split), told, against)


def _coding(draft: _Draft, candidates: tuple[Candidate, ...], coder: Coder, top: int) -> Coding:
    found = draft.wanted.found
    if draft.against or found is None:
        order = "candidates are ordered by likeness, not by meaning"
        if not candidates:
            order = "no candidates: no term is like the verbatim" if top > 0 else "no candidates asked for"
        return Coding(
            draft.verbatim, Status.NEEDS_REVIEW, None, None, None, Manner.NONE, None, candidates,
            (*draft.against, order), coder.version, coder.thesaurus.revision, draft.told, draft.wanted.split,
        )  # fmt: skip
    term = found.terms[0]
    beside = tuple(f"taken out: {one.kind} ({one.words})" for one in draft.told)
    return Coding(
        draft.verbatim, Status.CODED, term.code, term.name, term.soc, found.manner, confidence(found.manner),
        candidates, (found.why, *beside), coder.version, coder.thesaurus.revision, draft.told, (), term.path, term.smqs,
    )  # fmt: skip
