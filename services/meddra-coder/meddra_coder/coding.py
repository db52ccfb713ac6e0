"""Coding one verbatim: a term where it is sure which, otherwise a person with a list.

Pure. The same verbatim, dictionary and synonyms give the same answer, byte for byte. The steps, each with its reason
kept: the name as written; its normal form; approved and shipped phrases; the same after grade, date, value and relation
are taken out; after severity, course and side; the same words in another order or language; a mended slip of the pen;
one event said twice; a laboratory value. Likeness never codes, it only orders the list. Then the gate is asked. Grades,
review and messages are left to others.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from meddra_coder import bare_value
from meddra_coder.confidence import LEAST, confidence
from meddra_coder.dictionary import Dictionary, DictionaryTerm, Kind, default_dictionary
from meddra_coder.gate import Gate
from meddra_coder.lexicon import load_lexicon
from meddra_coder.manner import Manner
from meddra_coder.taken_out import COURSE_AND_SIDE, MEASURED, SEVERITY, Told, take_out
from meddra_coder.thesaurus import GLOBAL, SHIPPED, STUDY, Meant, Thesaurus
from meddra_coder.wording import STEPS, american_spelling, fold_accents, normalise

MOST_CANDIDATES: Final = 20
_MOST_PARTS: Final = 8
_SPARE: Final = 4
"""How many more are asked for, as some are on the list already."""
_LONGEST: Final = 400
"""A longer verbatim is a narrative, and waits for a person."""


class Status(StrEnum):
    """What became of a verbatim."""

    CODED = "coded"
    NEEDS_REVIEW = "needs_review"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A term a person may choose. `score` is likeness from 0 to 1, not a probability."""

    code: str
    term: str
    soc: str
    score: float
    why: str


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


class Coder:
    """What a study is coded with: one version of a dictionary and one revision of the synonyms. For any thread."""

    def __init__(self, dictionary: Dictionary, thesaurus: Thesaurus | None = None) -> None:
        self.dictionary: Final = dictionary
        self.thesaurus: Final = Thesaurus(dictionary) if thesaurus is None else thesaurus

    @property
    def version(self) -> str:
        """The version of the dictionary."""
        return self.dictionary.version


@functools.cache
def default_coder() -> Coder:
    """The shipped dictionary with the shipped synonyms."""
    return Coder(default_dictionary())


@functools.cache
def _gate() -> Gate:
    return Gate(load_lexicon().held)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A verbatim as it is read: the text of each stage, what was taken out up to there, and its concepts.

    The stages: as it is; without what is measured or dated; without severity; without course and side as well. `bare`
    still has its punctuation, `measured` is what was taken out of it.
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
    def core(self) -> tuple[str, str]:
        """(text, key) of the latest stage that says something."""
        return next(((text, key) for text, key, _ in reversed(self.stages) if text), ("", ""))


@dataclass(frozen=True, slots=True)
class _Found:
    """Terms for a text, and in which manner. `why_not` says why one term is not sure although it was found."""

    terms: tuple[DictionaryTerm, ...]
    manner: Manner
    why: str
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class _Draft:
    """A verbatim on which it is decided already; only the list of terms is missing."""

    verbatim: str
    reading: _Reading
    found: _Found | None
    told: tuple[Told, ...]
    split: tuple[tuple[str, str], ...]
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
    lists = _candidates(drafts, coder, top)
    return [_coding(draft, candidates, coder, top) for draft, candidates in zip(drafts, lists, strict=True)]


def _draft(verbatim: str, coder: Coder) -> _Draft:
    """Decide on one verbatim."""
    reading = _read(verbatim, coder)
    found, told = _find(verbatim, reading, coder)
    is_sure = found is not None and found.why_not is None and found.manner is not Manner.SPELLING
    parts = () if is_sure else _parts(reading, coder)
    split: tuple[tuple[str, str], ...] = ()
    if parts:
        codes = {one.terms[0].code for _, one in parts if one}
        if all(one for _, one in parts) and len(codes) == 1:
            (first, *_) = (one for _, one in parts if one)
            found = found or _Found(first.terms, Manner.SAME_PARTS, "each of its parts is the same term")
        elif codes:
            split = tuple((words, one.terms[0].code) for words, one in parts if one)
    against = _why_not(verbatim, reading, found, split, parts, coder)
    if found and not against:
        sure = confidence(found.manner)
        if sure is not None and sure < LEAST:
            against = (f"right in {sure:.1%} of such cases, less than {LEAST:.0%}",)
    return _Draft(verbatim, reading, found, told, split, against)


def _coding(draft: _Draft, candidates: tuple[Candidate, ...], coder: Coder, top: int) -> Coding:
    found = draft.found
    if draft.against or found is None:
        order = "candidates are ordered by likeness, not by meaning"
        if not candidates:
            order = "no candidates: no term is like the verbatim" if top > 0 else "no candidates asked for"
        return Coding(
            draft.verbatim, Status.NEEDS_REVIEW, None, None, None, Manner.NONE, None, candidates,
            (*draft.against, order), coder.version, coder.thesaurus.revision, draft.told, draft.split,
        )  # fmt: skip
    term = found.terms[0]
    beside = tuple(f"taken out: {one.kind} ({one.words})" for one in draft.told)
    return Coding(
        draft.verbatim, Status.CODED, term.code, term.name, term.soc, found.manner, confidence(found.manner),
        candidates, (found.why, *beside), coder.version, coder.thesaurus.revision, draft.told, (), term.path, term.smqs,
    )  # fmt: skip


def _read(verbatim: str, coder: Coder) -> _Reading:
    """Read a verbatim: small letters in one spelling, then what is beside the event taken out, step by step."""
    text = unicodedata.normalize("NFKC", verbatim[:_LONGEST]).casefold()
    light = american_spelling(fold_accents(" ".join(text.split())))
    bare, measured = take_out(light, MEASURED)
    mild, severity = take_out(bare, SEVERITY)
    plain, qualifying = take_out(mild, COURSE_AND_SIDE)
    key = coder.thesaurus.concepts.key
    whole = normalise(verbatim[:_LONGEST]).text
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
    return _Reading(light, bare, measured, tuple(stages), alike)


def _find(verbatim: str, reading: _Reading, coder: Coder) -> tuple[_Found | None, tuple[Told, ...]]:
    """The steps up to the mended spelling, in their order; the first that finds a term counts."""
    named = coder.dictionary.named(verbatim.strip())
    if named:
        return _Found((named,), Manner.EXACT, f'the verbatim is the term "{named.name}"'), ()
    value = _by_value(reading, coder)
    if value:
        return value, reading.measured
    for text, _, told in reading.stages:
        found = _by_text(text, coder, verbatim)
        if found:
            return found, told
    for _, key, told in reading.stages:
        found = _by_words(key, coder)
        if found:
            return found, told
    for text, _, told in reading.stages:
        mended = _mended(text, coder)
        if mended is not None:
            slip, better = mended
            found = _by_text(better, coder, better) or _by_words(coder.thesaurus.concepts.key(better), coder)
            if found:
                return _Found(found.terms, Manner.SPELLING, f"{found.why}, once {slip}", found.why_not), told
    return None, reading.stages[-1][2]


def _by_text(text: str, coder: Coder, verbatim: str) -> _Found | None:
    """A name or a phrase in exactly these words."""
    if not text:
        return None
    terms = coder.dictionary.worded(text)
    meant = coder.thesaurus.phrase(text)
    if meant and (meant.scope != SHIPPED or not terms):
        return _meant(meant, coder, Manner.SYNONYM if meant.scope == SHIPPED else Manner.STUDY_SYNONYM, "is")
    if terms:
        terms = _best(terms)
        done = {*normalise(verbatim).steps, *normalise(terms[0].name).steps}
        steps = ", ".join(name for name, _ in STEPS if name in done)
        how = f" ({steps})" if steps else ""
        return _Found(
            terms,
            Manner.NORMALISED,
            f'the verbatim is the term "{terms[0].name}" when both are written in one way{how}',
        )
    return None


def _by_words(key: str, coder: Coder) -> _Found | None:
    """A name or a phrase with exactly these concepts."""
    terms = coder.dictionary.keyed(key)
    meant = coder.thesaurus.key(key)
    if terms and meant and meant.why:
        meant = None  # a name with these very words says more than a phrase that may mean several things
    if terms and meant:
        codes = dict.fromkeys((*(term.code for term in terms), *meant.codes))
        meant = Meant(tuple(codes), meant.phrase, meant.scope, meant.why)
    if meant:
        return _meant(meant, coder, Manner.WORDS, "says the same as")
    if terms:
        terms = _best(terms)
        return _Found(terms, Manner.WORDS, f'the words of the verbatim say the same as the term "{terms[0].name}"')
    return None


_SCOPES: Final = {STUDY: "approved for this study", GLOBAL: "approved for all studies", SHIPPED: "of the lexicon"}


def _meant(meant: Meant, coder: Coder, manner: Manner, verb: str) -> _Found:
    terms = tuple(term for code in meant.codes if (term := coder.dictionary.coded(code)))
    scope = _SCOPES[meant.scope]
    name = terms[0].name if terms else "no term"
    return _Found(
        terms, manner, f'the verbatim {verb} "{meant.phrase}", a phrase {scope} for "{name}"',
        meant.why if meant.why or len(terms) != 1 else None,
    )  # fmt: skip


def _best(terms: tuple[DictionaryTerm, ...]) -> tuple[DictionaryTerm, ...]:
    """Of several names that say the same: the one that stands for them where all belong to one preferred term."""
    current = tuple(term for term in terms if term.is_current)
    if len(current) > 1 and current[0].pt_code and len({term.pt_code for term in current}) == 1:
        return (min(current, key=lambda term: (term.code != term.pt_code, term.code)),)
    return current or terms


def _by_value(reading: _Reading, coder: Coder) -> _Found | None:
    """A laboratory value beside the bare name of what was measured."""
    values = [one.words for one in reading.measured if one.kind == "value"]
    concepts = [one for one in reading.core[1].split() if one not in ("LOW", "HIGH")]
    if len(values) != 1 or len(concepts) != 1:
        return None
    found = bare_value.term_of(concepts[0], values[0])
    term = coder.dictionary.coded(found.code) if found else None
    if found is None or term is None:
        return None
    return _Found((term,), Manner.VALUE, found.because)


def _mended(text: str, coder: Coder) -> tuple[str, str] | None:
    """What was mended, and the text with each unknown word mended; None where nothing is, or one cannot be."""
    slips = []
    words = []
    for word in text.split():
        meant = None if coder.thesaurus.concepts.knows(word) else coder.thesaurus.spelling.mend(word)
        if meant:
            slips.append(f'"{word}" is read as "{meant}"')
        words.append(meant or word)
    return (" and ".join(slips), " ".join(words)) if slips else None


_BESIDE: Final = re.compile(r"[(),;，；（）]")
_SEPARATORS: Final = re.compile(
    r"\s+(?:and|with|plus|w/|along with|accompanied by|as well as|but|then)\s+|\s*[,;+&/()、;。]\s*|\.\s+|\s+-\s+"
    r"|以及|伴有|合并|并且|并有|及|和|伴|与|同时|还有|且|并"
)


def _parts(reading: _Reading, coder: Coder) -> tuple[tuple[str, _Found | None], ...]:
    """The parts of a verbatim that names several things, each with its term; empty where it is one thing."""
    # In brackets or after a comma there may be the value of the same event: "neutropenia (ANC 0.4)".
    beside = _parts_of(_BESIDE.split(reading.light), coder)
    if beside and all(one for _, one in beside) and len({one.terms[0].code for _, one in beside if one}) == 1:
        return beside
    return _parts_of(_SEPARATORS.split(reading.bare), coder)


def _parts_of(texts: Sequence[str], coder: Coder) -> tuple[tuple[str, _Found | None], ...]:
    pieces = [piece.strip() for piece in texts if piece.strip()]
    if len(pieces) < 2:
        return ()
    found = []
    for piece in pieces[:_MOST_PARTS]:
        part = _read(piece, coder)
        one, _ = _find(piece, part, coder)
        sure = one if one and one.why_not is None and len(one.terms) == 1 else None
        if sure or part.core[1]:
            found.append((piece, sure))
    return tuple(found) if len(found) > 1 else ()


def _why_not(
    verbatim: str,
    reading: _Reading,
    found: _Found | None,
    split: tuple[tuple[str, str], ...],
    parts: tuple[tuple[str, _Found | None], ...],
    coder: Coder,
) -> tuple[str, ...]:
    """Why this verbatim must not be coded without a person; empty when it may."""
    text = reading.text
    if not text:
        return ("the verbatim is empty: the site is to be asked",)
    if len(verbatim) > _LONGEST:
        return (f"the verbatim has {len(verbatim)} letters: a narrative is coded by a person",)
    reasons: list[str] = []
    if text in coder.thesaurus.not_alone:
        reasons.append("it is on the list of what is never coded automatically here")
    # "Possibly related" is said of the cause, not of the event.
    stops = _gate().stops(reading.stages[1][0] if reading.measured and reading.stages[1][0] else text)
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
    elif found.manner in (Manner.WORDS, Manner.SPELLING, Manner.SAME_PARTS, Manner.VALUE):
        # In another order "a cough without phlegm" may be "no cough and phlegm": a "no" is never explained so.
        explained = {stop.word for stop in _gate().stops(_explaining(found)) if stop.gate != "negation"}
        reasons.extend(stop.sentence for stop in stops if stop.word not in explained and stop.gate != "vague")
    return tuple(reasons)


def _explaining(found: _Found) -> str:
    """The words of a reason: those of the phrase or name that was found."""
    return normalise(found.why).text


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


def _candidates(drafts: Sequence[_Draft], coder: Coder, top: int) -> list[tuple[Candidate, ...]]:
    """The terms a person may choose: what was found, the parts, then names and phrases by likeness, a term once."""
    lists = [_found_first(draft, coder) for draft in drafts]
    if top < 1:
        return [()] * len(drafts)
    short = [place for place, chosen in enumerate(lists) if len(chosen) < top]
    asked = [_asked(drafts[place].reading, coder) for place in short]
    names = coder.dictionary.nearest(asked, top + _SPARE)
    phrases = coder.thesaurus.nearest(asked, top + _SPARE)
    for place, near_names, near_phrases in zip(short, names, phrases, strict=True):
        alike: dict[str, tuple[float, str]] = {code: (likeness, "") for code, likeness in near_names}
        for code, phrase, likeness in near_phrases:
            if code not in alike or alike[code][0] < likeness:
                alike[code] = (likeness, phrase)
        for code, (likeness, phrase) in sorted(alike.items(), key=lambda one: (-one[1][0], one[0])):
            what = f'the phrase "{phrase}"' if phrase else "its name"
            why = f"{what} is alike: {likeness:.3f} of 1"
            _put(lists[place], code, min(likeness, 0.99), why, coder)
            if len(lists[place]) >= top:
                break
    return [tuple(chosen.values())[:top] for chosen in lists]


def _found_first(draft: _Draft, coder: Coder) -> dict[str, Candidate]:
    """What was found, and the parts."""
    chosen: dict[str, Candidate] = {}
    found = draft.found
    is_name = found is not None and found.manner in (Manner.EXACT, Manner.NORMALISED)
    for term in found.terms if found else ():
        _put(chosen, term.code, 1.0, "the same name" if is_name else "it says the same", coder)
    for words, code in draft.split:
        _put(chosen, code, 0.999, f'its part "{words}"', coder)
    return chosen


def _asked(reading: _Reading, coder: Coder) -> tuple[str, str]:
    """(normal form, key) by which like terms are looked for: what is left, with its spelling mended."""
    text, key = reading.alike
    mended = _mended(text, coder)
    return (mended[1], coder.thesaurus.concepts.key(mended[1])) if mended else (text, key)


def _put(chosen: dict[str, Candidate], code: str, score: float, why: str, coder: Coder) -> None:
    """Put a term on the list once, where a person may choose it."""
    if code in chosen:
        return
    listed = coder.dictionary.listed(code)
    if listed is not None:
        chosen[code] = Candidate(code, *listed, round(score, 3), why)
