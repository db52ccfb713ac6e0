"""Coding a file: every row once, in its place, its own cells unchanged; whole or not at all."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meddra_coder.batch import OUTPUT_COLUMNS, PORTION, cells, code_file
from meddra_coder.coder import default_coder
from meddra_coder.coding import code_event
from tocsin.answered_file import Finding
from tocsin.table_file import FileRefused

ANEMIA = ["coded", "10002272", "Anemia", "Blood and lymphatic system disorders", "normalised", "0.9890", "10002272"]


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "in.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path: Path, encoding: str = "utf-8") -> list[list[str]]:
    with path.open(encoding=encoding, newline="") as lines:
        return list(csv.reader(lines, strict=True))


def test_the_answer_stands_beside_the_rows_own_cells(tmp_path: Path) -> None:
    source = write(tmp_path, 'id,verbatim,note\n1,Anaemia,"a, ""b"""\n2,bad blood,=1+1\n')
    summary = code_file(source, "verbatim", tmp_path / "out.csv", None)
    header, first, second = read(tmp_path / "out.csv")
    assert header == ["id", "verbatim", "note", *OUTPUT_COLUMNS]
    assert header[3:10] == ["status", "llt_code", "term", "soc", "method", "confidence", "candidate_1"]
    assert header[-1] == "candidate_20"
    assert first[:10] == ["1", "Anaemia", 'a, "b"', *ANEMIA]
    assert second[:10] == ["2", "bad blood", "=1+1", "needs_review", "", "", "", "none", "", second[9]]
    assert (summary.rows, summary.coded, summary.needs_review, summary.exit_code) == (2, 1, 1, 0)


def test_an_empty_verbatim_is_a_finding_and_the_rest_is_done(tmp_path: Path) -> None:
    source = write(tmp_path, 'verbatim,n\n"multi\nline",1\n  ,2\nFever,3\n')
    summary = code_file(source, "verbatim", tmp_path / "out.csv", None)
    assert summary.findings == (Finding(4, 'the verbatim in "verbatim" is empty'),)
    assert (summary.rows, summary.coded, summary.exit_code) == (3, 1, 1)
    assert read(tmp_path / "out.csv")[2][:3] == ["  ", "2", "needs_review"]


def test_a_row_whose_cells_are_shifted_is_never_coded_and_loses_nothing(tmp_path: Path) -> None:
    source = write(tmp_path, "verbatim,n\nanemia, severe,1\nFever\n")
    summary = code_file(source, "verbatim", tmp_path / "out.csv", None)
    _, long, short = read(tmp_path / "out.csv")
    assert long[:4] == ["anemia", " severe", "needs_review", ""]
    assert long[-1] == "1"
    assert short[:4] == ["Fever", "", "needs_review", ""]
    assert [finding.line for finding in summary.findings] == [2, 3]
    assert "has 3 cells where the header has 2" in summary.findings[0].problem


def test_blank_lines_are_not_rows_and_are_counted(tmp_path: Path) -> None:
    summary = code_file(write(tmp_path, "verbatim\nFever\n\nChills\n\n"), "verbatim", tmp_path / "out.csv", None)
    assert (summary.rows, summary.blank_lines) == (2, 2)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "受试者,verbatim\r\n甲,发热\r\n乙,Anaemia\r\n"),
        ("utf-8-sig", "受试者,verbatim\r\n甲,发热\r\n乙,Anaemia\r\n"),
        ("gb18030", "受试者,verbatim\r\n甲,发热\r\n乙,Anaemia\r\n"),
    ],
)
def test_the_file_comes_back_in_the_encoding_and_line_ends_it_came_in(tmp_path: Path, encoding: str, text: str) -> None:
    source = write(tmp_path, text.encode(encoding))
    summary = code_file(source, "verbatim", tmp_path / "out.csv", None)
    assert summary.encoding == encoding
    raw = (tmp_path / "out.csv").read_bytes()
    assert raw.startswith(text.encode(encoding)[:8])
    assert raw.count(b"\r\n") == raw.count(b"\n") == 3
    rows = read(tmp_path / "out.csv", encoding)
    assert [row[:3] for row in rows] == [
        ["受试者", "verbatim", "status"],
        ["甲", "发热", "coded"],
        ["乙", "Anaemia", "coded"],
    ]


@pytest.mark.parametrize(
    ("raw", "said", "exit_code"),
    [
        (b"verbatim\nFever\nSj\xf6gren\n", "line 3: is neither UTF-8 nor Chinese GB18030", 1),
        (b"verbatim\ncaf\xe9\n", "line 2: is neither UTF-8 nor Chinese GB18030", 1),
        ("verbatim\nFever\n".encode("utf-16"), "line 1: is UTF-16", 1),
        (b'verbatim,n\nFever,1\n"Chills,2\nCough,3\n', "line 3: not readable as CSV", 1),
        (b"verbatim\n" + b"x" * 1_100_000, "line 2: is longer than", 1),
        (b"", "line 1: no header", 1),
        (b"id,term\n1,Fever\n", 'column "verbatim" is not there; the columns are id, term', 2),
        (b"verbatim,verbatim\n1,Fever\n", 'column "verbatim" is there twice', 2),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_and_nothing_is_written(
    tmp_path: Path, raw: bytes, said: str, exit_code: int
) -> None:
    source = write(tmp_path, raw)
    with pytest.raises(FileRefused, match=said) as refused:
        code_file(source, "verbatim", tmp_path / "out.csv", None)
    assert refused.value.exit_code == exit_code
    assert list(tmp_path.iterdir()) == [source]


def test_places_that_make_no_sense_are_wrong_use(tmp_path: Path) -> None:
    source = write(tmp_path, "verbatim\nFever\n")
    for given_source, out in (
        (source, source),
        (source, tmp_path / "nowhere" / "out.csv"),
        (tmp_path / "none.csv", tmp_path / "out.csv"),
    ):
        with pytest.raises(FileRefused) as refused:
            code_file(given_source, "verbatim", out, None)
        assert refused.value.exit_code == 2
    assert source.read_bytes() == b"verbatim\nFever\n"


def test_an_output_from_before_stays_when_the_work_breaks_off(tmp_path: Path) -> None:
    source = write(tmp_path, "verbatim\nFever\nChills\n")
    out = tmp_path / "out.csv"
    out.write_text("before")

    def stop(done: int, total: int | None) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        code_file(source, "verbatim", out, stop)
    assert out.read_text() == "before"
    assert sorted(tmp_path.iterdir()) == [source, out]


def test_progress_is_told_portion_by_portion_with_the_whole(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    source = write(tmp_path, "verbatim\nFever\n\nChills\n")
    code_file(source, "verbatim", tmp_path / "out.csv", lambda done, total: told.append((done, total)))
    assert told == [(2, 2)]
    told.clear()
    write(tmp_path, "verbatim\n" + "Fever\n" * (2 * PORTION + 1))
    code_file(source, "verbatim", tmp_path / "out.csv", lambda done, total: told.append((done, total)))
    assert told == [(PORTION, 2 * PORTION + 1), (2 * PORTION, 2 * PORTION + 1), (2 * PORTION + 1, 2 * PORTION + 1)]


def test_an_input_column_never_hides_an_added_one(tmp_path: Path) -> None:
    source = write(tmp_path, "term,input_term,status\nFever,a,mine\n")
    summary = code_file(source, "term", tmp_path / "out.csv", None)
    header, row = read(tmp_path / "out.csv")
    assert header[:5] == ["input_input_term", "input_term", "input_status", "status", "llt_code"]
    assert row[:5] == ["Fever", "a", "mine", "coded", "10016558"]
    assert summary.renamed == (("term", "input_input_term"), ("status", "input_status"))
    assert len(set(header)) == len(header)


@given(st.text())
def test_no_added_cell_begins_a_formula(verbatim: str) -> None:
    added = cells(code_event(verbatim, default_coder()))
    assert len(added) == len(OUTPUT_COLUMNS)
    assert all(cell == "" or cell[0].isalnum() for cell in added)
