"""The terms of each CTCAE version: read from the tables in this folder, and checked while reading.

A table that is wrong is refused whole, with file and line: a term lost here would be an event that can never
be coded. What a term means, and how it is graded, is left to others.
"""

from __future__ import annotations

import csv
import functools
import importlib.resources
import io
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tocsin.errors import TocsinError

COLUMNS: Final = ("soc", "term", "meddra_code", "grades")

# MedDRA codes have eight digits and begin with 10. CTCAE publishes no other.
_CODE: Final = re.compile(r"10[0-9]{6}", re.ASCII)


class CriteriaError(TocsinError):
    """A table of criteria is wrong, or the version is not known. Says file, line, value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One published version of CTCAE and the MedDRA release that its codes belong to."""

    version: str
    meddra: str
    file: str


EDITIONS: Final = MappingProxyType(
    {
        # NCI's workbook of v5.0 does not name its MedDRA release; 20.1 is from rules.md section 6.
        "5.0": Edition(version="5.0", meddra="20.1", file="ctcae_v5_terms.csv"),
        # The column headings of NCI's workbook of v6.0 say MedDRA 28.0.
        "6.0": Edition(version="6.0", meddra="28.0", file="ctcae_v6_terms.csv"),
    }
)


@dataclass(frozen=True, slots=True)
class Term:
    """One CTCAE term.

    `code` is the eight-digit MedDRA code as text: a name, not a number to count with. For the 26 terms
    "… - Other, specify" it is the code of the system organ class, not of a lowest level term.
    `grades` are those for which CTCAE has a criterion; a grade outside them does not exist for this term.
    """

    code: str
    name: str
    soc: str
    grades: frozenset[int]
    version: str

    @property
    def is_other_specify(self) -> bool:
        """Whether this is a heading for what has no term of its own."""
        return self.name.endswith(" - Other, specify")


@functools.cache
def load_terms(version: str) -> tuple[Term, ...]:
    """The terms of one CTCAE version ("5.0", "6.0"), in the order of the publication.

    Raises CriteriaError for a version that is not here and for a table that is wrong.
    """
    edition = EDITIONS.get(version)
    if edition is None:
        raise CriteriaError(f'CTCAE version "{version}" is not known; known are {", ".join(EDITIONS)}.')
    raw = importlib.resources.files("tocsin.criteria").joinpath(edition.file).read_bytes()
    return parse_terms(raw, file=edition.file, version=version)


def parse_terms(raw: bytes, *, file: str, version: str) -> tuple[Term, ...]:
    """Read a table of terms from UTF-8 CSV with the columns `soc,term,meddra_code,grades`.

    `file` and `version` are only named. Raises CriteriaError at the first thing that is wrong.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        raise CriteriaError(f"{file}, line {line}: not UTF-8.") from wrong
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    terms: list[Term] = []
    code_lines: dict[str, int] = {}
    name_lines: dict[str, int] = {}
    try:
        header = tuple(next(rows, ()))
        if header != COLUMNS:
            raise CriteriaError(f"{file}, line 1: the columns are {','.join(header)}; allowed is {','.join(COLUMNS)}.")
        for row in rows:
            where = f"{file}, line {rows.line_num}"
            term = _term(row, where, version)
            for kind, value, lines in (
                ("code", term.code, code_lines),
                ("term", term.name.casefold(), name_lines),
            ):
                if value in lines:
                    raise CriteriaError(f'{where}: the {kind} "{value}" was already on line {lines[value]}.')
                lines[value] = rows.line_num
            terms.append(term)
    except csv.Error as wrong:
        raise CriteriaError(f"{file}, line {rows.line_num}: not readable as CSV ({wrong}).") from wrong
    if not terms:
        raise CriteriaError(f"{file}: holds no terms.")
    return tuple(terms)


def _term(row: list[str], where: str, version: str) -> Term:
    if len(row) != len(COLUMNS):
        raise CriteriaError(f"{where}: has {len(row)} cells; allowed is {len(COLUMNS)}.")
    soc, name, code, grades = row
    for column, value in (("soc", soc), ("term", name)):
        if not value:
            raise CriteriaError(f"{where}: {column} is empty.")
        if value != " ".join(value.split()):
            raise CriteriaError(f'{where}: {column} "{value}" has stray blanks.')
    if not _CODE.fullmatch(code):
        raise CriteriaError(f'{where}: meddra_code is "{code}"; allowed are eight digits that begin with 10.')
    return Term(code=code, name=name, soc=soc, grades=_grades(grades, where), version=version)


def _grades(text: str, where: str) -> frozenset[int]:
    parts = text.split(",")
    if any(part not in {"1", "2", "3", "4", "5"} for part in parts) or parts != sorted(set(parts)):
        raise CriteriaError(f'{where}: grades is "{text}"; allowed are some of 1,2,3,4,5 in this order.')
    return frozenset(map(int, parts))
