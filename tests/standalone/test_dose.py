"""`tocsin dose`: a file of counts in, decisions and reasons out; and the whole table of a design."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from standalone.__main__ import app
from tests.support.environment import reference_folder

RULES = reference_folder() / "rules"
OF_3_PLUS_3 = "dose_position,higher_dose_exceeds_mtd,n_evaluable,n_dlt,note"
OF_BOIN = "n_treated,n_dlt"


def dose(*words: str) -> Result:
    return CliRunner().invoke(app, ["dose", *words])


def through(folder: Path, text: str, design: str, *more: str) -> tuple[Result, list[dict[str, str]]]:
    (folder / "in.csv").write_text(text, "utf-8")
    told = dose("--file", str(folder / "in.csv"), "--design", design, "--out", str(folder / "out.csv"), *more)
    if not (folder / "out.csv").exists():
        return told, []
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        return told, list(csv.DictReader(file))


@pytest.mark.reference
@pytest.mark.rule("three_plus_three.csv")
def test_the_sample_of_3_plus_3_gets_its_decisions(tmp_path: Path) -> None:
    told, rows = through(tmp_path, (RULES / "three_plus_three.csv").read_text("utf-8"), "3+3")
    assert told.exit_code == 0, told.output
    assert len(rows) >= 45
    assert [row for row in rows if row["computed_decision"] != row["decision"]] == []
    assert [row for row in rows if not row["reason"].startswith(row["next_action"])] == []


@pytest.mark.reference
@pytest.mark.rule("boin_phi030_decisions.csv")
def test_the_sample_of_boin_gets_its_decisions_and_posteriors(tmp_path: Path) -> None:
    told, rows = through(tmp_path, (RULES / "boin_phi030_decisions.csv").read_text("utf-8"), "boin")
    assert told.exit_code == 0, told.output
    assert len(rows) >= 30
    assert [row for row in rows if row["computed_decision"] != row["decision"]] == []
    assert [row for row in rows if not row["reason"].endswith(row["posterior_P_p_gt_phi"])] == []


def test_a_file_comes_back_whole_with_the_decisions_beside_it(tmp_path: Path) -> None:
    told, rows = through(tmp_path, f'{OF_3_PLUS_3}\nmiddle,0,3,1,"kept, as it is"\nLowest,1, 6 ,0,\n', "3+3")
    assert told.exit_code == 0, told.output
    assert list(rows[0]) == [*OF_3_PLUS_3.split(","), "computed_decision", "reason"]
    assert [row["computed_decision"] for row in rows] == ["EXPAND_TO_6", "DECLARE_MTD"]
    assert rows[0]["note"] == "kept, as it is"
    assert rows[0]["reason"] == (
        "enrol 3 more at the same dose; 1 of 3 evaluable with a DLT; one DLT in the first three"
    )  # fmt: skip
    assert rows[1]["n_evaluable"] == " 6 "
    assert "2 rows to " in told.output
    assert "2 decided, 0 cannot be" in told.output
    assert "EXPAND_TO_6: 1" in told.output


@pytest.mark.rule("rules.md 5.2: elimination")
def test_another_target_is_another_design(tmp_path: Path) -> None:
    text = f"{OF_BOIN}\n6,2\n3,2\n6,3\n"
    _, at_30 = through(tmp_path, text, "boin")
    _, at_20 = through(tmp_path, text, "boin", "--target", "0.20")
    assert [row["computed_decision"] for row in at_30] == ["S", "D", "D"]
    assert [row["computed_decision"] for row in at_20] == ["D", "DU", "DU"]
    assert "P(rate > 0.2) = " in at_20[0]["reason"]


def test_a_target_that_3_plus_3_does_not_use_is_said_aloud(tmp_path: Path) -> None:
    told, rows = through(tmp_path, f"{OF_3_PLUS_3}\nmiddle,0,3,1,\n", "3+3", "--target", "0.30")
    assert told.exit_code == 0
    assert rows[0]["computed_decision"] == "EXPAND_TO_6"
    assert "Caution: 3+3 has no target rate; --target is not used." in told.stderr


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("middle,0,3,4,", "4 with a DLT of 3 evaluable; allowed is 0 to 3"),
        ("middle,0,7,0,", "7 evaluable; allowed is 0 to 6"),
        ("top,0,3,0,", "dose_position is 'top'; allowed are lowest, middle, highest"),
        (",0,3,0,", "dose_position is unknown; allowed are lowest, middle, highest"),
        ("middle,,3,0,", "higher_dose_exceeds_mtd is unknown; allowed are 0, 1"),
        ("middle,2,3,0,", "higher_dose_exceeds_mtd is '2'; allowed are 0, 1"),
        ("middle,0,,0,", "n_evaluable is unknown; needed is a whole number"),
        ("middle,0,3,-1,", "n_dlt is '-1'; needed is a whole number"),
        ("middle,0,3.0,0,", "n_evaluable is '3.0'; needed is a whole number"),
        ("middle,0,٣,0,", "n_evaluable is '٣'; needed is a whole number"),
        ("highest,1,3,0,", "a dose higher than the highest exceeds the MTD; allowed is lowest or middle"),
        ("middle,0,3", "has 3 cells where the header has 5: not decided, as cells may be shifted"),
        ("up,x,y,z,", "dose_position is 'up'; allowed are lowest, middle, highest; higher_dose_exceeds_mtd is 'x'; "),
    ],
)
def test_a_row_that_cannot_be_says_why_and_the_rest_is_still_done(tmp_path: Path, row: str, problem: str) -> None:
    told, rows = through(tmp_path, f"{OF_3_PLUS_3}\n{row}\nmiddle,0,3,0,\n", "3+3")
    assert told.exit_code == 1
    assert rows[0]["computed_decision"] == ""
    assert rows[0]["reason"].startswith(problem)
    assert rows[1]["computed_decision"] == "ESCALATE"
    assert f"line 2: {problem}" in told.output


def test_nobody_evaluable_is_no_reason_to_go_up(tmp_path: Path) -> None:
    told, rows = through(tmp_path, f"{OF_BOIN}\n0,0\n", "boin")
    assert told.exit_code == 1
    assert rows[0]["reason"] == "0 evaluable; allowed is 1 to 200"


def test_columns_that_would_hide_added_ones_are_renamed(tmp_path: Path) -> None:
    told, rows = through(tmp_path, f"reason,{OF_BOIN}\nmine,3,0\n", "boin")
    assert (rows[0]["input_reason"], rows[0]["computed_decision"]) == ("mine", "E")
    assert 'the column "reason" of the file is now "input_reason"' in told.output


def test_the_summary_of_a_file_as_json(tmp_path: Path) -> None:
    told, _ = through(tmp_path, f"{OF_BOIN}\n3,0\n3,1\n6,1\n3,x\n", "boin", "--json")
    assert told.exit_code == 1
    summary = json.loads(told.stdout)
    assert (summary["rows"], summary["decided"], summary["decisions"]) == (4, 3, {"E": 2, "S": 1})
    assert summary["findings"] == [{"line": 5, "problem": "n_dlt is 'x'; needed is a whole number"}]
    assert summary["parameters"]["lambda_d"] == "0.3585195"


@pytest.mark.parametrize(
    ("design", "text", "exit_code", "said"),
    [
        ("3+3", f"{OF_BOIN}\n3,0\n", 2, 'the column "dose_position" is not there; needed are dose_position and '),
        ("boin", f"{OF_BOIN},n_dlt\n3,0,0\n", 2, 'the column "n_dlt" is there twice'),
        ("boin", "", 1, "no header"),
    ],
)
def test_a_file_that_cannot_be_read_writes_nothing(
    tmp_path: Path, design: str, text: str, exit_code: int, said: str
) -> None:
    told, rows = through(tmp_path, text, design)
    assert (told.exit_code, rows) == (exit_code, [])
    assert said in told.output
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.rule("rules.md 5.2: boundaries")
def test_the_table_of_boin_marks_where_one_stands() -> None:
    told = dose("--design", "boin", "--table", "--up-to", "6", "--here", "2/6")
    assert told.exit_code == 0, told.output
    assert told.output.splitlines()[2:9] == [
        "evaluable  E escalate  S stay  D de-escalate  DU eliminate",
        "---------  ----------  ------  -------------  ------------",
        "1          0           -       1              -",
        "2          0           -       1-2            -",
        "3          0           1       2              3",
        "4          0           1       2              3-4",
        "5          0-1         -       2-3            4-5",
    ]
    assert told.output.splitlines()[9] == "6          0-1         [2]     3              4-6           <- you are here"
    assert "lambda_e: 0.2364907" in told.output


def test_the_table_of_boin_goes_to_thirty_if_nothing_is_said() -> None:
    lines = dose("--design", "boin", "--table").output.splitlines()
    assert "30         0-7         8-10    11-13          14-30" in lines
    assert not [line for line in lines if line.startswith("31")]


@pytest.mark.rule("rules.md 5.2: boundaries", "rules.md 5.2: elimination")
def test_the_table_of_boin_as_json() -> None:
    document = json.loads(dose("--design", "boin", "--target", "0.30", "--table", "--up-to", "3", "--json").stdout)
    assert document["boundaries"][2] == {
        "n": 3,
        "escalate_at_most": 0,
        "de_escalate_at_least": 2,
        "eliminate_at_least": 3,
    }
    assert document["boundaries"][1]["eliminate_at_least"] is None
    assert document["tables"][0]["rows"][2] == ["3", "0", "1", "2", "3"]
    assert document["tables"][0]["here"] is None
    assert document["parameters"]["target"] == "0.3"


@pytest.mark.rule("rules.md 5.1")
def test_the_tables_of_3_plus_3_are_one_for_each_place_of_a_dose() -> None:
    every = dose("--design", "3+3", "--table").output
    assert [line for line in every.splitlines() if line.startswith("3+3, ")] == [
        "3+3, lowest dose, the next higher is open",
        "3+3, lowest dose, the next higher exceeds the MTD",
        "3+3, middle dose, the next higher is open",
        "3+3, middle dose, the next higher exceeds the MTD",
        "3+3, highest dose",
    ]
    one = dose("--design", "3+3", "--table", "--position", "highest", "--here", "1/3").output
    assert "3          0-1   [EXPAND_TO_6]" in one
    assert one.count("you are here") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--design", "crm", "--table"], "design is 'crm'; allowed are 3+3, boin"),
        (["--design", "boin"], "give either --file and --out, or --table"),
        (["--design", "boin", "--file", "x.csv"], "give either --file and --out, or --table"),
        (["--design", "boin", "--table", "--out", "y.csv"], "give either --file and --out, or --table"),
        (["--design", "3+3", "--table", "--up-to", "9"], "--up-to is for boin: 3+3 holds six"),
        (["--design", "boin", "--table", "--target", "0.7"], "the target is 0.7; allowed is 0.05 to 0.6"),
        (["--design", "boin", "--table", "--target", "30"], "the target is '30'; allowed is a rate such as 0.30"),
        (["--design", "boin", "--table", "--target", "nan"], "the target is 'nan'; allowed is a rate such as 0.30"),
        (["--design", "boin", "--table", "--here", "7/6"], "here is '7/6'; allowed is DLTs/evaluable, such as 2/6"),
        (["--design", "boin", "--table", "--here", "1/31"], "up to 30 evaluable"),
        (["--design", "boin", "--table", "--up-to", "0"], "should be greater than or equal to 1"),
        (["--design", "boin", "--table", "--position", "lowest"], "--position is for 3+3"),
        (["--design", "3+3", "--table", "--position", "top"], "position is 'top'; allowed are lowest, middle, highest"),
        (["--design", "3+3", "--file", "x.csv", "--out", "y.csv", "--here", "1/3"], "are for --table"),
        (["--design", "3+3", "--file", "not-there.csv", "--out", "y.csv"], "no such file"),
    ],
)
def test_a_wrong_use_says_what_is_allowed(words: list[str], said: str) -> None:
    told = dose(*words)
    assert told.exit_code == 2
    assert said in " ".join(told.output.replace("│", " ").split())


def test_the_help_shows_an_example() -> None:
    told = dose("--help")
    assert told.exit_code == 0
    assert "Example: tocsin dose --file counts.csv --design 3+3 --out decided.csv" in " ".join(told.output.split())
