"""The audit trail as files: CSV that no spreadsheet runs, and JSON lines. Line by line, so of any length."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from alerting.desk.audit_view import NAMES

_BOM: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Without it a common spreadsheet reads UTF-8 as something else."""
_AT_A_TIME: Final = 500
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The header, then each row."""
    yield _BOM + _line(NAMES)
    for row in rows:
        yield _line([cell(row[name]) for name in NAMES])


def json_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Each row as one object; `before` and `after` are the kept texts, which the hash is of."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def in_pieces(lines: Iterator[str]) -> Iterator[str]:
    """Several lines at a time: each piece that is sent costs as much as hundreds of lines."""
    while piece := "".join(islice(lines, _AT_A_TIME)):
        yield piece


def cell(value: object) -> str:
    """A value as a cell. One that a spreadsheet would take for a formula gets an apostrophe before it."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: Iterable[str]) -> str:
    kept = io.StringIO()
    csv.writer(kept).writerow(cells)
    return kept.getvalue()
