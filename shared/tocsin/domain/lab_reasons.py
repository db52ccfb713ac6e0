"""The sentences under a laboratory grade: which bound the value is past, and what that depends on.

A physician reads them, so they name the value and the limits as they were sent, in the unit that was sent.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from tocsin.domain.bands import Band, Basis, Bound, Comparison, Condition, Criterion
from tocsin.domain.known import Known
from tocsin.domain.measured import Measured
from tocsin.domain.possible import Facts, Possible


def reasons(
    criterion: Criterion,
    measured: Measured,
    baseline: Measured | None,
    bands: list[Band],
    facts: Facts,
    found: Possible,
) -> tuple[str, ...]:
    """One sentence for each grade that is possible; one alone where the facts settle it."""
    subject = f"{criterion.analytes[measured.analyte].name} {plain(measured.value)} {_shown(measured.unit)}".rstrip()
    term = f"{criterion.term} (CTCAE v{criterion.edition})"
    is_settled = len(found.deciding) == 1
    said = []
    for grade, band in sorted(found.deciding.items(), key=lambda item: item[0]):
        if band is None:
            reaches = "reaches" if is_settled else "may reach"
            said.append(f"{subject} {reaches} no grade of {term}{_why_none(bands, facts)}")
            continue
        bounds = " and ".join(_bound(bound, band.unit, measured, baseline) for bound in band.bounds)
        needs = "".join(f", {_need(condition, needed)}" for condition, needed in band.needs)
        is_ = "is" if is_settled else "may be"
        reading = ", as the text is read" if band.is_reading else ""
        said.append(f"{subject} {is_} {bounds}{needs}: grade {grade} of {term}{reading}")
    return tuple(said)


def converted(measured: Measured, unit: str, factor: Fraction) -> str:
    """That the value was judged in another unit, and how it was converted."""
    value = number(Fraction(measured.value) * factor)
    return f"{plain(measured.value)} {_shown(measured.unit)} is judged as {value} {_shown(unit)}"


def _why_none(bands: list[Band], facts: Facts) -> str:
    """Between the baseline and the first bound that is counted from it, the text gives no grade: say so."""
    if facts.baseline is None or facts.value <= facts.baseline:
        return ""
    firsts = [band.lower for band in bands if band.lower is not None and band.lower.basis is Basis.X_BASELINE]
    if not firsts:
        return ""
    first = min(firsts, key=lambda bound: bound.number)
    uln = facts.baseline_uln if facts.baseline_uln is not None else facts.uln
    if first.number <= 1 or uln is None or facts.baseline <= uln:
        return ""
    return f": the baseline is above the limit of normal, and below {number(first.number)} × baseline there is none"


def _bound(bound: Bound, unit: str | None, measured: Measured, baseline: Measured | None) -> str:
    figure, words = number(bound.number), bound.comparison.words
    times = "" if bound.number == 1 else f"{figure} × "
    shown = _shown(unit or "")
    before = "" if baseline is None else f" ({plain(baseline.value)} {_shown(baseline.unit)})"
    at_uln = "" if measured.uln is None else f" ({plain(measured.uln)})"
    at_lln = "" if measured.lln is None else f" ({plain(measured.lln)})"
    match bound.basis:
        case Basis.ABSOLUTE:
            return f"{words} {figure} {shown}".rstrip()
        case Basis.X_ULN:
            return f"{words} {times}the upper limit of normal{at_uln}"
        case Basis.X_LLN:
            return f"{words} {times}the lower limit of normal{at_lln}"
        case Basis.X_BASELINE:
            return f"{words} {times}the baseline{before}"
        case Basis.ABOVE_ULN:
            return f"{_by(bound, shown)} over the upper limit of normal{at_uln}"
        case Basis.BELOW_LLN:
            return f"{_by(bound, shown)} under the lower limit of normal{at_lln}"
        case Basis.INCREASE:
            return f"{_by(bound, shown)} over the baseline{before}"
        case Basis.DECREASE:
            return f"{_by(bound, shown)} under the baseline{before}"
        case Basis.PCT_INCREASE:
            return f"{_by(bound, '%')} over the baseline{before}"
        case Basis.PCT_DECREASE:
            return f"{_by(bound, '%')} under the baseline{before}"


def _by(bound: Bound, unit: str) -> str:
    more = {Comparison.BELOW: "less than", Comparison.ABOVE: "more than"}
    return f"{more.get(bound.comparison, bound.comparison.words)} {number(bound.number)} {unit}".rstrip()


def _need(condition: Condition, needed: Known) -> str:
    words = condition.value.replace("_", " ")
    return words if needed is Known.YES else f"not {words}"


def _shown(unit: str) -> str:
    return "" if unit == "1" else unit


def plain(value: Decimal) -> str:
    return f"{value:f}"


def number(exact: Fraction) -> str:
    """A figure as it is written: 0.5, 10, 300; six places where it has no end."""
    text = f"{Decimal(exact.numerator) / Decimal(exact.denominator):f}"
    if len(text) > 12:
        text = f"{float(exact):.6g}"
    return text.rstrip("0").rstrip(".") if "." in text else text
