"""A sponsor's own rule files: what they may add, change and replace, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tocsin import clockrules
from tocsin.clockrules.own_rules import with_files
from tocsin.domain.clocks import ClockRule
from tocsin.errors import ProtocolError
from tocsin.studies import read

KQ2003 = (Path(__file__).parents[2] / "deploy" / "protocols" / "nct06223646.toml").read_text("utf-8")


def rule(name: str = "KR_SUSAR_7D", trigger: str = "fatal_or_life_threatening_susar", more: str = "days = 7") -> str:
    return f"""
[[rule]]
id = "{name}"
recipient = "MFDS"
trigger = "{trigger}"
{more}
clause = "clause 30"
text = "within 7 days, by the sponsor's own reading"
confidence = "medium"
"""


def head(profile: str, zone: str = "Asia/Seoul", more: str = "") -> str:
    return f'profile = "{profile}"\nzone = "{zone}"\n{more}\n'


CN, SHANGHAI = head("CN", "Asia/Shanghai"), ZoneInfo("Asia/Shanghai")
WHOLE_CN = head("CN", "Asia/Shanghai", "replaces_profile = true")
WHOLE_SITE = 'profile = "SITE"\nreplaces_profile = true\n'
SITE_12H = 'profile = "SITE"\n' + rule("INV_TO_SPONSOR_24H", "site_aware_of_serious_event", "hours = 12")


def files(folder: Path, *texts: str) -> list[Path]:
    paths = [folder / f"{'abc'[n]}.toml" for n in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, "utf-8")
    return paths


def rules(folder: Path, *texts: str) -> Mapping[str, tuple[ClockRule, ...]]:
    return with_files(files(folder, *texts)).rules


def refused(folder: Path, *texts: str) -> list[str]:
    with pytest.raises(ProtocolError) as wrong:
        with_files(files(folder, *texts))
    return [line.removeprefix(f"{folder}/") for line in str(wrong.value).splitlines()]


def test_without_a_file_the_rules_are_ours() -> None:
    assert with_files([]).rules == {profile: clockrules.rules_of(profile) for profile in clockrules.profiles()}


def test_a_file_may_bring_a_profile_of_its_own(tmp_path: Path) -> None:
    found = with_files(files(tmp_path, head("KR") + rule()))
    assert found.own == ("KR",)
    [korean] = found.rules["KR"]
    assert (korean.id, korean.jurisdiction, korean.zone, korean.days) == (
        "KR_SUSAR_7D",
        "KR",
        ZoneInfo("Asia/Seoul"),
        7,
    )
    assert found.rules["CN"] == clockrules.rules_of("CN")


def test_a_known_id_takes_the_place_of_ours_and_a_new_one_stands_after_them(tmp_path: Path) -> None:
    found = rules(tmp_path, CN + rule("CN_SUSAR_7D", more="days = 5") + rule("CN_HOSPITAL_24H", more="hours = 24"))[
        "CN"
    ]
    assert [(one.id, one.days or one.hours) for one in found] == [
        ("CN_SUSAR_7D", 5),
        ("CN_SUSAR_7D_PLUS_8D", 15),
        ("CN_SUSAR_15D", 15),
        ("CN_GCP48_COPY_7D", 7),
        ("CN_GCP48_COPY_15D", 15),
        ("CN_FU_15D", 15),
        ("CN_OTHER_RISK", 15),
        ("CN_HOSPITAL_24H", 24),
    ]
    assert found[0].text == "within 7 days, by the sponsor's own reading"


def test_a_file_may_put_a_whole_profile_in_place_of_ours(tmp_path: Path) -> None:
    whole = WHOLE_CN + rule("CN_SUSAR_7D")
    assert [one.id for one in rules(tmp_path, whole)["CN"]] == ["CN_SUSAR_7D"]
    more = CN + rule("CN_MORE_7D")
    assert {one.id for one in rules(tmp_path, whole, more)["CN"]} == {"CN_SUSAR_7D", "CN_MORE_7D"}
    assert {one.id for one in rules(tmp_path, more, whole)["CN"]} == {"CN_SUSAR_7D", "CN_MORE_7D"}


def test_a_rule_may_follow_one_of_ours_or_one_of_another_file(tmp_path: Path) -> None:
    follow_up = CN + rule("CN_MORE_FU", more='days = 10\nfollows = "CN_SUSAR_7D"')
    assert rules(tmp_path, follow_up)["CN"][-1].follows == "CN_SUSAR_7D"
    of_another = head("KR") + rule("KR_FU", more='days = 10\nfollows = "KR_SUSAR_7D"')
    assert rules(tmp_path, of_another, head("KR") + rule())["KR"][0].follows == "KR_SUSAR_7D"


def test_the_sites_clock_may_be_shorter(tmp_path: Path) -> None:
    [found] = rules(tmp_path, SITE_12H)["SITE"]
    assert (found.id, found.hours) == ("INV_TO_SPONSOR_24H", 12)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([head("kr") + rule()], "a.toml: profile is 'kr'; allowed are capital letters, digits and _, such as CN"),
        (
            [CN + rule("CN_SUSAR_7D", "other_susar")],
            "a.toml: rule 1 (CN_SUSAR_7D): trigger is 'other_susar', of the rule it replaces "
            "'fatal_or_life_threatening_susar'; a rule keeps that as long as it keeps its id: allowed is the same, or "
            "another id",
        ),
        (
            [CN + rule("CN_SUSAR_7D", more="hours = 24")],
            "a.toml: rule 1 (CN_SUSAR_7D): limit is 'hours', of the rule it replaces 'days'; a rule keeps",
        ),
        (
            [CN + rule("CN_SUSAR_7D_PLUS_8D", more="days = 15")],
            "a.toml: rule 1 (CN_SUSAR_7D_PLUS_8D): follows is None, of the rule it replaces 'CN_SUSAR_7D'; a rule",
        ),
        (
            [CN + rule("CN_GCP48_COPY_7D")],
            "a.toml: rule 1 (CN_GCP48_COPY_7D): copies is False, of the rule it replaces True; a rule keeps",
        ),
        (
            [head("SITE") + rule("INV_TO_SPONSOR_24H", "site_aware_of_serious_event", "days = 2")],
            "a.toml: rule 1 (INV_TO_SPONSOR_24H): trigger site_aware_of_serious_event counts 'hours' from the",
        ),
        (
            [WHOLE_SITE + rule("S_48H", "site_aware_of_serious_event", "hours = 48")],
            "a.toml: replaces profile 'SITE' without 'INV_TO_SPONSOR_24H'; allowed is to replace it with a rule of",
        ),
        (
            [head("KR") + rule("CN_SUSAR_7D")],
            "a.toml: rule 1 (CN_SUSAR_7D): is a rule of profile 'CN', here it stands under 'KR'; allowed is to change",
        ),
        (
            [head("KR") + rule(), head("KR") + rule()],
            "b.toml: rule 1 (KR_SUSAR_7D): stands in a.toml too; allowed is each id once",
        ),
        (
            [CN + rule("CN_MORE_FU", more='days = 10\nfollows = "CN_SUSAR_8D"')],
            "a.toml: rule 1 (CN_MORE_FU): follows 'CN_SUSAR_8D'; known are CN_SUSAR_7D, CN_SUSAR_7D_PLUS_8D, ",
        ),
        (
            [WHOLE_CN + rule("CN_FU", more='days = 9\nfollows = "CN_SUSAR_7D"')],
            "a.toml: rule 1 (CN_FU): follows 'CN_SUSAR_7D'; known are none",
        ),
        (
            [CN + rule("CN_MORE_FU", "other_susar", 'days = 10\nfollows = "CN_SUSAR_7D"')],
            "a.toml: rule 1 (CN_MORE_FU): trigger is other_susar; allowed is fatal_or_life_threatening_susar, as of",
        ),
        (
            [CN + rule("CN_SUSAR_7D", more="days = 15")],
            "a.toml: rule 1 (CN_SUSAR_7D): CN_SUSAR_7D_PLUS_8D follows it and is kept: the limit is 15 days; allowed "
            "is more than the 15 of 'CN_SUSAR_7D'",
        ),
        (
            [CN + rule("CN_MORE_FU", more='days = 7\nfollows = "CN_SUSAR_7D"')],
            "a.toml: rule 1 (CN_MORE_FU): the limit is 7 days; allowed is more than the 7 of 'CN_SUSAR_7D'",
        ),
        (["zone ="], "a.toml: not TOML: "),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_file_place_value_and_what_is_allowed(
    tmp_path: Path, texts: list[str], said: str
) -> None:
    [told] = refused(tmp_path, *texts)
    assert told.replace(f"{tmp_path}/", "").startswith(said)


def test_everything_that_is_wrong_in_all_files_is_told_at_once(tmp_path: Path) -> None:
    told = refused(tmp_path, head("KR", "Asia/Soul") + rule(more="days = 0"), CN + rule("CN_SUSAR_7D", "other_susar"))
    assert [line.split(" is ")[0] for line in told] == [
        "a.toml: zone",
        "a.toml: rule 1 (KR_SUSAR_7D): the limit",
        "b.toml: rule 1 (CN_SUSAR_7D): trigger",
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"none\.toml: cannot be read: No such file"):
        with_files([tmp_path / "none.toml"])
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ProtocolError, match=r"a\.toml: not TOML: "):
        with_files([tmp_path / "a.toml"])


def study_file(folder: Path, line: str, *texts: str) -> Path:
    (folder / "rules").mkdir()
    files(folder / "rules", *texts)
    path = folder / "study.toml"
    path.write_text(KQ2003.replace("\n[clocks]\n", f"\n[clocks]\n{line}\n"), "utf-8")
    return path


def test_a_study_names_its_rule_files_from_beside_its_own(tmp_path: Path) -> None:
    line = 'rules = ["rules/a.toml", "rules/b.toml"]'
    path = study_file(tmp_path, line, head("KR") + rule(), CN + rule("CN_SUSAR_7D", more="days = 5"))
    found = {one.id: one.days for one in read(path).clock_rules}
    assert (found["KR_SUSAR_7D"], found["CN_SUSAR_7D"], found["CN_SUSAR_15D"]) == (7, 5, 15)
    assert "INV_TO_SPONSOR_24H" in found


def test_a_study_may_run_nothing_but_its_own_profile(tmp_path: Path) -> None:
    path = study_file(tmp_path, 'rules = ["rules/a.toml"]', head("KR") + rule())
    path.write_text(path.read_text("utf-8").replace('profiles = ["CN"]', 'profiles = ["KR"]'), "utf-8")
    assert [one.id for one in read(path).clock_rules] == ["KR_SUSAR_7D", "INV_TO_SPONSOR_24H"]


@pytest.mark.parametrize(
    ("line", "text", "said"),
    [
        ('rules = ["rules/none.toml"]', "", "{folder}/rules/none.toml: cannot be read: No such file or directory"),
        ('rules = ["rules/a.toml"]', head("KR"), "{folder}/rules/a.toml: key 'rule' is missing or empty; allowed are"),
        (
            'rules = ["rules/a.toml"]',
            head("US", "America/New_York") + rule("US_MORE_7D"),
            "{folder}/study.toml: clocks.rules names {folder}/rules/a.toml, of profile 'US', which this study does not "
            "run; allowed are CN, SITE, or a profile of your own",
        ),
        (
            'rules = "rules/a.toml"',
            "",
            "{folder}/study.toml: clocks.rules is 'rules/a.toml'; Input should be a valid li",
        ),
    ],
)
def test_a_wrong_rule_file_stops_the_study_that_names_it(tmp_path: Path, line: str, text: str, said: str) -> None:
    path = study_file(tmp_path, line, text)
    with pytest.raises(ProtocolError) as wrong:
        read(path)
    assert str(wrong.value).startswith(said.format(folder=tmp_path))


def test_what_is_wrong_in_the_study_and_in_its_rule_file_is_told_at_once(tmp_path: Path) -> None:
    path = study_file(tmp_path, 'rules = ["rules/a.toml"]', head("KR"))
    path.write_text(path.read_text("utf-8").replace('id = "DLT-03"', 'id = "DLT-02"'), "utf-8")
    with pytest.raises(ProtocolError) as wrong:
        read(path)
    assert [line.split(": ")[1].split(" ")[0] for line in str(wrong.value).splitlines()] == ["dlt.rules", "key"]
