"""Why a verbatim must not be coded without a person: what its words say, and what speaks against the term found."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from meddra_coder.coder import Coder
from meddra_coder.dictionary import DictionaryTerm, Kind
from meddra_coder.finding import Found
from meddra_coder.gate import Gate
from meddra_coder.lexicon import load_lexicon
from meddra_coder.manner import Manner
from meddra_coder.reading import LONGEST, Reading
from meddra_coder.wording import normalise


def why_not(
    verbatim: str,
    reading: Reading,
    found: Found | None,
    split: tuple[tuple[str, str], ...],
    parts: tuple[tuple[str, Found | None], ...],
    coder: Coder,
) -> tuple[str, ...]:
    """Why this verbatim must not be coded without a person; empty when it may."""
    text = reading.text
    if not text:
        return ("the verbatim is empty: the site is to be asked",)
    if len(verbatim) > LONGEST:
        return (f"the verbatim has {len(verbatim)} letters: a narrative is coded by a person",)
    reasons: list[str] = []
    if text in coder.thesaurus.not_alone:
        reasons.append("it is on the list of what is never coded automatically here")
    # "Possibly related" is said of the cause, not of the event.
    within = found.within if found else None
    stops = _gate().stops(reading.of_the_event if within is None else normalise(within).text)
    stops += _gate().past(reading.light)
    is_several = len({code for _, code in split}) > 1
    if found is None or (found.why_not and is_several):
        if is_several:
            said = ", ".join(f'"{words}" ({_name(code, coder)})' for words, code in split)
            reasons.append(f"it names more than one event, to be split: {said}")
        elif split:
            rest = ", ".join(f'"{words}"' for words, one in parts if one is None)
            reasons.append(f"beside {_name(split[0][1], coder)} it says {rest}, which is no term by itself")
        else:
            reasons.append(f"no term of {coder.version} has this name")
        return (*reasons, *(stop.sentence for stop in stops))
    if found.why_not:
        reasons.append(f"{found.why_not}: {', '.join(term.name for term in found.terms) or 'no term fits'}")
    elif len(found.terms) > 1:
        reasons.append(f"the name fits {len(found.terms)} terms: {', '.join(term.name for term in found.terms)}")
    elif is_several:
        reasons.append("it names more than one event, to be split")
    for term in found.terms:
        reasons.extend(_against_term(term))
    # A name or a phrase explains its own words; in other manners, a word may have been passed over.
    if found.manner in (Manner.EXACT, Manner.NORMALISED):
        if not any(term.kind is Kind.OUTCOME for term in found.terms):
            reasons.extend(stop.sentence for stop in stops if stop.gate == "outcome")
    elif found.manner not in (Manner.SYNONYM, Manner.STUDY_SYNONYM):
        # In another order "a cough without phlegm" may be "no cough and phlegm": a "no" is never explained so.
        explained = {stop.word for stop in _gate().stops(normalise(found.said).text) if stop.gate != "negation"}
        reasons.extend(stop.sentence for stop in stops if stop.word not in explained and stop.gate != "vague")
    return tuple(reasons)


def _against_term(term: DictionaryTerm) -> Iterator[str]:
    if term.kind is Kind.OTHER_SPECIFY:
        yield (
            f'"{term.name}" is never coded automatically: '
            "it names a class without an event, and its published code is that of the class"
        )
    elif term.kind is Kind.OUTCOME:
        yield f'the term "{term.name}" is an outcome, not an event: its cause is coded, by a person'
    elif term.kind is Kind.PROCEDURE:
        yield f'the term "{term.name}" is a procedure, not an event: what it was done for is coded, by a person'
    if not term.is_current:
        yield f'"{term.name}" is no longer current: a current term of the same preferred term is chosen, by a person'


def _name(code: str, coder: Coder) -> str:
    term = coder.dictionary.coded(code)
    return code if term is None else term.name


@functools.cache
def _gate() -> Gate:
    return Gate(load_lexicon().held)
