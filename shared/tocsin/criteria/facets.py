"""The facets of each term of each CTCAE edition: read from the tables in this folder, and checked while reading.

Each row is one grade of one term: the alternatives that make it, "|" between them, "+" between the facets that hold
together (`mild+medical|hospitalisation`). The tables hold words of a closed list, and no sentence of the criteria;
`build_facets` derives them. What the facets mean for a site's answers is left to `tocsin.domain.facets`.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from tocsin.criteria.analytes import read_rows
from tocsin.criteria.terms import EDITIONS, CriteriaError, Term, load_terms
from tocsin.domain.facets import Alternative, Facet, TermFacets

COLUMNS: Final = ("code", "grade", "facets")
FACET_FILES: Final = MappingProxyType({"5.0": "ctcae_v5_facets.csv", "6.0": "ctcae_v6_facets.csv"})


@functools.cache
def load_facets(version: str) -> Mapping[str, TermFacets]:
    """The facets of every term of one CTCAE edition ("5.0", "6.0"), by code.

    Raises CriteriaError for an edition that is not here and for a table that is wrong.
    """
    if version not in FACET_FILES:
        raise CriteriaError(f'CTCAE version "{version}" is not known; known are {", ".join(EDITIONS)}.')
    raw = importlib.resources.files("tocsin.criteria").joinpath(FACET_FILES[version]).read_bytes()
    return parse_facets(raw, file=FACET_FILES[version], version=version)


def parse_facets(
    raw: bytes, *, file: str, version: str, terms: Iterable[Term] | None = None
) -> Mapping[str, TermFacets]:
    """Read a table of facets from UTF-8 CSV. `terms` are those of the edition where none are given.

    Raises CriteriaError at the first thing that is wrong, a grade that the table lacks among them.
    """
    known = {term.code: term for term in (load_terms(version) if terms is None else terms)}
    found: dict[str, dict[int, tuple[Alternative, ...]]] = {}
    for where, cells in read_rows(raw, file, COLUMNS):
        term = known.get(cells["code"])
        if term is None:
            raise CriteriaError(f'{where}: code is "{cells["code"]}"; allowed are those of CTCAE {version}.')
        grades = found.setdefault(term.code, {})
        if cells["grade"] not in {str(grade) for grade in term.grades}:
            allowed = ", ".join(map(str, sorted(term.grades)))
            raise CriteriaError(f'{where}: grade is "{cells["grade"]}"; "{term.name}" has {allowed}.')
        grade = int(cells["grade"])
        if grade in grades:
            raise CriteriaError(f'{where}: grade {grade} of "{term.name}" was already there.')
        grades[grade] = tuple(_alternative(text, where) for text in cells["facets"].split("|"))
        if len(set(grades[grade])) != len(grades[grade]):
            raise CriteriaError(f'{where}: facets is "{cells["facets"]}"; allowed is each alternative once.')
    for term in known.values():
        lost = term.grades - found.get(term.code, {}).keys()
        if lost:
            raise CriteriaError(f'{file}: lacks grade {min(lost)} of "{term.name}" ({term.code}).')
    return MappingProxyType(
        {
            code: TermFacets(code, known[code].name, version, MappingProxyType(dict(sorted(grades.items()))))
            for code, grades in found.items()
        }
    )


def _alternative(text: str, where: str) -> Alternative:
    words = text.split("+")
    allowed = {facet.value for facet in Facet}
    for word in words:
        if word not in allowed:
            raise CriteriaError(f'{where}: facets has "{word}"; allowed are {", ".join(Facet)}.')
    if len(set(words)) != len(words):
        raise CriteriaError(f'{where}: facets has "{text}"; allowed is each word once.')
    return frozenset(map(Facet, words))
