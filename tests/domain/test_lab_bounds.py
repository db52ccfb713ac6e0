"""At, just below and just above each bound of both tables: the grade is that of the rows.

The expected grade is found here from the cells of the tables, by comparing plain decimals. Nothing of the rule is used.
"""

from __future__ import annotations

import csv
import importlib.resources
import io
import itertools
import operator
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tocsin.criteria import load_lab_criteria
from tocsin.domain.graded import Graded
from tocsin.domain.known import Known
from tocsin.domain.labs import Condition, Measured, grade_criterion

Row = dict[str, str]
_COMPARED = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_TINY = Decimal("0.000001")


def _rows(edition: str) -> list[Row]:
    name = f"ctcae_v{edition[0]}_bands.csv"
    text = importlib.resources.files("tocsin.criteria").joinpath(name).read_text("utf-8")
    return [row for row in csv.DictReader(io.StringIO(text)) if "clinical_only" not in row["explains"]]


def _bounds(row: Row) -> list[tuple[str, Decimal, str]]:
    found = [(row[side], row[f"{side}_basis"]) for side in ("lower", "upper") if row[side]]
    if row["also"]:
        sign, number, basis = row["also"].split()
        found.append((f"{sign} {number}", basis))
    return [(text.split()[0], Decimal(text.split()[1]), basis) for text, basis in found]


def _limits(rows: list[Row]) -> tuple[Decimal, Decimal]:
    """Limits of normal that lie where the first bands leave room for them."""
    fixed = [number for row in rows for _, number, basis in _bounds(row) if basis == "absolute"]
    if any(basis in ("xLLN", "below_LLN") for row in rows for _, _, basis in _bounds(row)):
        lln = max(fixed, default=Decimal(100)) * Decimal("1.1")
        return lln, lln * 2
    uln = min(fixed, default=Decimal(100)) * Decimal("0.9")
    return min(uln / 2, uln * 2), uln


def _amount(value: Decimal, basis: str, lln: Decimal, uln: Decimal, before: Decimal) -> Decimal:
    return {
        "absolute": lambda: value,
        "xULN": lambda: value / uln,
        "xLLN": lambda: value / lln,
        "xbaseline": lambda: value / before,
        "above_ULN": lambda: value - uln,
        "below_LLN": lambda: lln - value,
        "increase": lambda: value - before,
        "decrease": lambda: before - value,
        "pct_increase": lambda: (value - before) / before * 100,
        "pct_decrease": lambda: (before - value) / before * 100,
    }[basis]()


def _value(number: Decimal, basis: str, lln: Decimal, uln: Decimal, before: Decimal) -> Decimal:
    return {
        "absolute": lambda: number,
        "xULN": lambda: number * uln,
        "xLLN": lambda: number * lln,
        "xbaseline": lambda: number * before,
        "above_ULN": lambda: uln + number,
        "below_LLN": lambda: lln - number,
        "increase": lambda: before + number,
        "decrease": lambda: before - number,
        "pct_increase": lambda: before + before * number / 100,
        "pct_decrease": lambda: before - before * number / 100,
    }[basis]()


def _is_for(baseline: str, before: Decimal, lln: Decimal, uln: Decimal) -> bool:
    return {
        "any": True,
        "not_above_ULN": before <= uln,
        "above_ULN": before > uln,
        "above_ULN_to_5x": uln < before <= 5 * uln,
        "above_5x_ULN": before > 5 * uln,
        "not_below_LLN": before >= lln,
        "below_LLN": before < lln,
    }[baseline]


def _expected(rows: list[Row], told: dict[str, str], value: Decimal, *numbers: Decimal) -> int:
    lln, uln, before = numbers

    def holds(row: Row) -> bool:
        needs = [need.split("=") for need in row["needs"].split(";") if need]
        amounts = [(sign, _amount(value, basis, *numbers), number) for sign, number, basis in _bounds(row)]
        return (
            _is_for(row["baseline"], before, lln, uln)
            and all(told[name] == answer for name, answer in needs)
            and all(_COMPARED[sign](amount.quantize(Decimal("1e-12")), number) for sign, amount, number in amounts)
        )

    return max((int(row["grade"]) for row in rows if holds(row)), default=0)


def _is_out_of_scope(term: str, analyte: str, told: dict[str, str]) -> bool:
    """Answers with which the criterion does not speak of the value, or that contradict each other."""
    is_adults = term == "Hypertension" or analyte in ("protein_urine_24h", "urine_volume_8h", "urine_volume_24h")
    return (
        (is_adults and told.get("adult") == "no")
        or told.get("fasting") == "no"
        or told.get("intervention") == "yes"
        or (told.get("moderate_symptoms"), told.get("symptomatic")) == ("yes", "no")
    )


def _cases(edition: str) -> Iterator[tuple[str, str, str, list[Row]]]:
    rows = _rows(edition)
    for term, analyte in dict.fromkeys((row["term"], row["analyte"]) for row in rows):
        its = [row for row in rows if (row["term"], row["analyte"]) == (term, analyte)]
        units = dict.fromkeys(row["unit"] for row in its if row["unit"] != "any") or {"any": None}
        for unit in units:
            yield term, analyte, unit, [row for row in its if row["unit"] in (unit, "any")]


@pytest.mark.rule("grading: a bound is where the text has it", "grading: editions never mix")
@pytest.mark.parametrize("edition", ["5.0", "6.0"])
def test_the_grade_at_and_beside_every_bound_is_that_of_its_row(edition: str) -> None:
    criteria = load_lab_criteria(edition)
    tried = 0
    for term, analyte, unit, rows in _cases(edition):
        sent = criteria.analytes[analyte].unit if unit == "any" else unit
        lln, uln = _limits(rows)
        befores = [(lln + uln) / 2, uln * 2, uln * 6, lln / 2]
        asked = list(dict.fromkeys(need.split("=")[0] for row in rows for need in row["needs"].split(";") if need))
        for before, answers in itertools.product(befores, itertools.product(("yes", "no"), repeat=len(asked))):
            told = dict(zip(asked, answers, strict=True))
            if _is_out_of_scope(term, analyte, told):
                continue
            for point in {_value(n, basis, lln, uln, before) for row in rows for _, n, basis in _bounds(row)}:
                for value in (point - _TINY, point, point + _TINY):
                    expected = _expected(rows, told, value, lln, uln, before)
                    found = grade_criterion(
                        criteria.of(term),
                        Measured(analyte, value, sent, lln, uln),
                        baseline=Measured(analyte, before, sent, lln, uln),
                        conditions={Condition(name): Known(answer) for name, answer in told.items()},
                    )
                    assert isinstance(found, Graded), (term, analyte, value, told, found)
                    assert (found.lowest, found.highest) == (expected, expected), (
                        term,
                        unit,
                        value,
                        before,
                        told,
                        found,
                    )
                    tried += 1
    assert tried > 3000
