"""Laboratory values to grades: the tables here are written by hand from the two editions of CTCAE."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.criteria import load_lab_criteria
from tocsin.domain.graded import Graded, Grading, NotGradable
from tocsin.domain.known import Known
from tocsin.domain.labs import Condition, Measured, grade_criterion, grade_lab

V5 = load_lab_criteria("5.0")
V6 = load_lab_criteria("6.0")
EDITIONS = {"5.0": V5, "6.0": V6}


def _measured(analyte: str, value: str, unit: str, lln: str | None = None, uln: str | None = None) -> Measured:
    return Measured(analyte, Decimal(value), unit, (lln and Decimal(lln)) or None, (uln and Decimal(uln)) or None)


def _low(measured: Measured, edition: str = "5.0", **told: object) -> Grading:
    found = grade_lab(measured, EDITIONS[edition], **told).low  # type: ignore[arg-type]
    assert found is not None
    return found


def _high(measured: Measured, edition: str = "5.0", **told: object) -> Grading:
    found = grade_lab(measured, EDITIONS[edition], **told).high  # type: ignore[arg-type]
    assert found is not None
    return found


def _grades(grading: Grading) -> tuple[int, int] | str:
    return grading.because if isinstance(grading, NotGradable) else (grading.lowest, grading.highest)


@pytest.mark.rule("grading: a bound is where the text has it", "grading: editions never mix")
@pytest.mark.parametrize(
    ("value", "unit", "lln", "v5", "v6"),
    [
        ("2.0", "10*9/L", "2.0", 0, 0),
        ("1.99", "10*9/L", "2.0", 1, 0),
        ("1.5", "10*9/L", "2.0", 1, 0),
        ("1.49", "10*9/L", "2.0", 2, 1),
        ("1.0", "10*9/L", "2.0", 2, 1),
        ("0.99", "10*9/L", "2.0", 3, 2),
        ("0.5", "10*9/L", "2.0", 3, 2),
        ("0.49", "10*9/L", "2.0", 4, 3),
        ("0.1", "10*9/L", "2.0", 4, 3),
        ("0.09", "10*9/L", "2.0", 4, 4),
        ("0", "10*9/L", "2.0", 4, 4),
        ("1500", "/mm3", "2000", 1, 0),
        ("1499", "/uL", "2000", 2, 1),
        ("500", "/mm3", "2000", 3, 2),
        ("499", "/mm3", "2000", 4, 3),
        ("0.5", "10*3/uL", "2.0", 3, 2),
    ],
)
def test_neutrophils_move_from_one_edition_to_the_next(value: str, unit: str, lln: str, v5: int, v6: int) -> None:
    measured = _measured("neutrophils", value, unit, lln)
    assert _grades(_low(measured)) == (v5, v5)
    assert _grades(_low(measured, "6.0")) == (v6, v6)


@pytest.mark.rule("grading: a bound is where the text has it", "grading: editions never mix")
@pytest.mark.parametrize(
    ("value", "unit", "lln", "v5", "v6"),
    [
        ("150", "10*9/L", "150", 0, 0),
        ("149", "10*9/L", "150", 1, 1),
        ("75", "10*9/L", "150", 1, 1),
        ("74.9", "10*9/L", "150", 2, 2),
        ("50", "10*9/L", "150", 2, 2),
        ("49", "10*9/L", "150", 3, 3),
        ("25", "10*9/L", "150", 3, 3),
        ("24", "10*9/L", "150", 4, 3),
        ("10", "10*9/L", "150", 4, 3),
        ("9.9", "10*9/L", "150", 4, 4),
        ("25000", "/mm3", "150000", 3, 3),
        ("24999", "/mm3", "150000", 4, 3),
        ("9999", "/uL", "150000", 4, 4),
    ],
)
def test_platelets_move_and_change_their_term(value: str, unit: str, lln: str, v5: int, v6: int) -> None:
    measured = _measured("platelets", value, unit, lln)
    before, after = _low(measured), _low(measured, "6.0")
    assert (_grades(before), before.term, before.code) == ((v5, v5), "Platelet count decreased", "10035528")
    assert (_grades(after), after.term, after.code) == ((v6, v6), "Thrombocytopenia", "10043554")


@pytest.mark.rule("grading: a bound is where the text has it")
@pytest.mark.parametrize(
    ("analyte", "value", "unit", "lln", "grade"),
    [
        # haemoglobin, in the three units of the text
        ("haemoglobin", "12.0", "g/dL", "12.0", 0),
        ("haemoglobin", "11.9", "g/dL", "12.0", 1),
        ("haemoglobin", "10.0", "g/dL", "12.0", 1),
        ("haemoglobin", "9.9", "g/dL", "12.0", 2),
        ("haemoglobin", "8.0", "g/dL", "12.0", 2),
        ("haemoglobin", "7.9", "g/dL", "12.0", 3),
        ("haemoglobin", "100", "g/L", "120", 1),
        ("haemoglobin", "99", "g/L", "120", 2),
        ("haemoglobin", "79", "g/L", "120", 3),
        ("haemoglobin", "6.2", "mmol/L", "7.5", 1),
        ("haemoglobin", "6.19", "mmol/L", "7.5", 2),
        ("haemoglobin", "4.9", "mmol/L", "7.5", 2),
        ("haemoglobin", "4.89", "mmol/L", "7.5", 3),
        # sodium: the integers of the text are read up to the next grade
        ("sodium", "135", "mmol/L", "135", 0),
        ("sodium", "134", "mmol/L", "135", 1),
        ("sodium", "130", "mmol/L", "135", 1),
        ("sodium", "124.9", "mmol/L", "135", 3),
        ("sodium", "120", "mmol/L", "135", 3),
        ("sodium", "119.9", "mmol/L", "135", 4),
        ("sodium", "119", "meq/L", "135", 4),
        # potassium
        ("potassium", "3.5", "mmol/L", "3.5", 0),
        ("potassium", "2.99", "mmol/L", "3.5", 3),
        ("potassium", "2.5", "mmol/L", "3.5", 3),
        ("potassium", "2.49", "mmol/L", "3.5", 4),
        ("potassium", "2.4", "meq/L", "3.5", 4),
        # calcium, corrected in both systems, and ionized
        ("calcium_corrected", "8.5", "mg/dL", "8.5", 0),
        ("calcium_corrected", "8.0", "mg/dL", "8.5", 1),
        ("calcium_corrected", "7.9", "mg/dL", "8.5", 2),
        ("calcium_corrected", "6.9", "mg/dL", "8.5", 3),
        ("calcium_corrected", "5.9", "mg/dL", "8.5", 4),
        ("calcium_corrected", "2.0", "mmol/L", "2.15", 1),
        ("calcium_corrected", "1.99", "mmol/L", "2.15", 2),
        ("calcium_corrected", "1.75", "mmol/L", "2.15", 2),
        ("calcium_corrected", "1.74", "mmol/L", "2.15", 3),
        ("calcium_corrected", "1.49", "mmol/L", "2.15", 4),
        ("calcium_ionized", "0.9", "mmol/L", "1.12", 2),
        ("calcium_ionized", "0.89", "mmol/L", "1.12", 3),
        ("calcium_ionized", "0.79", "mmol/L", "1.12", 4),
    ],
)
def test_low_values(analyte: str, value: str, unit: str, lln: str, grade: int) -> None:
    assert _grades(_low(_measured(analyte, value, unit, lln))) == (grade, grade)


@pytest.mark.rule("grading: a bound is where the text has it")
@pytest.mark.parametrize(
    ("analyte", "value", "unit", "uln", "grade"),
    [
        ("haemoglobin", "17.0", "g/dL", "17.0", 0),
        ("haemoglobin", "17.1", "g/dL", "17.0", 1),
        ("haemoglobin", "19.0", "g/dL", "17.0", 1),
        ("haemoglobin", "19.1", "g/dL", "17.0", 2),
        ("haemoglobin", "211", "g/L", "170", 3),
        ("sodium", "145", "mmol/L", "145", 0),
        ("sodium", "150", "mmol/L", "145", 1),
        ("sodium", "150.1", "mmol/L", "145", 2),
        ("sodium", "155.1", "mmol/L", "145", 3),
        ("sodium", "160.1", "mmol/L", "145", 4),
        ("potassium", "5.1", "mmol/L", "5.1", 0),
        ("potassium", "5.5", "mmol/L", "5.1", 1),
        ("potassium", "6.0", "mmol/L", "5.1", 2),
        ("potassium", "6.01", "mmol/L", "5.1", 3),
        ("potassium", "7.0", "mmol/L", "5.1", 3),
        ("potassium", "7.1", "mmol/L", "5.1", 4),
        ("calcium_corrected", "11.5", "mg/dL", "10.5", 1),
        ("calcium_corrected", "11.6", "mg/dL", "10.5", 2),
        ("calcium_corrected", "2.9", "mmol/L", "2.6", 1),
        ("calcium_corrected", "3.1", "mmol/L", "2.6", 2),
        ("calcium_corrected", "3.41", "mmol/L", "2.6", 4),
        ("creatinine", "88.5", "umol/L", "88.4", 1),
    ],
)
def test_high_values(analyte: str, value: str, unit: str, uln: str, grade: int) -> None:
    baseline = _measured(analyte, uln, unit, uln=uln)
    assert _grades(_high(_measured(analyte, value, unit, uln=uln), baseline=baseline)) == (grade, grade)


@pytest.mark.rule("grading: a bound is where the text has it")
@pytest.mark.parametrize(
    ("analyte", "value", "before", "uln", "v5", "v6"),
    [
        # ALT, U/L: normal before, then above the limit before
        ("alt", "40", "20", "40", 0, 0),
        ("alt", "40.1", "20", "40", 1, 1),
        ("alt", "120", "20", "40", 1, 1),
        ("alt", "120.1", "20", "40", 2, 2),
        ("alt", "200", "20", "40", 2, 2),
        ("alt", "200.1", "20", "40", 3, 3),
        ("alt", "800", "20", "40", 3, 3),
        ("alt", "800.1", "20", "40", 4, 4),
        ("alt", "99", "100", "40", 0, 0),
        ("alt", "100", "100", "40", 0, 1),
        ("alt", "149", "100", "40", 0, 1),
        ("alt", "150", "100", "40", 1, 1),
        ("alt", "200", "100", "40", 1, 2),
        ("alt", "201", "100", "40", 1, 3),
        ("alt", "301", "100", "40", 2, 3),
        ("alt", "401", "100", "40", 2, 4),
        ("alt", "2001", "100", "40", 4, 4),
        # above 5 x ULN before: v6.0 prints no grade 3 there
        ("alt", "600", "250", "40", 1, 3),
        # bilirubin, umol/L
        ("bilirubin", "20", "10", "20", 0, 0),
        ("bilirubin", "30", "10", "20", 1, 1),
        ("bilirubin", "30.1", "10", "20", 2, 2),
        ("bilirubin", "60.1", "10", "20", 3, 3),
        ("bilirubin", "200.1", "10", "20", 4, 4),
        ("bilirubin", "40", "40", "20", 0, 1),
        ("bilirubin", "60", "40", "20", 1, 1),
        ("bilirubin", "110", "40", "20", 2, 3),
        ("bilirubin", "401", "40", "20", 4, 4),
        # creatinine, umol/L: v5.0 also counts from the baseline, v6.0 only where that was below the lower limit
        ("creatinine", "90", "60", "100", 0, 0),
        ("creatinine", "91", "60", "100", 2, 0),
        ("creatinine", "101", "60", "100", 2, 1),
        ("creatinine", "150", "100", "100", 1, 1),
        ("creatinine", "151", "100", "100", 2, 2),
        ("creatinine", "181", "60", "100", 3, 2),
        ("creatinine", "300", "100", "100", 2, 2),
        ("creatinine", "301", "100", "100", 3, 3),
        ("creatinine", "600", "100", "100", 3, 3),
        ("creatinine", "601", "100", "100", 4, 4),
        ("creatinine", "61", "40", "100", 2, 2),
    ],
)
def test_values_that_count_from_a_baseline(analyte: str, value: str, before: str, uln: str, v5: int, v6: int) -> None:
    unit = "U/L" if analyte == "alt" else "umol/L"
    measured = _measured(analyte, value, unit, "45" if analyte == "creatinine" else None, uln)
    baseline = _measured(analyte, before, unit, "45" if analyte == "creatinine" else None, uln)
    assert _grades(_high(measured, baseline=baseline)) == (v5, v5)
    assert _grades(_high(measured, "6.0", baseline=baseline)) == (v6, v6)


@pytest.mark.rule("grading: a bound is where the text has it")
@pytest.mark.parametrize(
    ("value", "unit", "lln", "before", "grade"),
    [
        ("200", "mg/dL", "200", "300", 0),
        ("199", "mg/dL", "200", "300", 1),
        ("150", "mg/dL", "200", "300", 1),
        ("149", "mg/dL", "200", "300", 2),
        ("99", "mg/dL", "200", "300", 3),
        ("50", "mg/dL", "200", "300", 3),
        ("49", "mg/dL", "200", "300", 4),
        ("1.5", "g/L", "2.0", "3.0", 1),
        ("0.49", "g/L", "2.0", "3.0", 4),
        ("160", "mg/dL", "200", "160", 0),
        ("121", "mg/dL", "200", "160", 1),
        ("120", "mg/dL", "200", "160", 2),
        ("80", "mg/dL", "200", "160", 3),
        ("49.9", "mg/dL", "200", "60", 4),
    ],
)
def test_fibrinogen_counts_from_the_limit_or_from_a_low_baseline(
    value: str, unit: str, lln: str, before: str, grade: int
) -> None:
    baseline = _measured("fibrinogen", before, unit, lln)
    assert _grades(_low(_measured("fibrinogen", value, unit, lln), baseline=baseline)) == (grade, grade)


@pytest.mark.rule("grading: what cannot be graded is never grade 0")
@pytest.mark.parametrize(
    ("measured", "side", "said"),
    [
        (_measured("sodium", "127", ""), "low", "no unit of sodium: mmol/L, meq/L are allowed"),
        (_measured("sodium", "127", "g/L"), "low", "g/L is no unit of sodium here: mmol/L, meq/L are allowed"),
        (_measured("ldh", "300", "U/L"), "high", "the upper limit of normal is not known"),
        (_measured("alt", "1000", "U/L", uln="40"), "high", "the baseline is not known"),
        (
            _measured("inr", "1.4", "1"),
            "high",
            "the baseline is not known; it is not known whether the subject is on anticoagulation",
        ),
        (_measured("haptoglobin", "0.1", "g/L"), "low", "the lower limit of normal is not known"),
        (_measured("phosphate", "0.1", "mmol/L", "0.8"), "low", "CTCAE v5.0 grades Hypophosphatemia without a number"),
        (
            _measured("calcium_total", "2.0", "mmol/L", "2.15"),
            "low",
            "Hypocalcemia is judged by calcium corrected for albumin or ionized calcium, not by total calcium",
        ),
        (
            _measured("neutrophils", "NaN", "10*9/L"),
            "low",
            "the value of neutrophils is NaN; a finite number is allowed",
        ),
        (
            _measured("neutrophils", "1", "10*9/L", "7", "2"),
            "low",
            "the limits of normal contradict each other: the lower is 7, the upper 2",
        ),
    ],
)
def test_says_why_nothing_can_be_said(measured: Measured, side: str, said: str) -> None:
    found = grade_lab(measured, V5)
    assert _grades(found.low if side == "low" else found.high) == said  # type: ignore[arg-type]


@pytest.mark.rule("grading: what cannot be graded is never grade 0")
@pytest.mark.parametrize(
    ("analyte", "value", "unit", "limits", "grades", "missing"),
    [
        ("creatinine", "7", "mg/dL", (None, "1"), (4, 4), ()),
        ("creatinine", "2", "mg/dL", (None, "1"), (2, 3), ("the baseline",)),
        ("alt", "40", "U/L", (None, "40"), (0, 0), ()),
        ("alt", "280", "U/L", (None, "40"), (0, 3), ("the baseline",)),
        ("lipase", "300", "U/L", (None, "100"), (2, 3), ("whether there are symptoms",)),
        ("urate", "600", "umol/L", (None, "420"), (1, 3), ("whether there are physiologic consequences",)),
        ("sodium", "155.5", "mmol/L", (None, None), (3, 3), ()),
        ("sodium", "149", "mmol/L", (None, None), (0, 1), ("the upper limit of normal",)),
        ("troponin_i", "90", "ng/L", (None, "20"), (1, 3), (Condition.INFARCTION_LEVEL.question,)),
    ],
)
def test_what_is_not_known_widens_the_grade(
    analyte: str,
    value: str,
    unit: str,
    limits: tuple[str | None, str | None],
    grades: tuple[int, int],
    missing: tuple[str, ...],
) -> None:
    found = _high(_measured(analyte, value, unit, *limits))
    assert isinstance(found, Graded)
    assert (_grades(found), found.missing) == (grades, missing)


@pytest.mark.rule("grading: what cannot be graded is never grade 0")
def test_conditions_that_hold_together_with_the_number_settle_it() -> None:
    low_sodium = _measured("sodium", "129.5", "mmol/L", "135")
    assert _grades(_low(low_sodium)) == (2, 3)
    assert _grades(_low(low_sodium, conditions={Condition.SYMPTOMATIC: Known.NO})) == (2, 2)
    assert _grades(_low(low_sodium, conditions={Condition.SYMPTOMATIC: Known.YES})) == (3, 3)
    low_potassium = _measured("potassium", "3.0", "mmol/L", "3.5")
    assert _grades(_low(low_potassium)) == (1, 2)


@pytest.mark.rule("grading: what cannot be graded is never grade 0")
def test_a_value_outside_of_what_the_criterion_speaks_of_is_not_grade_0() -> None:
    glucose = _measured("glucose", "200", "mg/dL", uln="110")
    assert _grades(_high(glucose, "6.0", conditions={Condition.FASTING: Known.YES})) == (2, 2)
    assert _grades(_high(glucose, "6.0")) == (0, 2)
    said = _grades(_high(glucose, "6.0", conditions={Condition.FASTING: Known.NO}))
    assert said == "the bounds are for a fasting value"
    worse = _measured("glucose", "251", "mg/dL", uln="110")
    assert _grades(_high(worse, "6.0", conditions={Condition.FASTING: Known.NO})) == (3, 3)
    pressure = grade_criterion(
        V5.of("Hypertension"), _measured("systolic", "165", "mm[Hg]"), conditions={Condition.ADULT: Known.NO}
    )
    assert _grades(pressure) == "the bounds are for adults"


def test_one_limit_that_contradicts_no_guess_of_the_other_is_enough() -> None:
    """A value far above the upper limit is above the lower one, whatever that is."""
    assert _grades(_low(_measured("glucose", "251", "mg/dL", uln="110"))) == (0, 0)
    assert _grades(_high(_measured("sodium", "110", "mmol/L", "135"))) == (0, 0)


def test_a_low_baseline_is_no_abnormal_one_of_an_increase() -> None:
    measured, baseline = _measured("alt", "121", "U/L", "10", "40"), _measured("alt", "5", "U/L", "10", "40")
    assert _grades(_high(measured, baseline=baseline)) == (2, 2)


def test_a_baseline_in_another_unit_is_converted() -> None:
    measured = _measured("creatinine", "176.84", "umol/L", uln="200")
    baseline = _measured("creatinine", "1", "mg/dL", uln="2")
    assert _grades(_high(measured, baseline=baseline)) == (2, 2)


def test_a_value_without_bounds_of_its_own_unit_is_converted_and_says_so() -> None:
    found = _low(_measured("magnesium", "0.9", "meq/L", "1.3", "2.1"))
    assert isinstance(found, Graded)
    assert found.grade == 2
    assert found.reasons[-1] == "0.9 meq/L is judged as 0.45 mmol/L"


def test_between_the_baseline_and_the_first_bound_the_sentence_says_why_there_is_no_grade() -> None:
    found = _high(_measured("alt", "60", "U/L", uln="40"), baseline=_measured("alt", "50", "U/L", uln="40"))
    assert isinstance(found, Graded)
    assert found.grade == 0
    assert "below 1.5 × baseline there is none" in found.reasons[0]


def test_the_reason_is_a_sentence_that_a_physician_reads() -> None:
    found = _low(_measured("neutrophils", "0.4", "10*9/L"))
    assert isinstance(found, Graded)
    assert found.reasons == (
        "neutrophils 0.4 10*9/L is below 0.5 10*9/L: grade 4 of Neutrophil count decreased (CTCAE v5.0)",
    )


@pytest.mark.rule("grading: editions never mix")
def test_lymphopenia_has_one_grade_in_the_later_edition_and_four_in_the_earlier() -> None:
    measured = _measured("lymphocytes", "0.1", "10*9/L", "1.0")
    before, after = _low(measured), _low(measured, "6.0")
    assert (before.edition, before.term, _grades(before)) == ("5.0", "Lymphocyte count decreased", (4, 4))
    assert (after.edition, after.term, _grades(after)) == ("6.0", "Lymphopenia", (1, 1))


@pytest.mark.rule("grading: editions never mix")
@pytest.mark.parametrize("edition", ["5.0", "6.0"])
def test_every_answer_carries_the_edition_of_its_criteria(edition: str) -> None:
    criteria = EDITIONS[edition]
    assert {criterion.edition for criterion in criteria.criteria} == {edition}
    for analyte in criteria.analytes.values():
        found = grade_lab(Measured(analyte.id, Decimal(1), analyte.unit), criteria)
        assert {each.edition for each in (found.low, found.high) if each is not None} <= {edition}


def test_a_composite_term_is_graded_by_name_and_hides_no_main_term() -> None:
    measured = _measured("neutrophils", "0.9", "10*9/L")
    febrile = V5.of("Febrile neutropenia")
    assert _grades(grade_criterion(febrile, measured, conditions={Condition.FEBRILE: Known.YES})) == (3, 3)
    assert _grades(grade_criterion(febrile, measured, conditions={Condition.FEBRILE: Known.NO})) == (0, 0)
    assert _low(measured).term == "Neutrophil count decreased"
    assert _grades(grade_criterion(febrile, _measured("alt", "1", "U/L"))) == (
        "alt is not judged by Febrile neutropenia; neutrophils is"
    )


def test_qtc_counts_its_change_from_the_baseline() -> None:
    qtc = V5.of("Electrocardiogram QT corrected interval prolonged")
    for value, before, grade in (
        ("449", "440", 0),
        ("450", "440", 1),
        ("480", "440", 1),
        ("480.5", "440", 2),
        ("500", "440", 2),
        ("500.5", "460", 3),
        ("460", "400", 1),
        ("461", "400", 3),
    ):
        measured, baseline = _measured("qtc", value, "ms"), _measured("qtc", before, "ms")
        assert _grades(grade_criterion(qtc, measured, baseline=baseline)) == (grade, grade)


def test_a_baseline_of_another_analyte_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="the baseline is of ast, the value of alt"):
        grade_lab(_measured("alt", "1", "U/L"), V5, baseline=_measured("ast", "1", "U/L"))


_LADDERS = [
    ("neutrophils", "10*9/L", True),
    ("platelets", "10*9/L", True),
    ("haemoglobin", "g/L", True),
    ("sodium", "mmol/L", True),
    ("fibrinogen", "g/L", True),
    ("sodium", "mmol/L", False),
    ("potassium", "mmol/L", False),
    ("alt", "U/L", False),
    ("bilirubin", "umol/L", False),
    ("creatinine", "umol/L", False),
    ("lipase", "U/L", False),
    ("glucose", "mmol/L", False),
]
_NUMBERS = st.decimals("0.01", "2000", places=2)


@given(st.sampled_from(_LADDERS), st.sampled_from(["5.0", "6.0"]), _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS)
def test_a_worse_value_never_has_a_lower_grade(
    ladder: tuple[str, str, bool], edition: str, one: Decimal, other: Decimal, limit: Decimal, before: Decimal
) -> None:
    analyte, unit, is_low = ladder
    baseline = Measured(analyte, before, unit, limit / 3, limit)
    better, worse = (max(one, other), min(one, other)) if is_low else (min(one, other), max(one, other))

    def of(value: Decimal) -> Grading | None:
        measured = Measured(analyte, value, unit, limit / 3, limit)
        found = grade_lab(measured, EDITIONS[edition], baseline=baseline)
        return found.low if is_low else found.high

    mild, bad = of(better), of(worse)
    if isinstance(mild, Graded) and isinstance(bad, Graded):
        assert mild.lowest <= bad.lowest
        assert mild.highest <= bad.highest


@given(_NUMBERS, st.sampled_from([("neutrophils", "/mm3", "10*9/L", 3), ("haemoglobin", "g/L", "g/dL", 1)]))
def test_a_power_of_ten_changes_no_grade(value: Decimal, units: tuple[str, str, str, int]) -> None:
    analyte, small, big, places = units
    limit = Decimal(1200)
    one = grade_lab(Measured(analyte, value, small, limit, limit), V5).low
    other = grade_lab(Measured(analyte, value.scaleb(-places), big, limit.scaleb(-places), limit), V5).low
    assert isinstance(one, Graded)
    assert isinstance(other, Graded)
    assert (one.lowest, one.highest) == (other.lowest, other.highest)


@given(_NUMBERS, _NUMBERS, _NUMBERS, st.sampled_from(["alt", "creatinine", "bilirubin"]))
def test_what_becomes_known_stays_within_what_was_possible(
    value: Decimal, uln: Decimal, before: Decimal, analyte: str
) -> None:
    unit = "U/L" if analyte == "alt" else "umol/L"
    measured = Measured(analyte, value, unit, uln=uln)
    wide = grade_lab(measured, V5).high
    settled = grade_lab(measured, V5, baseline=Measured(analyte, before, unit, uln=uln)).high
    assert isinstance(settled, Graded)
    if isinstance(wide, Graded):
        assert wide.lowest <= settled.lowest
        assert settled.highest <= wide.highest


@pytest.mark.rule("grading: what cannot be graded is never grade 0")
@pytest.mark.parametrize("uln", ["0", "-1"])
def test_an_upper_limit_of_nothing_is_none(uln: str) -> None:
    none = Decimal(uln)
    assert _grades(_low(Measured("neutrophils", Decimal("0.4"), "10*9/L", None, none))) == (4, 4)
    for value in ("90", "150"):
        creatinine = Measured("creatinine", Decimal(value), "umol/L", None, none)
        assert isinstance(_high(creatinine), NotGradable)


@pytest.mark.rule("grading: what cannot be graded is never grade 0")
@pytest.mark.parametrize("value", ["100", "60", "40"])
def test_a_lower_limit_that_only_the_baseline_is_compared_with_is_named_at_every_value(value: str) -> None:
    """A baseline of 20 umol/L is below a limit of 25 and not below one of 15: only then do multiples of it count."""
    found = _high(_measured("creatinine", value, "umol/L", uln="110"), "6.0")
    assert isinstance(found, Graded)
    assert (found.lowest, found.highest) == (0, 3)
    assert found.missing == ("the lower limit of normal", "the baseline")
