"""A laboratory data set in, the same rows out with their CTCAE grades: what stands behind `tocsin grade labs`.

The file is read twice: once for what rows say of each other (baseline, albumin), once to grade. Every row comes out
in its place with its own cells unchanged. Arguments, progress bars and printing are left to the command line.
"""

from __future__ import annotations

import csv
import gzip
import io
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from meddra_coder.lab_columns import LabColumns
from meddra_coder.lab_grades import ADDED, SHIFTED, Answer, LabGrader
from meddra_coder.lab_history import History
from meddra_coder.lab_rows import READ, TESTCD
from meddra_coder.lab_source import LabSource, open_source
from meddra_coder.lab_tests import LabTests
from tocsin.answered_file import Finding, Progress
from tocsin.criteria import load_lab_criteria
from tocsin.table_file import FileRefused, Row, beside, check_target, header_beside
from tocsin.whole_file import whole_file

PORTION: Final = 10_000
"""Rows that are graded at once."""

LETTERS: Final = 50_000_000
"""Letters that the rows of one portion hold at most, and the last row more: a bound for memory, whatever is sent."""


@dataclass(slots=True)
class Summary:
    """What became of a file. `grades` counts values by term and grade; `lacking` the rows without any grade by what
    they lack; `partly` what the other direction of a graded row lacks. `seconds` are apart for each part of the work.
    """

    edition: str
    rows: int = 0
    graded: int = 0
    grades: Counter[tuple[str, int]] = field(default_factory=Counter)
    lacking: Counter[str] = field(default_factory=Counter)
    partly: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    absent: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    seconds: dict[str, float] = field(default_factory=lambda: {"reading": 0.0, "grading": 0.0, "writing": 0.0})

    @property
    def exit_code(self) -> int:
        """0 done, 1 something in the input is wrong."""
        return 1 if self.findings else 0

    def add(self, answers: Iterable[Answer]) -> None:
        for answer, count in Counter(answers).items():
            self.rows += count
            for term, grade in ((answer.low_term, answer.low_grade), (answer.high_term, answer.high_grade)):
                if grade:
                    self.grades[term, int(grade)] += count
            self.graded += count if answer.is_graded else 0
            if answer.lacks:
                (self.partly if answer.is_graded else self.lacking)["; ".join(answer.lacks)] += count


def grade_file(source: Path, out: Path, edition: str, progress: Progress | None = None) -> Summary:
    """Add the columns `ADDED` to every row of an SDTM LB data set, into another file, whole or not at all.

    `out` is `.csv` or `.csv.gz`. Raises FileRefused (with `exit_code` 1 or 2) when the file cannot be read as asked,
    CriteriaError for an edition that is not known; nothing is written then.
    """
    if not out.name.lower().endswith((".csv", ".csv.gz")):
        raise FileRefused(f"{out}: files of this kind are not written", "allowed is .csv or .csv.gz", exit_code=2)
    check_target(out, source)
    criteria = load_lab_criteria(edition)
    clock = _Clock(Summary(edition))
    with open_source(source, out.parent) as table:
        places = _places(table)
        history = History(LabTests(criteria))
        for portion in _portions(table):
            history.tell(_picked(portion, places, len(table.header)))
        clock.stop("reading")
        columns = LabColumns(LabGrader(history.tests, history), places)
        _grade(table, columns, out, clock, progress)
        summary = clock.summary
        summary.absent = tuple(name for name, place in zip(READ, places, strict=True) if place is None)
    return summary


def _grade(table: LabSource, columns: LabColumns, out: Path, clock: _Clock, progress: Progress | None) -> None:
    summary = clock.summary
    width = len(table.header)
    header, summary.renamed = header_beside(table.header, ADDED)
    with _writing(out, table.encoding) as lines:
        writer = csv.writer(lines, lineterminator=table.line_end)
        writer.writerow((*header, *ADDED))
        for portion in _portions(table):
            clock.stop("reading")
            whole = [row.cells for row in portion if len(row.cells) == width]
            answers = columns.answers(whole)
            if len(whole) < len(portion):
                answers = _with_shifted(portion, answers, width, summary)
            summary.add(answers)
            clock.stop("grading")
            writer.writerows(
                (*row.cells, *answer[:5]) if len(row.cells) == width else beside(row.cells, answer[:5], width)
                for row, answer in zip(portion, answers, strict=True)
            )
            clock.stop("writing")
            if progress:
                progress(summary.rows, table.rows)
        clock.stop("reading")
    clock.stop("writing")


def _with_shifted(portion: Sequence[Row], answers: Iterable[Answer], width: int, summary: Summary) -> list[Answer]:
    whole = iter(answers)
    found = []
    for row in portion:
        if len(row.cells) == width:
            found.append(next(whole))
        else:
            problem = f"has {len(row.cells)} cells where the header has {width}: not graded, as cells may be shifted"
            summary.findings.append(Finding(row.line, problem))
            found.append(SHIFTED)
    return found


def _portions(table: LabSource) -> Iterator[list[Row]]:
    portion: list[Row] = []
    letters = 0
    for row in table.read():
        portion.append(row)
        letters += sum(map(len, row.cells))
        if len(portion) == PORTION or letters > LETTERS:
            yield portion
            portion, letters = [], 0
    if portion:
        yield portion


def _picked(portion: Iterable[Row], places: Sequence[int | None], width: int) -> Iterator[list[str]]:
    """The cells that are read, trimmed. A row whose cells may be shifted says nothing of others."""
    for row in portion:
        if len(row.cells) == width:
            cells = row.cells
            yield ["" if place is None else cells[place].strip() for place in places]


def _places(table: LabSource) -> tuple[int | None, ...]:
    """Where the variables of `READ` stand."""
    names = [name.strip().upper() for name in table.header]
    for name in READ:
        if names.count(name) > 1:
            raise FileRefused(
                f'{table.path.name}, line 1: the column "{name}" is there twice', "allowed is each once", exit_code=2
            )
    if READ[TESTCD] not in names:
        raise FileRefused(
            f"{table.path.name}, line 1: is no SDTM LB data set: it has no column {READ[TESTCD]}",
            f"the columns that are read are {', '.join(READ)}",
            exit_code=2,
        )
    return tuple(names.index(name) if name in names else None for name in READ)


@contextmanager
def _writing(out: Path, encoding: str) -> Iterator[TextIO]:
    if not out.name.lower().endswith(".gz"):
        with whole_file(out, encoding) as lines:
            yield lines
        return
    with whole_file(out, "utf-8") as lines:
        buffer: Any = lines
        # No time and no name inside, so that the same rows give the same bytes.
        with gzip.GzipFile(filename="", fileobj=buffer.buffer, mode="wb", compresslevel=6, mtime=0) as packed:
            text = io.TextIOWrapper(packed, encoding=encoding, newline="", write_through=False)
            yield text
            text.flush()
            text.detach()


class _Clock:
    """Where the time goes: each stop adds what has passed since the last one to a part of the work."""

    def __init__(self, summary: Summary) -> None:
        self.summary = summary
        self._last = time.perf_counter()

    def stop(self, part: str) -> None:
        now = time.perf_counter()
        self.summary.seconds[part] += now - self._last
        self._last = now
