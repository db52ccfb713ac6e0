"""The bands of each CTCAE edition: read from the tables in this folder, and checked while reading.

Each row is one band of one term: a grade, the analyte, from where to where (`lower`, `upper`: a comparison, a number
and what it counts), for which baselines, and what must hold besides (`needs`: `symptomatic=no`). A table is refused
whole, with file and line, where bands overlap or leave a gap that `explains` does not explain. What the bands mean for
a value is left to `tocsin.domain.labs`.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Final, TypeVar

from tocsin.criteria.analytes import is_unit, load_analytes, read_rows, split
from tocsin.criteria.chains import Row, check
from tocsin.criteria.explain import Explain
from tocsin.criteria.terms import EDITIONS, CriteriaError, Term, load_terms
from tocsin.domain.bands import (
    Analyte,
    Band,
    Baseline,
    Basis,
    Bound,
    Comparison,
    Condition,
    Criterion,
    Direction,
    LabCriteria,
)
from tocsin.domain.known import Known

COLUMNS: Final = (
    *("term", "code", "direction", "analyte", "unit", "grade", "lower", "lower_basis", "upper", "upper_basis"),
    *("also", "baseline", "needs", "explains"),
)
ANY_UNIT: Final = "any"
FILES: Final = MappingProxyType({"5.0": "ctcae_v5_bands.csv", "6.0": "ctcae_v6_bands.csv"})

_Word = TypeVar("_Word", bound=StrEnum)
_BOUND: Final = re.compile(r"(<=|<|>=|>) (-?[0-9]+(?:\.[0-9]+)?)", re.ASCII)


@functools.cache
def load_lab_criteria(version: str) -> LabCriteria:
    """The criteria with numbers of one CTCAE edition ("5.0", "6.0").

    Raises CriteriaError for an edition that is not here and for a table that is wrong.
    """
    if version not in FILES:
        raise CriteriaError(f'CTCAE version "{version}" is not known; known are {", ".join(EDITIONS)}.')
    raw = importlib.resources.files("tocsin.criteria").joinpath(FILES[version]).read_bytes()
    return parse_bands(raw, file=FILES[version], version=version)


def parse_bands(
    raw: bytes,
    *,
    file: str,
    version: str,
    terms: Iterable[Term] | None = None,
    analytes: Mapping[str, Analyte] | None = None,
) -> LabCriteria:
    """Read a table of bands from UTF-8 CSV. `terms` and `analytes` are those of the project where none are given.

    Raises CriteriaError at the first thing that is wrong.
    """
    known = {term.name: term for term in (load_terms(version) if terms is None else terms)}
    quantities = load_analytes().by_id if analytes is None else analytes
    rows: dict[str, list[Row]] = {}
    directions: dict[str, Direction] = {}
    for where, cells in read_rows(raw, file, COLUMNS):
        row = _row(cells, where, known, quantities)
        direction = _one_of(Direction, cells["direction"], f"{where}: direction")
        if directions.setdefault(row.term.name, direction) is not direction:
            raise CriteriaError(
                f'{where}: direction is "{direction}"; "{row.term.name}" was {directions[row.term.name]}.'
            )
        rows.setdefault(row.term.name, []).append(row)
    if not rows:
        raise CriteriaError(f"{file}: holds no bands.")
    mains: dict[tuple[str, Direction], str] = {}
    criteria = []
    for name, its in rows.items():
        check(its)
        criteria.append(_criterion(version, directions[name], its, quantities, mains))
    return LabCriteria(version, tuple(criteria), quantities)


def _criterion(
    version: str,
    direction: Direction,
    rows: list[Row],
    quantities: Mapping[str, Analyte],
    mains: dict[tuple[str, Direction], str],
) -> Criterion:
    term = rows[0].term
    its = {row.analyte: quantities[row.analyte] for row in rows}
    if direction is not Direction.NONE:
        for analyte in its:
            other = mains.setdefault((analyte, direction), term.name)
            if other != term.name:
                raise CriteriaError(
                    f'{rows[0].where}: the main term of {analyte}, {direction}, is already "{other}"; '
                    f'"{term.name}" has to be none.'
                )
    bands = tuple(row.band for row in rows if row.band is not None)
    return Criterion(version, term.name, term.code, direction, bands, MappingProxyType(its))


def _row(cells: Mapping[str, str], where: str, terms: Mapping[str, Term], analytes: Mapping[str, Analyte]) -> Row:
    term = terms.get(cells["term"])
    if term is None:
        raise CriteriaError(f'{where}: this edition has no term "{cells["term"]}".')
    if cells["code"] != term.code:
        raise CriteriaError(f'{where}: code is "{cells["code"]}"; that of "{term.name}" is {term.code}.')
    if cells["grade"] not in {"1", "2", "3", "4"} or int(cells["grade"]) not in term.grades:
        allowed = ", ".join(str(grade) for grade in sorted(term.grades - {5}))
        raise CriteriaError(f'{where}: grade is "{cells["grade"]}"; "{term.name}" has {allowed}.')
    analyte = analytes.get(cells["analyte"])
    if analyte is None:
        raise CriteriaError(f'{where}: analyte is "{cells["analyte"]}"; it is not in the table of analytes.')
    explains = frozenset(_one_of(Explain, each, f"{where}: explains") for each in split(cells["explains"]))
    grade = int(cells["grade"])
    if Explain.CLINICAL_ONLY in explains:
        if any(cells[column] for column in ("lower", "upper", "also", "needs")):
            raise CriteriaError(f"{where}: explains is clinical_only, but the row has bounds or needs.")
        return Row(where, term, analyte.id, grade, None, explains)
    lower = _bound(cells["lower"], cells["lower_basis"], f"{where}: lower")
    upper = _bound(cells["upper"], cells["upper_basis"], f"{where}: upper")
    also = _bound(*_also(cells["also"]), f"{where}: also")
    for bound, sides, column in ((lower, (">", ">="), "lower"), (upper, ("<", "<="), "upper")):
        if bound is not None and bound.comparison not in sides:
            raise CriteriaError(f'{where}: {column} has "{bound.comparison}"; allowed are {" and ".join(sides)}.')
    if lower is None and upper is None:
        raise CriteriaError(f"{where}: has no bound; without one, explains is clinical_only.")
    band = Band(
        analyte=analyte.id,
        unit=None if cells["unit"] == ANY_UNIT else cells["unit"],
        grade=grade,
        lower=lower,
        upper=upper,
        also=also,
        baseline=_one_of(Baseline, cells["baseline"], f"{where}: baseline"),
        needs=tuple(_need(each, where) for each in split(cells["needs"])),
        is_reading=Explain.READING in explains,
    )
    _check_unit(band, analyte, where)
    return Row(where, term, analyte.id, grade, band, explains)


def _check_unit(band: Band, analyte: Analyte, where: str) -> None:
    has_unit = any(bound.basis.has_unit for bound in band.bounds)
    if band.unit is None and has_unit:
        raise CriteriaError(f'{where}: unit is "{ANY_UNIT}", but a bound has a unit.')
    if band.unit is not None and not is_unit(band.unit):
        raise CriteriaError(f'{where}: unit is "{band.unit}", which is no unit of ours.')
    if band.unit is not None and band.unit not in analyte.factors:
        raise CriteriaError(f'{where}: unit is "{band.unit}"; {analyte.id} has {", ".join(analyte.factors)}.')


def _also(cell: str) -> tuple[str, str]:
    text, _, basis = cell.rpartition(" ")
    return text, basis


def _bound(text: str, basis: str, what: str) -> Bound | None:
    if not text and not basis:
        return None
    found = _BOUND.fullmatch(text)
    if found is None:
        raise CriteriaError(f'{what} is "{text}"; allowed is <, <=, > or >=, a blank and a number.')
    return Bound(Comparison(found[1]), Fraction(found[2]), _one_of(Basis, basis, f"{what}_basis"))


def _need(text: str, where: str) -> tuple[Condition, Known]:
    name, _, answer = text.partition("=")
    if answer not in ("yes", "no"):
        raise CriteriaError(f'{where}: needs has "{text}"; allowed is a condition, "=" and yes or no.')
    return _one_of(Condition, name, f"{where}: needs"), Known(answer)


def _one_of(words: type[_Word], text: str, what: str) -> _Word:
    try:
        return words(text)
    except ValueError:
        allowed = ", ".join(word.value for word in words)
        raise CriteriaError(f'{what} is "{text}"; allowed are {allowed}.') from None
