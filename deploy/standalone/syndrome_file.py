"""A file of syndrome facts in, the same file with their grades out: what stands behind `tocsin grade syndromes`."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from standalone.syndrome_keys import Unread
from standalone.syndrome_rows import ADDED, READ, answer
from tocsin.table_file import FileRefused, Row, TableFile, beside, check_target, header_beside, open_table
from tocsin.whole_file import whole_file


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in a row. The row is in the output all the same, with the reason and no grade."""

    line: int
    problem: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a file. `not_settled`: rows whose facts leave several grades or none; `renamed` are (from, to)."""

    rows: int
    graded: int
    not_settled: int
    findings: tuple[Finding, ...]
    renamed: tuple[tuple[str, str], ...]

    @property
    def exit_code(self) -> int:
        """0 done, 1 something in the input is wrong. A grade that is open is no fault of the input."""
        return 1 if self.findings else 0


def grade_file(source: Path, out: Path, progress: Callable[[int, int | None], None]) -> Summary:
    """Add the columns `ADDED` to every row of a CSV file, into another file, which appears whole or not at all.

    Raises FileRefused (with `exit_code` 1 or 2) when the file cannot be read as asked; nothing is written then.
    """
    check_target(out, source)
    table = open_table(source)
    places = _places(table)
    header, renamed = header_beside(table.header, ADDED)
    findings: list[Finding] = []
    done = graded = 0
    with whole_file(out, table.encoding) as lines:
        writer = csv.writer(lines, lineterminator=table.line_end)
        writer.writerow((*header, *ADDED))
        for row in table.read():
            try:
                added = _added(row, places, len(table.header))
            except Unread as wrong:
                findings.append(Finding(row.line, str(wrong)))
                added = "", str(wrong)
            graded += bool(added[0])
            writer.writerow(beside(row.cells, added, len(table.header)))
            done += 1
            progress(done, table.rows)
    return Summary(done, graded, done - graded - len(findings), tuple(findings), renamed)


def _added(row: Row, places: Mapping[str, int], width: int) -> tuple[str, str]:
    if len(row.cells) != width:
        raise Unread([f"has {len(row.cells)} cells where the header has {width}: not graded, as cells may be shifted"])
    return answer(row.cells[places["scale"]], row.cells[places["inputs"]])


def _places(table: TableFile) -> dict[str, int]:
    """Where the columns that are read stand: each must be there, once."""
    names = [name.strip().casefold() for name in table.header]
    for name in READ:
        if names.count(name) != 1:
            found = "is there twice" if name in names else "is not there"
            raise FileRefused(
                f'{table.path}, line 1: the column "{name}" {found}',
                f"needed are {' and '.join(READ)}, each once",
                exit_code=2,
            )
    return {name: names.index(name) for name in READ}
