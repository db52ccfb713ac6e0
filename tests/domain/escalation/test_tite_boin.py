"""TITE-BOIN against its published table for a target of 0.20 (PMC9260438, table 1)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.domain.escalation import Boin, Impossible, TiteBoin, total_follow_up

AT_20 = TiteBoin(Boin.of("0.20"))
AT_30 = TiteBoin(Boin.of("0.30"))
HARM = {"E": 0, "S": 1, "D": 2, "DU": 3}


@pytest.mark.rule("TITE-BOIN")
@pytest.mark.parametrize(
    ("n", "dlt", "pending", "escalate_from", "de_escalate_to"),
    [
        (9, 1, 3, "0.77", None),
        (9, 1, 4, "2.15", None),
        (9, 2, 1, None, "0.52"),
        (9, 2, 2, None, "1.59"),
        (9, 2, 3, None, "2.66"),
        (9, 2, 4, None, "3.73"),
    ],
)
def test_the_published_thresholds_are_reproduced(
    n: int, dlt: int, pending: int, escalate_from: str | None, de_escalate_to: str | None
) -> None:
    found = AT_20.thresholds(n, dlt, pending)
    assert (None if found.escalate_from is None else f"{found.escalate_from:.2f}") == escalate_from
    assert (None if found.de_escalate_to is None else f"{found.de_escalate_to:.2f}") == de_escalate_to


@pytest.mark.rule("TITE-BOIN")
def test_the_whole_published_table_is_reproduced() -> None:
    # treated, DLTs, pending: escalate, stay, de-escalate, suspend. "2 or more DLTs of 3" are printed as one row there.
    assert AT_20.table(3, 9).rows == (
        ("3", "0", "0-1", "yes", "", "", ""),
        ("3", "0", "2-3", "", "", "", "yes"),
        ("3", "1", "0-2", "", "", "yes", ""),
        ("3", "2", "0-1", "", "", "yes, eliminate", ""),
        ("3", "3", "0", "", "", "yes, eliminate", ""),
        ("6", "0", "0-3", "yes", "", "", ""),
        ("6", "0", "4-6", "", "", "", "yes"),
        ("6", "1", "0-3", "", "yes", "", ""),
        ("6", "1", "4-5", "", "", "", "yes"),
        ("6", "2", "0-4", "", "", "yes", ""),
        ("6", "3", "0-3", "", "", "yes, eliminate", ""),
        ("6", "4", "0-2", "", "", "yes, eliminate", ""),
        ("6", "5", "0-1", "", "", "yes, eliminate", ""),
        ("6", "6", "0", "", "", "yes, eliminate", ""),
        ("9", "0", "0-4", "yes", "", "", ""),
        ("9", "0", "5-9", "", "", "", "yes"),
        ("9", "1", "0-2", "yes", "", "", ""),
        ("9", "1", "3", ">=0.77", "<0.77", "", ""),
        ("9", "1", "4", ">=2.15", "<2.15", "", ""),
        ("9", "1", "5-8", "", "", "", "yes"),
        ("9", "2", "0", "", "yes", "", ""),
        ("9", "2", "1", "", ">0.52", "<=0.52", ""),
        ("9", "2", "2", "", ">1.59", "<=1.59", ""),
        ("9", "2", "3", "", ">2.66", "<=2.66", ""),
        ("9", "2", "4", "", ">3.73", "<=3.73", ""),
        ("9", "2", "5-7", "", "", "", "yes"),
        ("9", "3", "0-6", "", "", "yes", ""),
        ("9", "4", "0-5", "", "", "yes, eliminate", ""),
        ("9", "5", "0-4", "", "", "yes, eliminate", ""),
        ("9", "6", "0-3", "", "", "yes, eliminate", ""),
        ("9", "7", "0-2", "", "", "yes, eliminate", ""),
        ("9", "8", "0-1", "", "", "yes, eliminate", ""),
        ("9", "9", "0", "", "", "yes, eliminate", ""),
    )


@pytest.mark.rule("TITE-BOIN")
@pytest.mark.parametrize(
    ("n", "dlt", "pending", "stft", "expected"),
    [
        (9, 1, 3, "0.78", "E"),
        (9, 1, 3, "0.76", "S"),
        (9, 2, 4, "3.72", "D"),
        (9, 2, 4, "3.74", "S"),
        (6, 1, 3, "0", "S"),
        (6, 0, 3, "0", "E"),
        (6, 0, 4, "3.9", "SUSPEND"),
        (3, 1, 2, "1.9", "D"),
        (3, 2, 1, "0.9", "DU"),
    ],
)
def test_the_follow_up_of_the_pending_decides(n: int, dlt: int, pending: int, stft: str, expected: str) -> None:
    assert AT_20.decide(n, dlt, pending, Fraction(stft)).decision == expected


@pytest.mark.rule("TITE-BOIN")
def test_an_observed_rate_that_equals_the_target_is_taken_to_the_careful_side() -> None:
    # 1 of 5 with 2 pending: expected are 1.1/2.9 (2 - STFT) more, and lambda_d n is 1.1923.
    assert AT_20.decide(5, 1, 2, 0).decision == "D"
    assert AT_20.decide(5, 1, 2, 2).decision == "S"
    assert AT_20.thresholds(5, 1, 2).escalate_from is None


@pytest.mark.rule("TITE-BOIN")
def test_accrual_is_suspended_where_more_than_the_set_part_is_pending() -> None:
    assert AT_30.decide(6, 1, 3, 0).decision != "SUSPEND"
    found = AT_30.decide(6, 1, 4, 3)
    assert (found.decision, found.next_action) == ("SUSPEND", "suspend accrual until more are complete")
    assert TiteBoin(Boin.of("0.30"), Fraction(3, 4)).decide(6, 1, 4, 3).decision != "SUSPEND"
    assert dict(found.parameters)["suspended when more than this part is pending"] == "0.5"


@pytest.mark.rule("TITE-BOIN")
@settings(deadline=None)
@given(st.integers(5, 60), st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_with_nobody_pending_it_is_boin(hundredths: int, pair: tuple[int, int]) -> None:
    design = Boin.of(Fraction(hundredths, 100))
    assert TiteBoin(design).decide(*pair, 0, 0).decision == design.decide(*pair).decision


watched = st.integers(1, 30).flatmap(
    lambda n: st.integers(0, n).flatmap(
        lambda dlt: st.tuples(st.just(n), st.just(dlt), st.integers(0, min(n - dlt, n // 2)))
    )
)


@pytest.mark.rule("TITE-BOIN")
@settings(deadline=None)
@given(watched, st.fractions(0, 1), st.fractions(0, 1))
def test_longer_follow_up_without_a_dlt_never_makes_a_decision_harder(
    at: tuple[int, int, int], one: Fraction, other: Fraction
) -> None:
    shorter, longer = (part * at[2] for part in sorted((one, other)))
    assert HARM[AT_30.decide(*at, longer).decision] <= HARM[AT_30.decide(*at, shorter).decision]


@pytest.mark.rule("TITE-BOIN")
@settings(deadline=None)
@given(watched, st.fractions(0, 1))
def test_it_never_goes_up_where_boin_would_not_if_the_pending_stayed_free(
    at: tuple[int, int, int], part: Fraction
) -> None:
    n, dlt, pending = at
    mildest = Boin.of("0.30").decide(n, dlt).decision
    assert HARM[AT_30.decide(n, dlt, pending, part * pending).decision] >= HARM[mildest]


def test_the_total_follow_up_counts_in_windows_and_nobody_for_more_than_one() -> None:
    assert total_follow_up([14, 7, 28, 35], 28) == Fraction(11, 4)
    assert total_follow_up([], 28) == 0
    with pytest.raises(Impossible, match="allowed is 1 or more"):
        total_follow_up([1], 0)
    with pytest.raises(Impossible, match="allowed is 0 days or more"):
        total_follow_up([-1], 28)


@pytest.mark.parametrize(
    ("n", "dlt", "pending", "stft", "said"),
    [
        (3, 2, 2, 0, "2 with a DLT and 2 pending of 3 treated; allowed is 3 together"),
        (3, 1, 1, 1.5, "STFT is 1.5; allowed is 0 to the number pending"),
        (3, 1, 1, -0.5, "STFT is -0.5; allowed is 0 to the number pending"),
        (0, 0, 0, 0, "0 evaluable; allowed is 1 to 200"),
        (3, 1, -1, 0, "-1 pending; allowed is 0 or more"),
    ],
)
def test_what_cannot_be_is_refused(n: int, dlt: int, pending: int, stft: float, said: str) -> None:
    with pytest.raises(Impossible) as wrong:
        AT_20.decide(n, dlt, pending, stft)
    assert str(wrong.value) == said


def test_a_part_to_suspend_at_is_above_nothing() -> None:
    with pytest.raises(Impossible, match="allowed is above 0 to 1"):
        TiteBoin(Boin.of("0.30"), Fraction(0))
