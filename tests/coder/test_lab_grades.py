"""One row of laboratory data to its answer: which value counts, urine, bounds, what is lacking."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meddra_coder.lab_rows import Lack, number, shortened
from meddra_coder.lab_specimen import specimen
from tests.coder.lab_file_of_rows import ALT, CA, HGB, by_rule, cells
from tocsin.criteria.specimens import URINE


def one(row: dict[str, str], edition: str = "5.0") -> tuple[str, ...]:
    return by_rule([row], edition)[0].cells


def test_a_value_is_graded_in_both_directions_and_the_term_stands_there_for_grade_0_too() -> None:
    assert one(HGB) == ("Anemia", "2", "Hemoglobin increased", "0", "")


@pytest.mark.parametrize(
    ("change", "low"),
    [
        ({"LBSTRESN": "79.9"}, "3"),
        ({"LBSTRESN": "80"}, "2"),
        # What a binary number looks like when it is printed: 80, not less.
        ({"LBSTRESN": "79.99999999999999"}, "2"),
        # The original result where the standard one is not there, or cannot be read.
        ({"LBSTRESN": "", "LBORRES": "7.9", "LBORRESU": "g/dL"}, "3"),
        ({"LBSTRESU": "furlongs", "LBORRES": "7.9", "LBORRESU": "g/dL"}, "3"),
        ({"LBSTRESN": "95", "LBORRES": "7.9", "LBORRESU": "g/dL"}, "2"),
        # The character result where the numeric one is empty.
        ({"LBSTRESN": "", "LBSTRESC": "95"}, "2"),
        # CDISC's own spellings of units.
        ({"LBTESTCD": "PLAT", "LBSTRESN": "49", "LBSTRESU": "GI/L"}, "3"),
        ({"LBTESTCD": "PLAT", "LBSTRESN": "49", "LBSTRESU": "THOU/uL"}, "3"),
        ({"LBTESTCD": "K", "LBSTRESN": "2.9", "LBSTRESU": "mEq/L"}, "3"),
        # A name where the code is not known.
        ({"LBTESTCD": "LAB07"}, "2"),
    ],
)
def test_which_value_is_graded(change: dict[str, str], low: str) -> None:
    assert one({**HGB, **change})[1] == low


@pytest.mark.rule("grading: what cannot be graded is never grade 0")
@pytest.mark.parametrize(
    ("change", "lack", "reason"),
    [
        ({"LBSTRESN": ""}, Lack.NO_RESULT, "there is no result"),
        ({"LBSTAT": "NOT DONE"}, Lack.NOT_DONE, "the test was not done (LBSTAT)"),
        ({"LBSTRESN": "clotted"}, Lack.NOT_A_NUMBER, 'the result is no number: "clotted"'),
        ({"LBSTRESN": "9,5"}, Lack.NOT_A_NUMBER, 'the result is no number: "9,5"'),
        ({"LBSTRESN": "9" * 26}, Lack.NOT_A_NUMBER, f'the result is no number: "{"9" * 26}"'),
        ({"LBSTRESN": "1e999999999"}, Lack.NOT_A_NUMBER, 'the result is no number: "1e999999999"'),
        ({"LBSTRESN": "NaN"}, Lack.NOT_A_NUMBER, 'the result is no number: "NaN"'),
        ({"LBSTRESN": "-1"}, Lack.NEGATIVE, "the result is negative: -1"),
        ({"LBSTRESU": ""}, Lack.NO_UNIT, "no unit is given"),
        ({"LBSTRESU": "U/L"}, Lack.UNKNOWN_UNIT, 'the unit is not known, or is none of this test: "U/L"'),
        ({"LBSTRESU": "G/DL"}, Lack.UNKNOWN_UNIT, 'the unit is not known, or is none of this test: "G/DL"'),
    ],
)
def test_what_cannot_be_read_has_its_terms_no_grade_and_a_reason(
    change: dict[str, str], lack: Lack, reason: str
) -> None:
    [answer] = by_rule([{**HGB, **change}])
    assert answer == ("Anemia", "", "Hemoglobin increased", "", reason, (lack,))


@pytest.mark.rule("grading: what cannot be graded is never grade 0")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"LBSTNRLO": ""}, ("2", "0", "")),
        (
            {"LBSTRESN": "110", "LBSTNRLO": ""},
            ("", "0", "Anemia: grades 0 to 1 remain open because the lower limit of normal is not known"),
        ),
        (
            {"LBSTRESN": "110", "LBSTNRLO": "<12"},
            ("", "0", "Anemia: grades 0 to 1 remain open because the lower limit of normal is not known"),
        ),
        (
            {"LBSTNRLO": "160", "LBSTNRHI": "120"},
            ("", "", "Anemia and Hemoglobin increased: the limits of normal contradict each other: the lower is 160, "
                     "the upper 120"),
        ),
    ],
)  # fmt: skip
def test_a_limit_that_is_not_known_leaves_open_only_what_it_decides(
    change: dict[str, str], expected: tuple[str, str, str]
) -> None:
    _, low, _, high, reason = one({**HGB, **change})
    assert (low, high, reason) == expected


def test_a_test_without_a_term_or_without_a_number_says_which() -> None:
    assert one({**HGB, "LBTESTCD": "RBC", "LBSTRESU": "TI/L"})[4] == "CTCAE v5.0 has no term for a value of this test"
    assert one({**HGB, "LBTESTCD": "ANISO", "LBTEST": "Anisocytes"}) == (
        "", "", "", "", "the test is not one that is known here for this specimen",
    )  # fmt: skip
    phosphate = {**CA, "LBTESTCD": "PHOS", "LBTEST": "Phosphate"}
    assert one(phosphate) == (
        "Hypophosphatemia", "", "Hyperphosphatemia", "",
        "Hypophosphatemia and Hyperphosphatemia: CTCAE v5.0 grades it without a number",
    )  # fmt: skip


@pytest.mark.rule("grading: a value is judged by its specimen")
@pytest.mark.parametrize(
    ("change", "is_graded"),
    [
        ({"LBSPEC": "SERUM"}, True),
        ({"LBSPEC": "BLOOD, VENOUS"}, True),
        ({"LBSPEC": "静脉血"}, True),
        ({"LBSPEC": "BLOOD"}, True),
        ({"LBSPEC": "URINE"}, False),
        ({"LBSPEC": "urine, 24 hour"}, False),
        ({"LBSPEC": "CEREBROSPINAL FLUID"}, False),
        ({"LBCAT": "URINALYSIS"}, False),
        ({"LBCAT": "URINALYSIS", "LBSPEC": "SERUM"}, True),
        ({"LBCAT": "CHEMISTRY - URINE"}, False),
        ({"LBCAT": "ＵＲＩＮＥ"}, False),
        ({"LBCAT": "CHEMISTRY", "LBSCAT": "Urine chemistry"}, False),
        ({"LBCAT": "尿常规"}, False),
        ({"LBCAT": "CSF CHEMISTRY"}, False),
        ({"LBCAT": "脑脊液"}, False),
        ({"LBTEST": "Measured in urine"}, False),
        ({"LBCAT": "BLOOD AND URINE"}, False),
        ({"LBCAT": "HEMATOLOGY"}, True),
        ({"LBCAT": "血生化"}, True),
    ],
)
def test_urine_is_never_graded_as_blood(change: dict[str, str], is_graded: bool) -> None:
    for test, unit in (("GLUC", "mmol/L"), ("ALB", "g/L"), ("CREAT", "umol/L"), ("K", "mmol/L")):
        [answer] = by_rule([{**ALT, "LBTESTCD": test, "LBTEST": "", "LBSTRESU": unit, **change}])
        assert bool(answer.low_term or answer.high_term) is is_graded


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"LBSPEC": "24 HOUR URINE"}, URINE),
        ({"LBSPEC": "尿液"}, URINE),
        ({"LBSPEC": "SERUM", "LBCAT": "URINALYSIS"}, "SERUM"),
        ({"LBCAT": "URINALYSIS", "LBTEST": "Occult Blood"}, URINE),
        ({"LBCAT": "HEMATOLOGY", "LBTEST": "Glucose, Urine"}, "HEMATOLOGY; ; Glucose, Urine"),
        ({"LBCAT": "SERUM AND URINE"}, "SERUM AND URINE; ; "),
        ({"LBCAT": "URINE, CSF"}, "URINE, CSF; ; "),
        # Urea and urate begin with the word for urine, and are of blood.
        ({"LBTEST": "尿素氮"}, None),
        ({"LBTEST": "尿酸"}, None),
        ({"LBTEST": "尿酸碱度"}, URINE),
        ({"LBTEST": "Salivary Amylase"}, None),
        ({"LBTEST": "Feces Fat"}, "; ; Feces Fat"),
        ({}, None),
    ],
)
def test_the_specimen_is_what_the_row_says_and_no_word_is_taken_for_another(
    change: dict[str, str], expected: str | None
) -> None:
    assert specimen(cells(change)) == expected


ANEMIA_OPEN = "Anemia: grades {} remain open because the result is only known to be {} g/L"


@pytest.mark.rule("grading: what cannot be graded is never grade 0")
@pytest.mark.parametrize(
    ("result", "low", "high", "reason"),
    [
        ("<80", "3", "0", ""),
        ("<=80", "", "0", ANEMIA_OPEN.format("2 to 3", "<=80")),
        ("≤ 79", "3", "0", ""),
        ("<81", "", "0", ANEMIA_OPEN.format("2 to 3", "<81")),
        (">=120", "0", "", "Hemoglobin increased: grades 0 to 3 remain open because the result is only known to be "
                           ">=120 g/L"),
        (">200", "0", "3", ""),
        (">=200", "0", "", "Hemoglobin increased: grades 2 to 3 remain open because the result is only known to be "
                           ">=200 g/L"),
    ],
)  # fmt: skip
def test_a_bound_has_a_grade_where_all_within_it_has_that_grade(result: str, low: str, high: str, reason: str) -> None:
    assert one({**HGB, "LBSTRESN": "", "LBSTRESC": result})[1::2] == (low, high)
    assert one({**HGB, "LBSTRESN": "", "LBSTRESC": result})[4] == reason


@given(
    st.decimals(0, 400, places=1), st.sampled_from(["<", "<=", ">", ">="]), st.decimals(0, 400, places=1),
    st.sampled_from([HGB, ALT, {**CA, "LBTESTCD": "K"}]),
)  # fmt: skip
def test_a_bound_never_has_a_grade_that_a_value_within_it_has_not(
    limit: Decimal, sign: str, value: Decimal, row: dict[str, str]
) -> None:
    is_within = {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}[sign]
    baseline = {**row, "LBBLFL": "Y", "LBDY": "-1"}
    _, bound, exact = by_rule(
        [baseline, {**row, "LBSTRESN": "", "LBSTRESC": f"{sign}{limit}"}, {**row, "LBSTRESN": str(value)}]
    )
    for of_bound, of_value in ((bound.low_grade, exact.low_grade), (bound.high_grade, exact.high_grade)):
        assert not is_within or not of_bound or of_bound == of_value


def test_whether_the_subject_had_fasted_is_read() -> None:
    glucose = {**CA, "LBTESTCD": "GLUC", "LBTEST": "", "LBSTRESN": "8", "LBSTNRLO": "3.9", "LBSTNRHI": "6.1"}
    fasted, not_fasted, not_told = (one({**glucose, "LBFAST": told}, "6.0") for told in ("Y", "N", ""))
    assert fasted[3] == "1"
    assert (not_fasted[3], not_told[3]) == ("", "")
    assert "the bounds are for a fasting value" in not_fasted[4]
    assert "it is not known whether the subject had fasted" in not_told[4]


@given(st.text(max_size=60))
def test_a_number_is_read_or_not_and_nothing_breaks(text: str) -> None:
    read = number(text)
    assert read is None or (read.is_finite() and len(read.as_tuple().digits) <= 15)
    assert len(shortened(text)) <= 40
