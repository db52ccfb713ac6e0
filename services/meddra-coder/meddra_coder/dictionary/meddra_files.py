"""Reads the MedDRA distribution that a house has licensed: the twelve files of its folder MedAscii, whole or not at
all.

What is wrong is told with file, line and what is allowed, and nothing is read then. The checks are in `meddra_tables`,
the encodings in `meddra_encoding`; how a distribution becomes a dictionary is left to `meddra`.
"""

from __future__ import annotations

import hashlib
import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from meddra_coder.dictionary.meddra_encoding import decoded
from meddra_coder.dictionary.meddra_tables import (
    CHECKS,
    COLUMNS,
    PT,
    SMQ,
    DistributionRefused,
    Finding,
    Findings,
    Rows,
    rows_of,
)
from tocsin.bounded_file import bytes_within
from tocsin.table_file import FileRefused

__all__ = [
    "Distribution",
    "DistributionRefused",
    "Finding",
    "Level",
    "Llt",
    "Path",
    "Pt",
    "Smq",
    "SmqTerm",
    "Soc",
    "read_distribution",
]

LARGEST: Final = 256 << 20
"""Bytes of one file. The longest that MedDRA has is a twentieth of it."""

_ALLOWED: Final = "a folder with the twelve files of MedAscii"


@dataclass(frozen=True, slots=True)
class Llt:
    """A lowest level term and the preferred term that it belongs to. Only a current one may be coded anew."""

    code: str
    name: str
    pt_code: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Pt:
    """A preferred term and its primary system organ class."""

    code: str
    name: str
    soc_code: str


@dataclass(frozen=True, slots=True)
class Level:
    """A high level term or a high level group term."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Soc:
    """A system organ class and its place in the international order."""

    code: str
    name: str
    abbreviation: str
    order: int


@dataclass(frozen=True, slots=True)
class Path:
    """A way from a preferred term up to a class. Each preferred term has one that is primary."""

    pt_code: str
    hlt_code: str
    hlgt_code: str
    soc_code: str
    is_primary: bool


@dataclass(frozen=True, slots=True)
class Smq:
    """A standardised query. `level` is 1 (widest) to 5; `status` A (active) or I (inactive)."""

    code: str
    name: str
    level: int
    status: str


@dataclass(frozen=True, slots=True)
class SmqTerm:
    """A term of a standardised query, in its narrow scope or else in its broad one."""

    smq_code: str
    term_code: str
    is_narrow: bool
    is_active: bool
    is_pt: bool
    """The preferred term with all that is under it; else one lowest level term."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """One version of MedDRA as its files say it, in their order, and checked.

    `files` has the SHA-256 of each as it was read, by its name in small letters; `fingerprint` is over all of them.
    Which queries are part of another query is checked and not kept.
    """

    encoding: str
    files: Mapping[str, str]
    fingerprint: str
    llts: tuple[Llt, ...]
    pts: tuple[Pt, ...]
    hlts: tuple[Level, ...]
    hlgts: tuple[Level, ...]
    socs: tuple[Soc, ...]
    paths: tuple[Path, ...]
    smqs: tuple[Smq, ...]
    smq_terms: tuple[SmqTerm, ...]


def read_distribution(
    folder: pathlib.Path, tell: Callable[[int, int | None], None] = lambda done, of: None
) -> Distribution:
    """The distribution in a folder. Raises DistributionRefused where it is not whole or contradicts itself.

    `tell` hears how many steps of how many are done: each file read, each taken apart, each check.
    """
    steps = 2 * len(COLUMNS) + len(CHECKS) + 1
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        tell(done, steps)

    tell(0, steps)
    findings = Findings()
    raws = _bytes(folder, findings, step)
    encoding, texts = decoded(raws, findings)
    tables: dict[str, Rows] = {}
    for file in COLUMNS:
        tables[file] = rows_of(file, texts.pop(file), findings)
        step()
    findings.refuse_if_any()
    for check in CHECKS:
        check(tables, findings)
        step()
    findings.refuse_if_any()
    distribution = _distribution(encoding, {file: hashlib.sha256(raws[file]).hexdigest() for file in raws}, tables)
    step()
    return distribution


def _bytes(folder: pathlib.Path, findings: Findings, step: Callable[[], None]) -> dict[str, bytes]:
    """The bytes of the twelve files, whatever the letter case of their names."""
    here: dict[str, list[pathlib.Path]] = {}
    try:
        for path in sorted(folder.iterdir()):
            here.setdefault(path.name.lower(), []).append(path)
    except OSError as error:
        findings.tell(str(folder), None, f"cannot be read: {error.strerror}", _ALLOWED)
        findings.refuse_if_any()
    raws: dict[str, bytes] = {}
    for file in COLUMNS:
        match here.get(file, []):
            case []:
                findings.tell(file, None, f"missing in {folder}", _ALLOWED)
            case [path]:
                try:
                    raws[file] = bytes_within(path, LARGEST)
                except OSError as error:
                    findings.tell(file, None, f"cannot be read: {error.strerror}", "a file that may be read")
                except FileRefused as error:
                    findings.tell(file, None, error.wrong[0].problem, f"at most {LARGEST >> 20} MiB")
            case paths:
                findings.tell(file, None, f"there more than once: {', '.join(path.name for path in paths)}", "one")
        step()
    findings.refuse_if_any()
    return raws


def _distribution(encoding: str, files: Mapping[str, str], tables: Mapping[str, Rows]) -> Distribution:
    order = {row[1]: int(row[0]) for row in tables["intl_ord.asc"]}
    return Distribution(
        encoding=encoding,
        files=files,
        fingerprint=hashlib.sha256("".join(f"{file} {files[file]}\n" for file in sorted(files)).encode()).hexdigest(),
        llts=tuple([Llt(row[0], row[1], row[2], row[9] == "Y") for row in tables["llt.asc"]]),
        pts=tuple([Pt(row[0], row[1], row[3]) for row in tables["pt.asc"]]),
        hlts=tuple([Level(row[0], row[1]) for row in tables["hlt.asc"]]),
        hlgts=tuple([Level(row[0], row[1]) for row in tables["hlgt.asc"]]),
        socs=tuple([Soc(row[0], row[1], row[2], order[row[0]]) for row in tables["soc.asc"]]),
        paths=tuple([Path(row[0], row[1], row[2], row[3], row[11] == "Y") for row in tables["mdhier.asc"]]),
        smqs=tuple([Smq(row[0], row[1], int(row[2]), row[7]) for row in tables["smq_list.asc"]]),
        smq_terms=tuple(
            [
                SmqTerm(row[0], row[1], row[3] == "2", row[6] == "A", row[2] == PT)
                for row in tables["smq_content.asc"]
                if row[2] != SMQ
            ]
        ),
    )
