"""The clock rules as data: what they say, and that a wrong file is refused with the place and what is allowed."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from tocsin import clockrules
from tocsin.domain.clocks import DayZero, Duty, Trigger
from tocsin.errors import ProtocolError

GOOD = """
profile = "XX"
zone = "Asia/Shanghai"

[[rule]]
id = "XX_7D"
recipient = "authority"
trigger = "fatal_or_life_threatening_susar"
days = 7
clause = "clause 1"
text = "within 7 days"
confidence = "high"
"""


def test_the_profiles_are_those_of_the_files() -> None:
    assert clockrules.profiles() == ("CN", "EU", "ICH", "JP", "SITE", "UK", "US")


@pytest.mark.parametrize(
    ("profile", "rule", "trigger", "days", "hours", "follows"),
    [
        ("CN", "CN_SUSAR_7D", Trigger.FATAL_LT_SUSAR, 7, None, None),
        ("CN", "CN_SUSAR_7D_PLUS_8D", Trigger.FATAL_LT_SUSAR, 15, None, "CN_SUSAR_7D"),
        ("CN", "CN_SUSAR_15D", Trigger.OTHER_SUSAR, 15, None, None),
        ("CN", "CN_GCP48_COPY_7D", Trigger.FATAL_LT_SUSAR, 7, None, None),
        ("CN", "CN_GCP48_COPY_15D", Trigger.OTHER_SUSAR, 15, None, None),
        ("US", "US_312_32_C2_7D", Trigger.FATAL_LT_SUSAR, 7, None, None),
        ("US", "US_312_32_C1_15D", Trigger.ANY_SUSAR, 15, None, None),
        ("CN", "CN_FU_15D", Trigger.SIGNIFICANT_FOLLOW_UP, 15, None, None),
        ("CN", "CN_OTHER_RISK", Trigger.OTHER_RISK, 15, None, None),
        ("US", "US_FU", Trigger.SIGNIFICANT_FOLLOW_UP, 15, None, None),
        ("US", "US_312_32_C1_OTHER_FINDING_15D", Trigger.OTHER_RISK, 15, None, None),
        ("US", "US_312_32_D3_LATE_DETERMINATION_15D", Trigger.LATE_DETERMINATION, 15, None, None),
        ("EU", "EU_ART42_2A_7D", Trigger.FATAL_LT_SUSAR, 7, None, None),
        ("EU", "EU_ANNEXIII_7D_PLUS_8D", Trigger.FATAL_LT_SUSAR, 15, None, "EU_ART42_2A_7D"),
        ("EU", "EU_ART42_2B_15D", Trigger.OTHER_SUSAR, 15, None, None),
        ("EU", "EU_ART42_2C_UPGRADE_7D", Trigger.UPGRADE_AFTER_SUBMISSION, 7, None, None),
        ("EU", "EU_FU_15D", Trigger.SIGNIFICANT_FOLLOW_UP, 15, None, None),
        ("UK", "UK_7D_BEGINNING_DAY_AFTER", Trigger.FATAL_LT_SUSAR, 7, None, None),
        ("UK", "UK_FU_8D", Trigger.FATAL_LT_SUSAR, 15, None, "UK_7D_BEGINNING_DAY_AFTER"),
        ("UK", "UK_15D", Trigger.OTHER_SUSAR, 15, None, None),
        ("JP", "JP_ART273_7D", Trigger.FATAL_LT_SUSAR, 7, None, None),
        ("JP", "JP_ART273_15D", Trigger.OTHER_SUSAR, 15, None, None),
        ("JP", "JP_ART273_EXPECTED_FATAL_15D", Trigger.EXPECTED_FATAL_LT, 15, None, None),
        ("JP", "JP_ART273_OTHER_RISK_15D", Trigger.OTHER_RISK, 15, None, None),
        ("ICH", "ICH_E2A_7D", Trigger.FATAL_LT_SUSAR, 7, None, None),
        ("ICH", "ICH_E2A_8D", Trigger.FATAL_LT_SUSAR, 15, None, "ICH_E2A_7D"),
        ("ICH", "ICH_E2A_15D", Trigger.OTHER_SUSAR, 15, None, None),
        ("UK", "UK_FU_15D", Trigger.SIGNIFICANT_FOLLOW_UP, 15, None, None),
        ("JP", "JP_FU_15D", Trigger.SIGNIFICANT_FOLLOW_UP, 15, None, None),
        ("ICH", "ICH_FU_15D", Trigger.SIGNIFICANT_FOLLOW_UP, 15, None, None),
        ("SITE", "INV_TO_SPONSOR_24H", Trigger.SITE_AWARE, None, 24, None),
    ],
)
@pytest.mark.rule("rules.md 1.3: table")
def test_each_rule_says_what_the_table_of_clocks_says(
    profile: str, rule: str, trigger: Trigger, days: int | None, hours: int | None, follows: str | None
) -> None:
    (found,) = [r for r in clockrules.rules_of(profile) if r.id == rule]
    assert (found.trigger, found.days, found.hours, found.follows) == (trigger, days, hours, follows)
    assert found.clause
    assert found.jurisdiction == profile


@pytest.mark.parametrize("profile", ["CN", "US", "EU", "UK", "JP", "ICH"])
@pytest.mark.rule("rules.md 1.4: significant follow-up, already submitted")
def test_every_authority_is_owed_what_changes_after_its_report(profile: str) -> None:
    after = [rule for rule in clockrules.rules_of(profile) if rule.trigger is Trigger.SIGNIFICANT_FOLLOW_UP]
    assert [rule.days for rule in after] == [15]


def test_each_authority_has_its_own_zone() -> None:
    assert {rule.zone for rule in clockrules.rules_of("CN")} == {ZoneInfo("Asia/Shanghai")}
    assert {rule.zone for rule in clockrules.rules_of("US")} == {ZoneInfo("America/New_York")}
    assert {rule.zone for rule in clockrules.rules_of("EU")} == {ZoneInfo("Europe/Brussels")}
    assert {rule.zone for rule in clockrules.rules_of("UK")} == {ZoneInfo("Europe/London")}
    assert {rule.zone for rule in clockrules.rules_of("JP")} == {ZoneInfo("Asia/Tokyo")}
    assert {rule.zone for rule in clockrules.rules_of("ICH")} == {None}


EVERY_RULE = [rule for profile in clockrules.profiles() for rule in clockrules.rules_of(profile)]


@pytest.mark.rule("rules.md 1.3: confidence")
def test_what_was_never_read_in_a_source_is_held_with_low_confidence() -> None:
    assert {rule.id for rule in EVERY_RULE if rule.confidence == "low"} == {
        "CN_OTHER_RISK",
        "US_FU",
        "JP_ART273_7D",
        "JP_ART273_15D",
        "JP_ART273_EXPECTED_FATAL_15D",
        "JP_ART273_OTHER_RISK_15D",
        "UK_FU_15D",
        "JP_FU_15D",
        "ICH_FU_15D",
    }


def test_each_rule_says_which_day_it_counts_from() -> None:
    assert [rule.id for rule in EVERY_RULE if rule.day_zero is None] == []


def test_a_rule_without_an_authority_counts_in_the_receivers_zone() -> None:
    (rule,) = clockrules.read(GOOD.replace("Asia/Shanghai", "receiver"), "x.toml")
    assert rule.zone is None


def test_day_zero_and_valid_from_are_read() -> None:
    more = 'day_zero = "first_knowledge_of_sponsor"\nvalid_from = 2026-04-28\n'
    (rule,) = clockrules.read(GOOD + more, "x.toml")
    assert (rule.day_zero, rule.valid_from) == (DayZero.FIRST_KNOWLEDGE, date(2026, 4, 28))


@pytest.mark.rule("rules.md 1.2 D1, D4, D5")
def test_the_day_a_rule_counts_from_follows_from_its_trigger() -> None:
    counts_from = {}
    for trigger in Trigger:
        text = GOOD.replace("fatal_or_life_threatening_susar", trigger)
        if trigger is Trigger.SITE_AWARE:
            text = text.replace("days = 7", "hours = 24")
        (rule,) = clockrules.read(text, "x.toml")
        counts_from[trigger] = rule.day_zero
    assert counts_from == {
        Trigger.FATAL_LT_SUSAR: DayZero.FIRST_KNOWLEDGE,
        Trigger.OTHER_SUSAR: DayZero.FIRST_KNOWLEDGE,
        Trigger.ANY_SUSAR: DayZero.FIRST_KNOWLEDGE,
        Trigger.EXPECTED_FATAL_LT: DayZero.FIRST_KNOWLEDGE,
        Trigger.SITE_AWARE: DayZero.SITE_AWARENESS,
        Trigger.UPGRADE_AFTER_SUBMISSION: DayZero.NEW_INFORMATION,
        Trigger.SIGNIFICANT_FOLLOW_UP: DayZero.NEW_INFORMATION,
        Trigger.LATE_DETERMINATION: DayZero.DETERMINATION,
        Trigger.OTHER_RISK: DayZero.FIRST_KNOWLEDGE,
    }


FOLLOW_UP = """
[[rule]]
id = "XX_FU_8D"
recipient = "authority"
trigger = "fatal_or_life_threatening_susar"
days = 15
follows = "XX_7D"
strict_days = 8
clause = "clause 2"
text = "the rest within 8 days of the first report"
confidence = "low"
"""


@pytest.mark.rule("rules.md 1.6 C4")
def test_copies_and_the_strict_days_of_a_follow_up_are_read() -> None:
    first, second = clockrules.read(GOOD.replace("days = 7", "days = 7\ncopies = true") + FOLLOW_UP, "x.toml")
    assert (first.copies, first.strict_days, first.duty) == (True, None, Duty.COPIES)
    assert (second.copies, second.strict_days, second.duty) == (False, 8, Duty.FOLLOW_UP)


@pytest.mark.rule("GCP 2020 Art. 48; SI 2004/1031 reg. 33(2)")
def test_the_copies_are_chinas_and_the_strict_follow_up_is_the_united_kingdoms() -> None:
    assert [rule.id for rule in EVERY_RULE if rule.copies] == ["CN_GCP48_COPY_7D", "CN_GCP48_COPY_15D"]
    assert {rule.id: rule.strict_days for rule in EVERY_RULE if rule.strict_days} == {"UK_FU_8D": 8}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('follows = "XX_7D"\n', "", "rule 2 (XX_FU_8D): strict_days is only for a rule that 'follows' another"),
        ("strict_days = 8", "strict_days = 0", "strict_days is 0; allowed is a whole number from 1 to the limit, 15"),
        ("strict_days = 8", "strict_days = 16", "strict_days is 16; allowed is a whole number from 1 to the limit"),
        ("strict_days = 8", "strict_days = true", "strict_days is True; allowed is a whole number"),
        ("strict_days = 8", "copies = true", "copies is true; allowed is that for a rule that follows none"),
        ("strict_days = 8", 'copies = "yes"', "copies is 'yes'; allowed are true and false"),
        ("days = 15", "hours = 24", "a rule that 'follows' another is counted in days"),
        ('follows = "XX_7D"', 'follows = "XX_FU_8D"', "follows 'XX_FU_8D'; known are XX_7D"),
        ('follows = "XX_7D"', "follows = 7", "follows is 7; allowed is a text"),
        (
            "life_threatening_susar",
            "life_threatening_susars",
            "trigger 'fatal_or_life_threatening_susars'; allowed are",
        ),
        (
            '"fatal_or_life_threatening_susar"',
            '"other_susar"',
            "rule 2 (XX_FU_8D): trigger is other_susar; allowed is fatal_or_life_threatening_susar, as of 'XX_7D'",
        ),
    ],
)
def test_a_wrong_follow_up_is_refused_with_place_value_and_what_is_allowed(old: str, new: str, said: str) -> None:
    assert old in FOLLOW_UP
    with pytest.raises(ProtocolError) as refused:
        clockrules.read(GOOD + FOLLOW_UP.replace(old, new), "x.toml")
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_what_follows_a_follow_up_is_refused() -> None:
    third = FOLLOW_UP.replace("XX_FU_8D", "XX_FU_9D").replace('"XX_7D"', '"XX_FU_8D"')
    with pytest.raises(ProtocolError, match="follows 'XX_FU_8D', which itself follows 'XX_7D'; allowed is one that"):
        clockrules.read(GOOD + FOLLOW_UP + third, "x.toml")


def test_everything_that_is_wrong_in_a_rule_file_is_told_at_once() -> None:
    text = GOOD.replace("days = 7", "days = 0").replace('"XX"', '"xx"').replace('"high"', '"sure"')
    with pytest.raises(ProtocolError) as refused:
        clockrules.read(text, "x.toml")
    assert str(refused.value).splitlines() == [
        "x.toml: profile is 'xx'; allowed are capital letters, digits and _, such as CN",
        "x.toml: rule 1 (XX_7D): the limit is 0; allowed is a whole number from 1 to 366 days",
        "x.toml: rule 1 (XX_7D): confidence 'sure'; allowed are high, medium, low",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('profile = "XX"\n', "", "x.toml: key 'profile' is missing; allowed is a text"),
        (
            'profile = "XX"',
            'country = "XX"',
            "x.toml: unknown key 'country'; allowed are profile, zone, replaces_profile, rule",
        ),
        ('zone = "Asia/Shanghai"', 'zone = "Asia/Bejing"', "zone is 'Asia/Bejing'; allowed is the name of an IANA"),
        ('zone = "Asia/Shanghai"', "zone = 8", "zone is 8; allowed is the name of an IANA"),
        ('zone = "Asia/Shanghai"\n', "", "rule 1 (XX_7D): 'days' needs the authority's 'zone'"),
        ("[[rule]]", "[[rules]]", "unknown key 'rules'; allowed are profile, zone, replaces_profile, rule"),
        ('id = "XX_7D"\n', "", "rule 1 (without an id): key 'id' is missing"),
        ('id = "XX_7D"', "id = 7", "rule 1 (7): id is 7; allowed is a text that is not empty"),
        ('clause = "clause 1"', 'clause = ""', "rule 1 (XX_7D): clause is ''; allowed is a text that is not empty"),
        ('text = "within 7 days"\n', "", "rule 1 (XX_7D): key 'text' is missing"),
        ("days = 7", "day = 7", "unknown key 'day'; allowed are clause, confidence, copies, day_zero, days"),
        ("days = 7", "days = 7\nhours = 24", "allowed is exactly one of 'days' and 'hours'"),
        ("days = 7\n", "", "allowed is exactly one of 'days' and 'hours'"),
        ("days = 7", "days = 0", "the limit is 0; allowed is a whole number from 1"),
        ("days = 7", "days = 7.5", "the limit is 7.5; allowed is a whole number from 1"),
        ("days = 7", "days = true", "the limit is True; allowed is a whole number from 1"),
        ("fatal_or_life_threatening_susar", "fatal", "trigger 'fatal'; allowed are fatal_or_life_threatening_susar, "),
        ('confidence = "high"', 'confidence = "sure"', "confidence 'sure'; allowed are high, medium, low"),
        ("days = 7", 'days = 7\nfollows = "XX_1D"', "rule 1 (XX_7D): follows 'XX_1D'; known are none"),
        ("days = 7", 'days = 7\nday_zero = "today"', "day_zero 'today'; allowed are first_knowledge_of_sponsor, "),
        ("days = 7", 'days = 7\nvalid_from = "2026"', "valid_from is '2026'; allowed is a date without quotes"),
        ("days = 7", "days = 7\nvalid_from = 2026-01-01T00:00:00", "allowed is a date without quotes"),
        ("days = 7", 'days = 7\nday_zero = "determination_by_sponsor"', "counts from first_knowledge_of_sponsor"),
        ("days = 7", "days = 367", "the limit is 367; allowed is a whole number from 1 to 366 days"),
        ("days = 7", "hours = 8785", "the limit is 8785; allowed is a whole number from 1 to 8784 hours"),
        ("fatal_or_life_threatening_susar", "site_aware_of_serious_event", "counts 'hours' from the investigator's"),
        ("fatal_or_life_threatening_susar", 'other_safety_risk"\ncopies = true #', "copies is true; allowed is that"),
        ('id = "XX_7D"', 'id = "XX 7D;"', "id is 'XX 7D;'; allowed are capital letters, digits and _"),
        ("[[rule]]", "[rule]", "key 'rule' is missing or empty; allowed are one [[rule]] or more"),
        ("[[rule]]", "rule = [1]\n[x]", "rule 1 (1): it is no table; allowed is [[rule]]"),
        ('zone = "Asia', 'replaces_profile = 1\nzone = "Asia', "replaces_profile is 1; allowed are true and false"),
        ("zone =", "zone", "x.toml: not TOML"),
    ],
)
def test_a_wrong_rule_file_is_refused_with_place_value_and_what_is_allowed(old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(ProtocolError) as refused:
        clockrules.read(GOOD.replace(old, new, 1), "x.toml")
    assert said in str(refused.value)
    assert str(refused.value).startswith("x.toml: ")


def test_a_rule_id_stands_once_in_a_profile() -> None:
    twice = GOOD + GOOD[GOOD.index("[[rule]]") :]
    with pytest.raises(ProtocolError, match="'XX_7D' stands twice"):
        clockrules.read(twice, "x.toml")


def test_a_file_without_a_rule_is_refused() -> None:
    with pytest.raises(ProtocolError, match="'rule' is missing or empty"):
        clockrules.read('profile = "XX"', "x.toml")


def test_the_good_file_of_these_tests_is_good() -> None:
    (rule,) = clockrules.read(GOOD, "x.toml")
    assert (rule.id, rule.jurisdiction, rule.days) == ("XX_7D", "XX", 7)


def test_an_unknown_profile_is_named_with_those_known() -> None:
    with pytest.raises(ProtocolError, match="'MARS' is not known; allowed are CN, EU, ICH, JP, SITE, UK, US"):
        clockrules.rules_of("MARS")
