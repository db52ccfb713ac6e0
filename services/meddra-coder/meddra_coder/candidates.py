"""The list from which a person chooses: what was found, the parts, then names and phrases by likeness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from meddra_coder.coder import Coder
from meddra_coder.finding import Found, mend
from meddra_coder.manner import Manner
from meddra_coder.reading import Reading

MOST_CANDIDATES: Final = 20
_SPARE: Final = 4
"""How many more are asked for, as some are on the list already."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A term a person may choose. `score` is likeness from 0 to 1, not a probability."""

    code: str
    term: str
    soc: str
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A verbatim for which a list is made; `split` are its parts, with their codes, where it names several events."""

    reading: Reading
    found: Found | None
    split: tuple[tuple[str, str], ...]


def candidates_of(wanted: Sequence[Wanted], coder: Coder, top: int) -> list[tuple[Candidate, ...]]:
    """The terms a person may choose: what was found, the parts, then names and phrases by likeness, a term once."""
    lists = [_found_first(one, coder) for one in wanted]
    if top < 1:
        return [()] * len(wanted)
    short = [place for place, chosen in enumerate(lists) if len(chosen) < top]
    asked = [_asked(wanted[place].reading, coder) for place in short]
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


def _found_first(one: Wanted, coder: Coder) -> dict[str, Candidate]:
    """What was found, and the parts."""
    chosen: dict[str, Candidate] = {}
    found = one.found
    is_name = found is not None and found.manner in (Manner.EXACT, Manner.NORMALISED)
    for term in found.terms if found else ():
        _put(chosen, term.code, 1.0, "the same name" if is_name else "it says the same", coder)
    for words, code in one.split:
        _put(chosen, code, 0.999, f'its part "{words}"', coder)
    return chosen


def _asked(reading: Reading, coder: Coder) -> tuple[str, str]:
    """(normal form, key) by which like terms are looked for: what is left, with its spelling mended."""
    text, key = reading.alike
    mended = mend(text, coder)
    return (mended[1], coder.thesaurus.concepts.key(mended[1])) if mended else (text, key)


def _put(chosen: dict[str, Candidate], code: str, score: float, why: str, coder: Coder) -> None:
    """Put a term on the list once, where a person may choose it."""
    if code in chosen:
        return
    listed = coder.dictionary.listed(code)
    if listed is not None:
        chosen[code] = Candidate(code, *listed, round(score, 3), why)
