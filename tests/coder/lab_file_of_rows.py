"""Rows of laboratory data for tests: a sensible one to begin with, and what it becomes."""

from __future__ import annotations

from collections.abc import Iterable

from meddra_coder.lab_columns import LabColumns
from meddra_coder.lab_grades import Answer, LabGrader
from meddra_coder.lab_history import History
from meddra_coder.lab_rows import READ
from meddra_coder.lab_tests import LabTests
from tocsin.criteria import load_lab_criteria

HGB = {
    "USUBJID": "S-1", "LBTESTCD": "HGB", "LBTEST": "Hemoglobin", "LBCAT": "HEMATOLOGY", "LBSTRESN": "95",
    "LBSTRESU": "g/L", "LBSTNRLO": "120", "LBSTNRHI": "160", "LBDY": "8", "LBDTC": "2026-03-09", "VISITNUM": "3",
}  # fmt: skip
ALT = {
    **HGB, "LBTESTCD": "ALT", "LBTEST": "Alanine Aminotransferase", "LBCAT": "CHEMISTRY", "LBSTRESN": "120",
    "LBSTRESU": "U/L", "LBSTNRLO": "5", "LBSTNRHI": "40",
}  # fmt: skip
CA = {
    **ALT, "LBTESTCD": "CA", "LBTEST": "Calcium", "LBSTRESN": "1.9", "LBSTRESU": "mmol/L", "LBSTNRLO": "2.1",
    "LBSTNRHI": "2.6",
}  # fmt: skip
ALB = {**ALT, "LBTESTCD": "ALB", "LBTEST": "Albumin", "LBSTRESN": "20", "LBSTRESU": "g/L", "LBSTNRLO": "33"}


def cells(row: dict[str, str]) -> list[str]:
    """As the rule takes them: trimmed."""
    return [row.get(name, "").strip() for name in READ]


def by_rule(rows: Iterable[dict[str, str]], edition: str = "5.0") -> list[Answer]:
    """The answers of the rule, row by row."""
    read = [cells(row) for row in rows]
    grader = _grader(read, edition)
    return [grader.answer(row) for row in read]


def by_columns(rows: Iterable[dict[str, str]], edition: str = "5.0") -> list[Answer]:
    """The answers of the column form, all rows at once."""
    rows = list(rows)
    grader = _grader([cells(row) for row in rows], edition)
    return LabColumns(grader, range(len(READ))).answers([[row.get(name, "") for name in READ] for row in rows])


def _grader(read: list[list[str]], edition: str) -> LabGrader:
    history = History(LabTests(load_lab_criteria(edition)))
    history.tell(read)
    return LabGrader(history.tests, history)
