"""Early and late haematotoxicity, written out by hand from rules.md 3.6."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain.graded import Graded, Grading, NotGradable
from tocsin.domain.icaht import Days, EarlyFacts, Neutrophils, early, early_from, late, late_from
from tocsin.domain.known import Known

INFUSED = date(2026, 3, 2)


def bounds(grading: Grading) -> tuple[int, int]:
    assert isinstance(grading, Graded), grading
    return grading.lowest, grading.highest


def series(*counts: tuple[int, int]) -> list[Neutrophils]:
    """Counts by study day, day 0 being the infusion."""
    return [Neutrophils(INFUSED + timedelta(days=day), Decimal(count)) for day, count in counts]


def daily(first: int, last: int, count: int) -> list[tuple[int, int]]:
    return [(day, count) for day in range(first, last + 1)]


@pytest.mark.rule("rules.md 3.6")
@pytest.mark.parametrize(
    ("low", "very_low", "never_above", "grade"),
    [
        (0, 0, Known.NO, 0),
        (1, 0, Known.NO, 1),
        (6, 6, Known.NO, 1),
        (7, 0, Known.NO, 2),
        (13, 6, Known.NO, 2),
        (14, 0, Known.NO, 3),
        (30, 6, Known.NO, 3),
        (7, 7, Known.NO, 3),
        (20, 13, Known.NO, 3),
        (20, 14, Known.NO, 4),
        (14, 14, Known.NO, 4),
        (31, 0, Known.YES, 4),
        # Whoever is at 100 is at 500 too: days that contradict are read at the longer.
        (0, 7, Known.NO, 3),
        (0, 1, Known.NO, 1),
        (0, 0, Known.YES, 4),
    ],
)
def test_early_by_days(low: int, very_low: int, never_above: Known, grade: int) -> None:
    assert bounds(early(EarlyFacts(Days(low, low), Days(very_low, very_low), never_above))) == (grade, grade)


@pytest.mark.rule("rules.md 3.6")
def test_early_days_that_are_not_known_widen_the_grade() -> None:
    assert bounds(early(EarlyFacts())) == (0, 4)
    assert bounds(early(EarlyFacts(Days(6, 6), Days(0, 0), Known.UNKNOWN))) == (1, 4)
    assert bounds(early(EarlyFacts(Days(6, 7), Days(0, 0), Known.NO))) == (1, 2)
    # No low day at all: then it was above 500, whether anybody says so or not.
    assert bounds(early(EarlyFacts(Days(0, 0), Days(0, 0), Known.UNKNOWN))) == (0, 0)


@pytest.mark.rule("rules.md 3.6")
@pytest.mark.parametrize(("count", "grade"), [(499, 1), (500, 1), (501, 0)])
def test_500_itself_counts_where_ctcae_asks_for_less(count: int, grade: int) -> None:
    assert bounds(early_from(series((0, 3000), (9, 501), (10, count), (11, 501)), INFUSED)) == (grade, grade)


@pytest.mark.rule("rules.md 3.6")
def test_a_short_recovery_does_not_end_the_count_and_a_long_one_does_not_undo_it() -> None:
    short = [*daily(0, 3, 2000), *daily(4, 9, 400), (10, 700), (11, 700), *daily(12, 12, 400), *daily(13, 30, 900)]
    assert bounds(early_from(series(*short), INFUSED)) == (2, 2)
    long = [*daily(0, 3, 2000), *daily(4, 9, 400), *daily(10, 20, 700), *daily(21, 21, 400), *daily(22, 30, 900)]
    assert bounds(early_from(series(*long), INFUSED)) == (2, 2)


@pytest.mark.rule("rules.md 3.6")
def test_a_day_without_a_count_between_two_low_ones_is_counted_both_ways() -> None:
    found = early_from(series((0, 2000), (5, 400), (7, 400), (9, 400), (11, 400), (12, 900)), INFUSED)
    assert bounds(found) == (1, 2)  # four measured days, seven with those between
    assert isinstance(found, Graded)
    assert found.missing == ("days at 500 per microlitre or less",)


@pytest.mark.rule("rules.md 3.6")
def test_days_without_a_count_are_not_filled_over_a_recovery_of_three_days() -> None:
    assert bounds(early_from(series((0, 2000), (4, 400), (5, 900), (7, 900), (14, 400), (15, 900)), INFUSED)) == (1, 1)
    # Proved for two days only, so what lies around it may be low.
    assert bounds(early_from(series((0, 2000), (4, 400), (5, 900), (6, 900), (12, 400), (13, 900)), INFUSED)) == (1, 2)


@pytest.mark.rule("rules.md 3.6")
def test_a_last_low_count_leaves_the_end_open() -> None:
    assert bounds(early_from(series((0, 2000), *daily(5, 8, 400)), INFUSED)) == (1, 3)
    assert bounds(early_from(series((0, 2000), *daily(5, 8, 400), (9, 800)), INFUSED)) == (1, 1)


@pytest.mark.rule("rules.md 3.6")
def test_days_from_a_low_count_to_the_next_one_may_be_low_too() -> None:
    # Six measured days, and day 10 to day 19 without a count: a late recovery does not settle them.
    found = early_from(series(*daily(0, 3, 2000), *daily(4, 9, 300), *daily(20, 30, 2000)), INFUSED)
    assert bounds(found) == (1, 3)


@pytest.mark.rule("rules.md 3.6")
def test_never_above_500_needs_every_day() -> None:
    assert bounds(early_from(series(*daily(0, 30, 300)), INFUSED)) == (4, 4)
    assert bounds(early_from(series(*daily(1, 30, 300)), INFUSED)) == (3, 4)
    assert bounds(early_from(series((0, 501), *daily(1, 30, 300)), INFUSED)) == (3, 3)


@pytest.mark.rule("rules.md 3.6")
def test_early_ends_with_day_30_and_begins_with_the_infusion() -> None:
    before_and_after = [*daily(-5, -1, 50), (0, 900), (30, 500), *daily(31, 60, 50)]
    assert bounds(early_from(series(*before_and_after), INFUSED)) == (1, 1)
    none = early_from(series((-1, 50), (31, 50)), INFUSED)
    assert isinstance(none, NotGradable)
    assert none.because == "no neutrophil count of day 0 to day 30"


@pytest.mark.rule("rules.md 3.6")
def test_the_lowest_count_of_a_day_counts_whatever_the_order() -> None:
    counts = series((0, 2000), (5, 400), (5, 900), (6, 900))
    assert bounds(early_from(counts, INFUSED)) == bounds(early_from(counts[::-1], INFUSED)) == (1, 1)


@pytest.mark.rule("rules.md 3.6")
@pytest.mark.parametrize(
    ("count", "grade"),
    [(1501, 0), (1500, 1), (1001, 1), (1000, 2), (501, 2), (500, 3), (101, 3), (100, 4), (0, 4)],
)
def test_late_by_depth(count: int, grade: int) -> None:
    assert bounds(late(Decimal(count))) == (grade, grade)
    assert bounds(late_from(series((35, count), (42, count)), INFUSED)) == (grade, grade)


@pytest.mark.rule("rules.md 3.6")
@pytest.mark.parametrize(
    ("counts", "least", "most"),
    [
        ([(40, 90), (41, 400)], 3, 3),
        ([(40, 400), (41, 90)], 3, 4),
        ([(40, 90)], 0, 4),
        ([(40, 2000)], 0, 0),
        ([(40, 90), (47, 2000), (54, 90), (61, 2000)], 0, 0),
        ([(40, 900), (47, 900), (54, 90), (61, 2000)], 2, 2),
        ([(29, 50), (30, 50), (31, 900), (38, 900)], 2, 2),
    ],
)
def test_late_needs_two_counts_in_a_row(counts: list[tuple[int, int]], least: int, most: int) -> None:
    assert bounds(late_from(series(*counts), INFUSED)) == (least, most)
    assert bounds(late_from(series(*counts[::-1]), INFUSED)) == (least, most)


@pytest.mark.rule("rules.md 3.6")
def test_late_without_a_count_is_not_gradable() -> None:
    assert isinstance(late_from(series((30, 50)), INFUSED), NotGradable)
    assert isinstance(late(None), NotGradable)


COUNTS = st.dictionaries(st.integers(0, 30), st.sampled_from([50, 100, 101, 400, 500, 501, 2000]), min_size=1)


@pytest.mark.rule("rules.md 3.6")
@given(COUNTS)
def test_the_order_of_counts_makes_no_difference(counts: dict[int, int]) -> None:
    found = series(*counts.items())
    assert early_from(found, INFUSED) == early_from(sorted(found, key=lambda one: (one.per_ul, one.on)), INFUSED)


@pytest.mark.rule("rules.md 3.6")
@given(COUNTS, st.integers(0, 30))
def test_a_lower_count_never_lowers_the_grade_at_least(counts: dict[int, int], day: int) -> None:
    least, most = bounds(early_from(series(*counts.items()), INFUSED))
    assert least <= most
    assert bounds(early_from(series(*{**counts, day: 50}.items()), INFUSED))[0] >= least
