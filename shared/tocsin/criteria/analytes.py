"""The table of analytes: which names and codes mean which quantity, and which units it may come in.

A name that means several quantities (PH of urine and of arterial blood) is settled by the specimen, never guessed:
an analyte whose specimen ends in "!" is found by such a name only when the specimen is told. Factors are molar masses
and valences, each with its reason in the table; a power of ten and a count need none.
"""

from __future__ import annotations

import csv
import functools
import importlib.resources
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from tocsin.criteria.terms import CriteriaError
from tocsin.domain import units
from tocsin.domain.bands import Analyte

FILE: Final = "analytes.csv"
COLUMNS: Final = ("id", "name", "unit", "units", "tests", "names", "loinc", "specimen", "judged_as", "why")
_ARTERIAL: Final = (
    *("arterial blood", "blood, arterial", "arterial", "arterial whole blood", "whole blood, arterial"),
    *("动脉血", "动脉全血"),
)
SPECIMENS: Final = MappingProxyType(
    {
        "blood": (
            *("blood", "serum", "plasma", "serum or plasma", "serum/plasma", "whole blood"),
            *("血清", "血浆", "血液", "全血"),
            *("venous blood", "blood, venous", "venous", "venous whole blood", "whole blood, venous"),
            *("静脉血", "静脉全血"),
            *("capillary blood", "blood, capillary", "capillary", "capillary whole blood", "whole blood, capillary"),
            *("毛细血管血", "毛细血管全血", "末梢血", "末梢全血", "指尖血", "指血"),
            *("peripheral blood", "blood, peripheral", "peripheral venous blood", "外周血", "外周静脉血", "外周全血"),
            *_ARTERIAL,
        ),
        "urine": ("urine", "尿", "尿液"),
        "arterial": _ARTERIAL,
    }
)
"""What counts as which specimen, whatever the marks between the words. "any": no specimen's, such as a weight."""

_ID: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_LOINC: Final = re.compile(r"[0-9]{1,5}-[0-9]", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Claim:
    """One name of one analyte. `specimen` None: any; `must_be_told`: not without the specimen."""

    analyte: Analyte
    specimen: str | None
    must_be_told: bool


@dataclass(frozen=True, slots=True)
class Analytes:
    """The table as read: by id, by name in its plain form, by LOINC code."""

    by_id: Mapping[str, Analyte]
    by_name: Mapping[str, tuple[Claim, ...]]
    by_loinc: Mapping[str, Claim]

    def find(self, *, test: str | None, loinc: str | None, specimen: str | None) -> Analyte | None:
        coded = self.by_loinc.get(loinc.strip()) if loinc else None
        if coded is not None and specimen and not _may_be(coded, specimen):
            return None
        fitting = {claim.analyte.id: claim.analyte for claim in self._named(test, specimen)} if test else {}
        if coded is None:
            return next(iter(fitting.values())) if len(fitting) == 1 else None
        known = self.by_name.get(_plain(test), ()) if test else ()
        # A code and a name that mean different things contradict each other: neither is believed.
        if known and coded.analyte.id not in {claim.analyte.id for claim in known}:
            return None
        return coded.analyte

    def _named(self, test: str, specimen: str | None) -> Iterator[Claim]:
        for claim in self.by_name.get(_plain(test), ()):
            if specimen is None or not specimen.strip():
                if not claim.must_be_told:
                    yield claim
            elif _may_be(claim, specimen):
                yield claim


def _may_be(claim: Claim, specimen: str) -> bool:
    return claim.specimen is None or _plain(specimen) in _spellings(claim.specimen)


@functools.cache
def _spellings(specimen: str) -> frozenset[str]:
    return frozenset(map(_plain, SPECIMENS[specimen]))


def _plain(name: str) -> str:
    """A name without what only looks different: width, case, blanks and the marks between words."""
    return re.sub(r"[\s_,;:()\-]+", "", unicodedata.normalize("NFKC", name).casefold())


def find_analyte(*, test: str | None = None, loinc: str | None = None, specimen: str | None = None) -> Analyte | None:
    """The analyte of a test code, a name or a LOINC code; None where it is not known or not settled.

    A LOINC code wins where the name is not known; where the two contradict each other nothing is found.
    """
    return load_analytes().find(test=test, loinc=loinc, specimen=specimen)


@functools.cache
def load_analytes() -> Analytes:
    """The table of analytes. Raises CriteriaError where it is wrong."""
    return parse_analytes(importlib.resources.files("tocsin.criteria").joinpath(FILE).read_bytes(), file=FILE)


def parse_analytes(raw: bytes, *, file: str) -> Analytes:
    """Read the table from UTF-8 CSV. `file` is only named. Raises CriteriaError at the first thing that is wrong."""
    by_id: dict[str, Analyte] = {}
    by_name: dict[str, list[Claim]] = {}
    by_loinc: dict[str, Claim] = {}
    judged: dict[str, tuple[str, str]] = {}
    for where, row in read_rows(raw, file, COLUMNS):
        analyte, claim = _analyte(row, where)
        if analyte.id in by_id:
            raise CriteriaError(f'{where}: the analyte "{analyte.id}" was already there.')
        by_id[analyte.id] = analyte
        if analyte.judged_as is not None:
            judged[analyte.id] = (where, analyte.judged_as)
        for name in dict.fromkeys(map(_plain, (analyte.id, analyte.name, *analyte.tests, *analyte.names))):
            _claim(by_name.setdefault(name, []), claim, f'{where}: the name "{name}"')
        for code in analyte.loinc:
            if code in by_loinc:
                raise CriteriaError(f'{where}: the LOINC code "{code}" is claimed by {by_loinc[code].analyte.id} too.')
            by_loinc[code] = claim
    for where, name in judged.values():
        if name not in by_id:
            raise CriteriaError(f'{where}: judged_as is "{name}"; allowed are {", ".join(by_id)}.')
    if not by_id:
        raise CriteriaError(f"{file}: holds no analytes.")
    return Analytes(by_id, {name: tuple(claims) for name, claims in by_name.items()}, by_loinc)


def _claim(there: list[Claim], claim: Claim, what: str) -> None:
    for other in there:
        both_untold = not claim.must_be_told and not other.must_be_told
        if both_untold or claim.specimen == other.specimen or None in (claim.specimen, other.specimen):
            raise CriteriaError(f"{what} is claimed by {other.analyte.id} too; its specimen does not tell them apart.")
    there.append(claim)


def _analyte(row: Mapping[str, str], where: str) -> tuple[Analyte, Claim]:
    for column in ("id", "judged_as"):
        if (row[column] or column == "id") and not _ID.fullmatch(row[column]):
            raise CriteriaError(f'{where}: {column} is "{row[column]}"; allowed are small letters, digits and _.')
    if not row["name"].strip():
        raise CriteriaError(f"{where}: name is empty.")
    factors: dict[str, Fraction | None] = {_unit(row["unit"], where): Fraction(1)}
    for part in split(row["units"]):
        unit, sign, text = part.rpartition("=")
        if not sign or unit in factors:
            raise CriteriaError(f'{where}: units has "{part}"; allowed is a unit once, "=" and its factor.')
        factors[_unit(unit, where)] = _factor(text, where)
    loinc = split(row["loinc"])
    for code in loinc:
        if not _LOINC.fullmatch(code):
            raise CriteriaError(f'{where}: loinc is "{code}"; allowed are digits, "-" and one digit.')
    specimen = row["specimen"].removesuffix("!")
    if specimen not in (*SPECIMENS, "any"):
        raise CriteriaError(f'{where}: specimen is "{specimen}"; allowed are {", ".join(SPECIMENS)}, any.')
    analyte = Analyte(
        id=row["id"],
        name=row["name"],
        unit=row["unit"],
        factors=MappingProxyType(factors),
        tests=split(row["tests"]),
        names=split(row["names"]),
        loinc=loinc,
        judged_as=row["judged_as"] or None,
    )
    return analyte, Claim(analyte, None if specimen == "any" else specimen, row["specimen"].endswith("!"))


def _unit(text: str, where: str) -> str:
    if not is_unit(text):
        raise CriteriaError(f'{where}: "{text}" is no unit; allowed are {units.known_laboratory()}.')
    return text


def is_unit(text: str) -> bool:
    """Whether it is the UCUM spelling of a unit that a site may send."""
    return text in (units.laboratory(text), units.vital_sign("weight", text))


def _factor(text: str, where: str) -> Fraction | None:
    if text == "own":
        return None
    over, _, under = text.partition("/")
    if not _NUMBER.fullmatch(over) or (under and not _NUMBER.fullmatch(under)) or not Fraction(over):
        raise CriteriaError(f'{where}: the factor "{text}" is no decimal, no a/b and not "own".')
    return Fraction(over) / Fraction(under or "1")


def split(cell: str) -> tuple[str, ...]:
    """The parts of a cell that lists several, between semicolons."""
    return tuple(part.strip() for part in cell.split(";") if part.strip())


def read_rows(raw: bytes, file: str, columns: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row of a table with its place. Raises CriteriaError where the table itself is wrong."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        raise CriteriaError(f"{file}, line {line}: not UTF-8.") from wrong
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = tuple(next(rows, ()))
        if header != columns:
            raise CriteriaError(f"{file}, line 1: the columns are {','.join(header)}; allowed is {','.join(columns)}.")
        for row in rows:
            where = f"{file}, line {rows.line_num}"
            if len(row) != len(columns):
                raise CriteriaError(f"{where}: has {len(row)} cells; allowed is {len(columns)}.")
            yield where, dict(zip(columns, row, strict=True))
    except csv.Error as wrong:
        raise CriteriaError(f"{file}, line {rows.line_num}: not readable as CSV ({wrong}).") from wrong
