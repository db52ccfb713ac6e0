"""What is to be traced: the rows of requirements.toml, every shipped clock rule, every DLT rule of a study.

Answers which of them a marker's text names. Which tests carry markers is in `marks`, the page in `page`.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.architecture.imports import PLACES, ROOT

FILE = Path(__file__).with_name("requirements.toml")
_PART = {"title", "row"}
_NEEDED = {"id", "clause", "rule", "code"}
_ROW = _NEEDED | {"also", "of", "pending"}


class TraceError(Exception):
    """The register, or a marker, says what cannot be read; the text says where and what is allowed."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of the matrix.

    `code`: files below the root, each after the name it is shown by. `is_shipped`: a rule of a file that the product
    reads, whose clause names it too.
    """

    id: str
    part: str
    clause: str
    rule: str
    code: tuple[tuple[str, str], ...]
    also: tuple[str, ...] = ()
    of: str | None = None
    is_pending: bool = False
    is_shipped: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """What one marker names: requirements by id, wider names that count for no row, and other standards."""

    requirements: tuple[str, ...] = ()
    wider: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class Register:
    """Every requirement, and the reading of a marker's text."""

    def __init__(self, requirements: Iterable[Requirement], sources: Iterable[str]) -> None:
        self.requirements = tuple(requirements)
        self.sources = tuple(sources)
        self._wider = {plain(row.of): row.of for row in self.requirements if row.of is not None}
        self._ids: dict[str, str] = {}
        self._clauses: dict[str, list[str]] = {}
        for row in self.requirements:
            for text in (row.id, *row.also):
                if self._ids.setdefault(plain(text), row.id) != row.id:
                    raise TraceError(f"{text!r} names both {self._ids[plain(text)]!r} and {row.id!r}")
            if row.is_shipped:
                for clause in {row.clause, *row.clause.split("; ")}:
                    self._clauses.setdefault(plain(clause), []).append(row.id)
        for text, wide in self._wider.items():
            if text in self._ids:
                raise TraceError(f"{wide!r} is the name of one row and of several; allowed is one of both")

    def named(self, text: str) -> Named:
        """What the text of one marker names; TraceError where a part of it names nothing.

        Names are parted by ";". After a name may stand ":" and free words. "rules.md D7, C5" and "readings.md clocks
        5 to 7" are several names. A clause names the one shipped rule that has it; where several have it, none.
        """
        requirements: list[str] = []
        wider: list[str] = []
        sources: list[str] = []
        for piece in filter(None, (part.strip() for part in text.split(";"))):
            for kind, name in self._read(piece):
                {"row": requirements, "wider": wider, "source": sources}[kind].append(name)
        if not (requirements or wider or sources):
            raise TraceError(f"{text!r} names nothing; {self._nearest(text)}")
        return Named(tuple(requirements), tuple(wider), tuple(sources))

    def _read(self, piece: str) -> Iterator[tuple[str, str]]:
        said = plain(piece)
        if (name := _first(said, self._ids)) is not None:
            yield "row", self._ids[name]
        elif said in self._wider:
            yield "wider", self._wider[said]
        elif (clause := _first(said, self._clauses)) is not None:
            ids = self._clauses[clause]
            yield ("row", ids[0]) if len(ids) == 1 else ("wider", f"{piece} ({', '.join(ids)})")
        elif any(re.match(rf"{re.escape(plain(source))}(?![\w-])", said) for source in self.sources):
            yield "source", piece
        else:
            names = _listed(said)
            if len(names) < 2 or any(name not in self._ids for name in names):
                raise TraceError(f"{piece!r} names nothing; {self._nearest(piece)}")
            yield from (("row", self._ids[name]) for name in names)

    def _nearest(self, text: str) -> str:
        shown = {**self._wider, **self._ids}
        near = difflib.get_close_matches(plain(text), shown, n=4, cutoff=0.3)
        return f"nearest are {', '.join(repr(shown[name]) for name in near)}" if near else "see requirements.toml"


def _first(said: str, names: Iterable[str]) -> str | None:
    """The longest of the names that `said` begins with: whole, or followed by ":" and free words."""
    found = [name for name in names if said == name or said.startswith(f"{name}:")]
    return max(found, key=len, default=None)


def _listed(said: str) -> list[str]:
    """The names of "rules.md d7, c5" and of "rules.md c1 to c6", without the free words after them."""
    first, *others = [one.strip() for one in said.partition(":")[0].split(",")]
    stem = first.rpartition(" ")[0]
    if (ends := re.fullmatch(r"(.* )([a-z]?)(\d+) to \2(\d+)", first)) is not None:
        stem = ends[1].strip()
        return [
            *(f"{ends[1]}{ends[2]}{n}" for n in range(int(ends[3]), int(ends[4]) + 1)),
            *(f"{stem} {o}" for o in others),
        ]
    return [first, *(f"{stem} {one}" for one in others)]


def plain(text: str) -> str:
    """A name as names are compared: the case, arrows and the colon after a section's number make no difference."""
    said = re.sub(r"\s+", " ", text.replace("->", " to ").replace("→", " to ")).strip().casefold()
    said = re.sub(r"^(rules|readings)\.md,? ", r"\1.md ", said)
    said = re.sub(r"^rules\.md 1\.[26]:? ([cd]\d)", r"rules.md \1", said)
    said = re.sub(r"^(rules\.md \d\.\d): ", r"\1 ", said)
    return re.sub(r"^(readings\.md) clock (\d)", r"\1 clocks \2", said)


def register(root: Path = ROOT, file: Path = FILE) -> Register:
    """Everything that is to be traced; TraceError names the place that is wrong."""
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as wrong:
        raise TraceError(f"{file.name}: not TOML: {wrong}") from None
    pending = set(table["shipped"]["pending"])
    rows = [*_written(table["part"], root, file.name), *_shipped(table["shipped"], pending, root)]
    ids = [row.id for row in rows]
    for id_ in ids:
        if ids.count(id_) > 1:
            raise TraceError(f"{file.name}: {id_!r} stands twice; a requirement stands once")
    if unknown := pending - set(ids):
        raise TraceError(f"{file.name}: pending {sorted(unknown)[0]!r} is no shipped rule")
    return Register(rows, table["sources"])


def _written(parts: list[dict[str, Any]], root: Path, file: str) -> Iterator[Requirement]:
    for part in parts:
        if set(part) != _PART:
            raise TraceError(f"{file}: a part has the keys {', '.join(sorted(part))}; allowed are title and row")
        for row in part["row"]:
            where = f"{file}: {row.get('id', 'a row without an id')!r}"
            if missing := _NEEDED - set(row):
                raise TraceError(f"{where}: key {sorted(missing)[0]!r} is missing")
            if unknown := set(row) - _ROW:
                raise TraceError(f"{where}: unknown key {sorted(unknown)[0]!r}; allowed are {', '.join(sorted(_ROW))}")
            yield Requirement(
                id=row["id"],
                part=part["title"],
                clause=row["clause"],
                rule=row["rule"],
                code=tuple(_file(name, root, where) for name in row["code"]),
                also=tuple(row.get("also", ())),
                of=row.get("of"),
                is_pending=row.get("pending", False),
            )


def _shipped(how: Mapping[str, Any], pending: set[str], root: Path) -> Iterator[Requirement]:
    for path in sorted((root / "shared" / "tocsin" / "clockrules").glob("*.toml")):
        rules = tomllib.loads(path.read_text("utf-8"))
        code = [_file(name, root, "clock rules") for name in how["clock_rules"]]
        for rule in rules["rule"]:
            yield Requirement(
                id=rule["id"],
                part=f"Clock rules: {rules['profile']}",
                clause=rule["clause"],
                rule=rule["text"],
                code=((path.name, path.relative_to(root).as_posix()), *code),
                is_pending=rule["id"] in pending,
                is_shipped=True,
            )
    for path in sorted((root / "deploy" / "protocols").glob("*.toml")):
        study = tomllib.loads(path.read_text("utf-8"))
        found: dict[str, list[str]] = {}
        for rule in [*study.get("dlt", {}).get("rules", ()), *study.get("dlt", {}).get("exclusions", ())]:
            found.setdefault(rule["id"], []).append(rule["text"])
        code = [_file(name, root, "DLT rules") for name in how["dlt_rules"]]
        for id_, texts in found.items():
            yield Requirement(
                id=id_,
                part=f"DLT rules and exclusions: {study['study']['id']}",
                clause=f"{study['dlt']['id']}, assumed",
                rule="; ".join(texts),
                code=((path.name, path.relative_to(root).as_posix()), *code),
                is_pending=id_ in pending,
                is_shipped=True,
            )


def _file(module: str, root: Path, where: str) -> tuple[str, str]:
    """The module's name and its file; a package is its `__init__.py`."""
    package, _, rest = module.partition(".")
    if package in PLACES:
        place = root / PLACES[package].relative_to(ROOT) / rest.replace(".", "/")
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file():
                return module, path.relative_to(root).as_posix()
    raise TraceError(f"{where}: there is no module {module!r}; allowed are modules of {', '.join(PLACES)}")
