"""The column form gives the answers of the rule, always: on made rows around every bound, and on all of the pilot."""

from __future__ import annotations

import csv
import gzip
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meddra_coder.lab_columns import LabColumns
from meddra_coder.lab_forms import Number, forms_of
from meddra_coder.lab_grades import LabGrader
from meddra_coder.lab_history import History
from meddra_coder.lab_rows import READ
from meddra_coder.lab_tests import LabTests
from tests.coder.lab_file_of_rows import ALT, HGB, by_columns, by_rule
from tocsin.criteria import EDITIONS, load_lab_criteria
from tocsin.domain.bands import Analyte, Band, Basis, Direction

CRITERIA = {edition: load_lab_criteria(edition) for edition in EDITIONS}
# Every analyte of the two editions that has a term, by the first code that names it, with its units.
TESTS = sorted(
    {
        (analyte.tests[0], tuple(analyte.factors))
        for criteria in CRITERIA.values()
        for analyte in criteria.analytes.values()
        if analyte.tests
        and any(criteria.main(analyte.judged_as or analyte.id, way) for way in (Direction.LOW, Direction.HIGH))
    }
)
SPECIMENS = ["", "", "", "BLOOD", "ARTERIAL BLOOD", "URINE"]
CATEGORIES = ["", "", "CHEMISTRY", "URINALYSIS", "尿常规", "CSF"]
LIMITS = ["", "", "1", "2", "5", "10", "40", "100", "0", "<3", "1.50", "99999"]
# Near and at bounds on purpose: small whole numbers, halves, and a hair beside them.
VALUES = st.one_of(
    st.sampled_from(["0", "1", "1.5", "2", "2.5", "3", "5", "10", "20", "40", "50", "75", "100", "130", "150", "300"]),
    st.sampled_from(["2.9999999999", "3.0000000001", "2.9999999999999996", "1e2", ".5", "5."]),
    st.sampled_from(["", "<1", ">100", "<=3", "x", "-1", " 3 ", "NaN", "inf"]),
    st.decimals(0, 1000, places=2).map(str),
    st.floats(0, 1e6).map(repr),
)


@st.composite
def lab_rows(draw: st.DrawFn) -> list[dict[str, str]]:
    """Some rows of two subjects and two tests, with and without what the criteria ask for."""
    tests = draw(st.lists(st.sampled_from(TESTS), min_size=1, max_size=2))
    rows = []
    for _ in range(draw(st.integers(1, 12))):
        code, units = draw(st.sampled_from(tests))
        unit = draw(st.sampled_from([units[0], *units, ""]))
        result = {"LBSTRESN": draw(VALUES), "LBSTRESU": unit}
        limits = {"LBSTNRLO": draw(st.sampled_from(LIMITS)), "LBSTNRHI": draw(st.sampled_from(LIMITS))}
        if draw(st.booleans()):
            result |= {"LBORRES": draw(VALUES), "LBORRESU": draw(st.sampled_from(units))}
            limits |= {"LBORNRLO": draw(st.sampled_from(LIMITS)), "LBORNRHI": draw(st.sampled_from(LIMITS))}
        rows.append(
            {
                "USUBJID": draw(st.sampled_from(["S-1", "S-2"])),
                "LBTESTCD": code,
                "LBCAT": draw(st.sampled_from(CATEGORIES)),
                "LBSCAT": draw(st.sampled_from(CATEGORIES)),
                "LBSPEC": draw(st.sampled_from(SPECIMENS)),
                "LBSTAT": draw(st.sampled_from(["", "", "", "NOT DONE"])),
                "LBFAST": draw(st.sampled_from(["", "Y", "N"])),
                "LBBLFL": draw(st.sampled_from(["", "", "Y"])),
                "LBDY": draw(st.sampled_from(["", "-1", "1"])),
                "LBDTC": draw(st.sampled_from(["", "2026-03-02"])),
                **result,
                **limits,
            }
        )
    if draw(st.booleans()):
        rows.append({"USUBJID": "S-1", "LBTESTCD": "ALB", "LBSTRESN": "30", "LBSTRESU": "g/L", "LBDTC": "2026-03-02"})
    return rows


@pytest.mark.rule("grading: the column form is the rule")
@pytest.mark.parametrize("edition", EDITIONS)
@given(rows=lab_rows())
@settings(max_examples=400, deadline=None)
def test_columns_give_the_answers_of_the_rule(edition: str, rows: list[dict[str, str]]) -> None:
    assert by_columns(rows, edition) == by_rule(rows, edition)


@pytest.mark.rule("grading: the column form is the rule")
@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize(("code", "units"), TESTS, ids=[code for code, _ in TESTS])
def test_columns_give_the_answers_of_the_rule_around_every_bound(
    edition: str, code: str, units: tuple[str, ...]
) -> None:
    """At each bound, a little and a hair beside it; with everything known, and with each thing not known."""
    limits = {"LBSTNRLO": "3", "LBSTNRHI": "7"}
    tests = LabTests(CRITERIA[edition])
    specimen = "ARTERIAL BLOOD" if code in ("PH", "PO2") else ""
    test = tests.of([{"LBTESTCD": code, "LBSPEC": specimen}.get(name, "") for name in READ])
    rows = []
    for place, (before, known) in enumerate(
        [("6", limits), ("8", limits), ("40", limits), ("", limits), ("6", {}), ("8", {}), ("", {})]
    ):
        same = {"USUBJID": f"S-{place}", "LBTESTCD": code, "LBSTRESU": units[0], "LBSPEC": specimen, **known}
        if before:
            rows.append({**same, "LBSTRESN": before, "LBBLFL": "Y"})
        for at in sorted({number for band in test.bands for number in _turns(band, before, test.judged, units[0])}):
            # The rule tries whatever is not known, which takes it long: then fewer.
            hairs = (0, 1e-13, -1e-13, 1e-7, -1e-7, 0.01, -0.01) if before and known else (0, 1e-7)
            values = [repr(float(at) * (1 + hair)) for hair in hairs]
            rows += [{**same, "LBSTRESN": value} for value in values]
    assert by_columns(rows, edition) == by_rule(rows, edition)


def _turns(band: Band, before: str, judged: Analyte | None, unit: str) -> list[Fraction]:
    of = {Basis.X_ULN: Fraction(7), Basis.X_LLN: Fraction(3), Basis.X_BASELINE: Fraction(before or 6)}
    found = []
    for bound in band.bounds:
        if bound.basis in of:
            found.append(bound.number * of[bound.basis])
        elif bound.basis is Basis.ABOVE_ULN:
            found.append(bound.number + 7)
        elif band.unit in (None, unit):
            found.append(bound.number)
        elif judged is not None and judged.factors.get(band.unit) and judged.factors.get(unit):
            found.append(bound.number * (judged.factors[band.unit] or 1) / (judged.factors[unit] or 1))
    return [number for number in found if number >= 0]


ASKING_BOTH = ["ALT", "ALP", "GGT", "BILI", "CREAT", "EOS", "FIBRINO"]
"""Tests for which the criteria ask for a limit and for the baseline."""
_NEAR = (Fraction(1, 4), 1, 5)


@st.composite
def rows_with_one_number(draw: st.DrawFn) -> list[dict[str, str]]:
    """Many rows of one test, of which one limit is known and nothing else, or nothing at all."""
    code, units = draw(st.sampled_from([test for test in TESTS if test[0] in ASKING_BOTH]))
    limits = draw(st.sampled_from([{"LBSTNRLO": "20"}, {"LBSTNRHI": "20"}, {"LBSTNRLO": "0"}, {}]))
    same = {"USUBJID": "S-1", "LBTESTCD": code, "LBSTRESU": draw(st.sampled_from(units)), **limits}
    values = st.one_of(st.integers(0, 60), st.integers(0, 3000), st.decimals(1, 500, places=1))
    return [{**same, "LBSTRESN": str(value)} for value in draw(st.lists(values, min_size=20, max_size=20))]


@pytest.mark.rule("grading: the column form is the rule")
@pytest.mark.parametrize("edition", EDITIONS)
@given(rows=rows_with_one_number())
@settings(max_examples=25, deadline=None)
def test_columns_give_the_answers_of_the_rule_where_two_numbers_are_not_known(
    edition: str, rows: list[dict[str, str]]
) -> None:
    assert by_columns(rows, edition) == by_rule(rows, edition)


@pytest.mark.rule("grading: the column form is the rule")
@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("lone", ["LBSTNRLO", "LBSTNRHI"])
@pytest.mark.parametrize("code", ASKING_BOTH)
def test_columns_give_the_answers_of_the_rule_around_each_multiple_of_a_lone_limit(
    edition: str, code: str, lone: str
) -> None:
    """Where the limit that is known stands among the places at which the others are tried."""
    [units] = [units for name, units in TESTS if name == code]
    test = LabTests(CRITERIA[edition]).of([{"LBTESTCD": code}.get(name, "") for name in READ])
    multiples = sorted({bound.number * 8 * of for band in test.bands for bound in band.bounds for of in _NEAR})
    same = {"USUBJID": "S-1", "LBTESTCD": code, "LBSTRESU": units[0], lone: "8"}
    rows = [{**same, "LBSTRESN": repr(float(at * hair))} for at in multiples for hair in (1, 1.01, 0.99)]
    assert by_columns(rows, edition) == by_rule(rows, edition)


ALBUMIN = {**ALT, "LBTESTCD": "ALB", "LBTEST": "", "LBSTRESU": "g/L", "LBSTRESN": "40", "LBSTNRLO": ""}
NO_ROW = "no row of this subject and test has LBBLFL=Y or an LBDY below 1"
UNREADABLE = "the row that is the baseline has no exact number in a unit of the test"


@pytest.mark.rule("grading: the column form is the rule")
def test_rows_that_differ_in_one_thing_only_are_told_apart() -> None:
    # The lower limit is not known. It cannot be above the upper one, so a value above that one is not low.
    rows = [{**ALBUMIN, "LBSTNRHI": "50"}, {**ALBUMIN, "LBSTNRHI": "35"}]
    assert by_columns(rows) == by_rule(rows)
    assert [answer.low_grade for answer in by_columns(rows)] == ["", "0"]
    # No baseline, for two reasons.
    flagged = {**ALT, "USUBJID": "S-1", "LBBLFL": "Y", "LBSTRESN": "<5"}
    rows = [flagged, *({**ALT, "LBSTRESN": "130", "USUBJID": subject} for subject in ("S-1", "S-2"))]
    assert by_columns(rows) == by_rule(rows)
    assert [answer.reason.partition(" (")[2] for answer in by_columns(rows)[1:]] == [f"{UNREADABLE})", f"{NO_ROW})"]


@pytest.mark.rule("grading: the column form is the rule")
@pytest.mark.reference
@pytest.mark.parametrize("edition", EDITIONS)
def test_every_row_of_the_pilot_has_the_answer_of_the_rule(edition: str, reference: Path) -> None:
    with gzip.open(reference / "pilot" / "cdiscpilot_lb.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    places = [header.index(name) if name in header else None for name in READ]
    read = [["" if place is None else row[place] for place in places] for row in rows]
    history = History(LabTests(CRITERIA[edition]))
    history.tell(read)
    columns = LabColumns(LabGrader(history.tests, history), places)
    rule = LabGrader(history.tests, history)
    assert len(rows) == 59_580
    assert columns.answers(rows) == [rule.answer(row) for row in read]
    assert columns.asked < len(rows) / 10


def test_the_rule_is_asked_once_for_all_rows_that_lie_alike() -> None:
    rows = [{**HGB, "LBSTRESN": f"{95 + number / 1000}"} for number in range(500)]
    rows += [{**ALT, "LBSTRESN": f"{50 + number / 1000}"} for number in range(500)]
    history = History(LabTests(CRITERIA["5.0"]))
    columns = LabColumns(LabGrader(history.tests, history), range(len(READ)))
    columns.answers([[row.get(name, "") for name in READ] for row in rows])
    assert columns.asked == 2


def test_the_rule_is_not_asked_for_each_row_where_only_the_lower_limit_is_known() -> None:
    """Below the limit, and between its multiples 1, 1.5, 3, 4.5 and so on, all rows have one answer."""
    rows = [{**ALT, "LBSTNRHI": "", "LBSTRESN": f"{2 + number / 7}"} for number in range(1000)]
    history = History(LabTests(CRITERIA["5.0"]))
    columns = LabColumns(LabGrader(history.tests, history), range(len(READ)))
    columns.answers([[row.get(name, "") for name in READ] for row in rows])
    assert columns.asked <= 20


def test_the_forms_are_made_from_the_bounds_of_the_criteria() -> None:
    alt = CRITERIA["5.0"].analytes["alt"]
    criterion = CRITERIA["5.0"].main("alt", Direction.HIGH)
    assert criterion is not None
    known = frozenset({Number.ONE, Number.VALUE, Number.ULN, Number.BASELINE})
    found = forms_of(criterion.bands, alt, "U/L", known)
    of_uln = {-form[Number.ULN] for form in found if form[Number.VALUE] and form[Number.ULN]}
    of_baseline = {-form[Number.BASELINE] for form in found if form[Number.VALUE] and form[Number.BASELINE]}
    assert of_uln == {1, 3, 5, 20}
    assert of_baseline == {Fraction("1.5"), 3, 5, 20}
    # With the limit and the baseline not known, all is a multiple of the value.
    of_value = forms_of(criterion.bands, alt, "U/L", frozenset({Number.ONE, Number.VALUE}))
    assert of_value == frozenset({tuple(Fraction(number is Number.VALUE) for number in Number)})
    # With the lower limit beside it, at what multiple of that the value stands: all that can matter is one of these.
    of_lln = forms_of(criterion.bands, alt, "U/L", frozenset({Number.ONE, Number.VALUE, Number.LLN}))
    assert {1, Fraction("1.5"), 3, 5, 20} <= {-form[Number.LLN] for form in of_lln if form[Number.VALUE]}
    assert not any(form[Number.ULN] or form[Number.BASELINE] for form in of_lln)
    v6 = CRITERIA["6.0"].main("alt", Direction.HIGH)
    assert v6 is not None
    with_own_limit = forms_of(v6.bands, alt, "U/L", known | {Number.BASELINE_ULN})
    assert {-form[Number.BASELINE_ULN] for form in with_own_limit if form[Number.BASELINE_ULN]} == {1, 5}
