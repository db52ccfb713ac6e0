"""`tocsin grade labs` on the laboratory data of the CDISC pilot: what was graded, and what each other row lacks."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from standalone.__main__ import app

PILOT = "cdiscpilot_lb.csv.gz"


def labs(*words: str) -> Result:
    return CliRunner().invoke(app, ["grade", "labs", *words])


def read(path: Path) -> list[dict[str, str]]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(text.decode().splitlines()))


# The terms whose grades differ between the editions: (term of v5.0, term of v6.0): values with another grade.
MOVED = {
    ("Alanine aminotransferase increased", "Alanine aminotransferase increased"): 24,
    ("Alkaline phosphatase increased", "Alkaline phosphatase increased"): 32,
    ("Aspartate aminotransferase increased", "Aspartate aminotransferase increased"): 42,
    ("Blood bilirubin increased", "Blood bilirubin increased"): 13,
    ("CPK increased", ""): 1814,
    ("GGT increased", "GGT increased"): 40,
    ("Hyperglycemia", "Hyperglycemia"): 1747,
    ("Lymphocyte count decreased", "Lymphopenia"): 21,
}


@pytest.mark.reference
@pytest.mark.rule("grading: editions never mix: the pilot by both editions")
def test_where_the_two_editions_differ_on_the_pilot(reference: Path, tmp_path: Path) -> None:
    for edition in ("5.0", "6.0"):
        labs(str(reference / "pilot" / PILOT), "--out", str(tmp_path / f"{edition}.csv"), "--ctcae", edition)
    moved = Counter(
        (of_v5[f"{way}_term"], of_v6[f"{way}_term"])
        for of_v5, of_v6 in zip(read(tmp_path / "5.0.csv"), read(tmp_path / "6.0.csv"), strict=True)
        for way in ("low", "high")
        if of_v5[f"{way}_grade"] != of_v6[f"{way}_grade"]
    )
    assert moved == MOVED


LACKING = {
    "the test is not one that is known here for this specimen": 9498,
    "calcium cannot be corrected for albumin": 14,
}
V5 = {
    **LACKING,
    "CTCAE has no term for a value of this test": 13537,
    "CTCAE grades the term without a number": 1822,
    "more than a number decides the grade, and the rest is not known": 66,
    "the result is only a bound, and more than one grade lies within it; CTCAE grades the term without a number": 1,
}
V6 = {
    **LACKING,
    "CTCAE has no term for a value of this test": 15351,
    "CTCAE grades the term without a number": 1822,
    "more than a number decides the grade, and the rest is not known": 66,
}


@pytest.mark.reference
@pytest.mark.parametrize(
    ("edition", "graded", "lacking", "partly", "severe"),
    [
        (
            "5.0", 34642, V5,
            {"CTCAE grades the term without a number": 1809,
             "more than a number decides the grade, and the rest is not known": 13},
            {"Alkaline phosphatase increased": 1, "Blood bilirubin increased": 4, "CPK increased": 3,
             "Lymphocyte count decreased": 2},
        ),
        (
            "6.0", 32829, V6,
            {"more than a number decides the grade, and the rest is not known": 76,
             "the result is only a bound, and more than one grade lies within it": 1},
            {"Alanine aminotransferase increased": 2, "Aspartate aminotransferase increased": 5,
             "Blood bilirubin increased": 5, "Hyperglycemia": 24},
        ),
    ],
)  # fmt: skip
def test_the_pilots_laboratory_data_counted(
    reference: Path,
    tmp_path: Path,
    edition: str,
    graded: int,
    lacking: dict[str, int],
    partly: dict[str, int],
    severe: dict[str, int],
) -> None:
    source = reference / "pilot" / PILOT
    told = labs(str(source), "--out", str(tmp_path / "out.csv"), "--ctcae", edition, "--json")
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert (found["rows"], found["graded"]) == (59_580, graded)
    assert found["lacking"] == lacking
    assert sum(lacking.values()) == 59_580 - graded
    assert found["lacking_in_one_direction"] == partly
    counted = {term: sum(by[grade] for grade in "345") for term, by in found["grades"].items()}
    assert {term: count for term, count in counted.items() if count} == severe
    before, after = read(source), read(tmp_path / "out.csv")
    assert [{name: row[name] for name in before[0]} for row in after] == before
