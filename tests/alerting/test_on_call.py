"""Who has a role at a moment. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.on_call import Override, Person, Quiet, Rota, on_duty, shifts

BERLIN, SHANGHAI, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
ROLE = "safety_physician"
LIN, SHEN, GAO = (Person(name, (f"{name}@x.example",), (), (ROLE,)) for name in ("lin", "shen", "gao"))


def rota(zone: ZoneInfo = SHANGHAI, handover: time = time(8), every_days: int = 7) -> Rota:
    """Lin and Shen by turns; the first hand-over is on Monday 5 January 2026."""
    return Rota(ROLE, zone, date(2026, 1, 5), handover, every_days, ("lin", "shen"))


def names(at: datetime, one: Rota, *overrides: Override) -> list[str]:
    return [person.name for person in on_duty(ROLE, at, [LIN, SHEN, GAO], [one], overrides).people]


def test_a_turn_begins_with_its_hand_over_and_ends_with_the_next() -> None:
    one = rota()
    assert names(datetime(2026, 1, 5, 7, 59, 59, tzinfo=SHANGHAI), one) == []
    assert names(datetime(2026, 1, 5, 8, 0, tzinfo=SHANGHAI), one) == ["lin"]
    assert names(datetime(2026, 1, 12, 7, 59, 59, tzinfo=SHANGHAI), one) == ["lin"]
    assert names(datetime(2026, 1, 12, 8, 0, tzinfo=SHANGHAI), one) == ["shen"]
    assert names(datetime(2026, 1, 19, 8, 0, tzinfo=SHANGHAI), one) == ["lin"]


@pytest.mark.parametrize(
    ("zone", "handover", "day", "begins_utc"),
    [
        # Berlin, 29 March 2026: 02:00 becomes 03:00, so no clock shows 02:30; by the offset before it is 01:30 UTC.
        (BERLIN, time(2, 30), date(2026, 3, 29), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (BERLIN, time(8), date(2026, 3, 29), datetime(2026, 3, 29, 6, 0, tzinfo=UTC)),
        (BERLIN, time(8), date(2026, 3, 28), datetime(2026, 3, 28, 7, 0, tzinfo=UTC)),
        # Berlin, 25 October 2026: 02:30 comes twice; the first is 00:30 UTC.
        (BERLIN, time(2, 30), date(2026, 10, 25), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (BERLIN, time(8), date(2026, 10, 25), datetime(2026, 10, 25, 7, 0, tzinfo=UTC)),
        (NEW_YORK, time(2, 30), date(2026, 3, 8), datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),
    ],
)
def test_a_hand_over_on_a_day_when_clocks_change_is_one_moment(
    zone: ZoneInfo, handover: time, day: date, begins_utc: datetime
) -> None:
    one = Rota(ROLE, zone, date(2026, 1, 1), handover, 1, ("lin", "shen"))
    number = (day - date(2026, 1, 1)).days
    assert one.turn(number) == begins_utc
    before, after = one.at(begins_utc - timedelta(seconds=1)), one.at(begins_utc)
    assert before is not None
    assert after is not None
    assert (before[0], after[0]) == (one.people[(number - 1) % 2], one.people[number % 2])
    assert before[1] == begins_utc


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai", "Africa/Casablanca"]),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.integers(1, 14),
    st.datetimes(datetime(2026, 2, 1), datetime(2029, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_every_moment_belongs_to_exactly_one_turn(zone: str, handover: time, every: int, at: datetime) -> None:
    one = rota(ZoneInfo(zone), handover, every)
    found = one.at(at)
    assert found is not None
    numbers = [n for n in range(1500) if one.turn(n) <= at < one.turn(n + 1)]
    assert len(numbers) == 1
    assert found == (one.people[numbers[0] % 2], one.turn(numbers[0] + 1))


def test_an_override_counts_from_its_begin_until_before_its_end_and_the_last_made_wins() -> None:
    noon = datetime(2026, 1, 6, 4, 0, tzinfo=UTC)
    first = Override(ROLE, "gao", noon, noon + timedelta(hours=8))
    later = Override(ROLE, "shen", noon + timedelta(hours=2), noon + timedelta(hours=3))
    one = rota()
    hours = [names(noon + timedelta(hours=h), one, first, later) for h in (-1, 0, 2, 3, 7, 8)]
    assert hours == [["lin"], ["gao"], ["shen"], ["gao"], ["gao"], ["lin"]]


def test_the_turns_of_some_days_follow_each_other_without_a_gap() -> None:
    begins = datetime(2026, 1, 6, 0, 0, tzinfo=UTC)
    swap = Override(ROLE, "gao", begins + timedelta(days=1), begins + timedelta(days=2))
    found = list(shifts(ROLE, begins, begins + timedelta(days=14), [LIN, SHEN, GAO], [rota()], [swap]))
    assert [[p.name for p in duty.people] for _, _, duty in found] == [["lin"], ["gao"], ["lin"], ["shen"], ["lin"]]
    assert [duty.why for _, _, duty in found] == ["the rota", "an override", "the rota", "the rota", "the rota"]
    assert found[0][0] == begins
    assert found[-1][1] == begins + timedelta(days=14)
    assert all(one[1] == two[0] for one, two in pairwise(found))


def test_without_a_rota_everybody_who_has_the_role_is_on_duty() -> None:
    duty = on_duty(ROLE, datetime(2026, 1, 6, tzinfo=UTC), [LIN, SHEN], [], [])
    assert ([p.name for p in duty.people], duty.until) == (["lin", "shen"], None)


def test_quiet_hours_over_midnight_end_the_next_morning_and_begin_with_their_minute() -> None:
    quiet = Quiet(time(22), time(7), SHANGHAI)
    morning = datetime(2026, 1, 7, 7, 0, tzinfo=SHANGHAI)
    assert quiet.until(datetime(2026, 1, 6, 21, 59, 59, tzinfo=SHANGHAI)) is None
    assert quiet.until(datetime(2026, 1, 6, 22, 0, tzinfo=SHANGHAI)) == morning
    assert quiet.until(datetime(2026, 1, 7, 6, 59, 59, tzinfo=SHANGHAI)) == morning
    assert quiet.until(morning) is None


def test_a_quiet_night_in_which_clocks_go_forward_is_an_hour_shorter() -> None:
    quiet = Quiet(time(22), time(7), BERLIN)
    begins = datetime(2026, 3, 28, 21, 0, tzinfo=UTC)
    assert quiet.until(begins) == datetime(2026, 3, 29, 5, 0, tzinfo=UTC)
    assert quiet.until(begins - timedelta(seconds=1)) is None
