"""The tables of bands from the reference: v5.0 derived row by row, v6.0 carried over where its text is the same.

`derive_v5` reads `$TOCSIN_REFERENCE/ctcae/lab_thresholds.csv`. Where the printed text cannot be applied to every number
as it stands, one of `READINGS` says what is read instead and why; a reading whose row has changed is refused.
`carry_v6` writes the rows of `HAND_KEPT` as they are in `ctcae_v6_bands.csv`, entered by hand from NCI's workbook of
v6.0, and takes every other term from v5.0. `python -m tocsin.criteria.build` calls both.

How the text is read, and the words of the reference, are in `readings`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tocsin.criteria.bands import ANY_UNIT, COLUMNS, FILES, parse_bands
from tocsin.criteria.readings import (
    ABOVE_IS_ABNORMAL,
    ADDED,
    ANALYTES,
    BASES,
    BELOW_IS_ABNORMAL,
    ENDS,
    EXPLAINS,
    HAND_KEPT,
    LOW,
    NEEDS,
    NONE,
    READINGS,
    UNITS,
    Reading,
)
from tocsin.criteria.terms import CriteriaError, load_terms

SOURCE: Final = "lab_thresholds.csv"

_Cells = dict[str, str]


def derive_v5(reference: Path) -> bytes:
    """The table of v5.0 as the reference and the readings give it. Raises CriteriaError, or OSError."""
    source = reference / "ctcae" / SOURCE
    with source.open(encoding="utf-8-sig", newline="") as lines:
        printed = list(csv.DictReader(lines, strict=True))
    unused = set(READINGS)
    rows = [
        _derive(row, unused, f"{source}, line {line}")
        for line, row in enumerate(printed, start=2)
        # A power of ten is converted by the rule; only what is printed is kept.
        if not row["notes"].startswith("unit conversion")
    ]
    if unused:
        raise CriteriaError(f"{source}: no row has what is read otherwise: {min(unused, key=str)}.")
    rows += [dict(zip(COLUMNS, text.split(","), strict=True)) for text in ADDED]
    raw = _table(_explained(_in_order(rows, "5.0"), "5.0"))
    parse_bands(raw, file=FILES["5.0"], version="5.0")
    return raw


def carry_v6(v5: bytes, v6: bytes) -> bytes:
    """The table of v6.0: the rows of HAND_KEPT from `v6` as it stands, every other term that still exists from v5.0."""
    codes = {term.code: term.name for term in load_terms("6.0")}
    carried = [row for row in _rows(v5) if row["code"] in codes and row["code"] not in HAND_KEPT]
    for row in carried:
        row["term"] = codes[row["code"]]
    kept = [row for row in _rows(v6) if row["code"] in HAND_KEPT]
    raw = _table(_in_order([*carried, *kept], "6.0"))
    parse_bands(raw, file=FILES["6.0"], version="6.0")
    return raw


def _derive(row: _Cells, unused: set[Reading], where: str) -> _Cells:
    code, grade = row["meddra_code"], row["grade"]
    if row["analyte"] == "Composite" or not (row["lower"] or row["upper"]):
        return _clinical(row)
    cells = {
        "term": row["term"],
        "code": code,
        "direction": _direction(code),
        "analyte": _known(ANALYTES, row["analyte"], where),
        "unit": UNITS.get(row["unit"], row["unit"]),
        "grade": grade,
        "also": "",
        "baseline": (BELOW_IS_ABNORMAL if code in LOW else ABOVE_IS_ABNORMAL).get(row["baseline_condition"], "any"),
        "needs": _needs(row),
        "explains": "",
    }
    for side in ("lower", "upper"):
        cells[side] = f"{row[f'{side}_op']} {row[side]}".strip()
        cells[f"{side}_basis"] = BASES.get(row[f"{side}_basis"], row[f"{side}_basis"])
    if cells["lower_basis"] == "xULN" and code == "10014950":
        cells["also"] = "> 1 xbaseline"
    if row["lower_basis"] == "assay_cutoff" or row["upper_basis"] == "assay_cutoff":
        cells["lower"], cells["lower_basis"] = "> 1", "xULN"
        cells["upper"] = cells["upper_basis"] = ""
        cells["needs"] = "infarction_level=" + ("yes" if row["lower_basis"] == "assay_cutoff" else "no")
    for reading in READINGS:
        side = reading.side
        if (reading.code, reading.grade, reading.printed) == (code, grade, cells[side]):
            if not reading.printed and cells["baseline"] == "not_below_LLN":
                continue
            other = cells["upper_basis"] if side == "lower" else cells["lower_basis"]
            cells[side], cells[f"{side}_basis"] = reading.read, cells[f"{side}_basis"] or other
            cells["explains"] = "reading"
            unused.discard(reading)
    bases = {cells["lower_basis"], cells["upper_basis"]} - {""}
    if bases <= {"xULN", "xLLN", "xbaseline", "pct_decrease", "pct_increase"}:
        cells["unit"] = ANY_UNIT
    return cells


def _clinical(row: _Cells) -> _Cells:
    analyte = ANALYTES.get(row["analyte"], "oxygen_need")
    cells = dict.fromkeys(COLUMNS, "")
    code = row["meddra_code"]
    return cells | {
        "term": row["term"],
        "code": code,
        "direction": _direction(code),
        "analyte": analyte,
        "unit": ANY_UNIT,
        "grade": row["grade"],
        "baseline": "any",
        "explains": "clinical_only",
    }


def _direction(code: str) -> str:
    return "none" if code in NONE else "low" if code in LOW else "high"


def _known(names: dict[str, str], text: str, where: str) -> str:
    if text not in names:
        raise CriteriaError(f'{where}: analyte is "{text}"; allowed are {", ".join(names)}.')
    return names[text]


def _needs(row: _Cells) -> str:
    code, grade = row["meddra_code"], row["grade"]
    needs = [NEEDS[code, row["qualifier"]]] if (code, row["qualifier"]) in NEEDS else []
    if row["group"] in ("adult", "pediatric"):
        needs.append("adult=" + ("yes" if row["group"] == "adult" else "no"))
    match code:
        case "10016288":
            needs.append("febrile=yes")
        case "10052015":
            needs.append("hypoxia=yes")
        case "10020772" if grade == "2":
            needs.append("previously_normal=yes")
        case "10022402":
            needs.append("anticoagulated=" + ("yes" if row["baseline_condition"] == "on_anticoagulation" else "no"))
    return ";".join(needs)


def _explained(rows: list[_Cells], version: str) -> Iterator[_Cells]:
    """The rows with the reasons for missing grades, once for each ladder, on its first row."""
    grades = {term.code: term.grades for term in load_terms(version)}
    numbered: dict[str, set[str]] = {}
    ladders: dict[tuple[str, ...], set[str]] = {}
    for row in rows:
        if "clinical_only" not in row["explains"]:
            numbered.setdefault(row["code"], set()).add(row["grade"])
            ladders.setdefault(_ladder(row), set()).add(row["grade"])
    seen = set()
    for row in rows:
        ladder = _ladder(row)
        if ladder in ladders and ladder not in seen:
            seen.add(ladder)
            words = [row["explains"], _begins(row)]
            for grade in sorted(set("1234") - ladders[ladder]):
                exists = int(grade) in grades[row["code"]]
                other = "other_way" if grade in numbered[row["code"]] else "clinical"
                words.append(f"{other if exists else 'no'}_grade_{grade}")
            words.append("ends_at_number" if (row["code"], row["analyte"]) in ENDS else "")
            row["explains"] = ";".join(dict.fromkeys(";".join(filter(None, words)).split(";")))
        yield row


def _begins(row: _Cells) -> str:
    word = EXPLAINS.get(row["code"], "")
    if word.startswith("below_"):
        return word if row["baseline"] == "above_ULN" else ""
    return word if row["lower"] not in ("> 1", ">= 1", "> 0") and row["upper_basis"] != "xLLN" else ""


def _ladder(row: _Cells) -> tuple[str, ...]:
    changes = ("xbaseline", "increase", "decrease", "pct_increase", "pct_decrease")
    is_change = row["lower_basis"] in changes or row["upper_basis"] in changes
    return row["code"], row["analyte"], row["unit"], row["baseline"], str(is_change), row["also"]


def _in_order(rows: Iterable[_Cells], version: str) -> list[_Cells]:
    """By term as published; within a term by ladder as first met, then by grade as given."""
    places = {term.code: place for place, term in enumerate(load_terms(version))}
    rows = list(rows)
    first: dict[tuple[str, ...], int] = {}
    for place, row in enumerate(rows):
        first.setdefault(_ladder(row), place)
    return sorted(rows, key=lambda row: (places[row["code"]], first[_ladder(row)], row["grade"]))


def _rows(raw: bytes) -> list[_Cells]:
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8"), newline=""), strict=True))


def _table(rows: Iterable[_Cells]) -> bytes:
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row[column] for column in COLUMNS] for row in rows)
    return table.getvalue().encode("utf-8")
