"""Day zero, due dates and due instants, written out by hand from rules.md 1.2, 1.3 and 8."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from tocsin.domain.clocks import ClockRule, Mode, Start, Trigger, clock, clocks
from tocsin.domain.words import Criterion, Outcome, Relation

CN = clockrules.rules_of("CN")
US = clockrules.rules_of("US")
SITE = clockrules.rules_of("SITE")
BY_ID = {rule.id: rule for rule in (*CN, *US, *SITE)}


def start(text: str, zone: ZoneInfo, trigger: Trigger = Trigger.FATAL_LT_SUSAR, event_id: str = "TOC-0031-E1") -> Start:
    return Start(trigger, event_id, at(text, zone), ("a reason",))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "aware", "zone", "day_zero", "due_on", "due_at"),
    [
        # C01, C03, C04: one minute makes one day.
        ("CN_SUSAR_7D", "2026-03-02T09:15", SHANGHAI, (2026, 3, 2), (2026, 3, 9), "2026-03-09T15:59:59"),
        ("CN_SUSAR_7D", "2026-03-02T23:59", SHANGHAI, (2026, 3, 2), (2026, 3, 9), "2026-03-09T15:59:59"),
        ("CN_SUSAR_7D", "2026-03-03T00:00", SHANGHAI, (2026, 3, 3), (2026, 3, 10), "2026-03-10T15:59:59"),
        # C13, C14: year end, no extension on a holiday.
        ("CN_SUSAR_7D", "2026-12-25T18:00", SHANGHAI, (2026, 12, 25), (2027, 1, 1), "2027-01-01T15:59:59"),
        ("CN_SUSAR_7D_PLUS_8D", "2026-12-25T18:00", SHANGHAI, (2026, 12, 25), (2027, 1, 9), "2027-01-09T15:59:59"),
        ("CN_GCP48_COPY_7D", "2026-12-25T18:00", SHANGHAI, (2026, 12, 25), (2027, 1, 1), "2027-01-01T15:59:59"),
        ("CN_SUSAR_15D", "2026-12-20T10:00", SHANGHAI, (2026, 12, 20), (2027, 1, 4), "2027-01-04T15:59:59"),
        ("CN_GCP48_COPY_15D", "2026-12-20T10:00", SHANGHAI, (2026, 12, 20), (2027, 1, 4), "2027-01-04T15:59:59"),
        # C17, C18: a common year and a leap year.
        ("CN_SUSAR_15D", "2027-02-14T12:00", SHANGHAI, (2027, 2, 14), (2027, 3, 1), "2027-03-01T15:59:59"),
        ("CN_SUSAR_15D", "2028-02-14T12:00", SHANGHAI, (2028, 2, 14), (2028, 2, 29), "2028-02-29T15:59:59"),
        ("CN_SUSAR_7D", "2028-02-29T00:05", SHANGHAI, (2028, 2, 29), (2028, 3, 7), "2028-03-07T15:59:59"),
        # U04, U05: across the changes of the clocks.
        ("US_312_32_C2_7D", "2026-03-07T23:30", NEW_YORK, (2026, 3, 7), (2026, 3, 14), "2026-03-15T03:59:59"),
        ("US_312_32_C1_15D", "2026-10-31T23:30", NEW_YORK, (2026, 10, 31), (2026, 11, 15), "2026-11-16T04:59:59"),
        # U06, U07: both passes of an ambiguous hour are the same day.
        ("US_312_32_C2_7D", "2026-11-01T01:30-04:00", NEW_YORK, (2026, 11, 1), (2026, 11, 8), "2026-11-09T04:59:59"),
        ("US_312_32_C2_7D", "2026-11-01T01:30-05:00", NEW_YORK, (2026, 11, 1), (2026, 11, 8), "2026-11-09T04:59:59"),
    ],
)
@pytest.mark.rule("rules.md D1, D2")
def test_a_due_date_is_day_zero_plus_calendar_days(
    rule: str,
    aware: str,
    zone: ZoneInfo,
    day_zero: tuple[int, int, int],
    due_on: tuple[int, int, int],
    due_at: str,
) -> None:
    found = clock(BY_ID[rule], start(aware, zone), zone)
    assert (found.day_zero, found.due_on, found.due_at) == (date(*day_zero), date(*due_on), utc(due_at))


@pytest.mark.parametrize(
    ("aware", "zone", "due"),
    [
        ("2026-03-02T09:15", SHANGHAI, "2026-03-03T01:15:00"),
        # I02, I03: elapsed hours across the changes of the clocks: 21:00 and 19:00 on the wall.
        ("2026-03-28T20:00", BERLIN, "2026-03-29T19:00:00"),
        ("2026-10-24T20:00", BERLIN, "2026-10-25T18:00:00"),
        # I04: over the year's end.
        ("2026-12-31T23:30", NEW_YORK, "2027-01-02T04:30:00"),
    ],
)
@pytest.mark.rule("INV_TO_SPONSOR_24H; rules.md D6: I02, I03")
def test_hours_are_elapsed_hours(aware: str, zone: ZoneInfo, due: str) -> None:
    found = clock(BY_ID["INV_TO_SPONSOR_24H"], start(aware, zone, Trigger.SITE_AWARE), zone)
    assert found.due_at == utc(due)


@pytest.mark.parametrize(
    ("receiver", "mode", "day_zero", "due_on", "due_at"),
    [
        # T01, T02, T03: Beijing 1 July 00:30 is New York 30 June 12:30, reported to the FDA.
        (SHANGHAI, Mode.RECEIVER, date(2026, 7, 1), date(2026, 7, 8), "2026-07-08T15:59:59"),
        (NEW_YORK, Mode.RECEIVER, date(2026, 6, 30), date(2026, 7, 7), "2026-07-08T03:59:59"),
        (SHANGHAI, Mode.CONSERVATIVE, date(2026, 6, 30), date(2026, 7, 7), "2026-07-07T15:59:59"),
    ],
)
@pytest.mark.rule("rules.md D7, C5: T01 to T03")
def test_the_zone_that_is_chosen_moves_the_date(
    receiver: ZoneInfo, mode: Mode, day_zero: date, due_on: date, due_at: str
) -> None:
    found = clock(BY_ID["US_312_32_C2_7D"], start("2026-07-01T00:30", SHANGHAI), receiver, mode)
    assert (found.day_zero, found.due_on, found.due_at) == (day_zero, due_on, utc(due_at))


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from([SHANGHAI, NEW_YORK, BERLIN]),
    st.sampled_from([*CN, *US]),
)
@pytest.mark.rule("rules.md D7")
def test_the_conservative_clock_is_never_later_than_the_receivers(
    aware: datetime, receiver: ZoneInfo, rule: ClockRule
) -> None:
    begun = Start(Trigger.FATAL_LT_SUSAR, "TOC-0031-E1", aware, ())
    careful, plain = (clock(rule, begun, receiver, mode) for mode in (Mode.CONSERVATIVE, Mode.RECEIVER))
    assert careful.due_at <= plain.due_at
    assert careful.day_zero <= plain.day_zero
    assert (careful.due_on - careful.day_zero).days == rule.days


def test_a_clock_names_its_rule_clause_and_why() -> None:
    found = clock(BY_ID["CN_SUSAR_7D"], start("2026-03-02T09:15", SHANGHAI), SHANGHAI)
    assert (found.rule, found.clause) == ("CN_SUSAR_7D", "CDE safety data rapid reporting standard (2018)")
    assert found.reasons == (
        "a reason",
        "day 0 is 2026-03-02, plus 7 calendar days, to the end of 2026-03-09",
        "CDE safety data rapid reporting standard (2018): a fatal or life-threatening SUSAR within 7 days "
        "of first knowledge",
    )


def test_a_rule_of_low_confidence_says_so() -> None:
    doubtful = replace(BY_ID["CN_SUSAR_7D"], confidence="low")
    found = clock(doubtful, start("2026-03-02T09:15", SHANGHAI), SHANGHAI)
    assert found.reasons[-1] == "this rule is held with low confidence: the sponsor must verify it"


@pytest.mark.parametrize(
    ("rules", "trigger", "started"),
    [
        (CN, Trigger.FATAL_LT_SUSAR, ["CN_GCP48_COPY_7D", "CN_SUSAR_7D", "CN_SUSAR_7D_PLUS_8D"]),
        (CN, Trigger.OTHER_SUSAR, ["CN_GCP48_COPY_15D", "CN_SUSAR_15D"]),
        (US, Trigger.FATAL_LT_SUSAR, ["US_312_32_C2_7D", "US_312_32_C1_15D"]),
        (US, Trigger.OTHER_SUSAR, ["US_312_32_C1_15D"]),
        (CN, Trigger.SITE_AWARE, []),
        (SITE, Trigger.SITE_AWARE, ["INV_TO_SPONSOR_24H"]),
        (SITE, Trigger.FATAL_LT_SUSAR, []),
    ],
)
@pytest.mark.rule("CN_SUSAR_7D", "CN_SUSAR_7D_PLUS_8D", "CN_SUSAR_15D", "CN_GCP48_COPY_7D", "CN_GCP48_COPY_15D")
@pytest.mark.rule("US_312_32_C2_7D", "US_312_32_C1_15D", "INV_TO_SPONSOR_24H")
def test_what_each_trigger_starts_soonest_first(
    rules: Sequence[ClockRule], trigger: Trigger, started: list[str]
) -> None:
    assert [c.rule for c in clocks(rules, [start("2026-03-02T09:15", SHANGHAI, trigger)], SHANGHAI)] == started


@pytest.mark.parametrize(
    ("profile", "zone", "rule", "due_on"),
    [
        ("CN", SHANGHAI, "CN_OTHER_RISK", date(2026, 3, 17)),
        ("US", NEW_YORK, "US_312_32_C1_OTHER_FINDING_15D", date(2026, 3, 17)),
        ("JP", ZoneInfo("Asia/Tokyo"), "JP_ART273_OTHER_RISK_15D", date(2026, 3, 17)),
    ],
)
@pytest.mark.rule("CN_OTHER_RISK", "US_312_32_C1_OTHER_FINDING_15D", "JP_ART273_OTHER_RISK_15D")
def test_a_risk_that_is_no_case_is_due_fifteen_days_after_it_was_known(
    profile: str, zone: ZoneInfo, rule: str, due_on: date
) -> None:
    known = start("2026-03-02T09:15", zone, Trigger.OTHER_RISK)
    assert [(c.rule, c.due_on) for c in clocks(clockrules.rules_of(profile), [known], zone)] == [(rule, due_on)]


def test_a_start_that_awaits_elements_is_provisional() -> None:
    waiting = replace(start("2026-03-02T09:15", SHANGHAI), awaits=("reporter",))
    found = clock(BY_ID["CN_SUSAR_7D"], waiting, SHANGHAI)
    assert found.is_provisional
    assert found.awaits == ("reporter",)


SERIOUSNESS = {
    "fatal": {"criteria": [Criterion.DEATH], "outcome": Outcome.FATAL},
    "life_threatening": {"criteria": [Criterion.LIFE_THREATENING]},
    "hospitalisation": {"criteria": [Criterion.HOSPITALISATION]},
    "any_serious": {"criteria": [Criterion.HOSPITALISATION]},
    "nonserious": {"serious": False},
    "unknown_seriousness": {},
}
CAUSALITY = {
    "related": (Relation.RELATED, Relation.RELATED),
    "suspected": (Relation.POSSIBLE, Relation.POSSIBLE),
    "unrelated": (Relation.NOT_RELATED, Relation.NOT_RELATED),
    "investigator_related_sponsor_unrelated": (Relation.RELATED, Relation.NOT_RELATED),
    "any": (None, None),
}
# These rows depend on earlier reports or on a later determination: the facts of one moment do not give them.
NEEDS_HISTORY = {"U09", "G02", "G04", "G06", "G08"}
NAMED_OTHERWISE = {
    "MISSING_SERIOUSNESS_TREAT_AS_SERIOUS": "CN_SUSAR_15D",
    "DAY0_RECEIVER_TZ": "US_312_32_C2_7D",
}


def vectors() -> list[dict[str, str]]:
    path = REFERENCE / "rules" / "clock_vectors.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["case"] not in NEEDS_HISTORY]
    return [row for row in rows if row["jurisdiction"] in ("CN", "US") or row["rule"] == "INV_TO_SPONSOR_24H"]


@pytest.mark.reference
@pytest.mark.rule("clock_vectors.csv: CN, US, 24 h")
@pytest.mark.parametrize("row", vectors(), ids=lambda row: row["case"])
def test_every_vector_of_china_the_united_states_and_the_site_comes_out(row: dict[str, str]) -> None:
    zone = ZoneInfo(row["tz"])
    investigator, sponsor = CAUSALITY[row["causality"]]
    told = event(
        "cytokine release",
        grade=2,
        investigator=investigator,
        sponsor=sponsor,
        aware=row["awareness_local"] if row["rule"] == "INV_TO_SPONSOR_24H" else None,
        **SERIOUSNESS[row["seriousness"]],  # type: ignore[arg-type]
    )
    if row["seriousness"] == "fatal" and row["expectedness"] == "expected":
        pytest.fail("no such row is expected for these authorities")
    entries = [listed("Cytokine release syndrome")] if row["expectedness"] == "expected" else []
    profile = row["jurisdiction"] if row["jurisdiction"] in ("CN", "US") else "CN"
    study = protocol(profile, receiver=zone, safety=rsi(*entries))
    study = replace(study, sites=tuple(replace(site, zone=zone) for site in study.sites))
    found = assess(
        case(
            report(told, received=row["awareness_local"], zone=zone),
            codings=[coded("Cytokine release syndrome")],
        ),
        study,
    )
    wanted = NAMED_OTHERWISE.get(row["rule"], row["rule"])
    if wanted.startswith("NOT_EXPEDITED"):
        # What started before the coding was known is for a person to close; nothing runs unquestioned.
        assert [life.clock.rule for life in found.lives if not life.questions] == []
        return
    (due,) = [c for c in found.clocks if c.rule == wanted]
    assert due.due_at == datetime.fromisoformat(row["due_end_utc"])
    if not row["rule"].startswith("INV_"):
        assert due.due_on == date.fromisoformat(row["due_date"])


@pytest.mark.reference
def test_enough_vectors_were_read_to_mean_something() -> None:
    assert len(vectors()) >= 19
