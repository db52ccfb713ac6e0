"""A bare laboratory value ("ANC 0.3"): the one term it is, where the value lies surely in one of that term's grades.

readings.md, Coding. The unit may be left out only where the number can be of one unit alone: 0.3 or 300 neutrophils, 72
or 7.2 of haemoglobin. What depends on the laboratory's limits is a value for a person, unless it is told as a multiple.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tocsin.criteria import load_lab_criteria
from tocsin.domain.bands import Direction, LabCriteria
from tocsin.domain.graded import Graded
from tocsin.domain.labs import grade_criterion
from tocsin.domain.measured import Measured


@dataclass(frozen=True, slots=True)
class _Analyte:
    """How a concept is measured: its id in the table of analytes; (unit, least, most) of a number without a unit."""

    analyte: str
    plain: tuple[tuple[str, Decimal, Decimal], ...] = ()


def _of(analyte: str, *plain: tuple[str, str, str]) -> _Analyte:
    return _Analyte(analyte, tuple((unit, Decimal(least), Decimal(most)) for unit, least, most in plain))


_CELLS: Final = ("10*9/L", "0", "49"), ("/uL", "50", "99999")
_ANALYTES: Final = {
    "NEUTROPHIL": _of("neutrophils", *_CELLS),
    "LEUKOCYTE": _of("leukocytes", ("10*9/L", "0", "99"), ("/uL", "100", "999999")),
    "LYMPHOCYTE": _of("lymphocytes", *_CELLS),
    "PLATELET": _of("platelets", ("10*9/L", "0", "999"), ("/uL", "1000", "9999999")),
    "HEMOGLOBIN": _of("haemoglobin", ("g/dL", "2", "19.9"), ("g/L", "25", "199")),
    "POTASSIUM": _of("potassium", ("mmol/L", "1", "10")),
    "SODIUM": _of("sodium", ("mmol/L", "90", "190")),
    "ALBUMIN": _of("albumin", ("g/dL", "0.5", "6"), ("g/L", "8", "60")),
    "ALT": _of("alt"), "AST": _of("ast"), "ALP": _of("alp"), "GGT": _of("ggt"), "BILIRUBIN": _of("bilirubin"),
    "CREATININE": _of("creatinine"), "LIPASE": _of("lipase"), "AMYLASE": _of("amylase"), "CPK": _of("creatine_kinase"),
}  # fmt: skip

_NUMBER: Final = re.compile(r"(\d+(?:[.,]\d+)?)")
_UNITS: Final = tuple(
    (re.compile(pattern), unit)
    for pattern, unit in (
        (r"(?:x|×|\*)\s*10\s*(?:\^|\*\*|e)?\s*9", "10*9/L"),
        (r"(?:x|×|\*)\s*10\s*(?:\^|\*\*|e)?\s*3\s*/\s*[uµμ]l|k/[uµμ]l|k/mm3", "10*9/L"),
        (r"/\s*(?:u|µ|μ)l|/\s*mm\^?3", "/uL"),
        (r"g/dl", "g/dL"),
        (r"g/l|克/升", "g/L"),
        (r"mmol/l", "mmol/L"),
        (r"(?:x|×|times)\s*(?:the\s*)?(?:uln|upper limit)|倍", "xULN"),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ValueTerm:
    """The term of a value and the reason in words."""

    code: str
    because: str


def term_of(concept: str, words: str) -> ValueTerm | None:
    """The term that a value of this concept is; None where no term fits, or more than one, or it is not sure."""
    known = _ANALYTES.get(concept)
    number = _NUMBER.search(words)
    criteria = _criteria()
    if known is None or number is None or known.analyte not in criteria.analytes:
        return None
    if len(_NUMBER.findall(re.sub(r"10\s*(?:\^|\*\*|e)?\s*\d{1,2}", "", words))) != 1:
        return None
    value = Decimal(number.group(1).replace(",", "."))
    stated = next((unit for pattern, unit in _UNITS if pattern.search(words)), None)
    if stated is not None:
        measured = [Measured(known.analyte, value, stated)]
    elif re.search(r"[a-z%]", words.replace("x", "")):
        return None  # a unit that is not known here
    else:
        measured = [Measured(known.analyte, value, unit) for unit, least, most in known.plain if least <= value <= most]
    if stated == "xULN":
        high = criteria.main(known.analyte, Direction.HIGH)
        if high is None or value <= 1:
            return None
        # Which grade it is may depend on the baseline; that it is too high does not.
        return ValueTerm(high.code, f"{words.strip()} is over the upper limit of normal: {high.term}")
    if len(measured) != 1:
        return None
    found = {}
    for direction in Direction:
        criterion = criteria.main(known.analyte, direction)
        grading = None if criterion is None else grade_criterion(criterion, measured[0])
        if isinstance(grading, Graded) and grading.lowest > 0 and grading.code is not None:
            found[grading.code] = grading
    if len(found) != 1:
        return None
    ((code, grading),) = found.items()
    return ValueTerm(code, f"{value} {measured[0].unit} is at least grade {grading.lowest} of {grading.term}")


@functools.cache
def _criteria() -> LabCriteria:
    return load_lab_criteria("5.0")
