"""BOIN against its published table, and its posteriors against an integral taken by hand."""

from __future__ import annotations

import csv
from fractions import Fraction
from math import comb, factorial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.environment import reference_folder
from tocsin.domain.escalation import Boin, Here, Impossible, Pending, first_above, probability_above

VECTORS = reference_folder() / "rules" / "boin_phi030_decisions.csv"
TRIAL = Boin.of("0.30")

# n: escalate at most, de-escalate at least, eliminate at least.
PUBLISHED: dict[int, tuple[int, int, int | None]] = {
    1: (0, 1, None), 2: (0, 1, None), 3: (0, 2, 3), 4: (0, 2, 3), 5: (1, 2, 4), 6: (1, 3, 4), 7: (1, 3, 5),
    8: (1, 3, 5), 9: (2, 4, 5), 10: (2, 4, 6), 11: (2, 4, 6), 12: (2, 5, 7), 15: (3, 6, 8), 18: (4, 7, 9),
    21: (4, 8, 10), 24: (5, 9, 11), 27: (6, 10, 12), 30: (7, 11, 14),
}  # fmt: skip
HARM = {"E": 0, "S": 1, "D": 2, "DU": 3}
targets = st.integers(5, 60).map(lambda hundredths: Fraction(hundredths, 100))
counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@pytest.mark.reference
@pytest.mark.rule("boin_phi030_decisions.csv")
def test_every_row_of_the_sample_gets_its_decision_and_its_posterior() -> None:
    with VECTORS.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) >= 30
    for row in rows:
        n, dlt = int(row["n_treated"]), int(row["n_dlt"])
        assert TRIAL.decide(n, dlt).decision == row["decision"], row
        assert f"{float(TRIAL.probability_too_toxic(n, dlt)):.6f}" == row["posterior_P_p_gt_phi"]


@pytest.mark.rule("rules.md 5.2: boundaries")
def test_the_two_lambdas_are_computed_to_seven_figures() -> None:
    assert f"{TRIAL.lambda_e:.7f}" == "0.2364907"
    assert f"{TRIAL.lambda_d:.7f}" == "0.3585195"
    at_20 = Boin.of("0.20")
    assert (f"{at_20.lambda_e:.4f}", f"{at_20.lambda_d:.4f}") == ("0.1572", "0.2385")


@pytest.mark.rule("rules.md 5.2: boundaries", "rules.md 5.2: elimination")
@pytest.mark.parametrize("n", sorted(PUBLISHED))
def test_the_bounds_are_the_published_ones(n: int) -> None:
    bounds = TRIAL.boundaries(n)
    assert (bounds.escalate_at_most, bounds.de_escalate_at_least, bounds.eliminate_at_least) == PUBLISHED[n]


@pytest.mark.rule("rules.md 5.2: boundaries")
def test_lambda_rounded_or_cut_to_three_figures_decides_otherwise_from_39_and_53_on() -> None:
    # 0.359 x 39 = 14.001 and 0.358 x 53 = 18.974: whoever types the printed figure in is one DLT off.
    assert TRIAL.boundaries(39).de_escalate_at_least == 14
    assert TRIAL.boundaries(53).de_escalate_at_least == 20


@pytest.mark.rule("rules.md 5.2: boundaries")
def test_two_of_six_stay_where_3_plus_3_says_exceeded() -> None:
    found = TRIAL.decide(6, 2)
    assert (found.decision, found.next_action) == ("S", "same dose")
    assert found.reasons == (
        "2 of 6 evaluable with a DLT (0.3333)",
        "escalate at 1 or fewer, de-escalate at 3 or more, eliminate at 4 or more",
        "P(rate > 0.3) = 0.647069",
    )


@pytest.mark.rule("rules.md 5.2: elimination")
def test_a_target_of_20_per_cent_eliminates_at_2_of_3_3_of_6_and_4_of_9() -> None:
    at_20 = Boin.of("0.20")
    assert [at_20.boundaries(n).eliminate_at_least for n in (3, 6, 9)] == [2, 3, 4]
    assert [TRIAL.boundaries(n).eliminate_at_least for n in (3, 6, 9)] == [3, 4, 5]


@pytest.mark.rule("rules.md 5.2: elimination")
def test_nobody_is_eliminated_before_three_are_evaluable() -> None:
    assert float(TRIAL.probability_too_toxic(2, 2)) == pytest.approx(0.973)
    assert TRIAL.decide(2, 2).decision == "D"
    assert TRIAL.decide(3, 3).decision == "DU"


@pytest.mark.rule("rules.md 5.2: elimination")
def test_de_escalation_is_capped_at_elimination() -> None:
    # phi2 0.9: lambda_d is 0.639, so nine would go down at 6, but are eliminated at 5.
    bounds = Boin.of("0.30", phi2="0.90").boundaries(9)
    assert (bounds.de_escalate_at_least, bounds.eliminate_at_least) == (5, 5)
    assert bounds.word(5) == "DU"
    assert bounds.word(4) == "S"


def by_hand(limit: Fraction, n: int, y: int) -> Fraction:
    """P(p > limit) for Beta(1 + y, 1 + n - y): the density as a polynomial, integrated term by term."""
    density = Fraction(factorial(n + 1), factorial(y) * factorial(n - y))
    terms = (Fraction((-1) ** k * comb(n - y, k), y + k + 1) * (1 - limit ** (y + k + 1)) for k in range(n - y + 1))
    return density * sum(terms)


@pytest.mark.rule("rules.md 5.2: elimination")
@given(targets, st.integers(0, 25).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_a_posterior_is_exact(limit: Fraction, pair: tuple[int, int]) -> None:
    assert probability_above(limit, *pair) == by_hand(limit, *pair)


@pytest.mark.rule("rules.md 5.2: elimination")
@pytest.mark.parametrize(("n", "y", "exact"), [(1, 0, "0.49"), (2, 1, "0.784"), (3, 1, "0.6517"), (4, 0, "0.16807")])
def test_a_posterior_that_ends_in_decimals_is_met_to_the_last_one(n: int, y: int, exact: str) -> None:
    assert probability_above(Fraction("0.30"), n, y) == Fraction(exact)


@pytest.mark.rule("rules.md 5.2: boundaries")
@settings(deadline=None)
@given(targets, counts)
def test_a_dlt_more_never_makes_a_decision_milder(target: Fraction, pair: tuple[int, int]) -> None:
    n, dlt = pair
    design = Boin.of(target)
    if dlt:
        fewer, more = design.decide(n, dlt - 1).decision, design.decide(n, dlt).decision
        assert HARM[fewer] <= HARM[more]
        assert design.probability_too_toxic(n, dlt) > design.probability_too_toxic(n, dlt - 1)


@pytest.mark.rule("rules.md 5.2: boundaries")
@settings(deadline=None)
@given(targets, counts)
def test_one_more_without_a_dlt_never_makes_a_decision_harder(target: Fraction, pair: tuple[int, int]) -> None:
    # From three on: before, nobody can be eliminated, so the first elimination may come with a subject more.
    n, dlt = pair
    design = Boin.of(target)
    if n >= 3:
        assert HARM[design.decide(n + 1, dlt).decision] <= HARM[design.decide(n, dlt).decision]


@pytest.mark.rule("rules.md 5.2: boundaries")
@settings(deadline=None)
@given(targets, counts)
def test_a_decision_agrees_with_the_rates_and_the_lambdas(target: Fraction, pair: tuple[int, int]) -> None:
    n, dlt = pair
    design = Boin.of(target)
    bounds = design.boundaries(n)
    rate, word = dlt / n, bounds.word(dlt)
    if min(abs(rate - design.lambda_e), abs(rate - design.lambda_d)) > 1e-9:
        assert (dlt <= bounds.escalate_at_most) == (rate <= design.lambda_e)
        assert (word in ("D", "DU")) == (rate >= design.lambda_d or dlt >= (bounds.eliminate_at_least or n + 1))


@pytest.mark.rule("rules.md 5.2: boundaries")
@pytest.mark.parametrize(
    ("n", "dlt", "position", "eliminated", "action"),
    [
        (3, 0, "middle", False, "next higher dose"),
        (3, 0, "middle", True, "same dose: the next higher one is eliminated"),
        (3, 0, "highest", False, "same dose: this is the highest planned one"),
        (3, 2, "middle", False, "next lower dose"),
        (3, 2, "lowest", False, "same dose: there is no lower one"),
        (3, 3, "highest", False, "next lower dose; this dose and all higher ones are eliminated"),
        (3, 3, "lowest", False, "stop: all doses are eliminated, there is no MTD"),
    ],
)
def test_what_follows_depends_on_where_a_dose_stands(
    n: int, dlt: int, position: str, eliminated: bool, action: str
) -> None:
    assert TRIAL.decide(n, dlt, position, eliminated).next_action == action


@pytest.mark.rule("rules.md 5.4")
@pytest.mark.parametrize(
    ("n", "dlt", "pending", "expected"),
    [
        (2, 0, 1, "WAIT"),
        (3, 3, 0, "DU"),
        (3, 3, 1, "DU"),  # 3 of 4 is eliminated too
        (3, 3, 3, "D"),  # 3 of 6 goes down, and is not yet eliminated
        (3, 2, 3, "WAIT"),  # 2 of 6 would stay
        (2, 2, 1, "D"),
    ],
)
def test_with_some_pending_going_down_is_said_only_where_none_of_them_could_undo_it(
    n: int, dlt: int, pending: int, expected: str
) -> None:
    assert TRIAL.decide(n, dlt, pending=Pending(pending)).decision == expected


@pytest.mark.parametrize(
    ("n", "dlt", "position", "said"),
    [
        (0, 0, None, "0 evaluable; allowed is 1 to 200"),
        (201, 0, None, "201 evaluable; allowed is 1 to 200"),
        (3, 4, None, "4 with a DLT of 3 evaluable; allowed is 0 to 3"),
        (3, 1, "top", "position is 'top'; allowed are lowest, middle, highest"),
    ],
)
def test_what_cannot_be_is_refused(n: int, dlt: int, position: str | None, said: str) -> None:
    with pytest.raises(Impossible) as wrong:
        TRIAL.decide(n, dlt, position)
    assert str(wrong.value) == said


@pytest.mark.parametrize(
    ("target", "phi1", "phi2", "said"),
    [
        ("0.04", None, None, "the target is 0.04; allowed is 0.05 to 0.6"),
        ("0.61", None, None, "the target is 0.61; allowed is 0.05 to 0.6"),
        ("0.30", "0.28", None, "phi1 is 0.28; allowed is above 0 to 0.27"),
        ("0.30", "0", None, "phi1 is 0.0; allowed is above 0 to 0.27"),
        ("0.30", None, "0.31", "phi2 is 0.31; allowed is 0.33 to below 1"),
        ("0.30", None, "1", "phi2 is 1.0; allowed is 0.33 to below 1"),
    ],
)
def test_a_design_that_tells_nothing_apart_is_refused(
    target: str, phi1: str | None, phi2: str | None, said: str
) -> None:
    with pytest.raises(Impossible) as wrong:
        Boin.of(target, phi1, phi2)
    assert str(wrong.value) == said


@pytest.mark.rule("rules.md 5.2: elimination")
def test_a_posterior_that_equals_the_cutoff_does_not_exceed_it() -> None:
    # P(rate > 0.30) after 1 of 3 is exactly 0.6517.
    assert first_above(Fraction("0.30"), 3, Fraction("0.6517")) == 2
    assert first_above(Fraction("0.30"), 3, Fraction("0.6516")) == 1


def test_where_nobody_had_a_dlt_no_dose_is_eliminated_by_the_prior_alone() -> None:
    assert probability_above(Fraction(1, 100), 3, 0) > Fraction(95, 100)
    assert first_above(Fraction(1, 100), 3, Fraction(95, 100)) == 1


def test_the_parameters_are_enough_to_run_it_again() -> None:
    assert TRIAL.decide(6, 2).parameters == (
        ("design", "BOIN"),
        ("target", "0.3"),
        ("phi1", "0.18"),
        ("phi2", "0.42"),
        ("lambda_e", "0.2364907"),
        ("lambda_d", "0.3585195"),
        ("eliminated when P(rate > target) is above", "0.95"),
        ("eliminated from this many evaluable", "3"),
        ("prior", "Beta(1, 1)"),
    )


def test_the_table_holds_every_number_of_dlts_once_and_marks_where_one_stands() -> None:
    whole = TRIAL.table(6, Here(6, 2))
    assert whole.rows == (
        ("1", "0", "-", "1", "-"),
        ("2", "0", "-", "1-2", "-"),
        ("3", "0", "1", "2", "3"),
        ("4", "0", "1", "2", "3-4"),
        ("5", "0-1", "-", "2-3", "4-5"),
        ("6", "0-1", "2", "3", "4-6"),
    )
    assert whole.here == (5, 2)
