"""NCI's workbook read as published, and a file that is none, or a hostile one, refused."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from html import escape
from pathlib import Path

import pytest

from tests.support.environment import reference_folder
from tocsin.criteria import CriteriaError, load_terms, workbook
from tocsin.criteria.workbook import read_workbook

HEADINGS = ("MedDRA Code", "MedDRA SOC", "CTCAE Term", *(f"Grade {n} \xa0" for n in range(1, 6)), "Definition")
SHEET = "CTCAE v5.0 Clean Copy"

Rows = list[list[str]]


def whole() -> Rows:
    """Every term of v5.0 with words of our own."""
    return [
        list(HEADINGS),
        *(
            [
                each.code,
                each.soc,
                each.name,
                *(f"Text {n}" if n in each.grades else "-" for n in range(1, 6)),
                "What it is",
            ]
            for each in load_terms("5.0")
        ),
    ]


def parts(rows: Rows, sheet: str = SHEET) -> dict[str, str]:
    """The parts of a workbook: the first column shared texts and numbers, the others in place."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relation = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    lines = []
    for number, row in enumerate(rows, 1):
        cells = "".join(
            f'<c r="{chr(65 + at)}{number}"><v>{text}</v></c>'
            if text.isdecimal()
            else f'<c r="{chr(65 + at)}{number}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'
            for at, text in enumerate(row)
        )
        lines.append(f'<row r="{number}">{cells}</row>')
    return {
        "xl/workbook.xml": f'<workbook {main} {relation}><sheets><sheet name="{sheet}" r:id="rId1"/></sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{''.join(lines)}</sheetData></worksheet>",
    }


def write(path: Path, its: dict[str, str] | dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in its.items():
            archive.writestr(name, text)
    return path


def refused(path: Path) -> str:
    with pytest.raises(CriteriaError) as told:
        read_workbook(path)
    return str(told.value)


def test_a_workbook_is_read_with_its_texts_and_without_the_grades_that_are_not(tmp_path: Path) -> None:
    book = read_workbook(write(tmp_path / "a.xlsx", parts(whole())))
    assert (book.edition, len(book.rows)) == ("5.0", 837)
    first = book.rows[0]
    assert (first.row, first.code, first.term, first.definition) == (2, "10002272", "Anemia", "What it is")
    assert dict(first.grades) == {n: f"Text {n}" for n in range(1, 6)}
    assert {row.code: frozenset(row.grades) for row in book.rows} == {t.code: t.grades for t in load_terms("5.0")}


def test_shared_texts_are_joined_from_their_runs_and_phonetic_hints_left_out(tmp_path: Path) -> None:
    its = parts(whole())
    its["xl/sharedStrings.xml"] = (
        "<sst><si><r><t>What </t></r><r><t>  it\xa0is&amp;</t></r><rPh><t>hint</t></rPh></si></sst>"
    )
    cell = '<c r="I2" t="inlineStr"><is><t>What it is</t></is></c>'
    assert cell in its["xl/worksheets/sheet1.xml"]
    its["xl/worksheets/sheet1.xml"] = its["xl/worksheets/sheet1.xml"].replace(cell, '<c r="I2" t="s"><v>0</v></c>')
    assert read_workbook(write(tmp_path / "a.xlsx", its)).rows[0].definition == "What it is&"
    its["xl/worksheets/sheet1.xml"] = its["xl/worksheets/sheet1.xml"].replace("<v>0</v></c>", "<v>1</v></c>", 1)
    assert refused(write(tmp_path / "b.xlsx", its)) == (
        f"b.xlsx, sheet {SHEET}, row 2: a cell names a text that is not there."
    )


def _set(row: int, column: int, text: str) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows[row][column] = text

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_set(0, 3, "Mild"), ', row 1: has 0 columns "Grade 1"; allowed is one.'),
        (_set(1, 0, "10000000"), ', row 2: the code is "10000000"; allowed are those of CTCAE 5.0.'),
        (_set(1, 2, "Anaemia"), ', row 2: the term is "Anaemia"; that of 10002272 is "Anemia".'),
        (_set(1, 7, "-"), ", row 2: has the grades 1, 2, 3, 4; Anemia has 1, 2, 3, 4, 5."),
        (lambda rows: rows.append(rows[1]), ", row 839: the code 10002272 was already on row 2."),
        (lambda rows: rows.pop(1), ": lacks 1 of 837 terms; the first is Anemia."),
        (lambda rows: rows.clear(), ', row 1: has 0 columns "MedDRA Code"; allowed is one.'),
    ],
)
def test_what_differs_from_the_terms_is_refused_with_sheet_and_row(
    tmp_path: Path, change: Callable[[Rows], None], told: str
) -> None:
    rows = whole()
    change(rows)
    assert refused(write(tmp_path / "a.xlsx", parts(rows))) == f"a.xlsx, sheet {SHEET}{told}"


def test_another_sheet_is_refused_with_those_that_are_allowed(tmp_path: Path) -> None:
    assert refused(write(tmp_path / "a.xlsx", parts(whole(), "Sheet1"))) == (
        'a.xlsx: has the sheets "Sheet1"; allowed is one of CTCAE v5.0 Clean Copy, CTCAE v6.0 Clean Copy.'
    )


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"])
def test_a_part_that_is_not_there_or_cut_off_is_refused(tmp_path: Path, part: str) -> None:
    its = parts(whole())
    cut = its | {part: its[part][: len(its[part]) // 2]}
    assert re.match(rf"cut\.xlsx, {part}: is not readable as XML \(", refused(write(tmp_path / "cut.xlsx", cut)))
    del its[part]
    assert refused(write(tmp_path / "lacks.xlsx", its)) == f"lacks.xlsx: lacks the part {part}."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_before_an_entity_is_declared(tmp_path: Path, encoding: str) -> None:
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE workbook [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]>'
        "<workbook>&b;</workbook>"
    )
    its = {name: each.encode() for name, each in parts(whole()).items()} | {"xl/workbook.xml": text.encode(encoding)}
    assert refused(write(tmp_path / "a.xlsx", its)) == (
        "a.xlsx, xl/workbook.xml: is not readable as XML (a document type is not allowed)."
    )


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "LARGEST", 1 << 20)
    its = parts(whole())
    its["xl/worksheets/sheet1.xml"] += " " * (2 << 20)
    path = write(tmp_path / "a.xlsx", its)
    assert path.stat().st_size < 200_000
    assert refused(path) == "a.xlsx: unpacks to more than 1 MiB."


def test_too_many_rows_are_refused(tmp_path: Path) -> None:
    assert (
        refused(write(tmp_path / "a.xlsx", parts([[""]] * 5001))) == f"a.xlsx, sheet {SHEET}: has more than 5000 rows."
    )


def test_a_file_that_is_no_zip_or_is_damaged_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"code,term\n")
    assert refused(tmp_path / "a.xlsx").startswith("a.xlsx: is no readable .xlsx file (")
    good = write(tmp_path / "b.xlsx", parts(whole())).read_bytes()
    (tmp_path / "cut.xlsx").write_bytes(good[: len(good) // 2])
    assert refused(tmp_path / "cut.xlsx").startswith("cut.xlsx: is no readable .xlsx file (")
    (tmp_path / "bent.xlsx").write_bytes(_bent(good))
    assert refused(tmp_path / "bent.xlsx").startswith("bent.xlsx")


def _bent(good: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        at = archive.getinfo("xl/worksheets/sheet1.xml").header_offset + 2_000
    return good[:at] + bytes(64) + good[at + 64 :]


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "edition", "terms", "texts"),
    [("CTCAE_v5.0_2017-11-27.xlsx", "5.0", 837, 3185), ("ctcae-v6.0.xlsx", "6.0", 850, 3235)],
)
def test_the_workbooks_of_nci_are_read_whole(name: str, edition: str, terms: int, texts: int) -> None:
    book = read_workbook(reference_folder() / "ctcae" / name)
    assert (book.edition, len(book.rows)) == (edition, terms)
    assert sum(len(row.grades) for row in book.rows) == texts
    assert {row.grades[5] for row in book.rows if 5 in row.grades} == {"Death"}
