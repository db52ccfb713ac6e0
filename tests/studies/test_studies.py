"""The study files: the two of the project say what the public record says, and a wrong one is refused in words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.support.environment import reference_folder
from tocsin.domain.clocks import Mode
from tocsin.domain.syndromes import Syndrome
from tocsin.domain.words import Role
from tocsin.errors import ProtocolError
from tocsin.studies import load, read

FOLDER = Path(__file__).parents[2] / "deploy" / "protocols"
KQ2003, PILOT = FOLDER / "nct06223646.toml", FOLDER / "cdiscpilot01.toml"


def test_both_studies_of_the_project_load_side_by_side() -> None:
    assert list(load([KQ2003, PILOT])) == ["NCT06223646", "CDISCPILOT01"]


@pytest.mark.rule("NCT06223646, public record")
def test_the_first_study_says_what_the_public_record_says() -> None:
    study = read(KQ2003)
    assert study.product == "KQ-2003"
    assert study.phase == "1/2a"
    assert study.planned_subjects == 29
    assert [level.cells_per_kg for level in study.levels] == [1_000_000.0, 2_000_000.0, 3_000_000.0]
    assert study.schedule == "single infusion"
    assert study.dose.mtd_needs_evaluable == 6
    assert study.ctcae == "5.0"
    assert study.follow_up is not None
    assert study.follow_up >= timedelta(days=365 + 366)
    assert study.dlt is not None
    assert (study.dlt.window_days, study.dlt.day_base) == (28, 0)
    assert study.receiver_zone == ZoneInfo("Asia/Shanghai")
    site = study.site("S01")
    assert site is not None
    assert site.zone == ZoneInfo("Asia/Shanghai")
    assert "Beijing" in site.name


@pytest.mark.reference
@pytest.mark.rule("NCT06223646, public record")
def test_the_public_record_holds_those_very_words() -> None:
    record = (reference_folder() / "trial" / "NCT06223646.txt").read_text("utf-8")
    for words in (
        "1.0×10\\^6 CAR-T cells/kg",
        "2.0×10\\^6 CAR-T cells/kg",
        "3.0×10\\^6 CAR-T cells/kg",
        "by single dose",
        "Target Recruitment\n29",
        "Within 28 days of receiving KQ-2003",
        "At least 6 subjects in the MTD dose group must complete the DLT assessment",
        "version 5.0 (CTCAE v5.0)",
        "Minimum 2 years after KQ-2003 CAR T-cells infusion",
        "Beijing, China",
    ):
        assert words in record


@pytest.mark.rule("rules.md 1.3: CN profile; rules.md C5; readings.md clocks 10")
def test_the_first_study_runs_the_clocks_of_china_conservatively() -> None:
    study = read(KQ2003)
    assert [rule.id for rule in study.clock_rules] == [
        "CN_SUSAR_7D",
        "CN_SUSAR_7D_PLUS_8D",
        "CN_SUSAR_15D",
        "CN_GCP48_COPY_7D",
        "CN_GCP48_COPY_15D",
        "CN_FU_15D",
        "CN_OTHER_RISK",
        "INV_TO_SPONSOR_24H",
    ]
    assert study.clock_mode is Mode.CONSERVATIVE
    assert study.special_interest == frozenset(Syndrome)


@pytest.mark.rule("dlt_default_ruleset.csv")
def test_the_first_studys_dlt_rules_carry_the_names_of_the_default_set() -> None:
    study = read(KQ2003)
    assert study.dlt is not None
    assert [rule.id for rule in study.dlt.rules] == [
        "DLT-01", "DLT-02", "DLT-03", "DLT-04", "DLT-05", "DLT-06", "DLT-07", "DLT-08", "DLT-09", "DLT-10", "DLT-11",
        "DLT-12", "DLT-13", "DLT-14", "DLT-15",
    ]  # fmt: skip
    assert [rule.id for rule in study.dlt.rules if not rule.needs_relation] == ["DLT-01"]


def test_whoever_is_rung_has_an_address() -> None:
    for study in load([KQ2003, PILOT]).values():
        roles = {r.role for r in study.recipients if r.email}
        assert {
            Role.SAFETY_PHYSICIAN, Role.SECOND_PHYSICIAN, Role.MEDICAL_DIRECTOR, Role.SAFETY_TEAM, Role.CODER,
            Role.ADMINISTRATOR,
        } <= roles  # fmt: skip
        assert all(site.contact for site in study.sites)


def test_the_second_study_runs_the_clocks_of_the_united_states_and_doses_nobody() -> None:
    study = read(PILOT)
    assert [rule.id for rule in study.clock_rules] == [
        "US_312_32_C2_7D",
        "US_312_32_C1_15D",
        "US_312_32_D3_LATE_DETERMINATION_15D",
        "US_FU",
        "US_312_32_C1_OTHER_FINDING_15D",
        "INV_TO_SPONSOR_24H",
    ]
    assert study.dlt is None
    assert study.levels == ()
    assert study.receiver_zone == ZoneInfo("America/New_York")
    assert len(study.sites) == 17
    found = study.subject_pattern.fullmatch("01-701-1015")
    assert found is not None
    assert study.site(found["site"]) is not None
    # Not cells: what is always medically important after CAR-T cells is nothing special here.
    assert study.special_interest == frozenset()


def test_a_subjects_number_names_its_site() -> None:
    found = read(KQ2003).subject_pattern.fullmatch("S01-001")
    assert found is not None
    assert found["site"] == "S01"
    assert read(KQ2003).subject_pattern.fullmatch("S01-1") is None


ASSUMED_RSI = "ASSUMED RULES, not approved by the sponsor: reference safety information (none)"
ASSUMED_DLT = "ASSUMED RULES, not approved by the sponsor: DLT definition dlt-default-0.1"


@pytest.mark.rule("rules.md 4.2: assumed rules are named")
def test_an_assumption_stands_beside_every_verdict_until_the_sponsor_approves(tmp_path: Path) -> None:
    text = KQ2003.read_text("utf-8")
    status = 'status = "ASSUMPTION_SPONSOR_MUST_REPLACE"'
    before_dlt, dlt = text.split("[dlt]")
    approved = 'status = "SPONSOR_APPROVED"'

    def assumptions(one: str, two: str) -> tuple[str, ...]:
        path = tmp_path / "study.toml"
        path.write_text(f"{one}[dlt]{two}", "utf-8")
        return read(path).assumptions

    assert assumptions(before_dlt, dlt) == (ASSUMED_RSI, ASSUMED_DLT)
    assert assumptions(before_dlt.replace(status, approved), dlt) == (ASSUMED_DLT,)
    assert assumptions(before_dlt, dlt.replace(status, approved)) == (ASSUMED_RSI,)
    assert assumptions(before_dlt.replace(status, approved), dlt.replace(status, approved)) == ()


def swapped(old: str, new: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        assert old in text, f"the good file has no {old!r}"
        return text.replace(old, new, 1)

    return edit


def added(after: str, line: str) -> Callable[[str], str]:
    return swapped(after, f"{after}\n{line}")


@pytest.mark.parametrize(
    ("edit", "key", "value", "allowed"),
    [
        (swapped('id = "NCT06223646"\n', ""), "study.id", "is missing", "needed"),
        (swapped('id = "NCT06223646"', "id = 6223646"), "study.id", "6223646", "string"),
        (swapped('product = "KQ-2003"', 'product = " "'), "study.product", "' '", "should match"),
        (
            swapped('receiver_zone = "Asia/Shanghai"', 'receiver_zone = "Asia/Bejing"'),
            "study.receiver_zone",
            "'Asia/Bejing'",
            "allowed is a name such as Asia/Shanghai",
        ),
        (
            swapped('zone = "Asia/Shanghai"\ncontact = "site-s01', 'zone = "UTC+8"\ncontact = "site-s01'),
            "sites[1].zone",
            "'UTC+8'",
            "allowed is a name such as Asia/Shanghai",
        ),
        (
            swapped("(?P<site>S\\d{2})-\\d{3}", "(?P<site>S\\d{2"),
            "study.subject_pattern",
            "(?P<site>S",
            "allowed is one in",
        ),
        (
            swapped("(?P<site>S\\d{2})-", "S\\d{2}-"),
            "study.subject_pattern",
            "S\\\\d{2}-",
            "it needs a group (?P<site>…)",
        ),
        (
            swapped("planned_subjects = 29", "planned_subjects = 0"),
            "study.planned_subjects",
            "0",
            "greater than or equal to 1",
        ),
        (swapped("planned_subjects = 29", 'planned_subjects = "29"'), "study.planned_subjects", "'29'", "integer"),
        (swapped("planned_subjects = 29", "planned_subjects = true"), "study.planned_subjects", "True", "integer"),
        (swapped('ctcae = "5.0"', 'ctcae = "4.03"'), "study.ctcae", "'4.03'", "'5.0' or '6.0'"),
        (swapped('ctcae = "5.0"', "ctcae = 5.0"), "study.ctcae", "5.0", "'5.0' or '6.0'"),
        (swapped('meddra = "29.0"', 'meddra = "29.3"'), "study.meddra", "'29.3'", "such as 29.0 or 29.1"),
        (
            swapped("uncoded_after_hours = 4", "uncoded_after_hours = 0"),
            "study.uncoded_after_hours",
            "0",
            "greater than 0",
        ),
        (swapped("uncoded_after_hours = 4", "uncoded_after_hours = inf"), "study.uncoded_after_hours", "inf", "finite"),
        (
            added("uncoded_after_hours = 4", 'special_interest = ["CRS", "ICAN"]'),
            "study.special_interest[2]",
            "'ICAN'",
            "'ICANS'",
        ),
        (
            added("uncoded_after_hours = 4", 'receiver_zon = "Asia/Shanghai"'),
            "study.receiver_zon",
            "'Asia/Shanghai'",
            "allowed here are id, title, product",
        ),
        (added("[clocks]", "strict = true"), "clocks.strict", "True", "allowed here are profiles, mode"),
        (
            added('contact = "site-s01@trial.invalid"', "beds = 3"),
            "sites[1].beds",
            "3",
            "allowed here are id, name, zone",
        ),
        (added("min_grade = 5", "grade = 5"), "dlt.rules[1].grade", "5", "allowed here are id, text, about, min_grade"),
        (
            swapped("[study]", "[webhooks]\nurl = 1\n\n[study]"),
            "webhooks",
            "'url': 1",
            "allowed here are study, clocks",
        ),
        (
            swapped('profiles = ["CN"]', 'profiles = ["CN", "XX"]'),
            "clocks.profiles[2]",
            "'XX'",
            "allowed are CN, EU, ICH, JP, SITE, UK, US",
        ),
        (swapped('profiles = ["CN"]', "profiles = []"), "clocks.profiles", "list", "at least 1 item"),
        (
            swapped('mode = "conservative"', 'mode = "lenient"'),
            "clocks.mode",
            "'lenient'",
            "'receiver' or 'conservative'",
        ),
        (
            swapped("cells_per_kg = 1.0e6", "cells_per_kg = -1.0"),
            "dose.levels[1].cells_per_kg",
            "-1.0",
            "greater than 0",
        ),
        (swapped('id = "DL2"', 'id = "DL1"'), "dose.levels", "'DL1'", "allowed is each once"),
        (swapped("mtd_needs_evaluable = 6", "mtd_needs_evaluable = 6.5"), "dose.mtd_needs_evaluable", "6.5", "integer"),
        (swapped('id = "S02"', 'id = "S01"'), "sites", "'S01'", "allowed is each once"),
        (
            swapped('contact = "site-s01@trial.invalid"', 'contact = "call us"'),
            "sites[1].contact",
            "'call us'",
            "name@example.org",
        ),
        (swapped('role = "safety_physician"', 'role = "nurse"'), "recipients[1].role", "'nurse'", "'safety_physician'"),
        (
            swapped('role = "safety_physician"', 'role = "second_physician"'),
            "recipients",
            "second_physician",
            "at least one 'safety_physician' with an email is needed",
        ),
        (
            swapped('email = "safety-physician@sponsor.invalid"\n', ""),
            "recipients",
            "safety_physician",
            "at least one 'safety_physician' with an email is needed",
        ),
        (
            swapped('status = "ASSUMPTION_SPONSOR_MUST_REPLACE"', 'status = "APPROVED"'),
            "rsi.status",
            "'APPROVED'",
            "'SPONSOR_APPROVED'",
        ),
        (
            swapped("entries = []", 'entries = [{ term = "Fever", max_expected_grade = 6 }]'),
            "rsi.entries[1].max_expected_grade",
            "6",
            "less than or equal to 5",
        ),
        (
            swapped("entries = []", 'entries = [{ term = "Fever", code = "R50.9" }]'),
            "rsi.entries[1].code",
            "'R50.9'",
            "eight digits",
        ),
        (
            swapped("entries = []", 'entries = [{ term = "Fever" }, { term = "fever" }]'),
            "rsi.entries",
            "'fever'",
            "allowed is each once",
        ),
        (swapped("window_days = 28", "window_days = 0"), "dlt.window_days", "0", "greater than or equal to 1"),
        (swapped("day_base = 0", "day_base = 2"), "dlt.day_base", "2", "0 or 1"),
        (swapped("min_grade = 5", "min_grade = 6"), "dlt.rules[1].min_grade", "6", "less than or equal to 5"),
        (
            swapped('terms = ["Neutrophil count decreased"]', 'terms = ["Neutropenia"]'),
            "dlt.rules[8] (DLT-08)",
            "'Neutropenia'",
            "allowed are the terms of CTCAE v5.0",
        ),
        (
            swapped('terms = ["Alopecia"]', 'terms = ["Hair loss"]'),
            "dlt.exclusions[11] (EX-06)",
            "'Hair loss'",
            "allowed are the terms of CTCAE v5.0",
        ),
        (
            swapped('terms = ["Alopecia"]', 'terms = ["Infections and infestations - Other, specify"]'),
            "dlt.exclusions[11] (EX-06)",
            "Other, specify",
            'not "Other, specify"',
        ),
        (swapped('id = "DLT-03"', 'id = "DLT-02"'), "dlt.rules", "'DLT-02'", "allowed is each once"),
        (swapped("words = '\\bguil", "words = '(\\bguil"), "dlt.rules[6].words", "guil", "no regular expression"),
        (swapped("words = '\\bguil", "words = '|\\bguil"), "dlt.rules[6].words", "guil", "at least one character"),
    ],
)
def test_a_wrong_file_is_refused_with_file_key_value_and_what_is_allowed(
    tmp_path: Path, edit: Callable[[str], str], key: str, value: str, allowed: str
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(edit(KQ2003.read_text("utf-8")), "utf-8")
    with pytest.raises(ProtocolError) as refused:
        read(path)
    said = str(refused.value)
    assert said.startswith(f"{path}: ")
    for part in (key, value, allowed):
        assert part in said
    assert len(said.splitlines()) == 1, "one wrong place is one sentence"


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    text = KQ2003.read_text("utf-8").replace("window_days = 28", "window_days = 0").replace('"5.0"', '"4.03"')
    path.write_text(text, "utf-8")
    with pytest.raises(ProtocolError) as refused:
        read(path)
    assert [line.split(" is ")[0] for line in str(refused.value).splitlines()] == [
        f"{path}: study.ctcae",
        f"{path}: dlt.window_days",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"[study", "not TOML"), (b"\xff\xfe", "not TOML"), (b"", "study is missing")],
)
def test_a_file_that_is_no_study_at_all_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_bytes(content)
    with pytest.raises(ProtocolError, match=said):
        read(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"none\.toml: cannot be read: No such file"):
        read(tmp_path / "none.toml")


def test_the_same_study_from_two_files_is_refused(tmp_path: Path) -> None:
    again = tmp_path / "again.toml"
    again.write_bytes(KQ2003.read_bytes())
    with pytest.raises(ProtocolError, match=r"again\.toml: study\.id is 'NCT06223646', already served"):
        load([KQ2003, again])


def test_a_study_may_run_several_authorities_clocks(tmp_path: Path) -> None:
    path = tmp_path / "both.toml"
    path.write_text(KQ2003.read_text("utf-8").replace('profiles = ["CN"]', 'profiles = ["CN", "US", "CN"]'), "utf-8")
    ids = [rule.id for rule in read(path).clock_rules]
    assert len(ids) == len(set(ids)) == 13
