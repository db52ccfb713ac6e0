"""The version of the reference safety information that was in force at the onset, as far as the onset is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.cases import NEW_YORK, SHANGHAI, protocol
from tocsin.domain.calendars import Partial
from tocsin.domain.protocol import Protocol, ReferenceSafetyInformation
from tocsin.domain.reference_information import in_force


def of(name: str, since: date | None = None) -> ReferenceSafetyInformation:
    return ReferenceSafetyInformation(name, "SPONSOR_APPROVED", (), since)


def study(*versions: ReferenceSafetyInformation) -> Protocol:
    return replace(protocol(), rsi=versions[-1], earlier_rsi=versions[:-1])


THREE = study(of("IB 3.0"), of("IB 4.0", date(2026, 3, 1)), of("IB 4.1", date(2026, 6, 15)))
DATED = study(of("IB 4.0", date(2026, 3, 1)), of("IB 4.1", date(2026, 6, 15)))


def names(of_study: Protocol, onset: str | None, zone: ZoneInfo = SHANGHAI) -> list[str]:
    at = None if onset is None else Partial.parse(onset)
    return [version.version for version in in_force(of_study, at, zone)]


@pytest.mark.parametrize(
    ("onset", "versions"),
    [
        ("2024-05-01", ["IB 3.0"]),
        ("2026-02-28", ["IB 3.0"]),
        ("2026-02-28T23:59", ["IB 3.0"]),
        ("2026-03-01T00:00", ["IB 4.0"]),
        ("2026-03-01", ["IB 4.0"]),
        ("2026-06-14", ["IB 4.0"]),
        ("2026-06-15", ["IB 4.1"]),
        ("2030-01-01", ["IB 4.1"]),
        # What the onset leaves open: every version that it may fall under.
        ("2026-02", ["IB 3.0"]),
        ("2026-03", ["IB 4.0"]),
        ("2026-06", ["IB 4.0", "IB 4.1"]),
        ("2026", ["IB 3.0", "IB 4.0", "IB 4.1"]),
        ("2025", ["IB 3.0"]),
        ("2027", ["IB 4.1"]),
        ("2026---15", ["IB 3.0", "IB 4.0", "IB 4.1"]),
        ("--06-15", ["IB 3.0", "IB 4.0", "IB 4.1"]),
        (None, ["IB 3.0", "IB 4.0", "IB 4.1"]),
    ],
)
@pytest.mark.rule("rules.md 1.1: RSI version")
def test_an_event_is_judged_by_every_version_that_may_have_been_in_force_at_its_onset(
    onset: str | None, versions: list[str]
) -> None:
    assert names(THREE, onset) == versions


@pytest.mark.rule("rules.md 1.1: RSI version")
def test_a_version_is_in_force_from_its_first_day_at_the_site() -> None:
    # One instant: 28 February in New York, 1 March in Shanghai.
    assert names(THREE, "2026-02-28T17:00Z", SHANGHAI) == ["IB 4.0"]
    assert names(THREE, "2026-02-28T17:00Z", NEW_YORK) == ["IB 3.0"]


def test_before_the_first_dated_version_there_is_none_that_lists_anything() -> None:
    assert names(DATED, "2026-02-28") == ["(none in force yet)"]
    assert names(DATED, "2026-02") == ["(none in force yet)"]
    assert names(DATED, "2026-03-01") == ["IB 4.0"]
    assert names(DATED, "2026") == ["(none in force yet)", "IB 4.0", "IB 4.1"]
    assert names(DATED, None) == ["(none in force yet)", "IB 4.0", "IB 4.1"]
    assert in_force(DATED, Partial.parse("2026-02"), SHANGHAI)[0].entries == ()


def test_the_only_version_counts_whenever_it_was() -> None:
    assert names(study(of("IB 4.1")), None) == ["IB 4.1"]
    assert names(study(of("IB 4.1")), "1999") == ["IB 4.1"]


@given(st.dates(date(2025, 1, 1), date(2027, 12, 31)))
@pytest.mark.rule("rules.md 1.1: RSI version")
def test_a_whole_date_has_one_version_and_each_less_exact_date_has_that_one_among_its_own(day: date) -> None:
    [exact] = names(THREE, day.isoformat())
    if day >= date(2026, 6, 15):
        assert exact == "IB 4.1"
    else:
        assert exact == ("IB 4.0" if day >= date(2026, 3, 1) else "IB 3.0")
    assert exact in names(THREE, f"{day:%Y-%m}")
    assert exact in names(THREE, f"{day:%Y}")
