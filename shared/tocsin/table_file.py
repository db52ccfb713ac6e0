"""A CSV file as a person sends it: which encoding it has, and its rows, each with its line.

Reads the file twice: once to check all of it before anything is done, once to hand out rows. Memory does not
grow with the file. What is added to a row stands beside its own cells. What the columns mean is left to others.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocsin.errors import Refused, Wrong


class FileRefused(Refused):
    """A file that cannot be read as it was asked; nothing was written.

    `exit_code` is 1 where the file is wrong, 2 where the asking is (no such file, no such column).
    """

    def __init__(self, problem: str, allowed: str, *, exit_code: int = 1) -> None:
        super().__init__(f"{problem}; {allowed}", [Wrong("", problem, allowed)])
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `line` is the line of the file on which it begins, counting from 1."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableFile:
    """A checked CSV file with a header. `rows` counts data rows; blank lines are not rows."""

    path: Path
    encoding: str
    line_end: str
    header: tuple[str, ...]
    rows: int
    blank_lines: int

    def read(self) -> Iterator[Row]:
        """The data rows in order."""
        rows = _lines(self.path, self.encoding)
        next(rows)
        return (row for row in rows if row.cells)


def open_table(path: Path) -> TableFile:
    """Check a whole CSV file: encoding, quoting, a header. Raises FileRefused with the line."""
    if not path.is_file():
        raise FileRefused(f"{path}: no such file", "name a regular file", exit_code=2)
    encoding = _encoding(path)
    with path.open("rb") as lines:
        line_end = "\r\n" if lines.readline(_LONGEST_LINE).endswith(b"\r\n") else "\n"
    found = _lines(path, encoding)
    header = next(found, None)
    if header is None or not header.cells:
        raise FileRefused(f"{path}, line 1: no header", "the first line names the columns")
    rows = blank_lines = 0
    for row in found:
        if row.cells:
            rows += 1
        else:
            blank_lines += 1
    return TableFile(path, encoding, line_end, header.cells, rows, blank_lines)


def check_target(out: Path, source: Path) -> None:
    """Raises FileRefused when `out` cannot be written beside `source`."""
    if not out.parent.is_dir():
        raise FileRefused(f"{out}: there is no folder {out.parent}", "name a file in a folder that exists", exit_code=2)
    if out.exists() and source.exists() and out.samefile(source):
        raise FileRefused(f"{out}: is the input itself", "name another file", exit_code=2)


def beside(own: Sequence[str], answer: Sequence[str], width: int) -> tuple[str, ...]:
    """The row's own cells, then the answer under its columns; cells beyond the header stay, at the very end."""
    missing = [""] * (width - len(own))
    return (*own[:width], *missing, *answer, *own[width:])


def header_beside(names: Sequence[str], added: Sequence[str]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The input's column names, those that equal an added one with "input_" before them."""
    taken = {*names, *added}
    kept: list[str] = []
    renamed: list[tuple[str, str]] = []
    for name in names:
        new = name
        if name in added:
            while new in taken:
                new = f"input_{new}"
            taken.add(new)
            renamed.append((name, new))
        kept.append(new)
    return tuple(kept), tuple(renamed)


_LONGEST_LINE: Final = 1 << 20
"""Bytes. A longer line is no table, and reading on would take memory without end."""

_LIKELY_CHINESE: Final = 0.9


def _lines(path: Path, encoding: str) -> Iterator[Row]:
    """Every row of the file, the header first; a blank line is a row without cells."""
    with path.open(encoding=encoding, newline="") as text:
        rows = csv.reader(text, strict=True)
        begins = 1
        try:
            for cells in rows:
                yield Row(begins, tuple(cells))
                begins = rows.line_num + 1
        except csv.Error as wrong:
            # strict: a quote that never closes would otherwise swallow the rest of the file as one cell.
            raise FileRefused(
                f"{path}, line {begins}: not readable as CSV ({wrong})",
                'allowed are cells with commas between them, in "double quotes" where a cell holds a comma or quote',
            ) from wrong


def _encoding(path: Path) -> str:
    """utf-8, utf-8-sig or gb18030. Raises FileRefused with the first line that is none of them.

    GB18030 reads many bytes that were never Chinese, so a file in Western Windows letters could pass for it
    and come out as other words. It is believed only where nearly all its letters are of the common set (GB 2312).
    """
    with path.open("rb") as lines:
        start = lines.read(3)
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise FileRefused(f"{path}, line 1: is UTF-16", _ALLOWED)
    wrong_line = 0
    is_gb = True
    letters = common = 0
    for number, line in _raw_lines(path):
        if not wrong_line and not _reads(line, "utf-8"):
            wrong_line = number
        if line.isascii() or not is_gb:
            continue
        is_gb = _reads(line, "gb18030")
        if is_gb:
            foreign = "".join(letter for letter in line.decode("gb18030") if not letter.isascii())
            letters += len(foreign)
            common += len(foreign.encode("gb2312", "ignore")) // 2
    if not wrong_line:
        return "utf-8-sig" if start == codecs.BOM_UTF8 else "utf-8"
    if is_gb and common >= letters * _LIKELY_CHINESE:
        return "gb18030"
    raise FileRefused(f"{path}, line {wrong_line}: is neither UTF-8 nor Chinese GB18030", _ALLOWED)


_ALLOWED: Final = "save the file as CSV in UTF-8"


def _raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    # In both encodings the byte of a line end is never part of another letter.
    with path.open("rb") as lines:
        number = 0
        while line := lines.readline(_LONGEST_LINE + 1):
            number += 1
            if len(line) > _LONGEST_LINE:
                raise FileRefused(
                    f"{path}, line {number}: is longer than {_LONGEST_LINE} bytes", "a CSV file is allowed"
                )
            yield number, line


def _reads(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
