"""A file of facts in, the same file with the clocks they start out: what stands behind `tocsin due --file`."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from standalone.due_rows import ADDED, READ, Rules, Unread, answer, cells
from tocsin.table_file import FileRefused, Row, TableFile, beside, check_target, header_beside, open_table
from tocsin.whole_file import whole_file


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in a row. The row is in the output all the same, with its `error`."""

    line: int
    problem: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a file. `absent` are columns that were not there, so unknown; `renamed` are (from, to)."""

    rows: int
    with_clocks: int
    without_clocks: int
    findings: tuple[Finding, ...]
    absent: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]

    @property
    def exit_code(self) -> int:
        """0 done, 1 something in the input is wrong."""
        return 1 if self.findings else 0


def due_file(source: Path, out: Path, rules: Rules, progress: Callable[[int, int | None], None]) -> Summary:
    """Add the columns `ADDED` to every row of a CSV file, into another file, which appears whole or not at all.

    Encoding, line ends, order and all other cells stay. A row that cannot be read gets an `error` and no clock.
    Raises FileRefused (with `exit_code` 1 or 2) when the file cannot be read as asked; nothing is written then.
    """
    check_target(out, source)
    table = open_table(source)
    places = _places(table)
    header, renamed = header_beside(table.header, ADDED)
    findings: list[Finding] = []
    done = with_clocks = 0
    with whole_file(out, table.encoding) as lines:
        writer = csv.writer(lines, lineterminator=table.line_end)
        writer.writerow((*header, *ADDED))
        for row in table.read():
            added = _added(row, places, len(table.header), rules)
            if added[-1]:
                findings.append(Finding(row.line, added[-1]))
            with_clocks += bool(added[0])
            writer.writerow(beside(row.cells, added, len(table.header)))
            done += 1
            progress(done, table.rows)
    return Summary(
        rows=done,
        with_clocks=with_clocks,
        without_clocks=done - with_clocks - len(findings),
        findings=tuple(findings),
        absent=tuple(name for name in READ if name not in places),
        renamed=renamed,
    )


def _added(row: Row, places: Mapping[str, int], width: int, rules: Rules) -> tuple[str, str, str]:
    if len(row.cells) != width:
        return "", "", f"has {len(row.cells)} cells where the header has {width}: not computed, as cells may be shifted"
    try:
        return cells(*answer({name: row.cells[place] for name, place in places.items()}, rules), rules)
    except Unread as wrong:
        return "", "", str(wrong)


def _places(table: TableFile) -> dict[str, int]:
    """Where the columns that are read stand."""
    names = [name.strip().casefold() for name in table.header]
    for name in READ:
        if names.count(name) > 1:
            raise FileRefused(
                f'{table.path}, line 1: the column "{name}" is there twice', "allowed is each once", exit_code=2
            )
    if not set(READ) & set(names):
        raise FileRefused(
            f"{table.path}, line 1: none of the columns that are read is there",
            f"they are {', '.join(READ)}",
            exit_code=2,
        )
    return {name: names.index(name) for name in READ if name in names}
