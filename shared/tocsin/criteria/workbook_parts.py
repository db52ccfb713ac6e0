"""The parts of an .xlsx file as an XML parser tells them: attributes of tags, shared texts, rows of a sheet.

A document type is refused by whoever is told of it, before an entity could be declared.
"""

from __future__ import annotations

import re
from typing import Final

from tocsin.criteria.terms import CriteriaError

_REFERENCE: Final = re.compile(r"([A-Z]{1,3})[0-9]{1,7}", re.ASCII)
_MOST_ROWS, _MOST_COLUMNS = 5_000, 64


class Target:
    """What an XML parser tells, with the name spaces left off."""

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        raise ValueError("a document type is not allowed")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.begin(tag.rpartition("}")[2], {key.rpartition("}")[2]: value for key, value in attributes.items()})

    def end(self, tag: str) -> None:
        self.finish(tag.rpartition("}")[2])

    def data(self, text: str) -> None:
        """Text between tags."""

    def close(self) -> None:
        """The end of the part."""

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        """A tag opens."""

    def finish(self, name: str) -> None:
        """A tag closes."""


class Attributes(Target):
    def __init__(self, name: str) -> None:
        self._wanted = name
        self.found: list[dict[str, str]] = []

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == self._wanted:
            self.found.append(attributes)


class _Texts(Target):
    """Collects the text of `t` and of `v`, phonetic hints left out."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._is_text = False
        self._phonetic = 0

    def begin(self, name: str, _attributes: dict[str, str]) -> None:
        self._phonetic += name == "rPh"
        self._is_text = name in ("t", "v") and not self._phonetic

    def finish(self, name: str) -> None:
        self._phonetic -= name == "rPh"
        self._is_text = False

    def data(self, text: str) -> None:
        if self._is_text:
            self._text.append(text)

    def take(self) -> str:
        text = "".join(self._text)
        self._text.clear()
        return text


class SharedTexts(_Texts):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def finish(self, name: str) -> None:
        super().finish(name)
        if name == "si":
            self.texts.append(self.take())


class SheetRows(_Texts):
    """The rows of a sheet: their number, and their cells by column."""

    def __init__(self, shared: list[str], where: str) -> None:
        super().__init__()
        self.rows: list[tuple[int, dict[int, str]]] = []
        self._shared = shared
        self._where = where
        self._kind = ""
        self._column = 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        super().begin(name, attributes)
        if name == "row":
            number = attributes.get("r", "")
            self.rows.append((int(number) if number.isdecimal() else len(self.rows) + 1, {}))
            if len(self.rows) > _MOST_ROWS:
                raise CriteriaError(f"{self._where}: has more than {_MOST_ROWS} rows.")
        elif name == "c":
            self.take()
            self._kind = attributes.get("t", "n")
            found = _REFERENCE.fullmatch(attributes.get("r", ""))
            self._column = _column(found[1]) if found else self._column + 1

    def finish(self, name: str) -> None:
        super().finish(name)
        if name == "row":
            self._column = 0
        if name != "c" or not self.rows or self._column > _MOST_COLUMNS:
            return
        number, cells = self.rows[-1]
        text = self.take()
        if self._kind == "s":
            if not text.isdecimal() or len(text) > 9 or int(text) >= len(self._shared):
                raise CriteriaError(f"{self._where}, row {number}: a cell names a text that is not there.")
            text = self._shared[int(text)]
        cells[self._column] = " ".join(text.split())


def _column(letters: str) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column
