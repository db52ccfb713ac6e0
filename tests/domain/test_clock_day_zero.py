"""Day zero over a history, the contested points of rules.md 1.6, and the stories of the sample vectors."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.domain.cases import (
    BERLIN,
    FATAL,
    HARMLESS,
    NEW_YORK,
    SUSAR,
    case,
    coded,
    event,
    listed,
    protocol,
    report,
    rsi,
    signed,
    submitted,
)
from tests.domain.written import clocks, effects, past, told
from tocsin.domain.assess import assess
from tocsin.domain.clock_life import Effect
from tocsin.domain.clocks import Mode
from tocsin.domain.protocol import ClockSettings, CountsFrom, Protocol, SuspectedBy
from tocsin.domain.signed import Deed
from tocsin.domain.submissions import SubmissionKind
from tocsin.domain.words import Criterion, Relation

CN = protocol("CN")
EU = protocol("EU", receiver=BERLIN)
UNRELATED = replace(SUSAR, opinions=HARMLESS.opinions)
LIFE_THREATENING = replace(SUSAR, criteria=frozenset({Criterion.LIFE_THREATENING}))
FDA_AND_ALL = "FDA and all participating investigators"
FOLLOW_UP = SubmissionKind.FOLLOW_UP


def us(**chosen: Any) -> Protocol:
    return protocol("US", receiver=NEW_YORK, clock_settings=ClockSettings(**chosen))


def received(on: str, *events: Any, revision: int = 1, **more: Any) -> Any:
    return report(*events, received=on, revision=revision, **more)


# --- the stories of the vectors ---


@pytest.mark.rule("rules.md 1.4: OTHER to FATAL_LT, already submitted; readings.md clocks 11; EU_ART42_2C_UPGRADE_7D")
def test_e05_death_learnt_after_the_report_has_a_clock_of_its_own() -> None:
    held = case(received("2026-06-10T08:00", SUSAR, zone=BERLIN), told(FATAL, on="2026-06-20T08:00"))
    assert clocks(held, EU, submitted("2026-06-15T10:00", "EudraVigilance")) == [
        "EU_ANNEXIII_7D_PLUS_8D 06-20 > 07-05 RUNNING",
        "EU_ART42_2B_15D 06-10 > 06-25 MET",
        "EU_ART42_2C_UPGRADE_7D 06-20 > 06-27 RUNNING",
    ]


@pytest.mark.rule("rules.md 1.4: OTHER to FATAL_LT, not yet submitted; readings.md clocks 11")
def test_e06_death_learnt_before_the_report_is_combined_with_it() -> None:
    held = case(received("2026-06-10T08:00", SUSAR, zone=BERLIN), told(FATAL, on="2026-06-20T08:00"))
    assert clocks(held, EU) == [
        "EU_ANNEXIII_7D_PLUS_8D 06-20 > 07-05 RUNNING",
        "EU_ART42_2A_7D 06-20 > 06-25 RUNNING",
        "EU_ART42_2B_15D 06-10 > 06-25 SUPERSEDED by EU_ART42_2A_7D",
    ]


@pytest.mark.rule("rules.md 1.4: significant follow-up, already submitted; EU_FU_15D")
def test_e07_significant_news_of_a_reported_susar_starts_again_at_day_zero() -> None:
    worse = replace(SUSAR, criteria=SUSAR.criteria | {Criterion.DISABILITY})
    held = case(received("2026-06-10T08:00", SUSAR), told(worse, on="2026-06-20T08:00"))
    assert "EU_FU_15D 06-20 > 07-05 RUNNING" in clocks(held, EU, submitted("2026-06-15T10:00", "EudraVigilance"))


AFTER_A_REPORT = [("UK", "UK_15D", "MHRA"), ("JP", "JP_ART273_15D", "PMDA"), ("ICH", "ICH_E2A_15D", "authority")]


@pytest.mark.parametrize(("profile", "first", "recipient"), AFTER_A_REPORT)
@pytest.mark.rule("rules.md 1.4: significant follow-up, already submitted; UK_FU_15D; JP_FU_15D; ICH_FU_15D")
@pytest.mark.rule("rules.md 1.4: duplicate, wrong subject, never happened, already submitted")
def test_what_changes_after_a_report_is_owed_where_the_authority_names_no_number(
    profile: str, first: str, recipient: str
) -> None:
    study, sent = protocol(profile), submitted("2026-03-10T10:00", recipient)
    met = f"{first} 03-02 > 03-17 MET"
    unrelated = case(report(SUSAR), told(UNRELATED, on="2026-03-12T09:00"))
    assert sorted(clocks(unrelated, study, sent)) == sorted([met, f"{profile}_FU_15D 03-12 > 03-27 RUNNING"])
    duplicate = signed(Deed.DUPLICATE, "2026-03-14T09:00", other_case="TOC-0007")
    told_twice = clocks(case(report(SUSAR)), study, sent, duplicate)
    assert sorted(told_twice) == sorted([met, f"{profile}_FU_15D 03-14 > 03-29 RUNNING"])


@pytest.mark.rule("JP_ART273_EXPECTED_FATAL_15D", "JP_FU_15D")
def test_a_japanese_report_that_was_owed_twice_is_followed_up_once() -> None:
    study = protocol("JP", safety=rsi(listed("Sepsis", fatal=True)))
    fatal = replace(FATAL, verbatim="Sepsis", grades=event(grade=5).grades)
    held = case(
        report(fatal), told(replace(fatal, opinions=HARMLESS.opinions), on="2026-03-12T09:00"),
        codings=[coded("Sepsis")],
    )  # fmt: skip
    assert clocks(held, study, submitted("2026-03-05T10:00", "PMDA")) == [
        "JP_ART273_7D 03-02 > 03-09 MET",
        "JP_ART273_EXPECTED_FATAL_15D 03-02 > 03-17 MET",
        "JP_FU_15D 03-12 > 03-27 RUNNING",
    ]


@pytest.mark.rule("rules.md 1.4: OTHER to FATAL_LT, already submitted; readings.md clocks 11")
def test_g02_a_threat_to_life_after_the_chinese_report_has_seven_days() -> None:
    held = case(received("2026-06-30T10:00", SUSAR), told(LIFE_THREATENING, on="2026-07-09T15:00"))
    assert clocks(held, CN, submitted("2026-07-05T10:00")) == [
        "CN_SUSAR_15D 06-30 > 07-15 MET",
        "CN_SUSAR_7D 07-09 > 07-16 RUNNING",
        "CN_SUSAR_7D_PLUS_8D 07-09 > 07-24 RUNNING",
    ]


@pytest.mark.rule("rules.md D4; readings.md clocks 11")
def test_g04_old_information_judged_anew_keeps_its_day_zero_and_may_be_born_late() -> None:
    held = case(received("2026-06-30T10:00", HARMLESS))
    for on in ("2026-07-09T15:00", "2026-07-20T15:00"):
        review = signed(Deed.MEDICAL_REVIEW, on, sponsor=Relation.RELATED, criteria=[Criterion.HOSPITALISATION])
        assert clocks(held, CN, review) == ["CN_SUSAR_15D 06-30 > 07-15 RUNNING"]
        (of_report, _) = effects(held, CN, review)
        assert of_report == Effect("CN_SUSAR_15D starts, day zero 2026-06-30, due 2026-07-15")
    late = submitted("2026-07-21T10:00")
    assert clocks(held, CN, review, late) == ["CN_SUSAR_15D 06-30 > 07-15 LATE"]


@pytest.mark.rule("rules.md D4; rules.md 1.4: OTHER to FATAL_LT, already submitted")
def test_a_review_that_finds_it_worse_than_reported_is_not_met_by_that_report() -> None:
    review = signed(Deed.MEDICAL_REVIEW, "2026-03-06T09:00", criteria=[Criterion.LIFE_THREATENING])
    sent = submitted("2026-03-04T10:00")
    assert clocks(case(report(SUSAR)), CN, sent, review) == [
        "CN_SUSAR_15D 03-02 > 03-17 MET",
        "CN_SUSAR_7D 03-02 > 03-09 RUNNING",
        "CN_SUSAR_7D_PLUS_8D 03-02 > 03-17 RUNNING",
    ]
    again = submitted("2026-03-08T10:00", kind=FOLLOW_UP)
    assert "CN_SUSAR_7D 03-02 > 03-09 MET" in clocks(case(report(SUSAR)), CN, sent, review, again)


# --- the United States ---

WITHDRAWN = event("myocarditis", criteria=[Criterion.DEATH], investigator=Relation.NOT_RELATED,
                  sponsor=Relation.NOT_RELATED)  # fmt: skip


@pytest.mark.rule("rules.md C6; US_312_32_D3_LATE_DETERMINATION_15D")
@pytest.mark.parametrize("also", [True, False])
def test_u09_u10_a_death_found_reportable_late_has_fifteen_days_and_by_default_seven_too(also: bool) -> None:
    review = signed(Deed.MEDICAL_REVIEW, "2026-05-12T04:00", sponsor=Relation.RELATED)  # 16:00 the day before
    held = case(received("2026-05-01T09:00", WITHDRAWN))
    expected = ["US_312_32_D3_LATE_DETERMINATION_15D 05-11 > 05-26 RUNNING"]
    seven = ["US_312_32_C2_7D 05-11 > 05-18 RUNNING"] if also else []
    study = us(also_7_days_after_determination=also)
    assert clocks(held, study, review) == [*seven, *expected]
    met = submitted("2026-05-20T10:00", FDA_AND_ALL)
    assert "US_312_32_D3_LATE_DETERMINATION_15D 05-11 > 05-26 MET" in clocks(held, study, review, met)


@pytest.mark.rule("rules.md 1.4: OTHER to FATAL_LT, not yet submitted; rules.md 1.3: table")
def test_the_seven_days_of_the_fda_stand_beside_the_fifteen_and_neither_report_meets_the_other() -> None:
    held = case(received("2026-03-02T20:00", SUSAR), told(FATAL, on="2026-03-05T20:00"))
    expected = ["US_312_32_C1_15D 03-02 > 03-17 RUNNING", "US_312_32_C2_7D 03-05 > 03-12 RUNNING"]
    assert clocks(held, us()) == expected
    to_fda = submitted("2026-03-07T10:00", "FDA")
    assert clocks(held, us(), to_fda) == [expected[0], "US_312_32_C2_7D 03-05 > 03-12 MET"]
    to_all = submitted("2026-03-08T10:00", FDA_AND_ALL)
    assert clocks(held, us(), to_fda, to_all) == [
        "US_312_32_C1_15D 03-02 > 03-17 MET",
        "US_312_32_C2_7D 03-05 > 03-12 MET",
    ]


@pytest.mark.rule("rules.md 1.4: OTHER to FATAL_LT, already submitted; US_FU")
def test_a_death_after_the_fifteen_day_report_owes_the_fda_seven_days_and_the_follow_up() -> None:
    held = case(received("2026-03-02T20:00", SUSAR), told(FATAL, on="2026-03-12T20:00"))
    assert clocks(held, us(), submitted("2026-03-08T10:00", FDA_AND_ALL)) == [
        "US_312_32_C1_15D 03-02 > 03-17 MET",
        "US_312_32_C2_7D 03-12 > 03-19 RUNNING",
        "US_FU 03-12 > 03-27 RUNNING",
    ]


@pytest.mark.rule("rules.md C1")
def test_for_the_fda_alone_a_study_may_let_the_sponsor_decide_and_no_other_authority_hears_of_it() -> None:
    half = event("myocarditis", criteria=[Criterion.HOSPITALISATION], investigator=Relation.RELATED,
                 sponsor=Relation.NOT_RELATED)  # fmt: skip
    chosen = ClockSettings(fda_suspected_by=SuspectedBy.SPONSOR)
    assert clocks(case(report(half)), protocol("US", "CN", clock_settings=chosen)) == [
        "CN_SUSAR_15D 03-02 > 03-17 RUNNING"
    ]
    assert clocks(case(report(half)), protocol("US")) == ["US_312_32_C1_15D 03-01 > 03-16 RUNNING"]
    missing = replace(half, opinions=half.opinions[:1])
    assert clocks(case(report(missing)), protocol("US", clock_settings=chosen)) == [
        "US_312_32_C1_15D 03-01 > 03-16 RUNNING"
    ]


@pytest.mark.rule("rules.md C2")
def test_the_fifteen_days_count_from_the_determination_only_where_the_study_says_so() -> None:
    held = case(received("2026-03-02T23:00", SUSAR))
    review = signed(Deed.MEDICAL_REVIEW, "2026-03-06T23:00")
    assert clocks(held, us(), review) == ["US_312_32_C1_15D 03-02 > 03-17 RUNNING"]
    study = us(fda_15_days_from=CountsFrom.DETERMINATION)
    assert clocks(held, study, review) == ["US_312_32_C1_15D 03-06 > 03-21 RUNNING"]
    assert clocks(held, study) == ["US_312_32_C1_15D 03-02 > 03-17 RUNNING"]


# --- the other contested points ---


@pytest.mark.rule("rules.md C3")
def test_a_clock_that_ends_on_a_holiday_is_extended_only_where_the_study_says_so() -> None:
    held = case(received("2026-12-25T18:00", FATAL))
    assert "CN_SUSAR_7D 12-25 > 01-01 RUNNING" in clocks(held, CN)
    days_off = frozenset({date(2027, 1, 1), date(2027, 1, 2), date(2027, 1, 3)})
    study = protocol("CN", clock_settings=ClockSettings(non_working=days_off))
    assert "CN_SUSAR_7D 12-25 > 01-04 RUNNING" in clocks(held, study)


@pytest.mark.rule("rules.md C5; rules.md D7")
def test_the_earlier_date_counts_unless_the_study_goes_by_its_receiver() -> None:
    held = case(received("2026-07-01T00:30", FATAL))
    assert clocks(held, protocol("US"))[1] == "US_312_32_C2_7D 06-30 > 07-07 RUNNING"
    assert clocks(held, protocol("US", mode=Mode.RECEIVER))[1] == "US_312_32_C2_7D 07-01 > 07-08 RUNNING"


@pytest.mark.rule("readings.md clocks 2")
def test_a_relation_called_probably_not_is_suspected_until_a_signed_setting_says_otherwise() -> None:
    doubtful = event("myocarditis", criteria=[Criterion.HOSPITALISATION], investigator=Relation.CN_UNLIKELY,
                     sponsor=Relation.NOT_RELATED)  # fmt: skip
    assert clocks(case(report(doubtful)), CN) == ["CN_SUSAR_15D 03-02 > 03-17 RUNNING"]
    settled = protocol("CN", clock_settings=ClockSettings(probably_not_related_is_suspected=False))
    assert clocks(case(report(doubtful)), settled) == []


@pytest.mark.rule("readings.md clocks 11")
def test_j02_a_death_that_is_listed_as_fatal_has_fifteen_days_in_japan_and_none_in_china() -> None:
    study = protocol("JP", "CN", safety=rsi(listed("Sepsis", 5, fatal=True)))
    sepsis = replace(FATAL, verbatim="sepsis")
    first = received("2026-04-20T10:00", replace(HARMLESS, verbatim="sepsis"))
    held = case(first, told(sepsis, on="2026-04-27T10:00"), codings=[coded("Sepsis")])
    assert clocks(held, study) == ["JP_ART273_EXPECTED_FATAL_15D 04-27 > 05-12 RUNNING"]


# --- awareness, signed ---


@pytest.mark.rule("rules.md D3")
def test_a_signed_earlier_awareness_moves_the_day_zero_and_a_later_one_does_not() -> None:
    held = case(report(FATAL))
    by_phone = signed(Deed.AWARENESS_OVERRIDE, "2026-03-05T09:00", aware="2026-02-27T18:00")
    assert clocks(held, CN, by_phone) == [
        "CN_SUSAR_7D 02-27 > 03-06 RUNNING",
        "CN_SUSAR_7D_PLUS_8D 02-27 > 03-14 RUNNING",
    ]
    later = signed(Deed.AWARENESS_OVERRIDE, "2026-03-06T09:00", aware="2026-03-02T09:16")
    assert "CN_SUSAR_7D 03-02 > 03-09 RUNNING" in clocks(held, CN, later)
    assert effects(held, CN, later) == [
        Effect("it names a time after revision 1 was received: the receipt counts", is_refused=True)
    ]
    # A mistaken one takes nothing from one that stands.
    assert "CN_SUSAR_7D 02-27 > 03-06 RUNNING" in clocks(held, CN, by_phone, later)


@pytest.mark.rule("rules.md D3; readings.md clocks 6")
def test_what_was_on_time_is_late_once_it_is_signed_that_it_was_known_before() -> None:
    sent = submitted("2026-03-08T10:00")
    assert "CN_SUSAR_7D 03-02 > 03-09 MET" in clocks(case(report(FATAL)), CN, sent)
    by_phone = signed(Deed.AWARENESS_OVERRIDE, "2026-03-10T09:00", aware="2026-02-27T18:00")
    assert "CN_SUSAR_7D 02-27 > 03-06 LATE" in clocks(case(report(FATAL)), CN, sent, by_phone)


@pytest.mark.rule("rules.md D3; rules.md D4")
def test_an_awareness_of_a_later_revision_is_of_what_that_revision_tells() -> None:
    by_phone = signed(Deed.AWARENESS_OVERRIDE, "2026-03-20T09:00", aware="2026-03-11T18:00", revision=2)
    held = case(report(SUSAR), told(FATAL, on="2026-03-14T09:00"))
    sent = submitted("2026-03-10T10:00")
    assert "CN_SUSAR_7D 03-11 > 03-18 RUNNING" in clocks(held, CN, sent, by_phone)
    news = case(report(SUSAR), told(UNRELATED, on="2026-03-14T09:00"))
    assert "CN_FU_15D 03-11 > 03-26 RUNNING" in clocks(news, CN, sent, by_phone)


# --- the minimum elements ---


@pytest.mark.rule("readings.md clocks 3; rules.md 2.5: legal day zero")
def test_an_incomplete_death_runs_from_first_contact_and_legally_from_the_last_element() -> None:
    held = case(report(FATAL, reporter=False), told(FATAL, on="2026-03-05T09:00"))
    expected = [
        "CN_SUSAR_7D 03-02 > 03-09 SUPERSEDED by CN_SUSAR_7D",
        "CN_SUSAR_7D 03-05 > 03-12 RUNNING",
        "CN_SUSAR_7D_PLUS_8D 03-02 > 03-17 SUPERSEDED by CN_SUSAR_7D_PLUS_8D",
        "CN_SUSAR_7D_PLUS_8D 03-05 > 03-20 RUNNING",
    ]
    assert clocks(held, CN) == expected
    by_phone = signed(Deed.AWARENESS_OVERRIDE, "2026-03-06T09:00", aware="2026-03-04T09:00", revision=2)
    assert "CN_SUSAR_7D 03-04 > 03-11 RUNNING" in clocks(held, CN, by_phone)
    # What was reported without the last element was reported.
    assert clocks(held, CN, submitted("2026-03-03T10:00"))[0] == "CN_SUSAR_7D 03-02 > 03-09 MET"


@pytest.mark.rule("readings.md clocks 3; rules.md 2.5: legal day zero")
def test_the_last_element_counts_although_its_revision_leaves_the_event_out() -> None:
    held = case(
        report(FATAL, reporter=False), told(on="2026-03-04T09:00"), told(FATAL, on="2026-03-10T09:00", revision=3)
    )  # fmt: skip
    assert "CN_SUSAR_7D 03-04 > 03-11 RUNNING" in clocks(held, CN)


@pytest.mark.rule("rules.md 1.4: expected to unexpected; rules.md 1.4: never delete a clock")
def test_a_clock_that_ran_until_the_coder_answered_is_seen_to_have_run() -> None:
    study = protocol("CN", safety=rsi(listed("Fever")))
    harmless, serious = replace(HARMLESS, verbatim="high temperature"), replace(SUSAR, verbatim="high temperature")
    # cases.coded: the coder answers on 3 March.
    coding = [coded("Fever", revision=2)]
    before = case(report(harmless), told(serious, on="2026-03-02T20:00"), codings=coding)
    assert clocks(before, study) == ["CN_SUSAR_15D 03-02 > 03-17 RUNNING"]
    after = case(report(harmless), told(serious, on="2026-03-04T20:00"), codings=coding)
    assert clocks(after, study) == []


@pytest.mark.rule("readings.md clocks 1; rules.md D5")
def test_the_sites_clock_has_the_status_it_had_at_receipt() -> None:
    for aware, status in (("2026-03-01T09:15", "MET"), ("2026-03-01T09:14", "LATE")):
        known = replace(FATAL, investigator_aware_at=event(aware=aware).investigator_aware_at)
        held = case(report(known), told(FATAL, on="2026-03-09T09:00"))
        (life,) = (x for x in assess(held, CN, past(submitted("2026-03-20T10:00"))).lives if x.clock.event_id is None)
        assert (life.clock.rule, life.status, life.is_open) == ("INV_TO_SPONSOR_24H", status, False)
