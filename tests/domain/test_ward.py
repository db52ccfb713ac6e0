"""CRS and ICANS over time, from what a ward saw: case histories written out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain.crs import Device
from tocsin.domain.graded import Grading, NotGradable
from tocsin.domain.icans import Consciousness, Oedema, Seizure
from tocsin.domain.ice import Ice
from tocsin.domain.known import Known
from tocsin.domain.ward import (
    Awake,
    Chart,
    Drug,
    Given,
    IceTest,
    Oxygen,
    Pressors,
    Seized,
    Swelling,
    Systolic,
    Temperature,
    WardFact,
    Weakness,
)
from tocsin.domain.ward_course import Moment, crs_over_time, icans_over_time

START = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)


def hour(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def warm(hours: float, celsius: str, seen: str = "t") -> Temperature:
    return Temperature(hour(hours), seen, Decimal(celsius))


def pressors(hours: float, count: int, vasopressin: Known = Known.NO, fluids: Known = Known.NO) -> Pressors:
    return Pressors(hour(hours), f"p{hours}", count, vasopressin, fluids)


def oxygen(hours: float, device: Device) -> Oxygen:
    return Oxygen(hour(hours), f"o{hours}", device)


def pressure(hours: float, mm_hg: int) -> Systolic:
    return Systolic(hour(hours), f"s{hours}", Decimal(mm_hg))


def given_drug(hours: float, drug: Drug) -> Given:
    return Given(hour(hours), f"d{hours}", drug)


def said(grading: Grading) -> tuple[int, int] | None:
    return None if isinstance(grading, NotGradable) else (grading.lowest, grading.highest)


def course(*moments: Moment) -> list[tuple[float, tuple[int, int] | None, tuple[int, int] | None]]:
    """Hours since the start, the consensus grade, the grade by CTCAE."""
    return [
        ((moment.at - START) / timedelta(hours=1), *(said(grading) for grading in moment.graded.grades))  # type: ignore[misc]
        for moment in moments
    ]


@pytest.mark.rule("rules.md 3.2", "rules.md 3.1")
def test_a_crs_that_rises_and_is_treated() -> None:
    chart = Chart(
        (
            warm(0, "39.1"), pressure(0, 110), oxygen(0, Device.NONE), pressors(0, 0),
            pressure(4, 82), pressors(4, 0, fluids=Known.YES),
            pressors(6, 1),
            given_drug(7, Drug.ANTI_CYTOKINE),
            warm(10, "36.9"),
            pressors(16, 0), pressure(16, 115),
        )
    )  # fmt: skip
    assert course(*crs_over_time(chart)) == [
        (0, (1, 1), (1, 1)),
        (4, (2, 2), (2, 2)),
        (6, (3, 3), (3, 3)),
        (7, (3, 3), (3, 3)),
        # The fever is gone and no longer needed.
        (10, (3, 3), (3, 3)),
        (16, (0, 0), (0, 0)),
    ]


@pytest.mark.rule("readings.md DLT 6")
def test_a_fever_of_before_counts_and_none_at_all_leaves_it_open() -> None:
    signs = (warm(2, "37.0"), oxygen(2, Device.FACEMASK), pressure(2, 110), pressors(2, 0))
    assert course(*crs_over_time(Chart(signs))) == [(2, None, (2, 3))]
    assert course(*crs_over_time(Chart((warm(0, "38.0"), *signs))))[-1] == (2, (3, 3), (2, 3))
    # The study promises that its charts are complete: then it is known that nothing hid a fever.
    assert course(*crs_over_time(Chart(signs, is_complete=True))) == [(2, (0, 0), (2, 3))]


@pytest.mark.rule("readings.md DLT 6")
@pytest.mark.parametrize("drug", list(Drug))
def test_a_drug_hides_a_fever_from_its_own_hour_on(drug: Drug) -> None:
    facts = [warm(0, "37.2"), pressors(0, 1), oxygen(0, Device.NONE), given_drug(1, drug)]
    assert [row[1] for row in course(*crs_over_time(Chart(tuple(facts))))] == [None, (3, 3)]
    later = (*facts, warm(400, "36.8"), pressors(400, 1), oxygen(400, Device.NONE))
    assert course(*crs_over_time(Chart(later)))[-1][1] == (3, 3)


@pytest.mark.rule("rules.md 3.2")
def test_a_value_holds_for_the_horizon_and_is_then_not_known() -> None:
    old = (warm(0, "39.0"), pressors(0, 2), oxygen(0, Device.NONE), pressure(0, 100))
    assert course(*crs_over_time(Chart((*old, warm(24, "39.0")))))[-1][1] == (4, 4)
    assert course(*crs_over_time(Chart((*old, warm(24.01, "39.0")))))[-1][1] == (1, 4)
    short = Chart((*old, warm(7, "39.0")), horizon=timedelta(hours=6))
    assert course(*crs_over_time(short))[-1][1] == (1, 4)


@pytest.mark.rule("rules.md 3.2")
def test_of_two_at_one_instant_the_worse_counts() -> None:
    facts = (warm(0, "37.0", "a"), warm(0, "39.0", "b"), pressors(0, 0), oxygen(0, Device.CPAP), pressure(0, 120))
    (moment,) = crs_over_time(Chart((*facts, Oxygen(hour(0), "z", Device.NONE))))
    assert said(moment.graded.grades[0]) == (4, 4)


@pytest.mark.rule("rules.md 3.2")
def test_a_later_record_that_leaves_vasopressin_out_takes_nothing_back() -> None:
    facts = (warm(0, "39.0"), pressors(0, 0, Known.YES), pressors(2, 0, Known.UNKNOWN), oxygen(0, Device.NONE))
    assert course(*crs_over_time(Chart(facts)))[-1] == (2, (3, 3), (3, 3))


@pytest.mark.rule("rules.md 3.2")
def test_a_moment_names_the_observations_it_rests_on() -> None:
    facts = (warm(0, "39.0", "fever"), warm(3, "37.0", "cool"), oxygen(1, Device.BLOW_BY), pressors(30, 0))
    moments = crs_over_time(Chart(facts))
    assert [moment.rests_on for moment in moments] == [
        ("fever",),
        ("fever", "o1"),
        ("cool", "fever", "o1"),
        ("fever", "p30"),
    ]


@pytest.mark.rule("rules.md 3.4", "rules.md 3.3")
def test_an_icans_that_comes_and_goes() -> None:
    facts = (
        IceTest(hour(0), "i0", Ice(10)), Awake(hour(0), "a0", Consciousness.NORMAL),
        IceTest(hour(6), "i6", Ice(5)),
        Seized(hour(7), "z7", Seizure.BRIEF), Awake(hour(7), "a7", Consciousness.UNAROUSABLE),
        Awake(hour(9), "a9", Consciousness.VOICE), Swelling(hour(9), "e9", Oedema.NONE),
        IceTest(hour(31), "i31", Ice(9)), Awake(hour(31), "a31", Consciousness.SPONTANEOUS),
        Weakness(hour(40), "w40", is_deep_focal=True),
    )  # fmt: skip
    known = [said(moment.graded.grades[0]) for moment in icans_over_time(Chart(facts, is_complete=True))]
    assert known == [(0, 0), (2, 2), (4, 4), (3, 3), (3, 3), (4, 4)]
    # At hour 31 the seizure is exactly 24 hours old. Without the promise what nobody mentions could be the worst.
    open_ = [said(moment.graded.grades[0]) for moment in icans_over_time(Chart(facts))]
    assert open_ == [(0, 4), (2, 4), (4, 4), (3, 4), (3, 4), (4, 4)]


def test_an_instant_needs_its_zone() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        Temperature(datetime(2026, 3, 4, 8, 0), "t", Decimal(39))  # noqa: DTZ001


HOURS = st.integers(0, 60)
KNOWN = st.sampled_from(Known)
FACTS = st.lists(
    st.one_of(
        st.builds(warm, HOURS, st.sampled_from(["36.5", "37.9", "38.0", "40.0"])),
        st.builds(pressors, HOURS, st.integers(0, 3), KNOWN, KNOWN),
        st.builds(oxygen, HOURS, st.sampled_from(Device)),
        st.builds(pressure, HOURS, st.sampled_from([70, 89, 90, 120])),
        st.builds(given_drug, HOURS, st.sampled_from(Drug)),
        st.builds(lambda at, score: IceTest(hour(at), "i", Ice(score)), HOURS, st.integers(0, 10)),
        st.builds(lambda at, level: Awake(hour(at), "a", level), HOURS, st.sampled_from(Consciousness)),
        st.builds(lambda at, course: Seized(hour(at), "z", course), HOURS, st.sampled_from(Seizure)),
        st.builds(lambda at, is_deep: Weakness(hour(at), "w", is_deep), HOURS, st.booleans()),
        st.builds(lambda at, extent: Swelling(hour(at), "e", extent), HOURS, st.sampled_from(Oedema)),
    ),
    max_size=14,
)


@pytest.mark.rule("rules.md 3.2", "rules.md 3.4")
@given(FACTS, st.data())
def test_the_order_of_arrival_makes_no_difference(facts: list[WardFact], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(facts))
    assert crs_over_time(Chart(tuple(facts))) == crs_over_time(Chart(tuple(shuffled)))
    assert icans_over_time(Chart(tuple(facts))) == icans_over_time(Chart(tuple(shuffled)))


@pytest.mark.rule("rules.md 3.2", "rules.md 3.4")
@given(FACTS, HOURS)
def test_what_comes_later_changes_nothing_before(facts: list[WardFact], until: int) -> None:
    early = tuple(fact for fact in facts if fact.at <= hour(until))
    whole = [moment for moment in crs_over_time(Chart(tuple(facts))) if moment.at <= hour(until)]
    assert list(crs_over_time(Chart(early))) == whole
