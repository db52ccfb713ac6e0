"""Which clocks the facts of one moment start, written out by hand from rules.md 1.1 to 1.3 and readings.md, clocks."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from tests.domain.cases import (
    BERLIN,
    NEW_YORK,
    REFERENCE,
    SHANGHAI,
    at,
    case,
    coded,
    event,
    listed,
    protocol,
    report,
    rsi,
)
from tocsin import clockrules
from tocsin.domain.assess import assess
from tocsin.domain.case import Case
from tocsin.domain.due import Due, Facts, SaidCausality, SaidExpectedness, SaidSeriousness, due
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import Criterion, Relation

RULES = {profile: clockrules.rules_of(profile) for profile in clockrules.profiles()}

CN7 = {"CN_SUSAR_7D", "CN_SUSAR_7D_PLUS_8D", "CN_GCP48_COPY_7D"}
CN15 = {"CN_SUSAR_15D", "CN_GCP48_COPY_15D"}
US7 = {"US_312_32_C2_7D", "US_312_32_C1_15D"}
US15 = {"US_312_32_C1_15D"}
EU7 = {"EU_ART42_2A_7D", "EU_ANNEXIII_7D_PLUS_8D"}
EU15 = {"EU_ART42_2B_15D"}
UK7 = {"UK_7D_BEGINNING_DAY_AFTER", "UK_FU_8D"}
UK15 = {"UK_15D"}
ICH7 = {"ICH_E2A_7D", "ICH_E2A_8D"}
ICH15 = {"ICH_E2A_15D"}
SITE = {"INV_TO_SPONSOR_24H"}
NONE: set[str] = set()


def asked(
    seriousness: str,
    causality: str,
    expectedness: str,
    authority: str | None = "CN",
    aware: str = "2026-03-02T09:15",
    zone: ZoneInfo = SHANGHAI,
) -> Due:
    facts = Facts(
        SaidSeriousness(seriousness),
        SaidCausality(causality),
        SaidExpectedness(expectedness),
        authority,
        at(aware, zone),
        zone,
    )
    return due(facts, RULES)


@pytest.mark.parametrize(
    ("seriousness", "causality", "expectedness", "authority", "started"),
    [
        # Fatal or life-threatening SUSARs, each authority.
        ("fatal", "related", "unexpected", "CN", CN7 | SITE),
        ("life_threatening", "suspected", "unexpected", "CN", CN7 | SITE),
        ("fatal", "related", "unexpected", "US", US7 | SITE),
        ("life_threatening", "related", "unexpected", "US", US7 | SITE),
        ("fatal", "related", "unexpected", "EU", EU7 | SITE),
        ("life_threatening", "related", "unexpected", "UK", UK7 | SITE),
        ("fatal", "related", "unexpected", "JP", {"JP_ART273_7D"} | SITE),
        ("fatal", "related", "unexpected", "ICH", ICH7 | SITE),
        # Other SUSARs: every criterion of seriousness but the two.
        ("hospitalisation", "related", "unexpected", "CN", CN15 | SITE),
        ("disability", "related", "unexpected", "US", US15 | SITE),
        ("congenital_anomaly", "related", "unexpected", "EU", EU15 | SITE),
        ("medically_important", "suspected", "unexpected", "UK", UK15 | SITE),
        ("hospitalisation", "related", "unexpected", "JP", {"JP_ART273_15D"} | SITE),
        ("any_serious", "related", "unexpected", "ICH", ICH15 | SITE),
        # Either party is enough; the sponsor may not downgrade.
        ("hospitalisation", "investigator_related_sponsor_unrelated", "unexpected", "CN", CN15 | SITE),
        ("fatal", "investigator_unrelated_sponsor_related", "unexpected", "EU", EU7 | SITE),
        ("fatal", "investigator_related_sponsor_unrelated", "unexpected", "US", US7 | SITE),
        # What is missing is taken at its worst.
        ("fatal", "not_assessed", "unexpected", "CN", CN7 | SITE),
        ("fatal", "related", "not_assessed", "CN", CN7 | SITE),
        ("hospitalisation", "any", "any", "EU", EU15 | SITE),
        ("any_serious", "any", "any", "US", US15 | SITE),
        ("unknown_seriousness", "related", "unexpected", "CN", CN15 | SITE),
        ("unknown_seriousness", "not_assessed", "not_assessed", "JP", {"JP_ART273_15D"} | SITE),
        ("fatal", "related", "unexpected", None, ICH7 | SITE),
        ("unknown_seriousness", "not_assessed", "not_assessed", None, ICH15 | SITE),
        # Serious without being reportable: the site's clock alone.
        ("hospitalisation", "related", "expected", "CN", SITE),
        ("fatal", "related", "expected", "CN", SITE),
        ("fatal", "unrelated", "unexpected", "CN", SITE),
        ("hospitalisation", "unrelated", "unexpected", "US", SITE),
        ("unknown_seriousness", "unrelated", "not_assessed", "EU", SITE),
        ("life_threatening", "not_assessed", "expected", "UK", SITE),
        # Japan alone wants an expected death or threat to life.
        ("fatal", "related", "expected", "JP", {"JP_ART273_EXPECTED_FATAL_15D"} | SITE),
        ("life_threatening", "any", "expected", "JP", {"JP_ART273_EXPECTED_FATAL_15D"} | SITE),
        ("fatal", "unrelated", "expected", "JP", SITE),
        ("hospitalisation", "related", "expected", "JP", SITE),
        # Not serious starts nothing; a candidate for a DLT is told to the sponsor and is by itself not serious.
        ("nonserious", "related", "unexpected", "CN", NONE),
        ("nonserious", "not_assessed", "not_assessed", "US", NONE),
        ("nonserious", "any", "any", None, NONE),
        ("dlt_candidate", "related", "unexpected", "CN", SITE),
        ("dlt_candidate", "any", "any", "US", SITE),
        ("dlt_candidate", "unrelated", "expected", None, SITE),
    ],
)
@pytest.mark.rule("CN_SUSAR_7D", "CN_SUSAR_7D_PLUS_8D", "CN_SUSAR_15D", "CN_GCP48_COPY_7D", "CN_GCP48_COPY_15D")
@pytest.mark.rule("US_312_32_C2_7D", "US_312_32_C1_15D", "ICH_E2A_7D", "ICH_E2A_8D", "ICH_E2A_15D")
@pytest.mark.rule("EU_ART42_2A_7D", "EU_ANNEXIII_7D_PLUS_8D", "EU_ART42_2B_15D")
@pytest.mark.rule("UK_7D_BEGINNING_DAY_AFTER", "UK_FU_8D", "UK_15D", "INV_TO_SPONSOR_24H")
@pytest.mark.rule("JP_ART273_7D", "JP_ART273_15D", "JP_ART273_EXPECTED_FATAL_15D")
@pytest.mark.rule("rules.md 1.1: SUSAR", "rules.md 1.3: not expedited", "readings.md clocks 2, 11")
def test_what_the_facts_of_one_moment_start(
    seriousness: str, causality: str, expectedness: str, authority: str | None, started: set[str]
) -> None:
    found = asked(seriousness, causality, expectedness, authority)
    assert {clock.rule for clock in found.clocks} == started
    assert found.reasons


@pytest.mark.parametrize(
    ("seriousness", "causality", "expectedness", "authority", "provisional"),
    [
        ("fatal", "related", "unexpected", "CN", NONE),
        ("hospitalisation", "not_assessed", "unexpected", "CN", CN15),
        ("hospitalisation", "related", "any", "CN", CN15),
        ("any_serious", "related", "unexpected", "CN", CN15),
        ("unknown_seriousness", "related", "unexpected", "CN", CN15 | SITE),
        ("fatal", "related", "unexpected", None, ICH7),
    ],
)
@pytest.mark.rule("readings.md clocks 2")
def test_a_clock_that_rests_on_a_missing_fact_is_provisional(
    seriousness: str, causality: str, expectedness: str, authority: str | None, provisional: set[str]
) -> None:
    found = asked(seriousness, causality, expectedness, authority)
    assert {clock.rule for clock in found.clocks if clock.is_provisional} == provisional


@pytest.mark.parametrize(
    ("authority", "aware", "zone", "rule", "due_on"),
    [
        # Beijing 1 July 00:30 is 30 June in New York, Brussels and London: the earlier date is day 0.
        ("US", "2026-07-01T00:30", SHANGHAI, "US_312_32_C2_7D", date(2026, 7, 7)),
        ("EU", "2026-07-01T00:30", SHANGHAI, "EU_ART42_2A_7D", date(2026, 7, 7)),
        ("UK", "2026-07-01T00:30", SHANGHAI, "UK_7D_BEGINNING_DAY_AFTER", date(2026, 7, 7)),
        ("CN", "2026-07-01T00:30", SHANGHAI, "CN_SUSAR_7D", date(2026, 7, 8)),
        # New York 30 June 20:00 is 1 July in Tokyo: the receiver's date is the earlier.
        ("JP", "2026-06-30T20:00", NEW_YORK, "JP_ART273_7D", date(2026, 7, 7)),
        # The baseline has no zone of its own.
        ("ICH", "2026-07-01T00:30", SHANGHAI, "ICH_E2A_7D", date(2026, 7, 8)),
        ("UK", "2026-05-04T09:00", ZoneInfo("Europe/London"), "UK_FU_8D", date(2026, 5, 19)),
    ],
)
@pytest.mark.rule("rules.md D7, C5")
def test_day_zero_is_the_earlier_of_the_receivers_and_the_authoritys_date(
    authority: str, aware: str, zone: ZoneInfo, rule: str, due_on: date
) -> None:
    found = asked("fatal", "related", "unexpected", authority, aware, zone)
    assert {clock.rule: clock.due_on for clock in found.clocks}[rule] == due_on


@pytest.mark.rule("rules.md D6: I03")
def test_the_sites_clock_counts_elapsed_hours() -> None:
    (clock,) = asked("fatal", "unrelated", "any", "EU", "2026-10-24T20:00", BERLIN).clocks
    assert clock.due_at == datetime(2026, 10, 25, 18, tzinfo=UTC)


def test_every_combination_is_answered_with_its_reasons() -> None:
    for words in product(SaidSeriousness, SaidCausality, SaidExpectedness, [None, "CN", "US", "EU", "UK", "JP", "ICH"]):
        found = asked(*words)
        assert found.reasons
        assert all(clock.clause and clock.reasons for clock in found.clocks)
        assert [clock.due_at for clock in found.clocks] == sorted(clock.due_at for clock in found.clocks)


def test_an_expected_death_says_what_expected_is_taken_to_mean() -> None:
    assert asked("fatal", "related", "expected").reasons[-2:] == (
        "expected is taken to mean that the reference safety information lists this outcome; if not: unexpected",
        "no clock of an authority (CN)",
    )


def test_a_candidate_for_a_dlt_says_what_would_start_more() -> None:
    assert (
        "should it meet a criterion of seriousness, the authority's clocks start too"
        in asked("dlt_candidate", "related", "unexpected").reasons
    )


def test_a_rule_binds_from_its_first_day_on_and_says_when_it_does_not() -> None:
    before, first = (asked("fatal", "related", "unexpected", "EU", f"2022-01-{d}T12:00", BERLIN) for d in (30, 31))
    assert {clock.rule for clock in before.clocks} == SITE
    assert "EU_ART42_2A_7D binds only from day zero 2022-01-31" in before.reasons
    assert {clock.rule for clock in first.clocks} == EU7 | SITE


@pytest.mark.rule("JP_ART273_EXPECTED_FATAL_15D; readings.md clocks 11")
def test_the_service_starts_japans_clock_of_expected_deaths_only_for_a_study_of_japan() -> None:
    told = event("CRS", criteria=[Criterion.DEATH], investigator=Relation.RELATED, sponsor=Relation.RELATED)
    known = case(report(told), codings=[coded("Cytokine release syndrome")])
    safety = rsi(listed("Cytokine release syndrome", fatal=True))
    assert unquestioned(known, protocol("JP", safety=safety)) == ["JP_ART273_EXPECTED_FATAL_15D"]
    assert unquestioned(known, protocol("CN", safety=safety)) == []
    unlisted = replace(safety, entries=(listed("Cytokine release syndrome"),))
    assert unquestioned(known, protocol("JP", safety=unlisted)) == ["JP_ART273_7D"]


def unquestioned(known: Case, study: Protocol) -> list[str]:
    """The clocks that the facts as known now support; what ran before the coding came waits for a person."""
    return [life.clock.rule for life in assess(known, study).lives if not life.questions]


# Readings.md, clocks 11, and C6: these need earlier reports or an earlier determination.
NEEDS_HISTORY = {"E05", "G02", "G04", "G06", "G08", "U09"}
# Rows that name a case and not a rule, and the rule whose date they give.
NAMED_OTHERWISE = {
    "T02": "US_312_32_C2_7D",
    "T04": "JP_ART273_7D",
    "E07": "EU_ART42_2B_15D",
    "M02": "CN_SUSAR_15D",
}


def vectors() -> list[dict[str, str]]:
    path = REFERENCE / "rules" / "clock_vectors.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["case"] not in NEEDS_HISTORY]


@pytest.mark.reference
@pytest.mark.rule("clock_vectors.csv")
@pytest.mark.parametrize("row", vectors(), ids=lambda row: row["case"])
def test_every_vector_of_one_moment_comes_out(row: dict[str, str]) -> None:
    zone = ZoneInfo(row["tz"])
    found = asked(
        row["seriousness"],
        row["causality"],
        row["expectedness"],
        row["jurisdiction"],
        row["awareness_local"],
        zone,
    ).clocks
    if row["rule"].startswith("NOT_EXPEDITED"):
        assert {clock.rule for clock in found} <= SITE
        return
    (clock,) = [c for c in found if c.rule == NAMED_OTHERWISE.get(row["case"], row["rule"])]
    if row["rule"] in SITE:
        assert clock.due_at.astimezone(zone).isoformat(timespec="minutes") == row["due_date"]
        return
    assert clock.due_on.isoformat() == row["due_date"]
    # The row's instant is the end of the day in its own zone; the conservative one is never later.
    assert clock.due_at <= datetime.fromisoformat(row["due_end_utc"])


@pytest.mark.reference
def test_enough_vectors_were_read_to_mean_something() -> None:
    assert len(vectors()) >= 28
