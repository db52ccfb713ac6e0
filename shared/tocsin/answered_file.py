"""A CSV file in, the same file with an answer beside every row: how each `tocsin` command treats a person's file.

The file appears whole or not at all, in the encoding and with the line ends it came in. Every row comes out once, in
its place, its own cells unchanged; one that cannot be answered says why, and the rest is still done. What is asked of
a row, and how it is told to a person, is left to each command.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tocsin.table_file import FileRefused, Row, TableFile, beside, header_beside
from tocsin.whole_file import whole_file

Progress = Callable[[int, int | None], None]
"""Told the rows done and, where known, of how many."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in a row of the input. The row is in the output all the same."""

    line: int
    problem: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The cells that are added to one row, and what is wrong with it, if anything."""

    cells: Sequence[str]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a file. `renamed` are columns of the input that would have hidden an added one: (from, to)."""

    rows: int
    findings: tuple[Finding, ...]
    renamed: tuple[tuple[str, str], ...]

    @property
    def exit_code(self) -> int:
        """0 done, 1 something in the input is wrong."""
        return 1 if self.findings else 0


def answer_rows(
    table: TableFile, out: Path, added: Sequence[str], answer: Callable[[Row], Answer], progress: Progress
) -> Answered:
    """Write every row of `table` with its answer under the columns `added` to `out`, whole or not at all."""
    return answer_portions(table, out, added, lambda rows: map(answer, rows), progress, portion=1)


def answer_portions(
    table: TableFile,
    out: Path,
    added: Sequence[str],
    answers: Callable[[Sequence[Row]], Iterable[Answer]],
    progress: Progress,
    *,
    portion: int,
) -> Answered:
    """The same, where many rows are answered at once: `answers` is asked for `portion` rows, and gives one for each."""
    header, renamed = header_beside(table.header, added)
    findings: list[Finding] = []
    done = 0
    with whole_file(out, table.encoding) as lines:
        writer = csv.writer(lines, lineterminator=table.line_end)
        writer.writerow((*header, *added))
        for rows in _portions(table.read(), portion):
            for row, found in zip(rows, answers(rows), strict=True):
                if found.problem:
                    findings.append(Finding(row.line, found.problem))
                writer.writerow(beside(row.cells, found.cells, len(table.header)))
            done += len(rows)
            progress(done, table.rows)
    return Answered(done, tuple(findings), renamed)


def _portions(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    waiting = iter(rows)
    while portion := list(islice(waiting, size)):
        yield portion


def shifted(row: Row, table: TableFile, undone: str) -> str | None:
    """Why a row with more or fewer cells than the header is not read: `undone` is what is not done with it."""
    if len(row.cells) == len(table.header):
        return None
    return (
        f"has {len(row.cells)} cells where the header has {len(table.header)}: not {undone}, as cells may be shifted"
    )  # fmt: skip


def places(table: TableFile, read: Sequence[str], *, needed: Sequence[str]) -> Mapping[str, int]:
    """Where the columns `read` stand, in any case. Raises FileRefused: one is twice, or a needed one is missing."""
    names = [name.strip().casefold() for name in table.header]
    for name in read:
        count = names.count(name)
        if count > 1 or (count == 0 and name in needed):
            found = "is there twice" if count else "is not there"
            allowed = f"needed are {' and '.join(needed)}, each once" if name in needed else "allowed is each once"
            raise FileRefused(f'{table.path}, line 1: the column "{name}" {found}', allowed, exit_code=2)
    return {name: names.index(name) for name in read if name in names}
