"""Laboratory values to grades, both directions, exactly where the criterion has its bounds.

Criteria arrive as data (`tocsin.criteria`); numbers are compared as fractions, so that a value at a bound is judged at
the bound. Where CTCAE prints bounds in several units, a value is judged by those of its own; only a power of ten
(g/dL to g/L, /mm3 to 10*9/L) counts as the same unit. Otherwise it is converted. What is not known widens the grade.
Finding the analyte of a name and the baseline of a subject is left to others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from tocsin.domain.bands import OUT_OF_SCOPE, Analyte, Band, Condition, Criterion, Direction, LabCriteria
from tocsin.domain.graded import Graded, Grading, NotGradable
from tocsin.domain.known import Known
from tocsin.domain.lab_reasons import converted, plain, reasons
from tocsin.domain.measured import Measured
from tocsin.domain.possible import Facts, Possible, possible
from tocsin.domain.words import Scale

__all__ = ["Condition", "Criterion", "LabCriteria", "LabGrades", "Measured", "grade_criterion", "grade_lab"]

_NOTHING: Mapping[Condition, Known] = {}


@dataclass(frozen=True, slots=True)
class LabGrades:
    """What one value is in each direction; None where the criteria have no term for that direction of the analyte."""

    low: Grading | None
    high: Grading | None


def grade_lab(
    measured: Measured,
    criteria: LabCriteria,
    *,
    baseline: Measured | None = None,
    conditions: Mapping[Condition, Known] = _NOTHING,
) -> LabGrades:
    """The grades of the main terms of the analyte. A condition that is not told is not known.

    `baseline` is the subject's value before treatment, of the same analyte; without limits of its own it is taken to
    have those of the value. Raises KeyError for an analyte that is not in the table, ValueError where the baseline is
    of another one.
    """
    analyte = criteria.analytes[measured.analyte]

    def of(direction: Direction) -> Grading | None:
        criterion = criteria.main(analyte.judged_as or analyte.id, direction)
        if criterion is None:
            return None
        if analyte.judged_as is not None:
            judged = " or ".join(each.name for each in criterion.analytes.values())
            return _not_gradable(criterion, f"{criterion.term} is judged by {judged}, not by {analyte.name}")
        return grade_criterion(criterion, measured, baseline=baseline, conditions=conditions)

    return LabGrades(low=of(Direction.LOW), high=of(Direction.HIGH))


def grade_criterion(
    criterion: Criterion,
    measured: Measured,
    *,
    baseline: Measured | None = None,
    conditions: Mapping[Condition, Known] = _NOTHING,
) -> Grading:
    """The grade of one term from one value. Raises ValueError where the baseline is of another analyte."""
    if baseline is not None and baseline.analyte != measured.analyte:
        raise ValueError(f"the baseline is of {baseline.analyte}, the value of {measured.analyte}")
    measured, baseline = _with_real_limits(measured), baseline and _with_real_limits(baseline)
    analyte = criterion.analytes.get(measured.analyte)
    if analyte is None:
        judged = ", ".join(each.name for each in criterion.analytes.values())
        return _not_gradable(criterion, f"{measured.analyte} is not judged by {criterion.term}; {judged} is")
    if not criterion.bands:
        return _not_gradable(criterion, f"CTCAE v{criterion.edition} grades {criterion.term} without a number")
    wrong = _wrong(measured, analyte)
    if wrong:
        return _not_gradable(criterion, wrong)
    bands = [band for band in criterion.bands if band.analyte == analyte.id]
    unit = _judged_in(measured.unit, analyte, bands)
    factor = _factor(measured.unit, unit, analyte)
    if factor is None:
        return _not_gradable(criterion, _unit_wrong(measured.unit, analyte))
    bands = [band for band in bands if band.unit in (None, unit)]
    facts = _facts(measured, factor, baseline, unit, analyte)
    told = dict(conditions)
    if baseline is not None and told.get(Condition.NO_BASELINE_EXISTS, Known.UNKNOWN) is Known.UNKNOWN:
        told[Condition.NO_BASELINE_EXISTS] = Known.NO
    found = possible(bands, facts, told)
    outside = _out_of_scope(bands, facts, told, found)
    if outside:
        return _not_gradable(criterion, outside)
    if found.missing_numbers and found.lowest == 0 and found.highest == max(band.grade for band in bands):
        unknown = [f"{name} is not known" for name in found.missing_numbers]
        unknown += [f"it is not known {condition.question}" for condition in found.missing_conditions]
        return _not_gradable(criterion, "; ".join(unknown))
    said = reasons(criterion, measured, baseline, bands, facts, found)
    if not _is_power_of_ten(factor) and any(band.unit for band in bands):
        said = (*said, converted(measured, unit, factor))
    return Graded(
        scale=Scale.CTCAE,
        edition=criterion.edition,
        term=criterion.term,
        code=criterion.code,
        lowest=found.lowest,
        highest=found.highest,
        reasons=said,
        missing=(*found.missing_numbers, *(condition.question for condition in found.missing_conditions)),
    )


def _with_real_limits(measured: Measured) -> Measured:
    """An upper limit of nothing, or below it, is how a laboratory writes that it has none."""
    return replace(measured, uln=None) if measured.uln is not None and measured.uln <= 0 else measured


def _not_gradable(criterion: Criterion, because: str) -> NotGradable:
    return NotGradable(Scale.CTCAE, criterion.edition, criterion.term, criterion.code, because)


def _wrong(measured: Measured, analyte: Analyte) -> str | None:
    if measured.unit not in analyte.factors:
        return _unit_wrong(measured.unit, analyte)
    for what, number in (("value", measured.value), ("lower limit", measured.lln), ("upper limit", measured.uln)):
        if number is not None and not number.is_finite():
            return f"the {what} of {analyte.name} is {number}; a finite number is allowed"
    if measured.lln is not None and measured.uln is not None and measured.lln > measured.uln:
        low, high = plain(measured.lln), plain(measured.uln)
        return f"the limits of normal contradict each other: the lower is {low}, the upper {high}"
    return None


def _unit_wrong(unit: str, analyte: Analyte) -> str:
    given = f"{unit} is no unit of {analyte.name} here" if unit else f"no unit of {analyte.name}"
    allowed = ", ".join(analyte.factors)
    return f"{given}: {allowed} {'is' if len(analyte.factors) == 1 else 'are'} allowed"


def _judged_in(unit: str, analyte: Analyte, bands: list[Band]) -> str:
    """The unit of the bounds that judge a value: its own, else a power of ten of it, else what it is converted to."""
    units = list(dict.fromkeys(band.unit for band in bands if band.unit is not None))
    if not units or unit in units:
        return unit
    same = [each for each in units if _is_power_of_ten(_factor(unit, each, analyte))]
    if same:
        return same[0]
    return analyte.unit if analyte.unit in units else units[0]


def _factor(of: str, to: str, analyte: Analyte) -> Fraction | None:
    if of == to:
        return Fraction(1)
    one, other = analyte.factors.get(of), analyte.factors.get(to)
    return None if one is None or other is None else one / other


def _is_power_of_ten(factor: Fraction | None) -> bool:
    if factor is None or 1 not in (factor.numerator, factor.denominator):
        return False
    return str(max(factor.numerator, factor.denominator)).rstrip("0") == "1"


def _facts(measured: Measured, factor: Fraction, baseline: Measured | None, unit: str, analyte: Analyte) -> Facts:
    facts = Facts(Fraction(measured.value) * factor, _times(measured.lln, factor), _times(measured.uln, factor), None)
    if baseline is None or not baseline.value.is_finite():
        return facts
    its = _factor(baseline.unit, unit, analyte) if baseline.unit in analyte.factors else None
    if its is None:
        return facts
    low, high = _times(baseline.lln, its), _times(baseline.uln, its)
    return Facts(facts.value, facts.lln, facts.uln, Fraction(baseline.value) * its, low, high)


def _times(number: Decimal | None, factor: Fraction) -> Fraction | None:
    return None if number is None or not number.is_finite() else Fraction(number) * factor


def _out_of_scope(bands: list[Band], facts: Facts, told: Mapping[Condition, Known], found: Possible) -> str | None:
    """Why the criterion does not speak of this value, although it would give a higher grade to its number."""
    for (condition, answer), why in OUT_OF_SCOPE.items():
        has_its_own = any((condition, answer) in band.needs for band in bands)
        if told.get(condition) is answer and not has_its_own:
            inside = {**told, condition: Known.NO if answer is Known.YES else Known.YES}
            if possible(bands, facts, inside).highest > found.highest:
                return why
    return None
