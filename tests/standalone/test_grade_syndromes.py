"""`tocsin grade syndromes`: a file of syndrome facts in, their grades and reasons out."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from standalone.__main__ import app
from standalone.syndrome_rows import answer
from tests.support.environment import reference_folder

HEADER = "case,scale,inputs,note"
CRS = "fever=1;pressors_ex_vaso=0;vasopressin=0;hypotension=0;"
VECTORS = reference_folder() / "rules" / "grading_vectors.csv"


def grade(*words: str) -> Result:
    return CliRunner().invoke(app, ["grade", "syndromes", *words])


def through(folder: Path, text: str, *more: str) -> tuple[Result, list[dict[str, str]]]:
    (folder / "in.csv").write_text(text, "utf-8")
    told = grade(str(folder / "in.csv"), "--out", str(folder / "out.csv"), *more)
    if not (folder / "out.csv").exists():
        return told, []
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        return told, list(csv.DictReader(file))


@pytest.mark.reference
@pytest.mark.rule("rules.md 3.2", "rules.md 3.4", "rules.md 3.6")
def test_every_vector_gets_its_grade(tmp_path: Path) -> None:
    told, rows = through(tmp_path, VECTORS.read_text("utf-8"))
    assert told.exit_code == 0, told.output
    assert len(rows) >= 28
    assert [row["case"] for row in rows if row["grade"] != row["expected_grade"]] == []
    assert [row["case"] for row in rows if not row["reason"]] == []


@pytest.mark.rule("rules.md 3.2", "readings.md DLT 6")
@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (CRS + "o2=none", "1"),
        (CRS + "o2=low_flow_nc", "2"),
        (CRS + "o2=blow_by", "2"),
        (CRS + "o2=high_flow_nc", "3"),
        (CRS + "o2=facemask", "3"),
        (CRS + "o2=nonrebreather", "3"),
        (CRS + "o2=venturi", "3"),
        (CRS + "o2=cpap", "4"),
        (CRS + "o2=bipap", "4"),
        (CRS + "o2=intubation", "4"),
        (CRS + "o2=intubated", "4"),
        (CRS + "o2=intubated;airway_only=True", "1"),
        (CRS + "o2=none;death=True", "5"),
        ("death=True", "5"),
        ("fever=1;pressors_ex_vaso=0;vasopressin=0;hypotension=1;o2=none", "2"),
        ("fever=1;pressors_ex_vaso=0;vasopressin=1;hypotension=1;o2=none", "3"),
        ("fever=1;pressors_ex_vaso=1;vasopressin=0;hypotension=1;o2=none", "3"),
        ("fever=1;pressors_ex_vaso=1;vasopressin=1;hypotension=1;o2=none", "3"),
        ("fever=1;pressors_ex_vaso=2;vasopressin=0;hypotension=1;o2=none", "4"),
        ("fever=1;pressors_ex_vaso=2;vasopressin=1;hypotension=1;o2=none", "4"),
        ("fever=1;pressors_ex_vaso=1;vasopressin=0;hypotension=1;o2=cpap", "4"),
        ("fever=0;pressors_ex_vaso=0;vasopressin=0;hypotension=0;o2=none", "0"),
        ("fever=0;pressors_ex_vaso=0;vasopressin=0;hypotension=1;o2=none;anticytokine=False", "0"),
        ("fever=0;pressors_ex_vaso=0;vasopressin=0;hypotension=1;o2=none;anticytokine=True", "2"),
        ("fever=0;pressors_ex_vaso=0;vasopressin=0;hypotension=0;o2=bipap;anticytokine=True", "4"),
        ("fever=0;pressors_ex_vaso=0;vasopressin=0;hypotension=1;o2=none;fever_earlier=1", "2"),
        # Whether a drug hid the fever is not said.
        ("fever=0;pressors_ex_vaso=0;vasopressin=0;hypotension=1;o2=none", ""),
        ("fever=0;pressors_ex_vaso=1;vasopressin=0;hypotension=1;o2=none;anticytokine=unknown", ""),
        ("fever=1;o2=blow_by", ""),
        ("fever=1;o2=cpap", "4"),
        (CRS + "o2=low_flow_nc;flow_l_per_min=8", "3"),
        ("", ""),
    ],
)
def test_crs_by_the_consensus(inputs: str, expected: str) -> None:
    assert answer("CRS", inputs)[0] == expected


@pytest.mark.rule("rules.md 3.1")
@pytest.mark.parametrize(
    ("scale", "inputs", "expected"),
    [
        ("CRS_CTCAE5", CRS + "o2=facemask;fio2_percent=35", "2"),
        ("CRS_CTCAE5", CRS + "o2=facemask;fio2_percent=40", "3"),
        ("CRS_CTCAE5", CRS + "o2=facemask", ""),
        ("CRS_CTCAE6", CRS + "o2=facemask", "3"),
        ("CRS_CTCAE5", "fever=1;pressors_ex_vaso=1;vasopressin=1;hypotension=1;o2=none", "4"),
    ],
)
def test_crs_by_ctcae(scale: str, inputs: str, expected: str) -> None:
    assert answer(scale, inputs)[0] == expected


@pytest.mark.rule("rules.md 3.4")
@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ("ice=10;consciousness=normal", "0"),
        ("ice=9;consciousness=spontaneous", "1"),
        ("ice=7;consciousness=normal", "1"),
        ("ice=6;consciousness=voice", "2"),
        ("ice=3;consciousness=normal", "2"),
        ("ice=2;consciousness=tactile", "3"),
        ("ice=0;consciousness=normal", "3"),
        ("ice=0;consciousness=vigorous_or_unarousable", "4"),
        ("ice=None;consciousness=tactile", "3"),
        ("ice=None;consciousness=vigorous_or_unarousable", "4"),
        ("ice=10;consciousness=normal;seizure=prolonged_or_status", "4"),
        ("ice=10;consciousness=normal;seizure=none;motor=False;edema=none", "0"),
        ("ice=10;consciousness=normal;edema=focal", "3"),
        ("ice=10;consciousness=normal;oedema=focal", "3"),
        ("ice=10;consciousness=normal;motor=True", "4"),
        ("ice=10;consciousness=normal;death=True", "5"),
        ("orientation=4;naming=3;command=1;writing=1;attention=0;consciousness=normal", "1"),
        ("orientation=4;naming=3;consciousness=normal", ""),
        ("ice=None;consciousness=voice", ""),
        ("ice=10;consciousness=normal;seizure=unknown", ""),
    ],
)
def test_icans(inputs: str, expected: str) -> None:
    assert answer("ICANS", inputs)[0] == expected


@pytest.mark.rule("rules.md 3.5", "rules.md 3.6")
@pytest.mark.parametrize(
    ("scale", "inputs", "expected"),
    [
        ("ICAHT_EARLY", "days_anc_le_500=1;days_anc_le_100=0;never_above_500=0", "1"),
        ("ICAHT_EARLY", "days_anc_le_500=7;days_anc_le_100=0;never_above_500=0", "2"),
        ("ICAHT_EARLY", "days_anc_le_500=13;days_anc_le_100=7;never_above_500=0", "3"),
        ("ICAHT_EARLY", "days_anc_le_500=14;days_anc_le_100=13;never_above_500=0", "3"),
        ("ICAHT_EARLY", "days_anc_le_500=31;days_anc_le_100=0;never_above_500=1", "4"),
        ("ICAHT_EARLY", "days_anc_le_500=6;days_anc_le_100=0", ""),
        ("ICAHT_LATE", "anc_per_uL=1500", "1"),
        ("ICAHT_LATE", "anc_per_uL=1000", "2"),
        ("ICAHT_LATE", "anc_per_uL=500", "3"),
        ("ICAHT_LATE", "anc_per_uL=100", "4"),
        ("ICAHT_LATE", "anc_per_uL=unknown", ""),
        ("IEC_HS", "iec_hs=1;intervention=1;bleeding_transfused=0;organ_admission=0;life_threatening=0;"
                   "intubated=0;dialysis=0", "2"),
        ("iec-hs", "iec_hs=1;life_threatening=1", "4"),
        ("IEC_HS", "intervention=1", ""),
    ],
)  # fmt: skip
def test_the_other_scales(scale: str, inputs: str, expected: str) -> None:
    found, reason = answer(scale, inputs)
    assert found == expected
    assert reason.endswith(".")


def test_an_empty_grade_says_what_it_is_at_worst_and_what_would_settle_it() -> None:
    _, reason = answer("CRS", "fever=0;pressors_ex_vaso=2;vasopressin=0;hypotension=1;o2=none;anticytokine=unknown")
    assert reason.startswith("Not gradable: there is no fever now, and it is not known whether a drug hid it")
    assert "worst grade 4 (hypotension: 2 vasopressors" in reason
    _, reason = answer("CRS", "fever=1;hypotension=1;o2=blow_by")
    assert reason.startswith("The facts leave grade 2 to grade 4.")
    assert "What would settle it: vasopressin, number of vasopressors." in reason


def test_a_row_says_what_it_did_not_name_and_was_read_as_not_there() -> None:
    _, reason = answer("ICANS", "ice=10;consciousness=normal;motor=0")
    assert reason.endswith("Not named in the row, so read as not there: seizure, edema, death.")
    assert "To be graded beside it by CTCAE v5.0, which has no term for ICANS: Encephalopathy." in reason


def test_a_grade_says_where_ctcae_differs() -> None:
    _, reason = answer("CRS", "fever=1;pressors_ex_vaso=1;vasopressin=1;hypotension=1;o2=none")
    assert "ASTCT 2019 says grade 3, CTCAE v5.0 grade 4: CTCAE counts vasopressin as a pressor" in reason


def test_a_file_comes_back_whole_with_the_grades_beside_it(tmp_path: Path) -> None:
    told, rows = through(tmp_path, f'{HEADER}\nA,CRS,{CRS}o2=none,"kept, as it is"\nB,CRS,fever=1;o2=blow_by,\n')
    assert told.exit_code == 0, told.output
    assert list(rows[0]) == [*HEADER.split(","), "grade", "reason"]
    assert [row["grade"] for row in rows] == ["1", ""]
    assert rows[0]["note"] == "kept, as it is"
    assert "2 rows to " in told.output
    assert "1 graded, 1 not settled by their facts, 0 cannot be read" in told.output


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("CRSS,fever=1", "scale is 'CRSS'; allowed are CRS, CRS_CTCAE5, CRS_CTCAE6, ICANS, IEC_HS, ICAHT_EARLY, "),
        (",fever=1", "scale is ''; allowed are CRS, "),
        ("CRS,fevr=1", "CRS has no key 'fevr'; allowed are fever, pressors_ex_vaso, vasopressin, hypotension, o2, "),
        ("CRS,fever=perhaps", "fever is 'perhaps'; allowed are 0, 1, True, False, unknown"),
        ("CRS,o2=tent", "o2 is 'tent'; allowed are none, low_flow_nc, blow_by, "),
        ("CRS,pressors_ex_vaso=-1", "pressors_ex_vaso is '-1'; allowed are 0 to 10, unknown"),
        ("CRS,fio2_percent=20", "fio2_percent is '20'; allowed are a number from 21 to 100, unknown"),
        ("CRS,fio2_percent=NaN", "fio2_percent is 'NaN'; allowed are a number from 21 to 100, unknown"),
        ("CRS,fever=1;fever=0", "fever is there twice; allowed is once"),
        ("CRS,fever", "'fever' is no fact; allowed is key=value, joined by ;"),
        ("ICANS,ice=11", "ice is '11'; allowed are 0 to 10, unknown"),
        ("ICANS,ice=٣", "ice is '٣'; allowed are 0 to 10, unknown"),
        ("ICAHT_EARLY,days_anc_le_500=32", "days_anc_le_500 is '32'; allowed are 0 to 31, unknown"),
        ("CRS", "has 3 cells where the header has 4"),
    ],
)
def test_a_row_that_cannot_be_read_says_why_and_the_rest_is_still_done(tmp_path: Path, row: str, problem: str) -> None:
    note = "" if row == "CRS" else "a note"
    bad = f"B,{row},{note}" if note else f"B,{row},"
    told, rows = through(tmp_path, f"{HEADER}\n{bad}\nA,CRS,{CRS}o2=none,\n")
    assert told.exit_code == 1
    assert rows[0]["grade"] == ""
    assert rows[0]["reason"].startswith(problem)
    assert rows[1]["grade"] == "1"
    assert f"line 2: {problem}" in told.output


def test_all_that_is_wrong_in_a_row_is_told_at_once(tmp_path: Path) -> None:
    _, rows = through(tmp_path, f"{HEADER}\nB,CRS,fever=2;o2=tent;x=1,\n")
    assert [word in rows[0]["reason"] for word in ("fever is '2'", "o2 is 'tent'", "no key 'x'")] == [True] * 3


def test_columns_that_would_hide_added_ones_are_renamed(tmp_path: Path) -> None:
    told, rows = through(tmp_path, f"grade,scale,inputs\nmine,CRS,{CRS}o2=none\n")
    assert (rows[0]["input_grade"], rows[0]["grade"]) == ("mine", "1")
    assert 'the column "grade" of the file is now "input_grade"' in told.output


def test_the_summary_as_json(tmp_path: Path) -> None:
    told, _ = through(tmp_path, f"{HEADER}\nA,CRS,{CRS}o2=none,\nB,CRS,fever=1,\nC,XYZ,fever=1,\n", "--json")
    assert told.exit_code == 1
    summary = json.loads(told.stdout)
    assert (summary["rows"], summary["graded"], summary["not_settled"]) == (3, 1, 1)
    assert summary["findings"][0]["line"] == 4


@pytest.mark.parametrize(
    ("text", "exit_code", "said"),
    [
        ("scale,a\nCRS,2\n", 2, 'the column "inputs" is not there'),
        ("scale,inputs,scale\nCRS,,\n", 2, 'the column "scale" is there twice'),
        ("", 1, "no header"),
    ],
)
def test_a_file_that_cannot_be_read_writes_nothing(tmp_path: Path, text: str, exit_code: int, said: str) -> None:
    told, rows = through(tmp_path, text)
    assert (told.exit_code, rows) == (exit_code, [])
    assert said in told.output
    assert not (tmp_path / "out.csv").exists()


def test_a_file_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    told = grade(str(tmp_path / "none.csv"), "--out", str(tmp_path / "out.csv"))
    assert told.exit_code == 2
    assert "no such file" in told.output


def test_the_help_shows_an_example() -> None:
    told = grade("--help")
    assert told.exit_code == 0
    assert "Example: tocsin grade syndromes facts.csv --out graded.csv" in told.output
