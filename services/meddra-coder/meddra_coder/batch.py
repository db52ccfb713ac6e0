"""Coding a file of verbatims, without a server: what stands behind `tocsin code`.

Every input row comes out once, in its place, its own cells unchanged, with the answer beside it. Arguments,
progress bars and printing are left to the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from meddra_coder.candidates import MOST_CANDIDATES
from meddra_coder.coder import Coder, default_coder
from meddra_coder.coding import Coding, Status, code_events
from tocsin.answered_file import Answer, Answered, Progress, answer_portions, shifted
from tocsin.table_file import FileRefused, Row, TableFile, check_target, open_table

PORTION: Final = 256
"""Rows that are coded at once: what bounds the memory of a file of any length."""
CODING_COLUMNS: Final = ("status", "llt_code", "term", "soc", "method", "confidence")
OUTPUT_COLUMNS: Final = (*CODING_COLUMNS, *(f"candidate_{place}" for place in range(1, MOST_CANDIDATES + 1)))


@dataclass(frozen=True, slots=True)
class Summary(Answered):
    """What became of a file."""

    coded: int
    blank_lines: int
    encoding: str
    dictionary_version: str

    @property
    def needs_review(self) -> int:
        return self.rows - self.coded


def code_file(
    source: Path,
    column: str,
    out: Path,
    progress: Progress | None = None,
    *,
    coder: Coder | None = None,
) -> Summary:
    """Code one column of a CSV file into another CSV file, which appears whole or not at all.

    The output has the encoding and line ends of the input, all its columns, then `OUTPUT_COLUMNS`. A row with
    an empty verbatim, or with more or fewer cells than the header, is a finding and is never coded.
    Raises FileRefused (with `exit_code` 1 or 2) when the file cannot be read as asked; nothing is written then.
    """
    check_target(out, source)
    table = open_table(source)
    place = _place(table, column)
    coder = coder or default_coder()
    coded = 0

    def coded_rows(rows: Sequence[Row]) -> Iterator[Answer]:
        nonlocal coded
        verbatims = [row.cells[place] if place < len(row.cells) else "" for row in rows]
        for row, coding in zip(rows, code_events(verbatims, coder), strict=True):
            problem = _problem(row, place, table)
            answer = _uncoded(coding) if problem else cells(coding)
            coded += answer[0] == Status.CODED
            yield Answer(answer, problem)

    tell = progress or (lambda done, of: None)
    whole = answer_portions(table, out, OUTPUT_COLUMNS, coded_rows, tell, portion=PORTION)
    return Summary(
        whole.rows,
        whole.findings,
        whole.renamed,
        coded=coded,
        blank_lines=table.blank_lines,
        encoding=table.encoding,
        dictionary_version=coder.version,
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


def _problem(row: Row, place: int, table: TableFile) -> str | None:
    if problem := shifted(row, table, "coded"):
        return problem
    return None if row.cells[place].strip() else f'the verbatim in "{table.header[place]}" is empty'


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
