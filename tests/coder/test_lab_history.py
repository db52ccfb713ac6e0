"""What the other rows of a subject say: which is the baseline, and which albumin corrects a calcium."""

from __future__ import annotations

from decimal import Decimal

import pytest

from meddra_coder.lab_history import MOST_KEPT, History
from meddra_coder.lab_rows import Lack
from meddra_coder.lab_tests import LabTests
from tests.coder.lab_file_of_rows import ALB, ALT, CA, by_rule, cells
from tocsin.criteria import load_lab_criteria
from tocsin.domain.corrected_calcium import corrected_calcium
from tocsin.table_file import FileRefused


def grades(*rows: dict[str, str]) -> list[tuple[str, str]]:
    return [(answer.low_grade, answer.high_grade) for answer in by_rule(rows)]


FLAGGED = {**ALT, "LBSTRESN": "60", "LBBLFL": "Y", "LBDY": "-7", "LBDTC": "2026-02-22"}
EARLIER = {**ALT, "LBSTRESN": "30", "LBDY": "-14", "LBDTC": "2026-02-15"}
LATER = {**ALT, "LBSTRESN": "65", "LBDY": "-1", "LBDTC": "2026-02-28"}
FIRST_DAY = {**ALT, "LBSTRESN": "20", "LBDY": "1", "LBDTC": "2026-03-02"}


def after(*before: dict[str, str], value: str = "130") -> tuple[str, str]:
    """The grade and the reason of an ALT after these."""
    answer = by_rule([*before, {**ALT, "LBSTRESN": value}])[-1]
    return answer.high_grade, answer.reason


def test_the_baseline_is_the_flagged_row_else_the_last_before_the_first_dose() -> None:
    # 130 is 3.25 × ULN: grade 2 of a normal baseline; 2.17 × 60 and 2 × 65: grade 1 of an abnormal one.
    assert after(EARLIER) == ("2", "")
    assert after(EARLIER, FLAGGED) == ("1", "")
    assert after(FLAGGED, LATER, EARLIER, value="185") == ("2", "")
    assert after(LATER, EARLIER, value="185") == ("1", "")
    assert after({**LATER, "USUBJID": "S-2"}, EARLIER) == ("2", "")
    assert after({**FLAGGED, "LBSPEC": "URINE"}, EARLIER) == ("2", "")
    # A visit without a result is no baseline; the one before it is.
    assert after(EARLIER, {**LATER, "LBSTRESN": ""}) == ("2", "")


@pytest.mark.rule("grading: what cannot be graded is never grade 0")
def test_without_a_baseline_the_reason_says_why_there_is_none() -> None:
    none = "Alanine aminotransferase increased: grades 0 to 2 remain open because the baseline is not known ({})"
    no_row = none.format("no row of this subject and test has LBBLFL=Y or an LBDY below 1")
    unreadable = none.format("the row that is the baseline has no exact number in a unit of the test")
    assert after() == ("", no_row)
    assert after(FIRST_DAY) == ("", no_row)
    assert after({**LATER, "LBDY": ""}) == ("", no_row)
    assert after(EARLIER, {**FLAGGED, "LBSTRESN": "<5"}) == ("", unreadable)
    assert after(EARLIER, {**FLAGGED, "LBSTRESN": ""}) == ("", unreadable)
    assert after(EARLIER, {**LATER, "LBSTRESN": "<5"}) == ("", unreadable)


@pytest.mark.parametrize(
    ("total", "unit", "albumin", "albumin_unit", "corrected"),
    [
        ("1.9", "mmol/L", "20", "g/L", "2.30"),
        ("1.9", "mmol/L", "2.0", "g/dL", "2.30"),
        ("2.4", "mmol/L", "45", "g/L", "2.30"),
        ("8.0", "mg/dL", "2.5", "g/dL", "9.2"),
        ("8.0", "mg/dL", "25", "g/L", "9.2"),
        ("4.0", "meq/L", "25", "g/L", None),
        ("8.0", "mg/dL", "600", "umol/L", None),
    ],
)
def test_calcium_is_corrected_for_albumin(
    total: str, unit: str, albumin: str, albumin_unit: str, corrected: str | None
) -> None:
    found = corrected_calcium(Decimal(total), unit, Decimal(albumin), albumin_unit)
    assert found == (None if corrected is None else Decimal(corrected))


def test_total_calcium_is_graded_by_what_it_is_with_the_albumin_of_the_same_time() -> None:
    other_time = {**ALB, "LBSTRESN": "40", "LBDTC": "2026-03-10"}
    assert grades(CA, ALB)[0] == ("0", "0")
    assert grades(CA, {**ALB, "LBSTRESN": "40"})[0] == ("2", "0")
    assert grades(CA, ALB, {**other_time, "VISITNUM": "4"})[0] == ("0", "0")
    # The time is not there: the visit counts. Both are there: the time counts before the visit.
    assert grades(CA, {**ALB, "LBDTC": ""})[0] == ("0", "0")
    assert grades(CA, ALB, other_time)[0] == ("0", "0")


@pytest.mark.rule("grading: what cannot be graded is never grade 0")
@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([], "none of the same subject and LBDTC or VISITNUM"),
        ([{**ALB, "USUBJID": "S-2"}], "none of the same subject and LBDTC or VISITNUM"),
        ([{**ALB, "LBSPEC": "URINE"}], "none of the same subject and LBDTC or VISITNUM"),
        ([{**ALB, "LBSTRESN": "<25"}], "that of the same time is not one exact number"),
        ([ALB, {**ALB, "LBSTRESN": "41"}], "that of the same time is not one exact number"),
        ([{**ALB, "LBSTRESN": "500", "LBSTRESU": "umol/L"}], "no formula for mmol/L with umol/L"),
    ],
)
def test_calcium_without_its_albumin_is_not_graded(others: list[dict[str, str]], said: str) -> None:
    assert by_rule([CA, *others])[0] == (
        "Hypocalcemia", "", "Hypercalcemia", "", f"calcium cannot be corrected for albumin: {said}", (Lack.NO_ALBUMIN,),
    )  # fmt: skip


def test_ionized_calcium_needs_no_albumin() -> None:
    assert grades({**CA, "LBTESTCD": "CAION", "LBSTRESN": "0.85", "LBSTNRLO": "1.1"}) == [("3", "0")]


def test_more_baselines_than_can_be_kept_are_refused_in_words() -> None:
    history = History(LabTests(load_lab_criteria("5.0")), most_kept=2)
    with pytest.raises(FileRefused, match="more than 2 baselines and albumin values; split it by subjects"):
        history.tell(cells({**FLAGGED, "USUBJID": f"S-{number}"}) for number in range(3))
    assert MOST_KEPT == 500_000
