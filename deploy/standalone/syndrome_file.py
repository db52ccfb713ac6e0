"""A file of syndrome facts in, the same file with their grades out: what stands behind `tocsin grade syndromes`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from standalone.syndrome_keys import Unread
from standalone.syndrome_rows import ADDED, READ, answer
from tocsin.answered_file import Answer, Answered, Progress, answer_rows, places, shifted
from tocsin.table_file import Row, check_target, open_table


@dataclass(frozen=True, slots=True)
class Summary(Answered):
    """What became of a file. A grade that its facts do not settle is no fault of the input."""

    graded: int

    @property
    def not_settled(self) -> int:
        """Rows whose facts leave several grades or none."""
        return self.rows - self.graded - len(self.findings)


def grade_file(source: Path, out: Path, progress: Progress) -> Summary:
    """Add the columns `ADDED` to every row of a CSV file, into another file, which appears whole or not at all.

    Raises FileRefused (with `exit_code` 1 or 2) when the file cannot be read as asked; nothing is written then.
    """
    check_target(out, source)
    table = open_table(source)
    stand = places(table, READ, needed=READ)
    graded = 0

    def graded_row(row: Row) -> Answer:
        nonlocal graded
        if problem := shifted(row, table, "graded"):
            return Answer(("", problem), problem)
        try:
            grade, reason = answer(row.cells[stand["scale"]], row.cells[stand["inputs"]])
        except Unread as wrong:
            return Answer(("", str(wrong)), str(wrong))
        graded += bool(grade)
        return Answer((grade, reason))

    whole = answer_rows(table, out, ADDED, graded_row, progress)
    return Summary(whole.rows, whole.findings, whole.renamed, graded)
