"""Which dose is the MTD: isotonic regression as published with BOIN, and this trial's six evaluable."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain.escalation import Impossible, MtdSelection, select_mtd

TARGET = Fraction("0.30")


def chosen(counts: list[tuple[int, int]], needs: int = 0) -> MtdSelection:
    return select_mtd(counts, TARGET, needs_evaluable=needs)


@pytest.mark.rule("rules.md 5.2: final MTD")
def test_the_dose_nearest_to_the_target_is_the_mtd() -> None:
    # The example that R's package BOIN shows: level 3, estimated 4.05/15.1.
    found = chosen([(3, 0), (3, 0), (15, 4), (9, 4), (0, 0)])
    assert (found.mtd, found.nearest) == (3, 3)
    assert found.estimates == (Fraction(5, 310), Fraction(5, 310), Fraction(405, 1510), Fraction(405, 910), None)


@pytest.mark.rule("rules.md 5.2: final MTD")
def test_doses_whose_rates_fall_are_pooled_by_their_weights() -> None:
    # 2 of 6 below 1 of 6. The estimates are 2.05/6.1 and 1.05/6.1; their variances are to one another as 2.05 x 4.05
    # and 1.05 x 5.05, so the weights are as 5.3025 and 8.3025.
    found = chosen([(6, 2), (6, 1)])
    pooled = (Fraction("5.3025") * Fraction("2.05") + Fraction("8.3025") * Fraction("1.05")) / (
        Fraction("6.1") * (Fraction("5.3025") + Fraction("8.3025"))
    )
    assert found.estimates == (pooled, pooled)
    assert pooled < TARGET
    assert found.mtd == 2, "of doses with one estimate below the target the highest"


@pytest.mark.rule("rules.md 5.2: final MTD")
def test_of_doses_with_one_estimate_above_the_target_the_lowest_counts() -> None:
    found = chosen([(6, 3), (6, 2)])
    assert found.estimates[0] == found.estimates[1]
    assert (found.estimates[0] or 0) > TARGET
    assert found.mtd == 1


@pytest.mark.rule("rules.md 5.2: final MTD")
def test_of_two_doses_equally_far_on_both_sides_the_lower_counts() -> None:
    found = select_mtd([(10, 1), (10, 3)], Fraction("2.05") / Fraction("10.1"), needs_evaluable=0)
    assert found.mtd == 1


@pytest.mark.rule("rules.md 5.2: final MTD", "NCT06223646")
def test_the_mtd_holds_six_evaluable() -> None:
    found = chosen([(3, 0), (6, 1), (3, 1)], needs=6)
    assert (found.mtd, found.nearest) == (2, 3)
    assert found.reasons[-2:] == (
        "level 3 is nearest to the target and holds 3 evaluable: 3 more before it may be the MTD",
        "level 2 is nearest to the target of those that hold 6",
    )
    assert chosen([(3, 0), (6, 1), (6, 2)], needs=6).mtd == 3
    assert dict(found.parameters)["needs evaluable"] == "6"


@pytest.mark.rule("rules.md 5.2: final MTD")
def test_where_no_dose_holds_six_there_is_no_mtd_yet() -> None:
    found = select_mtd([(3, 0), (3, 1)], TARGET)
    assert (found.mtd, found.nearest) == (None, 2)


@pytest.mark.rule("rules.md 5.2: elimination", "rules.md 5.2: final MTD")
def test_an_eliminated_dose_takes_those_above_it_along() -> None:
    found = chosen([(6, 1), (6, 4), (6, 0)])
    assert found.eliminated == (False, True, True)
    assert found.estimates[1:] == (None, None)
    assert found.mtd == 1
    assert "level 2 and all above it are eliminated" in found.reasons


@pytest.mark.rule("rules.md 5.2: elimination", "rules.md 5.2: final MTD")
def test_where_the_lowest_is_eliminated_there_is_no_mtd() -> None:
    found = chosen([(3, 3), (0, 0)])
    assert (found.mtd, found.nearest, found.reasons) == (
        None,
        None,
        ("level 1 and all above it are eliminated", "no dose is left to choose from"),
    )


doses = st.lists(st.integers(0, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), min_size=1, max_size=6)


@pytest.mark.rule("rules.md 5.2: final MTD")
@given(doses)
def test_estimates_never_fall_and_the_mtd_is_a_dose_that_was_used_and_not_eliminated(
    counts: list[tuple[int, int]],
) -> None:
    found = select_mtd(counts, TARGET)
    rates = [rate for rate in found.estimates if rate is not None]
    assert all(lower <= higher for lower, higher in pairwise(rates))
    if found.mtd is not None:
        assert counts[found.mtd - 1][0] >= 6
        assert not found.eliminated[found.mtd - 1]
        mine = found.estimates[found.mtd - 1]
        assert mine is not None
        full = [rate for (n, _), rate in zip(counts, found.estimates, strict=True) if n >= 6 and rate is not None]
        assert abs(mine - TARGET) == min(abs(rate - TARGET) for rate in full)


def test_what_cannot_be_is_refused_level_by_level() -> None:
    with pytest.raises(Impossible) as wrong:
        select_mtd([(3, 0), (3, 4), (-1, 0)], TARGET)
    assert str(wrong.value) == (
        "level 2: 4 with a DLT of 3 evaluable; allowed is 0 to 3; level 3: -1 evaluable; allowed is 0 or more"
    )
    with pytest.raises(Impossible, match="no dose; allowed is one or more"):
        select_mtd([], TARGET)
