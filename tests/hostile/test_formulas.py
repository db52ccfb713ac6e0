"""No cell that we add to a person's file begins a formula of a spreadsheet, whatever stands in the row.

Their own cells come back as they were sent. The desk's exports are held by tests/alerting (audit trail, toxicity), the
coding of terms by tests/coder.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from meddra_coder.lab_grades import ADDED as LAB_ADDED
from standalone import due_rows
from standalone.dose_rows import ADDED as DOSE_ADDED
from standalone.syndrome_rows import ADDED as SYNDROME_ADDED
from tests.architecture.imports import ROOT
from tests.hostile.test_files_fuzz import READERS, good

FIRST = ("=", "+", "-", "@", "\t", "\r")
EVIL = [f'{first}HYPERLINK("http://evil.invalid","x")' for first in FIRST]
ADDED = {
    "boin.csv": DOSE_ADDED,
    "3+3.csv": DOSE_ADDED,
    "due.csv": due_rows.ADDED,
    "syndromes.csv": SYNDROME_ADDED,
    "lb.csv": LAB_ADDED,
}


@pytest.mark.rule("promise: no cell that Tocsin writes is run by a spreadsheet")
@pytest.mark.parametrize("name", ADDED)
def test_no_added_cell_begins_a_formula_whatever_stands_in_the_row(tmp_path: Path, name: str) -> None:
    header, row, *_ = csv.reader(good(name).decode().splitlines())
    path = tmp_path / name
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(header)
        for evil in EVIL:
            writer.writerow([evil] * len(row))
            writer.writerows([*row[:place], evil, *row[place + 1 :]] for place in range(len(row)))
            writer.writerow([evil])  # a row that is too short
    READERS[name](path)

    with path.with_name("out.csv").open(encoding="utf-8", newline="") as found:
        rows = list(csv.DictReader(found))
    assert len(rows) == len(EVIL) * (len(row) + 2)
    assert set(ADDED[name]) <= set(rows[0])
    assert any(row[column] for row in rows for column in ADDED[name])
    assert [row[column] for row in rows for column in ADDED[name] if str(row[column]).startswith(FIRST)] == []


def test_whoever_writes_another_csv_file_says_here_how_its_cells_are_safe() -> None:
    writers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("shared", "services", "deploy")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"csv\.(writer|DictWriter)\(", path.read_text("utf-8"))
    }
    assert writers == {
        "services/alerting/alerting/desk/audit_files.py",  # an apostrophe before each
        "services/alerting/alerting/desk/toxicity_csv.py",  # the same
        "services/meddra-coder/meddra_coder/lab_file.py",  # the test above
        "shared/tocsin/answered_file.py",  # the test above, and tests/coder/test_batch.py
        "shared/tocsin/criteria/build.py",  # our own tables
        "shared/tocsin/criteria/build_bands.py",
        "shared/tocsin/criteria/build_facets.py",
    }
