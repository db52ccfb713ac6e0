"""The tables of bands: what they hold, that a wrong one is refused, and that they say what the publication says."""

from __future__ import annotations

import csv
import os
import re
import zipfile
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tocsin.criteria import CriteriaError, load_lab_criteria
from tocsin.criteria.bands import COLUMNS, FILES, parse_bands
from tocsin.criteria.build import HERE
from tocsin.criteria.build_bands import carry_v6, derive_v5
from tocsin.criteria.readings import HAND_KEPT
from tocsin.domain.bands import Direction

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / os.environ.get("TOCSIN_REFERENCE", "../shared/reference")).resolve()
HEADER = ",".join(COLUMNS) + "\n"

_SODIUM = "Hyponatremia,10021038,low,sodium,mmol/L"
GOOD = [
    f"{_SODIUM},1,>= 130,absolute,< 1,xLLN,,any,,",
    f"{_SODIUM},2,>= 125,absolute,< 130,absolute,,any,symptomatic=no,",
    f"{_SODIUM},3,>= 125,absolute,< 130,absolute,,any,symptomatic=yes,",
    f"{_SODIUM},3,>= 120,absolute,< 125,absolute,,any,,",
    f"{_SODIUM},4,,,< 120,absolute,,any,,",
]


def _table(rows: list[str]) -> bytes:
    return (HEADER + "\n".join(rows) + "\n").encode()


@pytest.mark.rule("grading: criteria are checked when they are read")
def test_a_good_table_is_read() -> None:
    criteria = parse_bands(_table(GOOD), file="b.csv", version="5.0")
    assert len(criteria.of("Hyponatremia").bands) == 5
    assert criteria.main("sodium", Direction.LOW) is criteria.of("10021038")
    assert criteria.main("sodium", Direction.HIGH) is None


@pytest.mark.rule("grading: criteria are checked when they are read")
@pytest.mark.parametrize(
    ("row", "was", "becomes", "said"),
    [
        (1, "Hyponatremia", "Hyponatraemia", r'b\.csv, line 2: this edition has no term "Hyponatraemia"'),
        (1, "10021038", "10021018", r'line 2: code is "10021018"; that of "Hyponatremia" is 10021038'),
        (1, ",low,", ",down,", r'line 2: direction is "down"; allowed are low, high, none'),
        (2, ",low,", ",high,", r'line 3: direction is "high"; "Hyponatremia" was low'),
        (1, "sodium", "natrium", r'line 2: analyte is "natrium"; it is not in the table of analytes'),
        (1, "mmol/L", "mol", r'line 2: unit is "mol", which is no unit of ours'),
        (1, "mmol/L", "mg/dL", r'line 2: unit is "mg/dL"; sodium has mmol/L, meq/L'),
        (1, "mmol/L", "any", r'line 2: unit is "any", but a bound has a unit'),
        (1, ",1,", ",6,", r'line 2: grade is "6"; "Hyponatremia" has 1, 2, 3, 4'),
        (1, ">= 130", "=> 130", r'line 2: lower is "=> 130"; allowed is <, <=, > or >='),
        (1, ">= 130", "< 130", r'line 2: lower has "<"; allowed are > and >='),
        (1, "xLLN", "xLIN", r'line 2: upper_basis is "xLIN"; allowed are absolute, xULN'),
        (1, "any,,", "sometimes,,", r'line 2: baseline is "sometimes"; allowed are any'),
        (2, "symptomatic=no", "symptomatic=maybe", r'line 3: needs has "symptomatic=maybe"'),
        (2, "symptomatic=no", "sad=no", r'line 3: needs is "sad"; allowed are adult'),
        (1, "any,,", "any,,because", r'line 2: explains is "because"; allowed are no_grade_1'),
        (1, "any,,", "any,,no_grade_2", r'line 2: explains is "no_grade_2", but "Hyponatremia" has that grade'),
        (1, "any,,", "any,,clinical_only", r"line 2: explains is clinical_only, but the row has bounds"),
        (4, ">= 120", ">= 121", r"line 6: the band of grade 4 leaves a gap to that of line 5"),
        (4, "< 125", "< 126", r"line 5: the band of grade 3 overlaps that of line 4"),
        (4, "< 125", "<= 125", r"line 5: the band of grade 3 overlaps that of line 4"),
        (4, ">= 120", "> 120", r"line 6: the band of grade 4 leaves a gap to that of line 5"),
        (1, "< 1,xLLN", "< 140,absolute", r"line 2: the mildest band does not begin at the limit of normal"),
        (5, ",,,< 120", ",>= 90,absolute,< 120", r"line 6: the worst band ends at a number"),
        (5, ",4,,,< 120,absolute", ",4,,,,", r"line 6: has no bound"),
        (5, ",,any,,", ",,any,,,", r"line 6: has 15 cells; allowed is 14"),
    ],
)
def test_a_wrong_table_is_refused_with_file_and_line(row: int, was: str, becomes: str, said: str) -> None:
    rows = list(GOOD)
    assert was in rows[row - 1]
    rows[row - 1] = rows[row - 1].replace(was, becomes, 1)
    with pytest.raises(CriteriaError, match=said):
        parse_bands(_table(rows), file="b.csv", version="5.0")


@pytest.mark.rule("grading: criteria are checked when they are read")
@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (GOOD[:-1], r'line 2: "Hyponatremia" has no band of grade 4 here; explains has to hold clinical_grade_4 or'),
        ([*GOOD, GOOD[4]], r"line 7: the band of grade 4 overlaps that of line 6"),
        ([], r"b\.csv: holds no bands"),
        (
            ["Leukocytosis,10024378,high,leukocytes,10*9/L,3,> 100,absolute,,,,any,,no_grade_1;starts_at_number"],
            r'line 2: "Leukocytosis" has no band of grade 2 here; explains has to hold no_grade_2',
        ),
        (
            [*GOOD, "Hypernatremia,10020680,low,sodium,mmol/L,1,,,< 1,xLLN,,any,,clinical_grade_2"],
            r'line 7: "Hypernatremia" has no band of grade 3',
        ),
        (
            [
                *GOOD,
                "Hypernatremia,10020680,low,sodium,mmol/L,1,,,< 1,xLLN,,any,,"
                "clinical_grade_2;clinical_grade_3;clinical_grade_4",
            ],
            r'line 7: the main term of sodium, low, is already "Hyponatremia"',
        ),
    ],
)
def test_what_is_missing_or_doubled_is_refused(rows: list[str], said: str) -> None:
    with pytest.raises(CriteriaError, match=said):
        parse_bands(_table(rows) if rows else HEADER.encode(), file="b.csv", version="5.0")


@pytest.mark.rule("grading: criteria are checked when they are read")
def test_another_header_or_edition_is_refused() -> None:
    with pytest.raises(CriteriaError, match=r"b\.csv, line 1: the columns are term,code; allowed is term,code,"):
        parse_bands(b"term,code\n", file="b.csv", version="5.0")
    with pytest.raises(CriteriaError, match=r'"4\.03" is not known; known are 5\.0, 6\.0'):
        load_lab_criteria("4.03")


@pytest.mark.rule("grading: criteria are checked when they are read", "grading: editions never mix")
@pytest.mark.parametrize(("version", "terms", "rows"), [("5.0", 67, 333), ("6.0", 67, 331)])
def test_every_term_with_numbers_is_there(version: str, terms: int, rows: int) -> None:
    criteria = load_lab_criteria(version)
    assert len(criteria.criteria) == terms
    assert len(_cells(version)) == rows
    assert {criterion.edition for criterion in criteria.criteria} == {version}


def test_a_term_of_one_edition_is_not_in_the_other() -> None:
    with pytest.raises(KeyError, match=r"Thrombocytopenia has no numbers in CTCAE v5\.0"):
        load_lab_criteria("5.0").of("Thrombocytopenia")
    with pytest.raises(KeyError, match=r"10035528 has no numbers in CTCAE v6\.0"):
        load_lab_criteria("6.0").of("10035528")


def _cells(version: str) -> list[dict[str, str]]:
    with (HERE / FILES[version]).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _reference(name: str) -> Path:
    return REFERENCE / "ctcae" / name


@pytest.mark.reference
def test_the_tables_are_what_the_reference_and_the_readings_give() -> None:
    v5 = derive_v5(REFERENCE)
    assert v5 == (HERE / FILES["5.0"]).read_bytes()
    v6 = (HERE / FILES["6.0"]).read_bytes()
    assert carry_v6(v5, v6) == v6


_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def _texts(workbook: Path, title: str) -> dict[str, tuple[str, ...]]:
    """By code: the texts of grades 1 to 4 in one sheet of a workbook of NCI."""
    with zipfile.ZipFile(workbook) as parts:
        names = [
            sheet.attrib["name"]
            for sheet in ElementTree.fromstring(parts.read("xl/workbook.xml")).iter(f"{_SHEET}sheet")
        ]
        shared = [
            "".join(text.text or "" for text in item.iter(f"{_SHEET}t"))
            for item in ElementTree.fromstring(parts.read("xl/sharedStrings.xml")).iter(f"{_SHEET}si")
        ]
        sheet = ElementTree.fromstring(parts.read(f"xl/worksheets/sheet{names.index(title) + 1}.xml"))
    found = {}
    for row in sheet.iter(f"{_SHEET}row"):
        cells = {}
        for cell in row.iter(f"{_SHEET}c"):
            value = cell.findtext(f"{_SHEET}v") or ""
            column = re.sub(r"[0-9]", "", cell.attrib["r"])
            cells[column] = shared[int(value)] if cell.attrib.get("t") == "s" else value
        found[cells.get("A", "").removesuffix(".0")] = tuple(_spaced(cells.get(column, "")) for column in "DEFG")
    return found


def _spaced(text: str) -> str:
    return re.sub(r"\s+", "", text.replace("\xa0", " ")).replace("10e9/L", "10^9/L").replace("≥", ">=")


def _figures(text: str) -> set[float]:
    """Every number of a text. The thousands of "1,500" belong to their number."""
    return {
        float(figure) for figure in re.findall(r"[0-9]+(?:\.[0-9]+)?", re.sub(r"(?<=[0-9]),(?=[0-9]{3})", "", text))
    }


@pytest.mark.reference
@pytest.mark.rule("grading: criteria are checked when they are read", "grading: editions never mix")
def test_every_number_of_the_later_edition_is_in_its_text_or_is_a_reading() -> None:
    texts = _texts(_reference("ctcae-v6.0.xlsx"), "CTCAE v6.0 Clean Copy")
    odd = []
    for row in _cells("6.0"):
        text = texts[row["code"]]
        there = _figures(text[int(row["grade"]) - 1])
        for side in ("lower", "upper"):
            number = float(row[side].split()[1]) if row[side] else None
            is_limit = number in (0.0, 1.0) and row[f"{side}_basis"] != "absolute"
            if number is not None and not is_limit and abs(number) not in there and "reading" not in row["explains"]:
                odd.append((row["term"], row["grade"], row[side]))
    assert odd == []


@pytest.mark.reference
@pytest.mark.rule("grading: editions never mix")
def test_what_is_carried_over_has_the_same_figures_in_both_editions() -> None:
    before = _texts(_reference("CTCAE_v5.0_2017-11-27.xlsx"), "CTCAE v5.0 Clean Copy")
    after = _texts(_reference("ctcae-v6.0.xlsx"), "CTCAE v6.0 Clean Copy")
    rows = defaultdict(list)
    for row in _cells("6.0"):
        rows[row["code"]].append(row)
    carried = set(rows) - HAND_KEPT
    differing = {code for code in carried if [_figures(t) for t in before[code]] != [_figures(t) for t in after[code]]}
    assert len(carried) == 37
    assert differing == set()
    changed = {code for code in set(rows) & HAND_KEPT if code in before and before[code] == after[code]}
    assert changed == set(), "entered by hand although the text did not change"
