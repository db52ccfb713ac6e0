"""`tocsin due`: the calculator on a file and on the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from standalone.__main__ import app
from tests.support.environment import reference_folder

HEADER = "case,seriousness,causality,expectedness,jurisdiction,awareness_local,tz,note"
CN7 = (
    "INV_TO_SPONSOR_24H=2026-03-03T09:15+08:00;CN_GCP48_COPY_7D=2026-03-09;CN_SUSAR_7D=2026-03-09;"
    "CN_SUSAR_7D_PLUS_8D=2026-03-17"
)
INVALID = reference_folder() / "rules" / "clock_invalid_inputs.csv"
FATAL = ["--seriousness", "fatal", "--causality", "related", "--expectedness", "unexpected", "--authority", "CN"]
WHEN = ["--aware", "2026-03-02T09:15", "--tz", "Asia/Shanghai"]


def due(*words: str) -> Result:
    return CliRunner().invoke(app, ["due", *words])


def through(folder: Path, text: str, *more: str) -> tuple[Result, list[dict[str, str]]]:
    (folder / "in.csv").write_text(text, "utf-8")
    told = due("--file", str(folder / "in.csv"), "--out", str(folder / "out.csv"), *more)
    if not (folder / "out.csv").exists():
        return told, []
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        return told, list(csv.DictReader(file))


def test_a_file_comes_back_whole_with_the_clocks_beside_it(tmp_path: Path) -> None:
    told, rows = through(
        tmp_path,
        f'{HEADER}\nC01,fatal,related,unexpected,CN,2026-03-02T09:15,Asia/Shanghai,"kept, as it is"\n'
        "C09,nonserious,related,unexpected,CN,2026-03-02T09:15,Asia/Shanghai,\n"
        "X1,hospitalisation,related,expected,US,2026-03-02T09:15,America/New_York,\n",
    )
    assert told.exit_code == 0, told.output
    assert list(rows[0]) == [*HEADER.split(","), "computed", "reason", "error"]
    assert [row["computed"] for row in rows] == [CN7, "", "INV_TO_SPONSOR_24H=2026-03-03T09:15-05:00"]
    assert rows[0]["note"] == "kept, as it is"
    assert [row["error"] for row in rows] == ["", "", ""]
    assert rows[1]["reason"].startswith("not serious; ")
    assert "CDE safety data rapid reporting standard (2018)" in rows[0]["reason"]


def test_an_absent_column_is_unknown_and_taken_at_its_worst(tmp_path: Path) -> None:
    told, rows = through(tmp_path, "awareness_local,tz,jurisdiction\n2026-03-02T09:15,Asia/Shanghai,CN\n")
    assert told.exit_code == 0
    assert rows[0]["computed"] == (
        "INV_TO_SPONSOR_24H=2026-03-03T09:15+08:00;CN_GCP48_COPY_15D=2026-03-17;CN_SUSAR_15D=2026-03-17"
    )
    assert "CN_SUSAR_15D (provisional): " in rows[0]["reason"]
    assert "not in the file, so unknown: seriousness, causality, expectedness" in told.output


def test_an_unknown_authority_gets_the_baseline(tmp_path: Path) -> None:
    _, rows = through(tmp_path, "seriousness,awareness_local,tz\nfatal,2026-03-02T09:15,Asia/Shanghai\n")
    assert "ICH_E2A_7D=2026-03-09;ICH_E2A_8D=2026-03-17" in rows[0]["computed"]
    assert "the jurisdiction is not known" in rows[0]["reason"]


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("deadly,related,unexpected,CN,2026-03-02T09:15,Asia/Shanghai", "seriousness is 'deadly'; allowed are fatal, "),
        ("fatal,yes,unexpected,CN,2026-03-02T09:15,Asia/Shanghai", "causality is 'yes'; allowed are related, "),
        ("fatal,related,no,CN,2026-03-02T09:15,Asia/Shanghai", "expectedness is 'no'; allowed are expected, "),
        ("fatal,related,expected,FR,2026-03-02T09:15,Asia/Shanghai", "jurisdiction is 'FR'; allowed are CN, EU, "),
        ("fatal,related,expected,SITE,2026-03-02T09:15,Asia/Shanghai", "jurisdiction is 'SITE'; allowed are CN, "),
        ("fatal,related,expected,CN,2026-03-02T09:15,Asia/Bejing", "tz is 'Asia/Bejing'; allowed is the name of "),
        ("fatal,related,expected,CN,2026-03-02T09:15,", "tz is unknown; needed is the IANA time zone"),
        ("fatal,related,expected,CN,,Asia/Shanghai", "awareness_local is unknown; needed is a local time"),
        ("fatal,related,expected,CN,2026-03-02,Asia/Shanghai", "'2026-03-02' is not an exact time"),
        ("fatal,related,expected,CN,2 March,Asia/Shanghai", "'2 March' is not a date"),
        ("fatal,related,expected,CN,0001-01-01T10:00,Asia/Shanghai", "year is out of range"),
        # The time is checked first, before any word, and the date before the zone.
        ("deadly,yes,no,FR,2026-03-08T02:30,America/New_York", "nonexistent local time: 2026-03-08T02:30"),
        ("fatal,related,expected,US,2026-11-01T01:30,America/New_York", "ambiguous local time: 2026-11-01T01:30"),
        ("fatal,related,expected,CN,2026-02-29T10:00,Mars/Base", "day is out of range for month"),
        ("fatal,related", "has 3 cells where the header has 8"),
    ],
)
def test_a_row_that_cannot_be_read_says_why_and_the_rest_is_still_done(tmp_path: Path, row: str, error: str) -> None:
    note = "" if row == "fatal,related" else ",a note"
    good = "C01,fatal,related,unexpected,CN,2026-03-02T09:15,Asia/Shanghai,"
    told, rows = through(tmp_path, f"{HEADER}\nB1,{row}{note}\n{good}\n")
    assert told.exit_code == 1
    assert rows[0]["error"].startswith(error)
    assert (rows[0]["computed"], rows[0]["reason"]) == ("", "")
    assert rows[1]["computed"] == CN7
    assert f"line 2: {error}" in told.output


def test_all_that_is_wrong_in_a_row_is_told_at_once(tmp_path: Path) -> None:
    _, rows = through(tmp_path, f"{HEADER}\nB1,deadly,related,no,CN,2026-03-02T09:15,Asia/Shanghai,\n")
    assert "seriousness is 'deadly'" in rows[0]["error"]
    assert "expectedness is 'no'" in rows[0]["error"]


@pytest.mark.reference
@pytest.mark.rule("clock_invalid_inputs.csv; rules.md D6")
def test_the_invalid_times_get_the_error_that_is_asked_for(tmp_path: Path) -> None:
    told, rows = through(tmp_path, INVALID.read_text("utf-8"))
    assert told.exit_code == 1
    assert len(rows) >= 3
    assert [row["case"] for row in rows if not row["error"].startswith(row["expected_error"])] == []


def test_a_column_that_would_hide_an_added_one_is_renamed(tmp_path: Path) -> None:
    told, rows = through(tmp_path, "reason,awareness_local,tz\nmine,2026-03-02T09:15,Asia/Shanghai\n")
    assert rows[0]["input_reason"] == "mine"
    assert 'the column "reason" of the file is now "input_reason"' in told.output


def test_the_summary_of_a_file_as_json(tmp_path: Path) -> None:
    told, _ = through(tmp_path, "awareness_local,tz,seriousness\n2026-03-02T09:15,Asia/Shanghai,bad\n", "--json")
    assert told.exit_code == 1
    summary = json.loads(told.stdout)
    assert (summary["rows"], summary["with_clocks"], summary["without_clocks"]) == (1, 0, 0)
    assert summary["findings"][0]["line"] == 2
    assert summary["absent_columns"] == ["causality", "expectedness", "jurisdiction"]


@pytest.mark.parametrize(
    ("text", "exit_code", "said"),
    [
        ("a,b\n1,2\n", 2, "none of the columns that are read is there"),
        ("tz,tz\nUTC,UTC\n", 2, 'the column "tz" is there twice'),
        ("", 1, "no header"),
    ],
)
def test_a_file_that_cannot_be_read_writes_nothing(tmp_path: Path, text: str, exit_code: int, said: str) -> None:
    told, _ = through(tmp_path, text)
    assert (told.exit_code, (tmp_path / "out.csv").exists()) == (exit_code, False)
    assert said in told.output


def test_the_input_is_never_written_over(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text(f"{HEADER}\n", "utf-8")
    told = due("--file", str(source), "--out", str(source))
    assert told.exit_code == 2
    assert source.read_text("utf-8") == f"{HEADER}\n"


def test_the_facts_of_one_moment_on_the_command_line() -> None:
    told = due(*FATAL, *WHEN)
    assert told.exit_code == 0, told.output
    assert "CN_SUSAR_7D_PLUS_8D" in told.output
    assert "2026-03-17" in told.output


def test_the_facts_of_one_moment_as_json() -> None:
    answer = json.loads(due(*FATAL, *WHEN, "--json").stdout)
    assert answer["computed"] == CN7
    assert [clock["rule"] for clock in answer["clocks"]] == [part.split("=")[0] for part in CN7.split(";")]
    assert answer["clocks"][0]["due"] == "2026-03-03T09:15+08:00"


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        ([*FATAL], 2, "--aware and --tz are needed"),
        ([], 2, "give either --file and --out"),
        (["--file", "x.csv"], 2, "--file and --out go together"),
        (["--file", "x.csv", "--out", "y.csv", *WHEN], 2, "give either --file and --out"),
        (["--file", "not-there.csv", "--out", "y.csv"], 2, "no such file"),
        ([*WHEN, "--seriousness", "deadly"], 2, "seriousness is 'deadly'; allowed are fatal, "),
        (["--aware", "2026-03-08T02:30", "--tz", "America/New_York"], 1, "nonexistent local time"),
    ],
)
def test_a_wrong_use_is_told_from_a_wrong_time(words: list[str], exit_code: int, said: str) -> None:
    told = due(*words)
    assert told.exit_code == exit_code
    assert said in " ".join(told.output.replace("│", " ").split())


KOREA = """profile = "KR"
zone = "Asia/Seoul"

[[rule]]
id = "KR_SUSAR_7D"
recipient = "MFDS"
trigger = "fatal_or_life_threatening_susar"
days = 7
clause = "clause 30"
text = "within 7 days"
confidence = "medium"

[[rule]]
id = "KR_ETHICS_24H"
recipient = "ethics committee"
trigger = "fatal_or_life_threatening_susar"
hours = 24
clause = "clause 31"
text = "within 24 hours"
confidence = "low"
"""


def own_rules(folder: Path, text: str = KOREA) -> list[str]:
    path = folder / "own.toml"
    path.write_text(text, "utf-8")
    return ["--rules", str(path)]


def test_a_sponsors_rule_file_adds_an_authority_to_the_calculator(tmp_path: Path) -> None:
    facts = [*FATAL[:-1], "KR", "--aware", "2026-03-02T09:15", "--tz", "Asia/Seoul"]
    told = due(*facts, *own_rules(tmp_path), "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["computed"] == (
        "INV_TO_SPONSOR_24H=2026-03-03T09:15+09:00;KR_ETHICS_24H=2026-03-03T09:15+09:00;KR_SUSAR_7D=2026-03-09"
    )
    assert "jurisdiction is 'KR'; allowed are CN, EU, ICH, JP, UK, US" in due(*facts).output


def test_a_sponsors_rule_file_is_laid_over_ours_for_a_file_of_facts_too(tmp_path: Path) -> None:
    row = "C01,fatal,related,unexpected,CN,2026-03-02T09:15,Asia/Shanghai,"
    longer = KOREA.split("\n[[rule]]\n")[1].replace("KR_SUSAR_7D", "CN_SUSAR_7D").replace("days = 7", "days = 8")
    own = own_rules(tmp_path, f'profile = "CN"\nzone = "Asia/Shanghai"\n[[rule]]\n{longer}')
    told, rows = through(tmp_path, f"{HEADER}\n{row}\n", *own)
    assert told.exit_code == 0
    assert rows[0]["computed"] == CN7.replace("CN_SUSAR_7D=2026-03-09", "CN_SUSAR_7D=2026-03-10")
    assert "clause 30: within 7 days" in rows[0]["reason"]
    assert "Caution: CN_SUSAR_7D allows 8 days: Tocsin's rule allows 7 (CDE safety data" in told.stderr


def test_a_wrong_rule_file_is_refused_with_every_wrong_place(tmp_path: Path) -> None:
    own = own_rules(tmp_path, KOREA.replace("days = 7", "days = 0").replace('"low"', '"sure"'))
    told = due(*FATAL, *WHEN, *own)
    assert told.exit_code == 1
    assert told.stderr.splitlines() == [
        f"tocsin due: {tmp_path}/own.toml: rule 1 (KR_SUSAR_7D): the limit is 0; allowed is a whole number from 1 to "
        "366 days",
        f"tocsin due: {tmp_path}/own.toml: rule 2 (KR_ETHICS_24H): confidence 'sure'; allowed are high, medium, low",
    ]


def test_a_rule_file_that_is_not_there_is_a_wrong_use() -> None:
    told = due(*FATAL, *WHEN, "--rules", "none.toml")
    assert told.exit_code == 2
    assert "no such rule file: none.toml" in told.stderr
