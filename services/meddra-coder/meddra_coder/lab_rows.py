"""What one row of an SDTM LB data set says: which test, which result in which unit, and its limits of normal.

The standard result counts (LBSTRESN, LBSTRESU) where it can be read, else the original one (LBORRES, LBORRESU); the
limits are those of the same result. What cannot be read is said, never guessed. Pure; grading is left to others.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from typing import Final

from tocsin.domain import units

READ: Final = (
    "USUBJID", "LBTESTCD", "LBTEST", "LBCAT", "LBSCAT", "LBSPEC", "LBLOINC", "LBSTAT", "LBORRES", "LBORRESU",
    "LBORNRLO", "LBORNRHI", "LBSTRESC", "LBSTRESN", "LBSTRESU", "LBSTNRLO", "LBSTNRHI", "LBFAST", "LBBLFL", "LBDTC",
    "LBDY", "VISITNUM",
)  # fmt: skip
"""The variables that are read, in the order in which `picked` hands them on. Only LBTESTCD must be there."""

(
    SUBJECT, TESTCD, TEST, CAT, SCAT, SPEC, LOINC, STAT, ORRES, ORRESU, ORNRLO, ORNRHI, STRESC, STRESN, STRESU, STNRLO,
    STNRHI, FAST, BLFL, DTC, DY, VISIT,
) = range(len(READ))  # fmt: skip

Cells = Sequence[str]
"""The trimmed cells of one row in the order of `READ`; a variable that the file lacks is empty."""


class Lack(StrEnum):
    """Why a row, or one direction of it, has no grade. The words stand in the table that a run ends with."""

    SHIFTED = "the row has more or fewer cells than the header"
    UNKNOWN_TEST = "the test is not one that is known here for this specimen"
    NO_CRITERION = "CTCAE has no term for a value of this test"
    WITHOUT_NUMBER = "CTCAE grades the term without a number"
    NOT_DONE = "the test was not done"
    NO_RESULT = "there is no result"
    NOT_A_NUMBER = "the result is no number"
    NEGATIVE = "the result is negative"
    NO_UNIT = "no unit is given"
    UNKNOWN_UNIT = "the unit is not known, or is none of this test"
    LIMITS = "the limits of normal contradict each other"
    NO_ALBUMIN = "calcium cannot be corrected for albumin"
    NO_LIMIT = "the limit of normal is not known"
    NO_BASELINE = "the baseline is not known"
    ONLY_A_BOUND = "the result is only a bound, and more than one grade lies within it"
    CONDITION = "more than a number decides the grade, and the rest is not known"


@dataclass(frozen=True, slots=True)
class Result:
    """A result with its unit (UCUM) and limits. `bound` is "" for a number, else what stands before it: < <= > >=."""

    value: Decimal
    bound: str
    unit: str
    lln: Decimal | None
    uln: Decimal | None


@dataclass(frozen=True, slots=True)
class Unread:
    """A result that cannot be read, and why; `said` is the whole sentence for the row."""

    lack: Lack
    said: str


def result_of(cells: Cells, units_of_test: Container[str]) -> Result | Unread:
    """The result of a row: the standard one where it can be read in a unit of the test, else the original one."""
    if cells[STAT].upper() == "NOT DONE":
        return Unread(Lack.NOT_DONE, f"{Lack.NOT_DONE} (LBSTAT)")
    standard = _result(cells[STRESN] or cells[STRESC], cells[STRESU], cells[STNRLO], cells[STNRHI], units_of_test)
    if isinstance(standard, Result):
        return standard
    original = _result(cells[ORRES], cells[ORRESU], cells[ORNRLO], cells[ORNRHI], units_of_test)
    if isinstance(original, Result) or standard.lack is Lack.NO_RESULT:
        return original
    return standard


def is_plain(text: str) -> bool:
    """Whether this is a number and nothing else."""
    return _NUMBER.fullmatch(text) is not None


def number(text: str) -> Decimal | None:
    """A number, exactly as it is written; None for anything else, and for what would be no sensible result.

    More than 15 significant digits are what a binary number looks like when it is printed (8.549999999999999 for
    8.55); no more than 15 of them carry the value, so it is read with 15.
    """
    if not is_plain(text):
        return None
    read = Decimal(text)
    return read if len(read.as_tuple().digits) <= _BINARY_DIGITS else _ROUNDED.plus(read)


def shortened(text: str) -> str:
    """What a site wrote, fit to stand in a sentence: without control characters, at most 40 letters."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text[: _LONGEST + 1])
    return printable if len(text) <= _LONGEST else f"{printable[: _LONGEST - 1]}…"


_LONGEST: Final = 40
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,25}(?:\.[0-9]{0,25})?|\.[0-9]{1,25})(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_BOUNDED: Final = re.compile(r"(<=|>=|<|>|≤|≥)\s*(\S{1,60})")
_SIGNS: Final = {"≤": "<=", "≥": ">="}
_BINARY_DIGITS: Final = 15
_ROUNDED: Final = Context(prec=_BINARY_DIGITS)


def _result(said: str, unit_said: str, low: str, high: str, units_of_test: Container[str]) -> Result | Unread:
    if not said:
        return Unread(Lack.NO_RESULT, Lack.NO_RESULT)
    bound, rest = "", said
    if found := _BOUNDED.fullmatch(said):
        bound, rest = _SIGNS.get(found[1], found[1]), found[2]
    value = number(rest)
    if value is None:
        return Unread(Lack.NOT_A_NUMBER, f'{Lack.NOT_A_NUMBER}: "{shortened(said)}"')
    if value < 0 or (value == 0 and bound == "<"):
        return Unread(Lack.NEGATIVE, f"{Lack.NEGATIVE}: {shortened(said)}")
    if not unit_said:
        return Unread(Lack.NO_UNIT, Lack.NO_UNIT)
    unit = units.laboratory(unit_said)
    if unit is None or unit not in units_of_test:
        return Unread(Lack.UNKNOWN_UNIT, f'{Lack.UNKNOWN_UNIT}: "{shortened(unit_said)}"')
    uln = number(high)
    # An upper limit of 0 is what an empty field becomes on its way; nothing is measured against it.
    return Result(value, bound, unit, number(low), uln if uln is not None and uln > 0 else None)
