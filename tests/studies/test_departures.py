"""What a study decides otherwise than the stated default is said aloud, and so is every rule it makes later."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tocsin import clockrules
from tocsin.departures import departures, of_rules
from tocsin.domain.clocks import ClockRule, Mode
from tocsin.domain.protocol import (
    ClockSettings,
    CopyRecipient,
    CopyTo,
    CountsFrom,
    FollowUpRequests,
    GradingSettings,
    Protocol,
    SuspectedBy,
)
from tocsin.domain.words import CrsScale
from tocsin.studies import load

FOLDER = Path(__file__).parents[2] / "deploy" / "protocols"
STUDIES = load(sorted(FOLDER.glob("*.toml")))
KQ2003 = STUDIES["NCT06223646"]


def of(rule_id: str, **changes: object) -> tuple[str, ...]:
    """What is said when one rule of the United Kingdom or China is changed."""
    rules: list[ClockRule] = [*clockrules.rules_of("CN"), *clockrules.rules_of("UK")]
    return of_rules([replace(rule, **changes) if rule.id == rule_id else rule for rule in rules])  # type: ignore[arg-type]


def test_the_studies_of_the_project_keep_every_default() -> None:
    assert {name: departures(study) for name, study in STUDIES.items()} == {"NCT06223646": (), "CDISCPILOT01": ()}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            ClockSettings(fda_suspected_by=SuspectedBy.SPONSOR),
            "for the FDA only the sponsor's opinion makes a reaction suspected: the default is either party's (C1)",
        ),
        (
            ClockSettings(fda_15_days_from=CountsFrom.DETERMINATION),
            "the FDA's 15-day clock counts from determination: the default is receipt, which is earlier (C2)",
        ),
        (
            ClockSettings(non_working=frozenset({date(2026, 10, 1)})),
            "clocks that end on one of 1 non-working dates are extended: the default is never (C3)",
        ),
        (
            ClockSettings(strict_follow_up=True),
            "a completed report is due 8 days after the first one was sent, if that is sooner: the default is day "
            "zero plus 15 (C4)",
        ),
        (
            ClockSettings(also_7_days_after_determination=False),
            "a late determination of a death or threat to life runs no 7-day clock: the default runs one too (C6)",
        ),
        (
            ClockSettings(probably_not_related_is_suspected=False),
            "probably not related (可能无关) does not count as suspected: the default is that it does",
        ),
        (
            ClockSettings(wrong_subject_keeps_day_zero=False),
            "after a wrong subject day zero is the correction: the default is the first report, which is earlier",
        ),
        (
            ClockSettings(signatures_to_close=2),
            "2 people must sign to cancel or downgrade a clock: the default is 1",
        ),
    ],
)
@pytest.mark.rule("rules.md 1.6 C1 to C6")
def test_a_setting_that_is_not_the_stated_default_is_said(settings: ClockSettings, said: str) -> None:
    assert departures(replace(KQ2003, clock_settings=settings)) == (f"NCT06223646: {said}",)


@pytest.mark.rule("rules.md 1.6 C5")
def test_counting_in_the_receivers_zone_alone_is_said() -> None:
    said = "NCT06223646: days are counted in the receiver's zone alone: the default is the earlier of two zones (C5)"
    assert departures(replace(KQ2003, clock_mode=Mode.RECEIVER)) == (said,)


def test_a_site_that_is_never_asked_again_is_said() -> None:
    asked = replace(KQ2003, follow_up_requests=FollowUpRequests((), (7,)))
    assert departures(asked) == (
        "NCT06223646: no site is asked again after a fatal or life-threatening event: the default is on days 1, 3 "
        "and 7",
    )
    unasked = replace(KQ2003, follow_up_requests=FollowUpRequests((1,), ()))
    assert departures(unasked) == (
        "NCT06223646: no site is asked again after another serious event: the default is on days 7, 14 and 30",
    )


@pytest.mark.rule("rules.md 4.2: potential DLT")
def test_crs_by_one_scale_alone_and_a_site_asked_late_are_said() -> None:
    assert departures(replace(KQ2003, grading=GradingSettings(CrsScale.CTCAE))) == (
        "NCT06223646: CRS counts by CTCAE alone: the default is the worse of CTCAE and ASTCT",
    )
    assert departures(replace(KQ2003, grading=GradingSettings(ask_from_grade=4))) == (
        "NCT06223646: a site is asked for a report from a derived grade 4 on: the default is grade 3",
    )


def with_dlt(rule_id: str = "", *, window_days: int = 28, day_base: int = 0, **changes: Any) -> Protocol:
    """The first study with one rule of its DLT definition changed."""
    assert KQ2003.dlt is not None
    rules = tuple(replace(rule, **changes) if rule.id == rule_id else rule for rule in KQ2003.dlt.rules)
    return replace(KQ2003, dlt=replace(KQ2003.dlt, rules=rules, window_days=window_days, day_base=day_base))


@pytest.mark.parametrize(
    ("study", "said"),
    [
        (with_dlt("DLT-12", longer_than=timedelta(hours=168)), None),
        (
            with_dlt("DLT-12", longer_than=timedelta(hours=240)),
            "DLT-12 waits 240 hours: the default set waits 168",
        ),
        (with_dlt("DLT-14", longer_than=timedelta(hours=24.5)), "DLT-14 waits 24.5 hours: the default set waits 24"),
        (with_dlt("DLT-08", by_day=42), "DLT-08 gives neutrophils 42 days to recover: the default is 28"),
        (with_dlt("DLT-09", by_day=29), "DLT-09 gives platelets 29 days to recover: the default is 28"),
        (with_dlt("DLT-09", by_day=21), None),
        (with_dlt(window_days=42), None),
        (with_dlt(window_days=21), "the DLT window ends 21 days after the infusion: the default is 28"),
        (with_dlt(day_base=1), "the DLT window ends 27 days after the infusion: the default is 28"),
        (with_dlt(window_days=29, day_base=1), None),
    ],
)
@pytest.mark.rule("rules.md 4.2: default limits")
def test_a_dlt_that_is_waited_for_longer_or_over_a_shorter_window_is_said(study: Protocol, said: str | None) -> None:
    assert departures(study) == (() if said is None else (f"NCT06223646: {said}",))


def copied(*recipients: CopyRecipient) -> Protocol:
    return replace(KQ2003, copies_to=recipients)


@pytest.mark.rule("GCP 2020 Art. 48")
def test_who_gets_no_copy_is_said() -> None:
    everywhere = [CopyRecipient(kind, kind) for kind in CopyTo]
    assert departures(copied(*everywhere)) == ()
    assert departures(copied(*everywhere[:3])) == (
        "NCT06223646: no copy of a SUSAR goes to a health authority: the default is one",
    )
    one_site = CopyRecipient("Dr Gao", CopyTo.INVESTIGATOR, "S01")
    assert departures(copied(one_site, *everywhere[1:])) == (
        "NCT06223646: no copy of a SUSAR goes to the investigator of S02: the default is to everyone of each site",
    )


def test_rules_that_are_ours_say_nothing() -> None:
    assert of_rules([rule for profile in clockrules.profiles() for rule in clockrules.rules_of(profile)]) == ()


@pytest.mark.parametrize(
    ("rule", "changes", "said"),
    [
        ("CN_SUSAR_7D", {"days": 5, "text": "sooner"}, None),
        (
            "CN_SUSAR_7D",
            {"days": 8},
            "CN_SUSAR_7D allows 8 days: Tocsin's rule allows 7 (CDE safety data rapid reporting standard (2018))",
        ),
        (
            "CN_SUSAR_7D",
            {"valid_from": date(2027, 1, 1)},
            "CN_SUSAR_7D binds only from 2027-01-01: Tocsin's rule binds from 2018-05-01",
        ),
        ("CN_SUSAR_7D", {"valid_from": None}, None),
        ("CN_SUSAR_7D", {"recipient": "NMPA"}, "CN_SUSAR_7D goes to NMPA: Tocsin's rule goes to CDE"),
        (
            "CN_SUSAR_7D",
            {"zone": ZoneInfo("UTC")},
            "CN_SUSAR_7D counts days in the zone UTC: Tocsin's rule in Asia/Shanghai",
        ),
        (
            "CN_SUSAR_7D",
            {"zone": None},
            "CN_SUSAR_7D counts days in the zone of the receiver: Tocsin's rule in Asia/Shanghai",
        ),
        (
            "UK_FU_8D",
            {"strict_days": None},
            "UK_FU_8D has no limit after the first report was sent: Tocsin's rule has 8 (SI 2004/1031 reg. 33(2))",
        ),
        (
            "UK_FU_8D",
            {"strict_days": 10},
            "UK_FU_8D has 10 days after the first report was sent: Tocsin's rule has 8 (SI 2004/1031 reg. 33(2))",
        ),
        ("UK_FU_8D", {"strict_days": 5}, None),
    ],
)
def test_a_rule_that_a_sponsor_makes_later_or_sends_elsewhere_is_said(
    rule: str, changes: dict[str, object], said: str | None
) -> None:
    assert of(rule, **changes) == (() if said is None else (said,))


def test_a_longer_time_for_the_site_is_said_in_hours() -> None:
    [ours] = clockrules.rules_of("SITE")
    [said] = of_rules([replace(ours, hours=48)])
    assert said.startswith("INV_TO_SPONSOR_24H allows 48 hours: Tocsin's rule allows 24 (ICH E6(R3) 2.7.2(b); ")


def test_a_rule_that_a_sponsor_leaves_out_is_said() -> None:
    rules = [rule for rule in clockrules.rules_of("CN") if rule.id != "CN_OTHER_RISK"]
    assert of_rules(rules) == (
        "CN_OTHER_RISK is left out: nothing is due to CDE by CDE safety data rapid reporting standard (2018)",
    )
