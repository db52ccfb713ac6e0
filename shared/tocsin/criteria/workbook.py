"""NCI's workbook of CTCAE, read as it is published: the official text of every grade and of every definition.

The file comes from outside: its unpacked size is limited, a document type is refused, and what is no workbook of CTCAE,
or differs from the table of terms that Tocsin ships, is refused whole with sheet and row. Nothing of its text is kept
here; that is left to whoever asked.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final
from xml.etree import ElementTree as ET

from tocsin.criteria.terms import EDITIONS, CriteriaError, Term, load_terms
from tocsin.criteria.workbook_parts import Attributes, SharedTexts, SheetRows, Target

_STEP: Final = 1 << 16

LARGEST: Final = 64 * 1024 * 1024
"""How many bytes a workbook may unpack to. Those of NCI have less than four million."""

_SHEET: Final = MappingProxyType({"CTCAE v5.0 Clean Copy": "5.0", "CTCAE v6.0 Clean Copy": "6.0"})
_GRADES: Final = tuple(f"Grade {grade}" for grade in range(1, 6))
_HEADINGS: Final = MappingProxyType(
    {
        "5.0": ("MedDRA Code", "MedDRA SOC", "CTCAE Term", *_GRADES, "Definition"),
        "6.0": (
            *("CTCAE v6.0 MedDRA 28.0 LLT Code", "CTCAE v6.0 MedDRA 28.0 SOC", "CTCAE v6.0 MedDRA 28.0 Term"),
            *(*_GRADES, "Definition"),
        ),
    }
)

# NotImplementedError: a compression that zipfile does not know; RuntimeError: a password; OSError and ValueError: a
# place in the file before its beginning.
_DAMAGED: Final = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError,
    ValueError, OverflowError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TermText:
    """The official text of one term. `grades` holds only the grades that exist; `definition` may be empty."""

    row: int
    code: str
    term: str
    grades: Mapping[int, str]
    definition: str


@dataclass(frozen=True, slots=True)
class Workbook:
    """One edition of CTCAE as published, in the order of the publication."""

    edition: str
    rows: tuple[TermText, ...]


def read_workbook(path: Path) -> Workbook:
    """Read a workbook of CTCAE v5.0 or v6.0. Raises CriteriaError for what is wrong, OSError for what is not there."""
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _Book(archive, path.name).read()
        except _DAMAGED as wrong:
            raise CriteriaError(f"{path.name}: is no readable .xlsx file ({wrong}).") from wrong


class _Book:
    """The parts of one open workbook. Counts what it unpacked."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive = archive
        self._name = name
        self._left = LARGEST

    def read(self) -> Workbook:
        sheets = self._sheets()
        found = [(title, part) for title, part in sheets.items() if title in _SHEET]
        if len(found) != 1:
            has = ", ".join(f'"{title}"' for title in sheets) or "none"
            raise CriteriaError(f"{self._name}: has the sheets {has}; allowed is one of {', '.join(_SHEET)}.")
        title, part = found[0]
        rows = SheetRows(self._shared_texts(), f"{self._name}, sheet {title}")
        self._parse(part, rows)
        return Workbook(_SHEET[title], tuple(_terms(rows.rows, f"{self._name}, sheet {title}", _SHEET[title])))

    def _sheets(self) -> dict[str, str]:
        ids, targets = Attributes("sheet"), Attributes("Relationship")
        self._parse("xl/workbook.xml", ids)
        self._parse("xl/_rels/workbook.xml.rels", targets)
        parts = {each.get("Id"): each.get("Target", "") for each in targets.found}
        sheets = {}
        for each in ids.found:
            target = parts.get(each.get("id"), "")
            sheets[each.get("name", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        return sheets

    def _shared_texts(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self._archive.namelist():
            return []
        texts = SharedTexts()
        self._parse("xl/sharedStrings.xml", texts)
        return texts.texts

    def _parse(self, part: str, target: Target) -> None:
        if part not in self._archive.namelist():
            raise CriteriaError(f"{self._name}: lacks the part {part}.")
        parser = ET.XMLParser(target=target)  # noqa: S314 (the target refuses a document type, the size is limited)
        try:
            with self._archive.open(part) as stream:
                while piece := stream.read(_STEP):
                    self._left -= len(piece)
                    if self._left < 0:
                        raise CriteriaError(f"{self._name}: unpacks to more than {LARGEST >> 20} MiB.")
                    parser.feed(piece)
            parser.close()
        except (ET.ParseError, ValueError, LookupError) as wrong:
            raise CriteriaError(f"{self._name}, {part}: is not readable as XML ({wrong}).") from wrong


def _terms(rows: list[tuple[int, dict[int, str]]], sheet: str, edition: str) -> Iterator[TermText]:
    known = {term.code: term for term in load_terms(edition)}
    columns = _headings(rows[0] if rows else (1, {}), sheet, _HEADINGS[edition])
    seen: dict[str, int] = {}
    for number, cells in rows[1:]:
        where = f"{sheet}, row {number}"
        code, _, name, *grades, definition = ("" if (t := cells.get(at, "")) == "-" else t for at in columns)
        if not any(cells.values()):
            continue
        term = known.get(code)
        if term is None:
            raise CriteriaError(
                f'{where}: the code is "{code}"; allowed are those of CTCAE {EDITIONS[edition].version}.'
            )
        if code in seen:
            raise CriteriaError(f"{where}: the code {code} was already on row {seen[code]}.")
        seen[code] = number
        texts = {grade: text for grade, text in enumerate(grades, 1) if text}
        _check(term, name, frozenset(texts), where)
        yield TermText(number, code, term.name, MappingProxyType(texts), definition)
    lost = [term.name for code, term in known.items() if code not in seen]
    if lost:
        raise CriteriaError(f"{sheet}: lacks {len(lost)} of {len(known)} terms; the first is {lost[0]}.")


def _headings(row: tuple[int, dict[int, str]], sheet: str, wanted: tuple[str, ...]) -> list[int]:
    number, cells = row
    columns = []
    for heading in wanted:
        found = [column for column, text in cells.items() if text == heading]
        if len(found) != 1:
            raise CriteriaError(f'{sheet}, row {number}: has {len(found)} columns "{heading}"; allowed is one.')
        columns.append(found[0])
    return columns


def _check(term: Term, name: str, grades: frozenset[int], where: str) -> None:
    if name.casefold() != term.name.casefold():
        raise CriteriaError(f'{where}: the term is "{name}"; that of {term.code} is "{term.name}".')
    if grades != term.grades:
        told, allowed = (", ".join(map(str, sorted(each))) or "none" for each in (grades, term.grades))
        raise CriteriaError(f"{where}: has the grades {told}; {term.name} has {allowed}.")
