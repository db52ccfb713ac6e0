"""Finding the term of a verbatim, in the order of the steps: the first that finds one counts.

The name as written; its normal form and the phrases of the thesaurus; the same after each thing beside the event is
taken out; the same concepts; a mended slip of the pen; a laboratory value. Whether what was found may be coded is left
to `meddra_coder.doubts`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from meddra_coder import bare_value
from meddra_coder.coder import Coder
from meddra_coder.concepts import BESIDE, GENERAL, LITTLE, NOTHING, PLACES, QUALIFIERS
from meddra_coder.dictionary import DictionaryTerm
from meddra_coder.manner import Manner
from meddra_coder.reading import Reading, read
from meddra_coder.taken_out import Told
from meddra_coder.thesaurus import GLOBAL, SHIPPED, STUDY, Meant
from meddra_coder.wording import STEPS, normalise

_MOST_PARTS: Final = 8


@dataclass(frozen=True, slots=True)
class Found:
    """Terms for a text, and in which manner. `said` is the name or the phrase that was found, which explains its words.

    `why_not` says why no term is sure although it was found; `within` are the words that it was found in, where the
    rest of the verbatim is no event.
    """

    terms: tuple[DictionaryTerm, ...]
    manner: Manner
    why: str
    said: str
    why_not: str | None = None
    within: str | None = None


def find(verbatim: str, reading: Reading, coder: Coder) -> tuple[Found | None, tuple[Told, ...]]:
    """The steps up to the mended spelling, in their order; the first that finds a term counts."""
    named = coder.dictionary.named(verbatim.strip())
    if named:
        return Found((named,), Manner.EXACT, f'the verbatim is the term "{named.name}"', named.name), ()
    value = _by_value(reading, coder)
    if value:
        return value, reading.measured
    whole = [one for one in reading.stages if not _has_circumstances(one[2])]
    without = [one for one in reading.stages if _has_circumstances(one[2]) and one[1] not in GENERAL]
    # The whole in other words comes before a part in these: "generalized pruritus" may be a term of its own.
    for stages in (whole, without):
        for text, _, told in stages:
            found = _by_text(text, coder, verbatim)
            if found:
                return _as_said(found, told), told
        for _, key, told in stages:
            found = _by_words(key, coder)
            if found:
                return _as_said(found, told), told
    beside_place = _by_place(reading, coder)
    if beside_place:
        return beside_place
    for text, _, told in reading.stages:
        mended = mend(text, coder)
        if mended is not None:
            slip, better = mended
            found = _by_text(better, coder, better) or _by_words(coder.thesaurus.concepts.key(better), coder)
            if found:
                return replace(found, manner=Manner.SPELLING, why=f"{found.why}, once {slip}"), told
    return None, reading.stages[-1][2]


def _as_said(found: Found, told: tuple[Told, ...]) -> Found:
    """The same in its own manner where circumstances were left out: how sure that is, is measured apart."""
    if _has_circumstances(told):
        return replace(found, manner=Manner.CIRCUMSTANCE)
    return found


def _has_circumstances(told: tuple[Told, ...]) -> bool:
    return any(one.kind == "circumstance" for one in told)


def _by_place(reading: Reading, coder: Coder) -> tuple[Found, tuple[Told, ...]] | None:
    """The event without its place, where nothing in the dictionary tells this event by its place."""
    text, _, told = reading.stages[-1]
    rest, places = coder.thesaurus.concepts.without(text, PLACES.__contains__)
    key = coder.thesaurus.concepts.key(rest)
    said = [one for _, one in coder.thesaurus.concepts.told(rest) if one not in (NOTHING, LITTLE, BESIDE)]
    if not places or not key or len(said) != len(set(said)):
        return None  # one thing said twice of two places: two events
    found = _by_text(rest, coder, rest) or _by_words(key, coder)
    if found is None or found.why_not or len(found.terms) != 1:
        return None
    named = frozenset(one for _, one in coder.thesaurus.concepts.told(text) if one in PLACES)
    if coder.thesaurus.told_by_place(key, named) - {found.terms[0].code}:
        return None
    where = tuple(Told("place", words) for words in places)
    return replace(found, manner=Manner.PLACE), (*told, *where)


def _by_text(text: str, coder: Coder, verbatim: str) -> Found | None:
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
        return Found(
            terms,
            Manner.NORMALISED,
            f'the verbatim is the term "{terms[0].name}" when both are written in one way{how}',
            terms[0].name,
        )
    return None


def _by_words(key: str, coder: Coder) -> Found | None:
    """A name or a phrase with exactly these concepts. Such as only qualify ("abnormal", "low") are no event."""
    if QUALIFIERS.issuperset(key.split()):
        return None
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
        name = terms[0].name
        return Found(terms, Manner.WORDS, f'the words of the verbatim say the same as the term "{name}"', name)
    return None


_SCOPES: Final = {STUDY: "approved for this study", GLOBAL: "approved for all studies", SHIPPED: "of the lexicon"}


def _meant(meant: Meant, coder: Coder, manner: Manner, verb: str) -> Found:
    terms = tuple(term for code in meant.codes if (term := coder.dictionary.coded(code)))
    scope = _SCOPES[meant.scope]
    name = terms[0].name if terms else "no term"
    return Found(
        terms, manner, f'the verbatim {verb} "{meant.phrase}", a phrase {scope} for "{name}"', meant.phrase,
        meant.why if meant.why or len(terms) != 1 else None,
    )  # fmt: skip


def _best(terms: tuple[DictionaryTerm, ...]) -> tuple[DictionaryTerm, ...]:
    """Of several names that say the same: the one that stands for them where all belong to one preferred term."""
    current = tuple(term for term in terms if term.is_current)
    if len(current) > 1 and current[0].pt_code and len({term.pt_code for term in current}) == 1:
        return (min(current, key=lambda term: (term.code != term.pt_code, term.code)),)
    return current or terms


def _by_value(reading: Reading, coder: Coder) -> Found | None:
    """A laboratory value beside the bare name of what was measured."""
    values = [one.words for one in reading.measured if one.kind == "value"]
    concepts = [one for one in reading.core[1].split() if one not in ("LOW", "HIGH")]
    if len(values) != 1 or len(concepts) != 1:
        return None
    found = bare_value.term_of(concepts[0], values[0])
    term = coder.dictionary.coded(found.code) if found else None
    if found is None or term is None:
        return None
    return Found((term,), Manner.VALUE, found.because, term.name)


_TREATMENT: Final = re.compile(
    r"(?:予以?|给予|给以|需要?|经|用了?|服用?了?|口服|静滴|静脉|加用|应用|对症|未予|吃了?|贴了?|打了?|输了?)\S+"
    r"|(?:on|given|received|treated|managed|requiring|requires|required|needing|started|responded to|took) .+"
    r"|.+ (?:given|started|administered|supplements?|supplementation|supplemented|commenced|prescribed|applied)"
)


def is_treatment(words: str, coder: Coder) -> bool:
    """Whether a clause says only what was given: it begins or ends so, and none of its words is of an event."""
    text = normalise(words).text
    concepts = coder.thesaurus.concepts
    return (
        _TREATMENT.fullmatch(text) is not None
        and coder.thesaurus.phrase(text) is None
        and all(concept in (NOTHING, LITTLE, BESIDE, told) for told, concept in concepts.told(text))
    )


def mend(text: str, coder: Coder) -> tuple[str, str] | None:
    """What was mended, and the text with each unknown word mended; None where nothing is, or one cannot be."""
    if not text.isascii():
        meant = coder.thesaurus.homophones.mend(text)
        return (f'"{text}" is read as "{meant}", which sounds the same', meant) if meant else None
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


def parts_of(reading: Reading, coder: Coder) -> tuple[tuple[str, Found | None], ...]:
    """The parts of a verbatim that names several things, each with its term; empty where it is one thing."""
    # In brackets or after a comma there may be the value of the same event: "neutropenia (ANC 0.4)".
    beside = _pieces(_BESIDE.split(reading.light), coder)
    if beside and all(one for _, one in beside) and len({one.terms[0].code for _, one in beside if one}) == 1:
        return beside
    return _pieces(_SEPARATORS.split(reading.bare), coder)


def _pieces(texts: Sequence[str], coder: Coder) -> tuple[tuple[str, Found | None], ...]:
    pieces = [piece.strip() for piece in texts if piece.strip()]
    if len(pieces) < 2:
        return ()
    found = []
    for piece in pieces[:_MOST_PARTS]:
        part = read(piece, coder.thesaurus.concepts)
        one, _ = find(piece, part, coder)
        sure = one if one and one.why_not is None and len(one.terms) == 1 else None
        if sure or part.core[1]:
            found.append((piece, sure))
    return tuple(found) if len(found) > 1 else ()
