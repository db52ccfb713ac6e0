"""When a cell count recovered: case histories, exactly at the limits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.cases import NEW_YORK, SHANGHAI
from tocsin.domain.calendars import Partial
from tocsin.domain.cell_counts import NEUTROPHILS, PLATELETS, Count, RecoveryRule
from tocsin.domain.known import Known
from tocsin.domain.recovery import Episode, count_course

INFUSED = "2026-03-02T10:00"
DAY_28 = date(2026, 3, 30)


def episodes(
    rule: RecoveryRule, *counts: tuple[str, str], infused: str | None = INFUSED, transfused: Sequence[str] = (),
    g_csf: Sequence[str] = (), zone: ZoneInfo = SHANGHAI,
) -> tuple[Episode, ...]:  # fmt: skip
    return count_course(
        [Count(Partial.parse(at), Decimal(value), at) for at, value in counts], rule, zone,
        infused=None if infused is None else Partial.parse(infused),
        transfusions=[Partial.parse(one) for one in transfused], g_csf=[Partial.parse(one) for one in g_csf],
    ).episodes  # fmt: skip


def march(*days: tuple[int, str]) -> list[tuple[str, str]]:
    return [(f"2026-03-{day:02d}T07:30", value) for day, value in days]


@pytest.mark.rule("readings.md DLT 11")
def test_neutrophils_recover_on_the_first_of_three_values() -> None:
    (one,) = episodes(NEUTROPHILS, *march((4, "0.9"), (6, "0.4"), (9, "0.1"), (12, "0.5"), (14, "0.6"), (17, "0.9")))
    assert (one.first.day, one.nadir.day) == (date(2026, 3, 6), date(2026, 3, 9))
    assert (one.recovered_on, one.proved_on) == (date(2026, 3, 12), date(2026, 3, 17))
    assert one.recovered_by(DAY_28) is Known.YES
    assert one.reasons == (
        "neutrophils 0.4 10*9/L of 2026-03-06T07:30 is below 0.5 10*9/L: the episode begins",
        "the lowest is 0.1 10*9/L of 2026-03-09T07:30",
        "no G-CSF is noted",
        "recovered on 2026-03-12 with 0.5 10*9/L of 2026-03-12T07:30, proved on 2026-03-17",
    )


@pytest.mark.rule("readings.md DLT 11")
def test_exactly_500_is_neither_grade_4_nor_missing_to_a_recovery() -> None:
    assert episodes(NEUTROPHILS, *march((4, "0.5"), (5, "0.500"))) == ()
    (one,) = episodes(NEUTROPHILS, *march((4, "0.499"), (5, "0.5"), (6, "0.5"), (7, "0.5")))
    assert one.recovered_on == date(2026, 3, 5)


@pytest.mark.rule("readings.md DLT 11")
def test_a_fall_among_the_three_begins_the_count_anew_and_no_new_episode() -> None:
    (one,) = episodes(
        NEUTROPHILS, *march((4, "0.3"), (5, "0.6"), (6, "0.7"), (7, "0.49"), (8, "0.6"), (9, "0.6"), (10, "0.6"))
    )
    assert one.recovered_on == date(2026, 3, 8)


@pytest.mark.rule("readings.md DLT 11")
def test_three_values_of_one_day_are_one_and_the_lowest_of_the_day_counts() -> None:
    same_day = [(f"2026-03-05T{hour}:00", "0.8") for hour in ("07", "12", "18")]
    (one,) = episodes(NEUTROPHILS, *march((4, "0.3")), *same_day)
    assert (one.recovered_on, one.may_recover_on) == (None, date(2026, 3, 5))
    (two,) = episodes(
        NEUTROPHILS,
        *march((4, "0.3"), (5, "0.6"), (6, "0.6"), (7, "0.6"), (8, "0.6"), (9, "0.6")),
        ("2026-03-06", "0.4"),
    )
    assert two.recovered_on == date(2026, 3, 7)


@pytest.mark.rule("readings.md DLT 11")
def test_the_days_are_those_of_the_site() -> None:
    """23:30 and 00:30 in New York: two days there, one day in Shanghai."""
    late = [("2026-03-04T07:30-05:00", "0.3"), ("2026-03-05T23:30-05:00", "0.6"), ("2026-03-06T00:30-05:00", "0.6"),
            ("2026-03-08T07:00-05:00", "0.6")]  # fmt: skip
    (there,) = episodes(NEUTROPHILS, *late, zone=NEW_YORK)
    assert there.recovered_on == date(2026, 3, 5)
    (here,) = episodes(NEUTROPHILS, *late, zone=SHANGHAI)
    assert here.recovered_on is None


@pytest.mark.rule("readings.md DLT 11")
def test_an_early_recovery_does_not_hide_a_later_fall() -> None:
    first, second = episodes(
        NEUTROPHILS,
        *march((4, "0.2"), (8, "0.7"), (9, "0.8"), (10, "0.9"), (20, "0.3"), (25, "0.2"), (30, "0.4")),
    )
    assert (first.recovered_on, second.first.day, second.recovered_on) == (date(2026, 3, 8), date(2026, 3, 20), None)
    assert (first.is_open_on(DAY_28), second.is_open_on(DAY_28)) == (False, True)
    assert second.recovered_by(DAY_28) is Known.NO


@pytest.mark.rule("readings.md DLT 11")
def test_values_after_day_28_may_still_prove_a_recovery_by_day_28() -> None:
    until_day_28 = march((6, "0.4"), (20, "0.3"), (29, "0.5"), (30, "0.6"))
    (waiting,) = episodes(NEUTROPHILS, *until_day_28)
    assert (waiting.recovered_by(DAY_28), waiting.may_recover_on) == (Known.UNKNOWN, date(2026, 3, 29))
    (proved,) = episodes(NEUTROPHILS, *until_day_28, ("2026-04-02T07:30", "0.7"))
    assert (proved.recovered_by(DAY_28), proved.recovered_on) == (Known.YES, date(2026, 3, 29))
    (refuted,) = episodes(NEUTROPHILS, *until_day_28, ("2026-04-02T07:30", "0.4"))
    assert refuted.recovered_by(DAY_28) is Known.NO
    (late,) = episodes(NEUTROPHILS, *until_day_28, *[(f"2026-04-{d:02d}", "0.9") for d in (2, 3)])
    assert late.recovered_by(DAY_28) is Known.YES


@pytest.mark.rule("readings.md DLT 11")
def test_a_recovery_after_day_28_is_none_by_day_28() -> None:
    (one,) = episodes(NEUTROPHILS, *march((6, "0.4")), *[(f"2026-03-31T07:3{n}", "0.9") for n in (0, 1)],
                      ("2026-04-01", "0.9"), ("2026-04-02", "0.9"))  # fmt: skip
    assert (one.recovered_on, one.recovered_by(DAY_28)) == (date(2026, 3, 31), Known.NO)
    assert one.is_open_on(DAY_28)


@pytest.mark.parametrize(
    ("given_at", "recovered"),
    [
        ("2026-03-05T07:29", True),
        ("2026-03-05T07:30", False),
        ("2026-03-12T07:30", False),
        ("2026-03-12T07:31", True),
        ("2026-03-05", False),
        ("2026-03-12", False),
        ("2026-03-13", True),
        ("2026-03-04", True),
    ],
)
@pytest.mark.rule("readings.md DLT 11")
def test_platelets_recover_only_without_a_transfusion_in_the_seven_days_before(given_at: str, recovered: bool) -> None:
    (one,) = episodes(PLATELETS, *march((4, "18"), (12, "25")), transfused=[given_at])
    assert one.recovered_on == (date(2026, 3, 12) if recovered else None)


@pytest.mark.rule("readings.md DLT 11")
def test_a_transfused_rise_is_no_recovery_and_the_reasons_say_so() -> None:
    (one,) = episodes(
        PLATELETS, *march((4, "18"), (6, "40"), (9, "22"), (20, "31"), (24, "24.9")), transfused=["2026-03-05"]
    )[:1]
    assert one.recovered_on == date(2026, 3, 20)
    assert "40 10*9/L of 2026-03-06T07:30 is no recovery: transfused 2026-03-05" in one.reasons


@pytest.mark.rule("readings.md DLT 11")
def test_exactly_25_platelets_are_not_grade_4() -> None:
    assert episodes(PLATELETS, *march((4, "25"))) == ()
    (one,) = episodes(PLATELETS, *march((4, "24.99"), (5, "25.0")))
    assert (one.recovered_on, one.proved_on) == (date(2026, 3, 5), date(2026, 3, 5))


@pytest.mark.rule("readings.md DLT 11")
def test_a_transfusion_whose_date_is_open_counts_and_is_said_to_be_open() -> None:
    (one,) = episodes(PLATELETS, *march((4, "18"), (12, "30")), transfused=["2026-03"])
    assert one.recovered_on is None
    assert any("the dates leave it open" in reason for reason in one.reasons)


@pytest.mark.parametrize(
    ("first", "infused", "before"),
    [
        ("2026-03-01T07:30", INFUSED, Known.YES),
        ("2026-03-02T10:00", INFUSED, Known.NO),
        ("2026-03-02T09:59", INFUSED, Known.YES),
        ("2026-03-02", INFUSED, Known.UNKNOWN),
        ("2026-03-01T07:30", None, Known.UNKNOWN),
    ],
)
@pytest.mark.rule("readings.md DLT 11")
def test_an_episode_that_began_before_the_infusion_is_flagged(first: str, infused: str | None, before: Known) -> None:
    (one,) = episodes(NEUTROPHILS, (first, "0.2"), infused=infused)
    assert one.before_infusion is before


@pytest.mark.parametrize(("day", "is_close"), [(15, False), (16, False), (17, True), (30, True), (31, False)])
@pytest.mark.rule("readings.md DLT 11")
def test_a_first_value_fewer_than_14_days_before_the_limit_is_flagged(day: int, is_close: bool) -> None:
    """Day 28 is the 30th: the 16th lies 14 days before it, the 17th fewer."""
    (one,) = episodes(NEUTROPHILS, *march((day, "0.2")))
    assert one.began_close_to(DAY_28) is is_close


@pytest.mark.parametrize(
    ("g_csf", "noted"),
    [
        ([], Known.NO), (["2026-03-05"], Known.NO), (["2026-03-06"], Known.YES), (["2026-03-12T09:00"], Known.YES),
        (["2026-03-13"], Known.NO), (["2026-03"], Known.UNKNOWN), (["2026-03", "2026-03-08"], Known.YES),
    ],
)  # fmt: skip
@pytest.mark.rule("readings.md DLT 11")
def test_whether_g_csf_was_given_during_the_episode_is_noted(g_csf: list[str], noted: Known) -> None:
    (one,) = episodes(NEUTROPHILS, *march((6, "0.4"), (12, "0.5"), (14, "0.6"), (17, "0.9")), g_csf=g_csf)
    assert one.g_csf is noted
    assert ("no G-CSF is noted" in one.reasons) is (noted is Known.NO)


@pytest.mark.rule("readings.md DLT 11")
def test_how_many_values_and_which_limit_are_parameters() -> None:
    two_above_a_thousand = RecoveryRule("neutrophils", Decimal(1), values=2)
    (one,) = episodes(two_above_a_thousand, *march((4, "0.9"), (5, "1.0"), (6, "1.1")))
    assert one.recovered_on == date(2026, 3, 5)


@pytest.mark.rule("readings.md DLT 11")
def test_a_value_whose_day_is_not_known_judges_nothing_and_is_not_lost() -> None:
    found = count_course([Count(Partial.parse("2026-03"), Decimal("0.1"))], NEUTROPHILS, SHANGHAI)
    assert (found.episodes, [one.at.text for one in found.undated]) == ((), ["2026-03"])


values = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["0.1", "0.4", "0.5", "0.9"])), max_size=14)
given_on = st.lists(st.integers(0, 40), max_size=3)
START = date(2026, 3, 1)


def _of(history: Sequence[tuple[int, str]], rule: RecoveryRule, given: Sequence[int]) -> tuple[Episode, ...]:
    factor = 50 if rule is PLATELETS else 1
    counts = [
        Count(Partial.parse((START + timedelta(days=day)).isoformat()), Decimal(value) * factor, str(n))
        for n, (day, value) in enumerate(history)
    ]
    transfusions = [Partial.parse((START + timedelta(days=day)).isoformat()) for day in given]
    return count_course(counts, rule, SHANGHAI, transfusions=transfusions).episodes


def _told(found: Sequence[Episode]) -> list[tuple[date, date | None, date | None]]:
    return [(one.first.day, one.recovered_on, one.proved_on) for one in found]


rules = st.sampled_from([NEUTROPHILS, PLATELETS])


@given(values, rules, given_on, st.randoms(use_true_random=False))
@pytest.mark.rule("readings.md DLT 11")
def test_the_order_of_arrival_changes_nothing(
    history: list[tuple[int, str]], rule: RecoveryRule, given: list[int], random: Random
) -> None:
    before = _told(_of(history, rule, given))
    random.shuffle(history)
    assert _told(_of(history, rule, given)) == before


@given(values, rules, given_on, st.sampled_from(["0.1", "0.5"]))
@pytest.mark.rule("readings.md DLT 11")
def test_a_value_of_a_later_day_leaves_every_proved_recovery_as_it_is(
    history: list[tuple[int, str]], rule: RecoveryRule, given: list[int], value: str
) -> None:
    before = [told for told in _told(_of(history, rule, given)) if told[1] is not None]
    after = _told(_of([*history, (41, value)], rule, given))
    assert after[: len(before)] == before


@given(values, rules, given_on, st.integers(0, 40))
@pytest.mark.rule("readings.md DLT 11")
def test_a_good_value_of_a_day_without_one_never_makes_the_first_recovery_later(
    history: list[tuple[int, str]], rule: RecoveryRule, given: list[int], day: int
) -> None:
    """A low value may, and so may any value of a day that has one already: the lowest of a day counts."""
    before = _of(history, rule, given)
    if day in {taken for taken, _ in history} or not before or before[0].recovered_on is None:
        return
    after = _of([*history, (day, "0.9")], rule, given)
    assert after[0].recovered_on is not None
    assert after[0].recovered_on <= before[0].recovered_on


@given(values, rules, given_on)
@pytest.mark.rule("readings.md DLT 11")
def test_episodes_follow_one_another_and_only_the_last_may_be_open(
    history: list[tuple[int, str]], rule: RecoveryRule, given: list[int]
) -> None:
    found = _told(_of(history, rule, given))
    assert all(proved is not None for _, _, proved in found[:-1])
    for (_, recovered, proved), (later, _, _) in pairwise(found):
        assert recovered is not None
        assert proved is not None
        assert recovered <= proved < later
