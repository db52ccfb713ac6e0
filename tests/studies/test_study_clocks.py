"""What a study file says of its clocks: contested points, copies, follow-up requests and versions of the RSI."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from tocsin.domain.clocks import Mode
from tocsin.domain.protocol import (
    ClockSettings,
    CodingSettings,
    CopyRecipient,
    CopyTo,
    CountsFrom,
    FollowUpRequests,
    GradingSettings,
    Protocol,
    SuspectedBy,
)
from tocsin.domain.words import CrsScale
from tocsin.errors import ProtocolError
from tocsin.studies import read

FOLDER = Path(__file__).parents[2] / "deploy" / "protocols"
KQ2003 = (FOLDER / "nct06223646.toml").read_text("utf-8")
RSI = """[rsi]
version = "none"
status = "ASSUMPTION_SPONSOR_MUST_REPLACE"
entries = []
"""


def study(folder: Path, *, clocks: str = "", more: str = "", rsi: str = RSI) -> Protocol:
    """The first study, with lines added to [clocks], parts added at the end, or another reference information."""
    assert "\n[clocks]\n" in KQ2003
    assert RSI in KQ2003
    text = KQ2003.replace("\n[clocks]\n", f"\n[clocks]\n{clocks}\n").replace(RSI, rsi)
    path = folder / "study.toml"
    path.write_text(f"{text}\n{more}\n", "utf-8")
    return read(path)


def refused(folder: Path, **parts: str) -> list[str]:
    """What is said of a wrong file, a line for each wrong place, without the file's name."""
    with pytest.raises(ProtocolError) as wrong:
        study(folder, **parts)
    lines = str(wrong.value).splitlines()
    start = f"{folder / 'study.toml'}: "
    assert all(line.startswith(start) for line in lines)
    return [line.removeprefix(start) for line in lines]


@pytest.mark.rule("rules.md 1.6 C1 to C6; readings.md clocks 2, 4, 5")
def test_what_is_contested_has_the_stated_default() -> None:
    of_project = read(FOLDER / "nct06223646.toml")
    assert of_project.clock_settings == ClockSettings(
        fda_suspected_by=SuspectedBy.EITHER_PARTY,
        fda_15_days_from=CountsFrom.RECEIPT,
        non_working=frozenset(),
        strict_follow_up=False,
        also_7_days_after_determination=True,
        probably_not_related_is_suspected=True,
        wrong_subject_keeps_day_zero=True,
        signatures_to_close=1,
    )
    assert of_project.clock_mode is Mode.CONSERVATIVE


@pytest.mark.rule("rules.md 1.6 C1 to C6")
def test_each_contested_point_is_a_line_in_the_study_file(tmp_path: Path) -> None:
    lines = """fda_suspected_by = "sponsor"
fda_15_days_from = "determination"
non_working = [2026-10-01, 2026-10-02]
strict_follow_up = true
also_7_days_after_determination = false
probably_not_related_is_suspected = false
wrong_subject_keeps_day_zero = false
signatures_to_close = 2"""
    assert study(tmp_path, clocks=lines).clock_settings == ClockSettings(
        fda_suspected_by=SuspectedBy.SPONSOR,
        fda_15_days_from=CountsFrom.DETERMINATION,
        non_working=frozenset({date(2026, 10, 1), date(2026, 10, 2)}),
        strict_follow_up=True,
        also_7_days_after_determination=False,
        probably_not_related_is_suspected=False,
        wrong_subject_keeps_day_zero=False,
        signatures_to_close=2,
    )


def test_what_the_first_study_shows_as_a_default_is_the_default(tmp_path: Path) -> None:
    as_it_is = read(FOLDER / "nct06223646.toml")
    kept = re.sub(r"(?m)^# ((\w+ = )(?!\[\"rules/)|\[(follow_up_requests|grading|coding)\]$)", r"\1", KQ2003)
    # The example of a copy names one recipient and is no default.
    kept = re.sub(r"(?m)^(name = \"S01 ethics committee\"|kind = .*|site = \"S01\")$", r"# \1", kept)
    path = tmp_path / "study.toml"
    path.write_text(kept, "utf-8")
    assert (
        kept.count("\nsignatures_to_close = 1")
        == kept.count("\n[follow_up_requests]\n")
        == kept.count("\n[grading]\n")
        == kept.count("\n[coding]\n")
        == 1
    )
    assert read(path) == as_it_is


def test_a_site_is_asked_again_on_the_days_that_the_study_sets(tmp_path: Path) -> None:
    assert study(tmp_path).follow_up_requests == FollowUpRequests((1, 3, 7), (7, 14, 30))
    more = "[follow_up_requests]\nfatal_or_life_threatening = [1, 2]\nother = []"
    assert study(tmp_path, more=more).follow_up_requests == FollowUpRequests((1, 2), ())


def test_the_study_says_which_scale_counts_and_from_which_grade_on_a_site_is_asked(tmp_path: Path) -> None:
    assert study(tmp_path).grading == GradingSettings(CrsScale.WORST_OF, 3)
    assert study(tmp_path, more='[grading]\ncrs = "astct"\nask_from_grade = 4').grading == GradingSettings(
        CrsScale.ASTCT, 4
    )


def test_the_study_says_whether_a_second_person_agrees_to_what_a_coder_decides(tmp_path: Path) -> None:
    assert study(tmp_path).coding == CodingSettings(second_person=False)
    assert study(tmp_path, more="[coding]\nsecond_person = true").coding == CodingSettings(second_person=True)


@pytest.mark.rule("GCP 2020 Art. 48")
def test_copies_go_to_everybody_at_each_site_and_to_a_health_authority_where_nobody_is_named(tmp_path: Path) -> None:
    assert study(tmp_path).copies_to == (
        CopyRecipient("S01 investigator", CopyTo.INVESTIGATOR, "S01"),
        CopyRecipient("S01 institution", CopyTo.INSTITUTION, "S01"),
        CopyRecipient("S01 ethics committee", CopyTo.ETHICS_COMMITTEE, "S01"),
        CopyRecipient("S02 investigator", CopyTo.INVESTIGATOR, "S02"),
        CopyRecipient("S02 institution", CopyTo.INSTITUTION, "S02"),
        CopyRecipient("S02 ethics committee", CopyTo.ETHICS_COMMITTEE, "S02"),
        CopyRecipient("health authority", CopyTo.HEALTH_AUTHORITY),
    )


def test_copies_go_to_those_whom_the_study_names(tmp_path: Path) -> None:
    more = """[[copies_to]]
name = "Dr Gao"
kind = "investigator"
site = "S01"

[[copies_to]]
name = "Beijing health commission"
kind = "health_authority"
"""
    assert study(tmp_path, more=more).copies_to == (
        CopyRecipient("Dr Gao", CopyTo.INVESTIGATOR, "S01"),
        CopyRecipient("Beijing health commission", CopyTo.HEALTH_AUTHORITY),
    )


def version(part: str, name: str, since: str | None = None, status: str = "SPONSOR_APPROVED") -> str:
    from_ = f"in_force_from = {since}\n" if since else ""
    return f'{part}\nversion = "{name}"\nstatus = "{status}"\n{from_}entries = [{{ term = "Fever" }}]\n'


@pytest.mark.rule("rules.md 1.1: RSI version")
def test_earlier_versions_of_the_reference_safety_information_stand_beside_the_one_in_force(tmp_path: Path) -> None:
    rsi = (
        version("[[earlier_rsi]]", "IB 3.0")
        + version("[[earlier_rsi]]", "IB 4.0", "2026-01-15", "ASSUMPTION_SPONSOR_MUST_REPLACE")
        + version("[rsi]", "IB 4.1", "2026-06-01")
    )
    found = study(tmp_path, rsi=rsi)
    assert [(v.version, v.in_force_from) for v in (*found.earlier_rsi, found.rsi)] == [
        ("IB 3.0", None),
        ("IB 4.0", date(2026, 1, 15)),
        ("IB 4.1", date(2026, 6, 1)),
    ]
    assert [entry.term for entry in found.earlier_rsi[0].entries] == ["Fever"]
    assert found.assumptions[0] == ("ASSUMED RULES, not approved by the sponsor: reference safety information (IB 4.0)")


def test_the_only_version_may_say_from_when_it_is_in_force(tmp_path: Path) -> None:
    found = study(tmp_path, rsi=version("[rsi]", "IB 4.1", "2026-06-01"))
    assert (found.rsi.in_force_from, found.earlier_rsi) == (date(2026, 6, 1), ())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('fda_suspected_by = "investigator"', "clocks.fda_suspected_by is 'investigator'; Input should be 'either_par"),
        ('fda_15_days_from = "onset"', "clocks.fda_15_days_from is 'onset'; Input should be 'receipt' or 'determinat"),
        ('non_working = ["2026-10-01"]', "clocks.non_working[1] is '2026-10-01'; it is no date; allowed is a date wit"),
        ("non_working = [2026-10-01T00:00:00]", "it is no date; allowed is a date without quotes, such as 2026-10-01"),
        ("non_working = [2026-10-01, 2026-10-01]", "2026-10-01 stands twice; allowed is each date once"),
        ('strict_follow_up = "yes"', "clocks.strict_follow_up is 'yes'; Input should be a valid boolean"),
        ("also_7_days_after_determination = 1", "clocks.also_7_days_after_determination is 1; Input should be a valid"),
        ("signatures_to_close = 3", "clocks.signatures_to_close is 3; Input should be less than or equal to 2"),
        ("signatures_to_close = 0", "clocks.signatures_to_close is 0; Input should be greater than or equal to 1"),
        ("signatures_to_close = true", "clocks.signatures_to_close is True; Input should be a valid integer"),
        (
            "holidays = []",
            "clocks.holidays is not a known key (its value is []); allowed here are profiles, mode, rules",
        ),
    ],
)
def test_a_wrong_setting_is_refused_with_key_value_and_what_is_allowed(tmp_path: Path, line: str, said: str) -> None:
    [told] = refused(tmp_path, clocks=line)
    assert said in told


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            "[follow_up_requests]\nother = [7, 7]",
            "follow_up_requests.other is list; [7, 7] does not ascend; allowed are",
        ),
        ("[follow_up_requests]\nother = [0, 7]", "follow_up_requests.other[1] is 0; Input should be greater than or"),
        ("[follow_up_requests]\nother = [400]", "follow_up_requests.other[1] is 400; Input should be less than or"),
        ("[follow_up_requests]\nfatal = [1]", "allowed here are fatal_or_life_threatening, other"),
        ("[coding]\nsecond_person = 1", "coding.second_person is 1; Input should be a valid boolean"),
        ("[coding]\nsecond = true", "allowed here are second_person"),
        ('[[copies_to]]\nname = "A"\nkind = "nurse"', "copies_to[1].kind is 'nurse'; Input should be 'investigator', "),
        ('[[copies_to]]\nkind = "institution"', "copies_to[1].name is missing; it is needed"),
        (
            '[[copies_to]]\nname = "A"\nkind = "institution"\nsite = "S03"',
            "copies_to[1].site is 'S03'; allowed are S01, S02",
        ),
        (
            '[[copies_to]]\nname = "A"\nkind = "institution"\n[[copies_to]]\nname = "a"\nkind = "institution"',
            "copies_to has the name 'a' more than once; allowed is each once",
        ),
        (
            '[[copies_to]]\nname = "cde"\nkind = "health_authority"',
            "copies_to has the name 'cde', which is the recipient of a rule too; allowed is another name",
        ),
    ],
)
def test_a_wrong_part_is_refused_with_key_value_and_what_is_allowed(tmp_path: Path, more: str, said: str) -> None:
    [told] = refused(tmp_path, more=more)
    assert said in told


def test_an_empty_list_of_copies_is_refused_as_a_clock_would_be_met_by_nobody(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(f"copies_to = []\n{KQ2003}", "utf-8")
    with pytest.raises(ProtocolError, match="copies_to is list; List should have at least 1 item"):
        read(path)


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        (
            [("[[earlier_rsi]]", "IB 3.0", None), ("[rsi]", "IB 3.0", "2026-06-01")],
            ["rsi and earlier_rsi has the version 'IB 3.0' more than once; allowed is each once"],
        ),
        (
            [("[[earlier_rsi]]", "IB 3.0", "2026-01-01"), ("[rsi]", "IB 4.1", None)],
            ["rsi.in_force_from is missing; it is needed as earlier_rsi[1] came before"],
        ),
        (
            [
                ("[[earlier_rsi]]", "IB 3.0", None),
                ("[[earlier_rsi]]", "IB 4.0", None),
                ("[rsi]", "IB 4.1", "2026-06-01"),
            ],
            ["earlier_rsi[2].in_force_from is missing; it is needed as earlier_rsi[1] came before"],
        ),
        (
            [("[[earlier_rsi]]", "IB 3.0", "2026-06-01"), ("[rsi]", "IB 4.1", "2026-06-01")],
            ["rsi.in_force_from is 2026-06-01; allowed is a date after 2026-06-01: earliest first"],
        ),
        (
            [
                ("[[earlier_rsi]]", "IB 4.0", "2026-06-01"),
                ("[[earlier_rsi]]", "IB 3.0", "2026-01-01"),
                ("[rsi]", "IB 4.1", "2025-01-01"),
            ],
            [
                "earlier_rsi[2].in_force_from is 2026-01-01; allowed is a date after 2026-06-01: earliest first",
                "rsi.in_force_from is 2025-01-01; allowed is a date after 2026-01-01: earliest first",
            ],
        ),
        (
            [("[rsi]", "IB 4.1", '"2026-06-01"')],
            ["rsi.in_force_from is '2026-06-01'; it is no date; allowed is a date without quotes, such as 2026-10-01"],
        ),
    ],
)
def test_versions_that_do_not_follow_one_another_are_refused(
    tmp_path: Path, versions: list[tuple[str, str, str | None]], said: list[str]
) -> None:
    assert refused(tmp_path, rsi="".join(version(*parts) for parts in versions)) == said


def test_a_reaction_listed_twice_in_an_earlier_version_is_refused(tmp_path: Path) -> None:
    twice = version("[[earlier_rsi]]", "IB 3.0").replace('"Fever" }', '"Fever" }, { term = "fever" }')
    [told] = refused(tmp_path, rsi=twice + version("[rsi]", "IB 4.1", "2026-06-01"))
    assert told == "earlier_rsi[1].entries has the term or code 'fever' more than once; allowed is each once"


def test_all_that_is_wrong_about_the_clocks_is_told_at_once(tmp_path: Path) -> None:
    more = '[[copies_to]]\nname = "A"\nkind = "institution"\nsite = "S03"'
    rsi = version("[[earlier_rsi]]", "IB 3.0") + version("[rsi]", "IB 4.1")
    assert refused(tmp_path, clocks="rules = []", more=more, rsi=rsi) == [
        "copies_to[1].site is 'S03'; allowed are S01, S02",
        "rsi.in_force_from is missing; it is needed as earlier_rsi[1] came before",
    ]
