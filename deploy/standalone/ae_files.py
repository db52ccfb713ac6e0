"""Reads an SDTM AE data set from a file: SAS transport (`.xpt`), `.csv`, or Dataset-JSON (`.json`, `.ndjson`).

Answers rows of trimmed text by upper-case variable name; what the values mean is `ae_rows`. The reader of transport
files costs time to import and is imported only for one.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from standalone.ae_rows import NEEDED
from tocsin.errors import Refused

LARGEST: Final = 256 << 20
"""Bytes. A data set of AE is held in memory whole; a large trial has a tenth of it."""

KINDS = ".xpt (SAS transport), .csv, or .json and .ndjson (CDISC Dataset-JSON)"


class FileWrong(Refused):
    """A file that is no AE data set. `exit_code` is 2 where the asking is wrong, 1 where the file is."""

    def __init__(self, problem: str, *, exit_code: int = 1) -> None:
        super().__init__(problem)
        self.exit_code = exit_code


def read_ae(path: Path) -> list[dict[str, str]]:
    """Every row of the data set. Raises FileWrong, which says what is wrong and what is allowed."""
    if not path.is_file():
        raise FileWrong(f"{path}: no such file", exit_code=2)
    readers = {".xpt": _transport, ".csv": _csv, ".json": _dataset_json, ".ndjson": _dataset_ndjson}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise FileWrong(f"{path}: files of this kind are not known; allowed is {KINDS}", exit_code=2)
    if path.stat().st_size > LARGEST:
        raise FileWrong(f"{path}: is longer than {LARGEST >> 20} MiB; send the data set in parts")
    try:
        names, cells = reader(path)
    except UnicodeDecodeError:
        raise FileWrong(f"{path}: is not text in UTF-8") from None
    if not all(isinstance(name, str) for name in names):
        raise FileWrong(f"{path}: has a variable whose name is no text")
    columns = [name.strip().upper() for name in names]
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise FileWrong(f"{path}: is no SDTM AE data set: it has no {', '.join(missing)}")
    rows = []
    for number, row in enumerate(cells, 1):
        if not isinstance(row, list | tuple) or any(isinstance(value, list | dict) for value in row):
            raise FileWrong(f"{path}: row {number} is no list of single values")
        if len(row) != len(columns):
            raise FileWrong(f"{path}: row {number} has {len(row)} values where there are {len(columns)} variables")
        texts = {name: _text(name, value) for name, value in zip(columns, row, strict=True)}
        if wrong := next((name for name, text in texts.items() if _SURROGATE.search(text)), None):
            raise FileWrong(f"{path}: row {number}, {wrong} holds half of a character; allowed is text")
        rows.append(texts)
    return rows


Table = tuple[Sequence[str], Iterable[Sequence[Any]]]


def _transport(path: Path) -> Table:
    import pyreadstat  # late: it brings numpy

    try:
        columns, _ = pyreadstat.read_xport(str(path), output_format="dict")
    except pyreadstat.ReadstatError as wrong:
        raise FileWrong(f"{path}: cannot be read as a SAS transport file ({wrong})") from None
    return list(columns), zip(*columns.values(), strict=True)


def _csv(path: Path) -> Table:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        try:
            rows = [row for row in csv.reader(lines, strict=True) if row]
        except csv.Error as wrong:
            raise FileWrong(f"{path}: cannot be read as CSV ({wrong})") from None
    if not rows:
        raise FileWrong(f"{path}: is empty; the first line names the variables")
    return rows[0], rows[1:]


def _dataset_json(path: Path) -> Table:
    """Version 1.1 (`columns`, `rows`) and version 1.0 (`clinicalData` with `items`, `itemData`)."""
    document = _json(path, path.read_text(encoding="utf-8-sig"))
    try:
        if "clinicalData" in document:
            groups = document["clinicalData"]["itemGroupData"]
            [group] = [g for g in groups.values() if g.get("name", "").upper() == "AE"]
            return [item["name"] for item in group["items"]], group["itemData"]
        return [column["name"] for column in document["columns"]], document["rows"]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise FileWrong(f"{path}: is JSON, but no Dataset-JSON of an AE data set (columns and rows)") from None


def _dataset_ndjson(path: Path) -> Table:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    if not lines:
        raise FileWrong(f"{path}: is empty; the first line describes the data set")
    head = _json(path, lines[0])
    try:
        names = [column["name"] for column in head["columns"]]
    except (KeyError, TypeError):
        raise FileWrong(f"{path}: its first line is no Dataset-JSON description (columns)") from None
    return names, [_json(path, line) for line in lines[1:] if line.strip()]


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise FileWrong(f"{path}: cannot be read as JSON ({wrong})") from None


_SURROGATE = re.compile("[\ud800-\udfff]")
"""What JSON can escape and no text can hold."""

_NUMBERS = ("AESEQ", "AETOXGR")


def _text(name: str, value: object) -> str:
    """A cell as text: nothing is "", and a number that is whole has no decimals (SAS keeps 1 as 1.0)."""
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if value != value else f"{value:.0f}" if value.is_integer() else repr(value)
    text = str(value).strip()
    return text.removesuffix(".0") if name in _NUMBERS else text
