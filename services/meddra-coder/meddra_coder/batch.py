"""Coding a file of verbatims, without a server: what stands behind `tocsin code`.

Every input row comes out once, in its place, its own cells unchanged, with the answer beside it. Arguments,
progress bars and printing are left to the command line.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from meddra_coder.coding import MOST_CANDIDATES, Coding, Status, code_event
from meddra_coder.dictionary import Dictionary, default_dictionary
from tocsin.table_file import FileRefused, Row, TableFile, beside, check_target, header_beside, open_table
from tocsin.whole_file import whole_file

CODING_COLUMNS: Final = ("status", "llt_code", "term", "soc", "method", "confidence")
OUTPUT_COLUMNS: Final = (*CODING_COLUMNS, *(f"candidate_{place}" for place in range(1, MOST_CANDIDATES + 1)))

Progress = Callable[[int, int | None], None]
"""Told the rows done and, where known, of how many."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in a row of the input. The row is in the output all the same, for a person."""

    line: int
    problem: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a file. `renamed` are input columns that would have hidden an added one: (from, to)."""

    rows: int
    coded: int
    needs_review: int
    findings: tuple[Finding, ...]
    blank_lines: int
    renamed: tuple[tuple[str, str], ...]
    encoding: str
    dictionary_version: str

    @property
    def exit_code(self) -> int:
        """0 done, 1 something in the input is wrong."""
        return 1 if self.findings else 0


def code_file(
    source: Path,
    column: str,
    out: Path,
    progress: Progress | None = None,
    *,
    dictionary: Dictionary | None = None,
) -> Summary:
    """Code one column of a CSV file into another CSV file, which appears whole or not at all.

    The output has the encoding and line ends of the input, all its columns, then `OUTPUT_COLUMNS`. A row with
    an empty verbatim, or with more or fewer cells than the header, is a finding and is never coded.
    Raises FileRefused (with `exit_code` 1 or 2) when the file cannot be read as asked; nothing is written then.
    """
    check_target(out, source)
    table = open_table(source)
    place = _place(table, column)
    header, renamed = header_beside(table.header, OUTPUT_COLUMNS)
    book = dictionary or default_dictionary()
    findings: list[Finding] = []
    coded = done = 0
    with whole_file(out, table.encoding) as lines:
        writer = csv.writer(lines, lineterminator=table.line_end)
        writer.writerow((*header, *OUTPUT_COLUMNS))
        for row in table.read():
            problem = _problem(row, place, table.header)
            if problem:
                findings.append(Finding(row.line, problem))
            coding = code_event(row.cells[place] if place < len(row.cells) else "", book)
            answer = _uncoded(coding) if problem else cells(coding)
            coded += answer[0] == Status.CODED
            writer.writerow(beside(row.cells, answer, len(table.header)))
            done += 1
            if progress:
                progress(done, table.rows)
    return Summary(
        rows=done,
        coded=coded,
        needs_review=done - coded,
        findings=tuple(findings),
        blank_lines=table.blank_lines,
        renamed=renamed,
        encoding=table.encoding,
        dictionary_version=book.version,
    )


def cells(coding: Coding) -> tuple[str, ...]:
    """A coding as the cells of `OUTPUT_COLUMNS`; what is not known is empty.

    Each begins with a letter or a digit, so that no spreadsheet takes one for a formula.
    """
    candidates = [candidate.code for candidate in coding.candidates[:MOST_CANDIDATES]]
    return (
        coding.status,
        coding.llt_code or "",
        coding.term or "",
        coding.soc or "",
        coding.method,
        "" if coding.confidence is None else f"{coding.confidence:.4f}",
        *candidates,
        *[""] * (MOST_CANDIDATES - len(candidates)),
    )


def _uncoded(coding: Coding) -> tuple[str, ...]:
    """The cells of a row that is itself in doubt: the candidates stay, the answer is a person's."""
    candidates = cells(coding)[len(CODING_COLUMNS) :]
    return (Status.NEEDS_REVIEW, "", "", "", "none", "", *candidates)


def _problem(row: Row, place: int, header: Sequence[str]) -> str | None:
    if len(row.cells) != len(header):
        return f"has {len(row.cells)} cells where the header has {len(header)}: not coded, as cells may be shifted"
    if not row.cells[place].strip():
        return f'the verbatim in "{header[place]}" is empty'
    return None


def _place(table: TableFile, column: str) -> int:
    places = [place for place, name in enumerate(table.header) if name == column]
    if len(places) == 1:
        return places[0]
    problem = "there twice" if places else "not there"
    raise FileRefused(
        f'{table.path}, line 1: the column "{column}" is {problem}',
        f"the columns are {', '.join(table.header)}",
        exit_code=2,
    )
