"""A bare laboratory value ("ANC 0.3"): the one term it is, where the value lies surely in one of that term's grades.

readings.md, Coding. The unit may be left out only where the number can be of one unit alone: 0.3 or 300 neutrophils, 72
or 7.2 of haemoglobin. What depends on the laboratory's limits is sure where it is a multiple of them, or beyond the
widest that are in use for adults.
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
    """How a concept is measured: its id in the table of analytes; (unit, least, most) of a number without a unit.

    `widest`: for a unit, the lowest lower and the highest upper limit of normal in use. A value beyond them is beyond
    those of every laboratory; one within them says nothing.
    """

    analyte: str
    plain: tuple[tuple[str, Decimal, Decimal], ...] = ()
    widest: tuple[tuple[str, Decimal | None, Decimal | None], ...] = ()


def _of(
    analyte: str, *plain: tuple[str, str, str], widest: tuple[tuple[str, str | None, str | None], ...] = ()
) -> _Analyte:
    return _Analyte(
        analyte,
        tuple((unit, Decimal(least), Decimal(most)) for unit, least, most in plain),
        tuple((unit, low and Decimal(low), high and Decimal(high)) for unit, low, high in widest),  # type: ignore[misc]
    )


def _over(analyte: str, unit: str, highest: str, *others: tuple[str, str]) -> _Analyte:
    """An analyte of which only what is too high counts, in one unit where none is stated."""
    limits: tuple[tuple[str, str | None, str | None], ...] = (
        (unit, None, highest),
        *((other, None, most) for other, most in others),
    )
    return _of(analyte, (unit, "0", "99999"), widest=limits)


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
    "CD4": _of("cd4_cells", ("/uL", "0", "2000")),
    "TRIGLYCERIDE": _of("triglycerides", ("mg/dL", "60", "5000"), ("mmol/L", "0.2", "50")),
    "CHOLESTEROL": _of("cholesterol", ("mg/dL", "60", "900"), ("mmol/L", "1", "25")),
    "CORRECTED_CALCIUM": _of("calcium_corrected", ("mmol/L", "0.8", "4.5"), ("mg/dL", "5", "18")),
    "MAGNESIUM": _of("magnesium"),
    "GLUCOSE": _of("glucose", ("mg/dL", "40", "1500"), ("mmol/L", "0.5", "39")),
    "QTC": _of("qtc", ("ms", "300", "800")),
    "LVEF": _of("lvef", ("%", "5", "80")),
    "SPO2": _of("spo2", ("%", "40", "100")),
    "TEMPERATURE": _of("temperature", ("Cel", "33", "43")),
    # The limits of each are outside those of every laboratory for adults, whatever its method.
    "ALT": _over("alt", "U/L", "90"),
    "AST": _over("ast", "U/L", "90"),
    "ALP": _over("alp", "U/L", "200"),
    "GGT": _over("ggt", "U/L", "120"),
    "LDH": _over("ldh", "U/L", "620"),
    "CPK": _over("creatine_kinase", "U/L", "800"),
    "LIPASE": _over("lipase", "U/L", "400"),
    "AMYLASE": _over("amylase", "U/L", "300"),
    "BILIRUBIN": _of("bilirubin", widest=(("umol/L", None, "34"), ("mg/dL", None, "2"))),
    "CREATININE": _of("creatinine", ("umol/L", "30", "2000"), widest=(("umol/L", None, "133"), ("mg/dL", None, "1.5"))),
    "URIC_ACID": _of("urate", ("umol/L", "100", "2000"), widest=(("umol/L", None, "520"), ("mg/dL", None, "8.8"))),
    "TSH": _over("tsh", "m[IU]/L", "10"),
    "APTT": _over("aptt", "s", "50"),
    "FIBRINOGEN": _of(
        "fibrinogen", ("g/L", "0.1", "15"), ("mg/dL", "16", "1500"),
        widest=(("g/L", "1.5", None), ("mg/dL", "150", None)),
    ),
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
        (r"万\s*/\s*[uµμ]l|万(?!.*/)", "10*4/uL"),
        (r"mg/dl", "mg/dL"),
        (r"mmol/l", "mmol/L"),
        (r"[uµμ]mol/l", "umol/L"),
        (r"m[iu]u/l|[uµμ]iu/ml|miu/l", "m[IU]/L"),
        (r"i?u/l", "U/L"),
        (r"mse?c?\b", "ms"),
        (r"%", "%"),
        (r"℃|°\s*c?|度", "Cel"),
        (r"(?<=[\d\s])s(?:ecs?|econds?)?\b|秒", "s"),
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
    if stated == "10*4/uL":
        measured = [Measured(known.analyte, value * 10, "10*9/L")]
    elif stated is not None:
        measured = [Measured(known.analyte, value, stated)]
    elif re.search(r"[a-z%]", words.replace("x", "")):
        return None  # a unit that is not known here
    else:
        measured = [Measured(known.analyte, value, unit) for unit, least, most in known.plain if least <= value <= most]
    if stated == "xULN":
        # Which grade it is may depend on the baseline; that it is too high does not.
        high = criteria.main(known.analyte, Direction.HIGH)
        if high is None or value <= 1:
            return None
        return ValueTerm(high.code, f"{words.strip()} is over the upper limit of normal: {high.term}")
    if len(measured) != 1:
        return None
    beyond = _beyond(measured[0], known)
    if beyond is not None:
        return beyond
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


def _beyond(measured: Measured, known: _Analyte) -> ValueTerm | None:
    """The term of a value that is beyond the limits of every laboratory, as far as they are known for its unit.

    Which grade it is may depend on the laboratory and the baseline; that it is too high or too low does not.
    """
    for unit, low, high in known.widest:
        if unit != measured.unit:
            continue
        said = f"{measured.value} {unit}"
        criteria = _criteria()
        over, under = (criteria.main(known.analyte, way) for way in (Direction.HIGH, Direction.LOW))
        if high is not None and measured.value > high and over is not None:
            return ValueTerm(
                over.code, f"{said} is over the upper limit of every laboratory, at most {high}: {over.term}"
            )
        if low is not None and measured.value < low and under is not None:
            return ValueTerm(
                under.code, f"{said} is under the lower limit of every laboratory, at least {low}: {under.term}"
            )
    return None


@functools.cache
def _criteria() -> LabCriteria:
    return load_lab_criteria("5.0")
