"""The tables of a MedDRA distribution, held against their published form and against each other.

Answers with what is wrong, where, and what is allowed; nothing is mended. Bytes and encodings are left to
`meddra_encoding`, the reading and what comes of it to `meddra_files`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tocsin.errors import TocsinError

MOST_TOLD: Final = 20
"""Findings that a refusal tells; of the others, how many there are."""

_MAPPED: Final = ("whoart_code", "harts_code", "costart_sym", "icd9_code", "icd9cm_code", "icd10_code")
_RANK: Final = (*_MAPPED, "jart_code")

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "llt.asc": ("llt_code", "llt_name", "pt_code", *_MAPPED, "llt_currency", "jart_code"),
    "pt.asc": ("pt_code", "pt_name", "null_field", "pt_soc_code", *_RANK),
    "hlt.asc": ("hlt_code", "hlt_name", *_RANK),
    "hlgt.asc": ("hlgt_code", "hlgt_name", *_RANK),
    "soc.asc": ("soc_code", "soc_name", "soc_abbrev", *_RANK),
    "hlt_pt.asc": ("hlt_code", "pt_code"),
    "hlgt_hlt.asc": ("hlgt_code", "hlt_code"),
    "soc_hlgt.asc": ("soc_code", "hlgt_code"),
    "mdhier.asc": (
        "pt_code", "hlt_code", "hlgt_code", "soc_code", "pt_name", "hlt_name", "hlgt_name", "soc_name", "soc_abbrev",
        "null_field", "pt_soc_code", "primary_soc_fg",
    ),
    "intl_ord.asc": ("intl_ord_code", "soc_code"),
    "smq_list.asc": (
        "SMQ_code", "SMQ_name", "SMQ_level", "SMQ_description", "SMQ_source", "SMQ_note", "MedDRA_version", "status",
        "SMQ_algorithm",
    ),
    "smq_content.asc": (
        "SMQ_code", "Term_code", "Term_level", "Term_scope", "Term_category", "Term_weight", "Term_status",
        "Term_addition_version", "Term_last_modified_version",
    ),
}  # fmt: skip
"""The twelve files and the columns of each."""

SMQ, PT, LLT = "0", "4", "5"
"""What a row of smq_content is of (Term_level)."""

_NAMES: Final = frozenset({"llt_name", "pt_name", "hlt_name", "hlgt_name", "soc_name", "soc_abbrev", "SMQ_name"})
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "llt_currency": ("Y", "N"),
    "primary_soc_fg": ("Y", "N"),
    "SMQ_level": ("1", "2", "3", "4", "5"),
    "status": ("A", "I"),
    "Term_level": (SMQ, PT, LLT),
    "Term_scope": ("0", "1", "2"),
    "Term_status": ("A", "I"),
}
_UNMAPPED: Final = frozenset(_RANK)
_ONCE: Final[Mapping[str, tuple[tuple[int, ...], ...]]] = {
    **dict.fromkeys(("llt.asc", "pt.asc", "hlt.asc", "hlgt.asc", "soc.asc", "smq_list.asc"), ((0,),)),
    **dict.fromkeys(("hlt_pt.asc", "hlgt_hlt.asc", "soc_hlgt.asc"), ((0, 1),)),
    "mdhier.asc": ((0, 1, 2, 3),),
    "intl_ord.asc": ((0,), (1,)),
}
"""The columns that no two rows of a file have the same."""

_CODE: Final = re.compile(r"[0-9]{8}")
_ORDER: Final = re.compile(r"[0-9]{1,4}")

Rows: TypeAlias = list[list[str]]
Tables: TypeAlias = Mapping[str, Rows]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `line` counts from 1; None where it is about a whole file."""

    file: str
    line: int | None
    problem: str
    allowed: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{where}: {self.problem}; allowed is {self.allowed}"


class DistributionRefused(TocsinError):
    """A MedDRA distribution that is not whole or contradicts itself. Tells the first findings, and counts the rest."""

    exit_code: Final = 1

    def __init__(self, findings: Sequence[Finding], more: int = 0) -> None:
        said = [str(finding) for finding in findings]
        super().__init__("\n".join([*said, f"and {more} more"] if more else said))
        self.findings: Final = tuple(findings)
        self.more: Final = more


class Findings:
    """Collects what is wrong while the checks go on."""

    def __init__(self) -> None:
        self._told: list[Finding] = []
        self._more = 0

    def tell(self, file: str, line: int | None, problem: str, allowed: str) -> None:
        if len(self._told) < MOST_TOLD:
            self._told.append(Finding(file, line, problem, allowed))
        else:
            self._more += 1

    def refuse_if_any(self) -> None:
        """Raises DistributionRefused where something was found."""
        if self._told:
            raise DistributionRefused(self._told, self._more)


def rows_of(file: str, text: str, findings: Findings) -> Rows:
    """The rows of one file, its columns, codes, names and flags looked at. Line ends are single line feeds."""
    lines = text.rstrip("\n").split("\n") if text.strip("\n") else []
    if not lines:
        findings.tell(file, None, "no rows", "at least one")
    width = len(COLUMNS[file])
    rows: Rows = []
    crooked = False
    for number, line in enumerate(lines, 1):
        cells = line.split("$")
        if cells.pop() != "":
            findings.tell(file, number, 'does not end with "$"', f'"$" after each of the {width} columns')
            crooked = True
        elif len(cells) != width:
            findings.tell(file, number, f"{len(cells)} columns", str(width))
            crooked = True
        rows.append(cells)
    if not crooked and rows:
        _look_at_columns(file, rows, findings)
    return rows


def _look_at_columns(file: str, rows: Rows, findings: Findings) -> None:
    for name, column in zip(COLUMNS[file], zip(*rows, strict=True), strict=True):
        if (choices := _CHOICES.get(name)) is not None:
            for line in _where(column, set(choices).__contains__):
                findings.tell(file, line, f"{name} is {_shown(column[line - 1])}", " or ".join(choices))
        elif name in _NAMES:
            for line in _where(column, str.strip):
                findings.tell(file, line, f"{name} is empty", "a name")
        elif name == "intl_ord_code":
            for line in _where(column, _ORDER.fullmatch):
                findings.tell(file, line, f"{name} is {_shown(column[line - 1])}", "a number of at most 4 digits")
        elif name.lower().endswith("_code") and name not in _UNMAPPED:
            for line in _where(column, _CODE.fullmatch):
                findings.tell(file, line, f"{name} is {_shown(column[line - 1])}", "8 digits")
    for places in _ONCE.get(file, ()):
        _look_for_twins(file, rows, places, findings)


def _where(column: Sequence[str], is_right: Callable[[str], object]) -> Iterator[int]:
    """The lines of a column whose value is not right."""
    return (line for line, value in enumerate(column, 1) if not is_right(value))


def _look_for_twins(file: str, rows: Rows, places: tuple[int, ...], findings: Findings) -> None:
    keys = [tuple(row[place] for place in places) for row in rows]
    if len(set(keys)) == len(keys):
        return
    first: dict[tuple[str, ...], int] = {}
    for line, key in enumerate(keys, 1):
        if (before := first.setdefault(key, line)) != line:
            said = " and ".join(f"{COLUMNS[file][place]} {value}" for place, value in zip(places, key, strict=True))
            findings.tell(file, line, f"{said}: already in line {before}", "each once")


def look_at_llts(tables: Tables, findings: Findings) -> None:
    """Each lowest level term has a preferred term, and each preferred term is a lowest level term of its own."""
    pts = {row[0] for row in tables["pt.asc"]}
    for line, row in enumerate(tables["llt.asc"], 1):
        if row[2] not in pts:
            findings.tell("llt.asc", line, f"pt_code {row[2]} is not in pt.asc", "a code of pt.asc")
    llt_pt = {row[0]: row[2] for row in tables["llt.asc"]}
    for line, row in enumerate(tables["pt.asc"], 1):
        if llt_pt.get(row[0]) != row[0]:
            allowed = "a row of llt.asc that has it as llt_code and as pt_code"
            findings.tell("pt.asc", line, f"the PT {row[0]} is not an LLT of its own", allowed)


def look_at_links(tables: Tables, findings: Findings) -> None:
    """Every step of a path is a link, and every link is a step of a path. Names are the same wherever they stand."""
    named = {
        level: {row[0]: row[1] for row in tables[f"{level}.asc"]} for level in ("pt", "hlt", "hlgt", "soc")
    }  # fmt: skip
    paths = tables["mdhier.asc"]
    for place, (level, names) in enumerate(named.items()):
        for line, row in enumerate(paths, 1):
            name = names.get(row[place])
            if name is None:
                problem = f"{level}_code {row[place]} is not in {level}.asc"
                findings.tell("mdhier.asc", line, problem, f"a code of {level}.asc")
            elif name != row[place + 4]:
                problem = f"{level}_name is {_shown(row[place + 4])}, in {level}.asc it is {_shown(name)}"
                findings.tell("mdhier.asc", line, problem, f"the name of {row[place]} in {level}.asc")
    abbreviations = {row[0]: row[2] for row in tables["soc.asc"]}
    for line, row in enumerate(paths, 1):
        if (short := abbreviations.get(row[3], row[8])) != row[8]:
            problem = f"soc_abbrev is {_shown(row[8])}, in soc.asc it is {_shown(short)}"
            findings.tell("mdhier.asc", line, problem, f"the abbreviation of {row[3]} in soc.asc")
    for lower, file in enumerate(("hlt_pt.asc", "hlgt_hlt.asc", "soc_hlgt.asc")):
        over, under = COLUMNS[file]
        links = {(row[0], row[1]) for row in tables[file]}
        steps = {(row[lower + 1], row[lower]) for row in paths}
        if links == steps:
            continue
        for line, row in enumerate(paths, 1):
            if (row[lower + 1], row[lower]) not in links:
                problem = f"{over} {row[lower + 1]} with {under} {row[lower]} is not in {file}"
                findings.tell("mdhier.asc", line, problem, f"a pair of {file}")
        for line, row in enumerate(tables[file], 1):
            if (row[0], row[1]) not in steps:
                problem = f"{over} {row[0]} with {under} {row[1]} is not in mdhier.asc"
                findings.tell(file, line, problem, "a pair of mdhier.asc")


def look_at_primary_paths(tables: Tables, findings: Findings) -> None:
    """Each preferred term has exactly one primary path, and it leads to the class that pt.asc names."""
    socs = {row[0] for row in tables["soc.asc"]}
    pt_soc = {row[0]: row[3] for row in tables["pt.asc"]}
    first: dict[str, int] = {}
    for line, row in enumerate(tables["mdhier.asc"], 1):
        soc = pt_soc.get(row[0], row[10])
        if row[10] != soc:
            problem = f"pt_soc_code is {row[10]}, in pt.asc it is {soc}"
            findings.tell("mdhier.asc", line, problem, f"the pt_soc_code of {row[0]} in pt.asc")
        if row[11] != "Y":
            continue
        if (before := first.setdefault(row[0], line)) != line:
            problem = f"the PT {row[0]} has a second primary path, the first is in line {before}"
            findings.tell("mdhier.asc", line, problem, "one")
        elif row[3] != row[10]:
            problem = f"the primary path of the PT {row[0]} leads to the SOC {row[3]}, pt_soc_code is {row[10]}"
            findings.tell("mdhier.asc", line, problem, "a path to pt_soc_code")
    for line, row in enumerate(tables["pt.asc"], 1):
        if row[3] not in socs:
            findings.tell("pt.asc", line, f"pt_soc_code {row[3]} is not in soc.asc", "a code of soc.asc")
        if row[0] not in first:
            findings.tell("pt.asc", line, f"the PT {row[0]} has no primary path in mdhier.asc", "one")


def look_at_order(tables: Tables, findings: Findings) -> None:
    """The international order has each class once. (Twice is seen with the codes.)"""
    socs = {row[0] for row in tables["soc.asc"]}
    ordered = {row[1] for row in tables["intl_ord.asc"]}
    for line, row in enumerate(tables["intl_ord.asc"], 1):
        if row[1] not in socs:
            findings.tell("intl_ord.asc", line, f"soc_code {row[1]} is not in soc.asc", "a code of soc.asc")
    for line, row in enumerate(tables["soc.asc"], 1):
        if row[0] not in ordered:
            findings.tell("soc.asc", line, f"the SOC {row[0]} is not in intl_ord.asc", "each SOC once in intl_ord.asc")


def look_at_smqs(tables: Tables, findings: Findings) -> None:
    """What a standardised query holds is there. A term that is no longer active may have become an LLT meanwhile."""
    smqs = {row[0] for row in tables["smq_list.asc"]}
    llts = {row[0] for row in tables["llt.asc"]}
    pts = {row[0] for row in tables["pt.asc"]}
    homes = {SMQ: (smqs, "smq_list.asc"), PT: (pts, "pt.asc"), LLT: (llts, "llt.asc")}
    for line, row in enumerate(tables["smq_content.asc"], 1):
        smq, code, level, scope = row[:4]
        if smq not in smqs:
            problem = f"SMQ_code {smq} is not in smq_list.asc"
            findings.tell("smq_content.asc", line, problem, "a code of smq_list.asc")
        codes, file = homes[LLT] if level == PT and row[6] == "I" else homes[level]
        if code not in codes:
            problem = f"Term_code {code} with Term_level {level} is not in {file}"
            findings.tell("smq_content.asc", line, problem, f"a code of {file}")
        if scope == "0" and level != SMQ:
            problem = f"Term_scope is 0 with Term_level {level}"
            findings.tell("smq_content.asc", line, problem, "1 or 2; 0 is for a child SMQ, Term_level 0")


CHECKS: Final = (look_at_llts, look_at_links, look_at_primary_paths, look_at_order, look_at_smqs)
"""What is held between the tables, once each has its form."""


def _shown(value: str) -> str:
    return f'"{value}"' if len(value) <= 60 else f'"{value[:59]}…"'
