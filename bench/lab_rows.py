"""Grading laboratory data, a file at a time: rows a second for each part of the work, on one core.

The rows are made from a seed, so that no third-party file is needed: subjects with visits, a baseline, albumin beside
calcium, and results in whole and in binary-looking numbers around the limits. Reading and writing are apart from
grading; columns and the rule grade the same rows, and the figure is the ratio. The rule is asked both ways it is used:
with its memory of values that came before, and afresh for each row. Once more by columns are the same rows without
upper limits and baselines, where the rule has to try both.
"""

from __future__ import annotations

import csv
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from meddra_coder.lab_columns import LabColumns
from meddra_coder.lab_file import PORTION, grade_file
from meddra_coder.lab_grades import LabGrader
from meddra_coder.lab_history import History
from meddra_coder.lab_rows import BLFL, DY, READ, STNRHI
from meddra_coder.lab_tests import LabTests
from tocsin.criteria import load_lab_criteria

ROWS: Final = 60_000
SEED: Final = 20_261
TIMES: Final = 5

# code, unit, limits, the places behind the point; the last three have no term of CTCAE
_TESTS: Final = (
    ("HGB", "g/L", 120, 160, 0), ("PLAT", "GI/L", 150, 400, 0), ("WBC", "GI/L", 4, 11, 2), ("LYM", "GI/L", 1, 4, 2),
    ("NEUT", "GI/L", 2, 7, 2), ("ALT", "U/L", 5, 40, 0), ("AST", "U/L", 5, 40, 0), ("ALP", "U/L", 40, 120, 0),
    ("GGT", "U/L", 5, 60, 0), ("BILI", "umol/L", 3, 21, 2), ("CREAT", "umol/L", 60, 110, 1), ("CK", "U/L", 30, 200, 0),
    ("ALB", "g/L", 35, 50, 0), ("CA", "mmol/L", 2.15, 2.55, 2), ("SODIUM", "mmol/L", 135, 145, 0),
    ("K", "mmol/L", 3.5, 5.1, 1), ("GLUC", "mmol/L", 3.9, 6.1, 2), ("CHOL", "mmol/L", 3, 5.2, 2),
    ("RBC", "TI/L", 4, 5.5, 2), ("MCV", "fL", 80, 100, 1), ("BASO", "GI/L", 0, 0.2, 2),
)  # fmt: skip


def measure(progress: Callable[[str], None] = lambda _: None, *, is_quick: bool = False) -> dict[str, Any]:
    """Median rows a second of each part, for each edition, and how many times quicker columns are than the rule."""
    rows = made_rows(6_000 if is_quick else ROWS)
    found = {}
    for edition in ("5.0", "6.0"):
        found[f"CTCAE {edition}"] = _grading(rows, edition)
        progress(f"{len(rows):,} laboratory rows, CTCAE {edition}: {found[f'CTCAE {edition}']}")
    whole = _command(rows)
    progress(f"the whole command: {whole}")
    return {"rows": len(rows), "grading": found, "command": whole}


def made_rows(count: int, seed: int = SEED) -> list[list[str]]:
    """Rows in the order of `READ`, the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311
    rows: list[list[str]] = []
    for subject in range(count):
        for visit, day in enumerate((-7, 1, 8, 15, 29, 57, 85, 113)):
            for code, unit, low, high, places in _TESTS:
                value = chance.uniform(low, high) * chance.choice((0.4, 0.8, *[1.0] * 14, 1.2, 2.0, 4.0, 8.0))
                text = f"{value:.{places}f}" if chance.random() < 0.9 else repr(round(value, places) * 1.1 / 1.1)
                cells = {
                    "USUBJID": f"BENCH-{subject:05d}", "LBTESTCD": code, "LBSTRESN": text, "LBSTRESU": unit,
                    "LBSTNRLO": str(low), "LBSTNRHI": str(high), "LBBLFL": "Y" if day < 1 else "", "LBDY": str(day),
                    "LBDTC": f"2026-01-{visit + 1:02d}", "VISITNUM": str(visit + 1),
                }  # fmt: skip
                rows.append([cells.get(name, "") for name in READ])
                if len(rows) == count:
                    return rows
    return rows


def _grading(rows: list[list[str]], edition: str) -> dict[str, float]:
    history = _told(rows, edition)
    bare = [["" if place in (STNRHI, BLFL, DY) else cell for place, cell in enumerate(row)] for row in rows]
    bare_history = _told(bare, edition)

    def by_columns() -> None:
        _by_columns(rows, history)

    def bare_by_columns() -> None:
        _by_columns(bare, bare_history)

    def by_rule() -> None:
        grader = LabGrader(history.tests, history)
        for row in rows:
            grader.answer(row)

    def afresh() -> None:
        for row in few:
            LabGrader(history.tests, history).answer(row)

    few = rows[:: len(rows) // 3000]
    columns, rule, fresh = _speed(by_columns, len(rows)), _speed(by_rule, len(rows), 3), _speed(afresh, len(few), 3)
    return {
        "columns_rows_per_s": columns,
        "columns_lower_limit_only_rows_per_s": _speed(bare_by_columns, len(bare), 3),
        "rule_rows_per_s": rule,
        "rule_afresh_rows_per_s": fresh,
        "columns_to_rule": round(columns / rule, 1),
        "columns_to_rule_afresh": round(columns / fresh, 1),
    }


def _told(rows: list[list[str]], edition: str) -> History:
    history = History(LabTests(load_lab_criteria(edition)))
    history.tell(rows)
    return history


def _by_columns(rows: list[list[str]], history: History) -> None:
    columns = LabColumns(LabGrader(history.tests, history), range(len(READ)))
    for place in range(0, len(rows), PORTION):
        columns.answers(rows[place : place + PORTION])


def _command(rows: list[list[str]]) -> dict[str, int]:
    """Rows a second of the parts of the whole file command, and of all of it."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "lb.csv", Path(folder) / "out.csv"
        with source.open("w", encoding="utf-8", newline="") as lines:
            csv.writer(lines).writerows([READ, *rows])
        found = [grade_file(source, out, "5.0").seconds for _ in range(TIMES)]
    parts = {part: [seconds[part] for seconds in found] for part in found[0]}
    speeds = {f"{part}_rows_per_s": round(len(rows) / statistics.median(took)) for part, took in parts.items()}
    whole = statistics.median(sum(seconds.values()) for seconds in found)
    return {**speeds, "whole_rows_per_s": round(len(rows) / whole)}


def _speed(work: Callable[[], object], rows: int, times: int = TIMES) -> int:
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        took.append(time.perf_counter() - begun)
    return round(rows / statistics.median(took))
