"""`tocsin grade labs`: a laboratory data set in, the same rows with their grades out."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from meddra_coder import lab_source
from standalone.__main__ import app
from tests.standalone.transport_file import transport_file

HEADER = "USUBJID,LBTESTCD,LBSTRESN,LBSTRESU,LBSTNRLO,LBSTNRHI,LBBLFL,NOTE"
ROWS = (
    "S-1,HGB,95,g/L,120,160,,kept as it is\n"
    "S-1,ALT,30,U/L,5,40,Y,\n"
    'S-1,ALT,250,U/L,5,40,,"a, b"\n'
    "S-1,ANISO,,,,,,\n"
    "S-1,PLAT,,GI/L,150,400,,\n"
)
ADDED = ["low_term", "low_grade", "high_term", "high_grade", "reason"]
ALT = "Alanine aminotransferase increased"


def labs(*words: str) -> Result:
    return CliRunner().invoke(app, ["grade", "labs", *words])


def through(folder: Path, text: str, *more: str) -> tuple[Result, list[dict[str, str]]]:
    (folder / "lb.csv").write_bytes(text.encode())
    told = labs(str(folder / "lb.csv"), "--out", str(folder / "out.csv"), *more)
    return told, read(folder / "out.csv") if (folder / "out.csv").exists() else []


def read(path: Path) -> list[dict[str, str]]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(text.decode().splitlines()))


def test_a_file_comes_back_whole_with_the_grades_beside_it(tmp_path: Path) -> None:
    told, rows = through(tmp_path, f"{HEADER}\n{ROWS}")
    assert told.exit_code == 0, told.output
    assert (tmp_path / "out.csv").read_text("utf-8").splitlines() == [
        f"{HEADER},{','.join(ADDED)}",
        "S-1,HGB,95,g/L,120,160,,kept as it is,Anemia,2,Hemoglobin increased,0,",
        f"S-1,ALT,30,U/L,5,40,Y,,,,{ALT},0,",
        f'S-1,ALT,250,U/L,5,40,,"a, b",,,{ALT},3,',
        "S-1,ANISO,,,,,,,,,,,the test is not one that is known here for this specimen",
        "S-1,PLAT,,GI/L,150,400,,,Platelet count decreased,,,,there is no result",
    ]
    assert len(rows) == 5


def test_the_summary_says_what_was_graded_and_what_each_other_row_lacks(tmp_path: Path) -> None:
    told, _ = through(tmp_path, f"{HEADER}\n{ROWS}")
    said = " ".join(told.output.replace("│", " ").split())
    assert f"5 rows to {tmp_path / 'out.csv'}: 3 graded by CTCAE v5.0" in told.output.replace("\n", "")
    assert "Anemia 1" in said
    assert "there is no result 1" in said
    assert "the test is not one that is known here for this specimen 1" in said
    assert "not in the file: LBTEST, LBCAT, LBSCAT, LBSPEC" in said
    for part in ("reading", "grading", "writing"):
        assert f"{part}: " in said
    document = json.loads(through(tmp_path, f"{HEADER}\n{ROWS}", "--json")[0].stdout)
    assert (document["ctcae"], document["rows"], document["graded"]) == ("5.0", 5, 3)
    assert document["grades"][ALT] == {"0": 1, "1": 0, "2": 0, "3": 1, "4": 0, "5": 0}
    assert document["lacking"] == {
        "the test is not one that is known here for this specimen": 1,
        "there is no result": 1,
    }
    assert list(document["rows_per_second"]) == ["reading", "grading", "writing"]


def test_the_version_of_ctcae_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    row = f"{HEADER}\nS-1,PLAT,20,GI/L,150,400,,\n"
    assert [(r["low_term"], r["low_grade"]) for r in through(tmp_path, row)[1]] == [("Platelet count decreased", "4")]
    told, rows = through(tmp_path, row, "--ctcae", "6.0")
    assert rows[0]["low_term"] == "Thrombocytopenia"
    assert told.exit_code == 0
    told = labs(str(tmp_path / "lb.csv"), "--out", str(tmp_path / "x.csv"), "--ctcae", "4.03")
    assert told.exit_code == 2
    assert "allowed is 5.0 or 6.0" in " ".join(told.output.replace("│", " ").split())


def test_a_row_with_the_wrong_number_of_cells_is_a_finding_and_no_others_baseline(tmp_path: Path) -> None:
    told, rows = through(tmp_path, f"{HEADER}\nS-1,ALT,80,U/L,5,40,Y\nS-1,ALT,250,U/L,5,40,,\nS-1,ALT,1,2,3,4,,x,y\n")
    assert told.exit_code == 1
    said = "has 7 cells where the header has 8: not graded, as cells may be shifted"
    assert f"line 2: {said}" in told.output
    assert [row["reason"][:47] for row in rows] == [
        "the row has more or fewer cells than the header",
        f"{ALT}: grades 0 to",
        "the row has more or fewer cells than the header",
    ]
    assert "the baseline is not known" in rows[1]["reason"]
    assert (tmp_path / "out.csv").read_text("utf-8").splitlines()[-1].endswith('cells may be shifted",y')


@pytest.mark.parametrize(
    ("text", "exit_code", "said"),
    [
        ("USUBJID,AETERM\nS-1,cough\n", 2, "is no SDTM LB data set: it has no column LBTESTCD"),
        ("LBTESTCD,lbtestcd\nHGB,HGB\n", 2, 'the column "LBTESTCD" is there twice'),
        ("", 1, "no header"),
        ('LBTESTCD\n"HGB\n', 1, "not readable as CSV"),
    ],
)
def test_a_file_that_cannot_be_read_writes_nothing(tmp_path: Path, text: str, exit_code: int, said: str) -> None:
    told, _ = through(tmp_path, text)
    assert (told.exit_code, (tmp_path / "out.csv").exists()) == (exit_code, False)
    assert said in told.output
    (tmp_path / "lb.csv.gz").write_bytes(gzip.compress(text.encode()))
    told = labs(str(tmp_path / "lb.csv.gz"), "--out", str(tmp_path / "out.csv"))
    assert (told.exit_code, [file.name for file in tmp_path.iterdir()]) == (exit_code, ["lb.csv", "lb.csv.gz"])
    assert said in told.output


@pytest.mark.parametrize(
    ("source", "out", "said"),
    [
        ("none.csv", "out.csv", "no such file"),
        ("lb.sas7bdat", "out.csv", "allowed is .csv, .csv.gz or .xpt"),
        ("lb.csv", "out.xpt", "allowed is .csv or .csv.gz"),
        ("lb.csv", "none/out.csv", "there is no folder"),
        ("lb.csv", "lb.csv", "is the input itself"),
    ],
)
def test_a_wrong_use_is_told_and_the_input_stays(tmp_path: Path, source: str, out: str, said: str) -> None:
    for name in ("lb.csv", "lb.sas7bdat"):
        (tmp_path / name).write_text(f"{HEADER}\n", "utf-8")
    told = labs(str(tmp_path / source), "--out", str(tmp_path / out))
    assert told.exit_code == 2
    assert said in told.stderr
    assert (tmp_path / "lb.csv").read_text("utf-8") == f"{HEADER}\n"


def test_a_packed_file_is_read_and_written_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "lb.csv.gz").write_bytes(gzip.compress(f"{HEADER}\r\n{ROWS}".replace("\n", "\r\n").encode("utf-8-sig")))
    told = labs(str(tmp_path / "lb.csv.gz"), "--out", str(tmp_path / "out.csv.gz"))
    assert told.exit_code == 0, told.output
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()).startswith(b"\xef\xbb\xbfUSUBJID,")
    _, rows = through(tmp_path, f"{HEADER}\n{ROWS}")
    packed = read(tmp_path / "out.csv.gz")
    assert [list(row.values()) for row in packed] == [list(row.values()) for row in rows]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["lb.csv", "lb.csv.gz", "out.csv", "out.csv.gz"]


@pytest.mark.parametrize(
    "packed",
    [b"no gzip at all", gzip.compress(b"LBTESTCD\nHGB\n" * 99)[:40], b""],
    ids=["no gzip", "cut off", "empty"],  # the bytes hold the second of their making, and are no name of a test
)
def test_a_packed_file_that_is_broken_is_refused_in_words(tmp_path: Path, packed: bytes) -> None:
    (tmp_path / "lb.csv.gz").write_bytes(packed)
    told = labs(str(tmp_path / "lb.csv.gz"), "--out", str(tmp_path / "out.csv"))
    assert told.exit_code == 1
    assert f"{tmp_path / 'lb.csv.gz'}" in told.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["lb.csv.gz"]


def test_a_file_that_unpacks_without_end_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab_source, "SMALL", 1 << 20)
    (tmp_path / "lb.csv.gz").write_bytes(gzip.compress(b"LBTESTCD\n" + b"HGB\n" * 5_000_000))
    told = labs(str(tmp_path / "lb.csv.gz"), "--out", str(tmp_path / "out.csv"))
    assert told.exit_code == 1
    assert "MiB when it is unpacked; allowed are 4 GiB, and 200 times what is packed" in told.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["lb.csv.gz"]


def test_a_transport_file_has_the_grades_of_its_csv_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_source, "_ROWS_AT_ONCE", 2)  # so that it is read in portions
    rows: list[dict[str, str | float | None]] = [
        {"USUBJID": "S-1", "LBTESTCD": "HGB", "LBSTRESN": 95.0, "LBSTRESU": "g/L", "LBSTNRLO": 120.0, "LBDY": 8.0},
        {"USUBJID": "S-1", "LBTESTCD": "HGB", "LBSTRESN": 79.5, "LBSTRESU": "g/L", "LBSTNRLO": 120.0, "LBDY": -1.0},
        {"USUBJID": "S-1", "LBTESTCD": "PLAT", "LBSTRESN": None, "LBSTRESU": "GI/L", "LBSTNRLO": 150.0, "LBDY": 8.0},
    ]
    (tmp_path / "lb.xpt").write_bytes(transport_file("LB", rows))
    told = labs(str(tmp_path / "lb.xpt"), "--out", str(tmp_path / "out.csv"))
    assert told.exit_code == 0, told.output
    assert [",".join(row.values()) for row in read(tmp_path / "out.csv")] == [
        "S-1,HGB,95,g/L,120,8,Anemia,2,Hemoglobin increased,0,",
        "S-1,HGB,79.5,g/L,120,-1,Anemia,3,Hemoglobin increased,0,",
        "S-1,PLAT,,GI/L,150,8,Platelet count decreased,,,,there is no result",
    ]
    (tmp_path / "lb.xpt").write_bytes(b"no transport file")
    told = labs(str(tmp_path / "lb.xpt"), "--out", str(tmp_path / "other.csv"))
    assert (told.exit_code, (tmp_path / "other.csv").exists()) == (1, False)
    assert "a SAS transport file is allowed" in told.stderr


TRANSPORT: list[dict[str, str | float | None]] = [
    {"USUBJID": "S-1", "LBTESTCD": "HGB", "LBSTRESN": 95.0, "LBSTRESU": "g/L", "LBSTNRLO": 120.0} for _ in range(4)
]
LENGTH = len(transport_file("LB", TRANSPORT))
# A name that ends before it begins, in the description of the first variable (8 lines of 80 bytes come before), and
# then in those of the first two.
NAMELESS = [(8 * 80 + 8 + 140 * number, 0) for number in range(2)]


@given(
    changes=st.lists(st.tuples(st.integers(0, LENGTH - 1), st.integers(0, 255)), max_size=8),
    cut=st.integers(0, LENGTH),
)
@example(changes=NAMELESS[:1], cut=LENGTH)
@example(changes=NAMELESS, cut=LENGTH)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_damaged_transport_file_is_read_or_refused_in_words(
    tmp_path: Path, changes: list[tuple[int, int]], cut: int
) -> None:
    damaged = bytearray(transport_file("LB", TRANSPORT))
    for place, byte in changes:
        damaged[place] = byte
    (tmp_path / "lb.xpt").write_bytes(damaged[:cut])
    told = labs(str(tmp_path / "lb.xpt"), "--out", str(tmp_path / "out.csv"))
    assert told.exception is None or isinstance(told.exception, SystemExit)
    assert told.exit_code in (0, 1, 2)
    assert told.exit_code == 0 or "lb.xpt" in told.stderr


def test_a_column_that_would_hide_an_added_one_is_renamed(tmp_path: Path) -> None:
    told, rows = through(tmp_path, "LBTESTCD,reason\nHGB,mine\n")
    assert rows[0]["input_reason"] == "mine"
    assert 'the column "reason" of the file is now "input_reason"' in told.output


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
HOSTILE = st.lists(st.lists(CELLS, min_size=4, max_size=4), max_size=6)


@given(HOSTILE)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_text_breaks_it_and_every_row_comes_out_in_its_place(tmp_path: Path, rows: list[list[str]]) -> None:
    source, out = tmp_path / "lb.csv", tmp_path / "out.csv"
    with source.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([["LBTESTCD", "LBSTRESN", "LBSTRESU", "LBSPEC"], *rows])
    told = labs(str(source), "--out", str(out))
    assert told.exit_code == 0, told.output
    with out.open(encoding="utf-8", newline="") as lines:
        _, *found = csv.reader(lines)
    assert [row[:4] for row in found] == rows
    assert not [row for row in found if row[4] == row[6] == "" and row[8] == ""]


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lb.csv.gz").write_bytes(gzip.compress(b"LBTESTCD\n" + b"x" * (2 << 20)))
    told = labs(str(tmp_path / "lb.csv.gz"), "--out", str(tmp_path / "out.csv"))
    assert told.exit_code == 1
    assert f"{tmp_path / 'lb.csv.gz'}, line 2: is longer than" in told.stderr
