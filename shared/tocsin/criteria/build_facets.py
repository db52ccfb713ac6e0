"""Derive the tables of facets from NCI's workbooks: what each grade's text says, in the words of a closed list.

A text is a list of parts between semicolons, which CTCAE reads as "or". Phrases that a question asks about become
their words (`facet_phrases`). What is left of a part becomes `number` or `other`, which no answer affirms or denies.
Where it is not clear whether a comma means "and" or "or", the part is written so that neither reading is lost: all of
it together affirms, and only all of it denied denies.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tocsin.criteria.facet_phrases import (
    BARE,
    LIST_WORDS,
    PHRASES,
    PROCEDURES,
    SILENT,
    SOME_TREATMENT,
    TREATMENT,
)
from tocsin.criteria.facets import COLUMNS, FACET_FILES, parse_facets
from tocsin.criteria.terms import CriteriaError
from tocsin.criteria.workbook import Workbook, read_workbook
from tocsin.domain.facet_words import NOT_ASKED, Alternative, Facet

WORKBOOKS: Final = MappingProxyType({"5.0": "CTCAE_v5.0_2017-11-27.xlsx", "6.0": "ctcae-v6.0.xlsx"})

_OTHER: Final = frozenset({Facet.OTHER})
_SOME_INTERVENTION: Final = frozenset({Facet.NONINVASIVE, Facet.OTHER})
_INTERVENTIONS: Final = frozenset({Facet.NONINVASIVE, Facet.MEDICAL, Facet.INVASIVE, Facet.URGENT})
_SYMPTOMS: Final = frozenset({Facet.ASYMPTOMATIC, Facet.MILD, Facet.MODERATE, Facet.SEVERE})
_ORDER: Final = tuple(Facet)
_LIMITS: Final = frozenset({Facet.INSTRUMENTAL_ADL, Facet.SELF_CARE_ADL})
_TOKEN: Final = re.compile(r"\{([a-z_+]*)\}")
_NEGATED: Final = re.compile(r"\b(?:no|not|without|before|despite|refractory|previously)\b")
_NUMBER: Final = re.compile(r"[0-9%<>]|\b(?:lln|uln)\b")


def derive_facets(version: str, reference: Path) -> bytes:
    """The table of one edition as it should be. Raises CriteriaError, or OSError where the workbook is not there."""
    workbook = read_workbook(reference / "ctcae" / WORKBOOKS[version])
    if workbook.edition != version:
        raise CriteriaError(f"{WORKBOOKS[version]}: holds CTCAE {workbook.edition}; allowed is {version}.")
    raw = table_of(workbook)
    parse_facets(raw, file=FACET_FILES[version], version=version)
    return raw


def table_of(workbook: Workbook) -> bytes:
    """The facets of every grade of every term, in the order of the publication."""
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in workbook.rows:
        for grade, text in sorted(row.grades.items()):
            writer.writerow((row.code, grade, "|".join(_written(each) for each in facets_of(text, grade))))
    return table.getvalue().encode("utf-8")


def facets_of(text: str, grade: int) -> tuple[Alternative, ...]:
    """The alternatives that a text of one grade names, each once, in its order."""
    if grade == 5:
        return (frozenset({Facet.DEATH}),)
    found = (alternative for part in _parts(text) for alternative in _of_part(part))
    return tuple(dict.fromkeys(found)) or (_OTHER,)


def _written(alternative: Alternative) -> str:
    return "+".join(sorted(alternative, key=_ORDER.index))


def _parts(text: str) -> Iterator[str]:
    """The parts between semicolons that are not inside brackets, in small letters and one spelling."""
    depth, part = 0, ""
    for letter in text.casefold():
        depth += (letter == "(") - (letter == ")")
        if letter == ";" and depth <= 0:
            yield _one_spelling(part)
            part, depth = "", 0
        else:
            part += letter
    yield _one_spelling(part)


def _one_spelling(part: str) -> str:
    for old, new in (
        ("age-appropriate instrumental", "instrumental"),
        ("age appropriate instrumental", "instrumental"),
    ):
        part = part.replace(old, new)
    part = part.replace("self care", "self-care").replace("on age-appropriate normal daily activity", "")
    part = part.replace("(pediatric)", "").replace("and/or", "or").replace("life threatening", "life-threatening")
    return " ".join(part.split()).strip(" .")


def _of_part(part: str) -> list[Alternative]:
    if part in BARE:
        return [frozenset(map(Facet, each.split("+"))) for each in BARE[part].split("|")]
    is_procedure = PROCEDURES.search(part) is not None
    for pattern, words in PHRASES:
        part = pattern.sub(f" {{{words}}} ", part)
    part = re.sub(r"\(e\.g\.[^()]*(?:\([^()]*\)[^()]*)*(?:\)|$)", " ", part)
    if not part.strip():
        return []
    found = _of_pieces([" ".join(piece.split()) for piece in re.split(r",(?![0-9])", part)])
    is_lesser = any(not each.isdisjoint((Facet.NONINVASIVE, Facet.MEDICAL)) for each in found)
    return [*found, _SOME_INTERVENTION] if is_procedure and is_lesser else found


def _of_pieces(pieces: list[str]) -> list[Alternative]:
    """What the pieces between commas say together."""
    split = ([atom for each in re.split(r"\bor\b", piece) for atom in _atoms(each)] for piece in pieces)
    atoms = [each for each in split if each]
    flat = list(itertools.chain.from_iterable(atoms))
    if not flat:
        return [_OTHER]
    is_list = all(atom <= LIST_WORDS and atom != _OTHER for atom in flat) and any("or" in p.split() for p in pieces)
    if len(atoms) == 1 or is_list:
        return flat
    if len(atoms) == 2 and len(atoms[1]) == 1 and atoms[1][0] <= _LIMITS:
        # "…, limiting self care ADL" is said of what stands before it.
        return [each | atoms[1][0] for each in atoms[0]]
    if len(atoms[0]) == 1 and atoms[0][0] <= _SYMPTOMS:
        # "Symptomatic, …": the rest is said of an event with symptoms.
        return [atoms[0][0] | rest for rest in _unclear(list(itertools.chain.from_iterable(atoms[1:])))]
    return _unclear(flat)


def _unclear(atoms: list[Alternative]) -> list[Alternative]:
    """Neither "and" nor "or" is sure: all of it affirms; it is denied only where each of it is."""
    if len(set(atoms)) == 1:
        return atoms
    together: Alternative = frozenset().union(*atoms)
    # With a facet that no question asks it can never affirm, and says nothing that each part does not say.
    return [*([together] if together.isdisjoint(NOT_ASKED) else []), *(atom | _OTHER for atom in atoms)]


def _atoms(piece: str) -> list[Alternative]:
    """The facets of a piece without comma and "or": one alternative, none where it only limits."""
    words = {Facet(word) for token in _TOKEN.findall(piece) for word in token.split("+") if word}
    rest = [word for word in re.findall(r"[^\s()]+", _TOKEN.sub(" ", piece)) if word not in SILENT]
    left = " ".join(rest)
    if not rest:
        return [frozenset(words)] if words else []
    if left == "present":
        return [frozenset({*words, Facet.PRESENT})]
    left_word = Facet.NUMBER if _NUMBER.search(left) else Facet.OTHER
    if _NEGATED.search(left):
        # What it negates may be the intervention itself.
        return [frozenset({*(words & _SYMPTOMS), left_word})]
    if not words & _INTERVENTIONS and (TREATMENT.search(piece) or SOME_TREATMENT.search(piece)):
        treated = frozenset({*words, left_word, *_SOME_INTERVENTION})
        return [treated] if TREATMENT.search(piece) else [treated, frozenset({*words, left_word})]
    return [frozenset({*words, left_word})]
