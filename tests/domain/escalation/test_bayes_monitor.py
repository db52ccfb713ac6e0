"""The monitoring of an expansion (ST-05): stop where a rate is all but sure to lie above its limit."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.domain.escalation import Boin, Here, Impossible, Monitor

DLTS = Monitor.of_dlts()
DEATHS = Monitor.of_non_relapse_mortality(Fraction("0.10"))


@pytest.mark.rule("rules.md 5.5: ST-05")
def test_the_bounds_for_dlts_are_those_of_eliminating_a_dose() -> None:
    assert [DLTS.stop_at(n) for n in range(1, 13)] == [None, None, 3, 3, 4, 4, 5, 5, 5, 6, 6, 7]
    boin = Boin.of("0.30")
    assert [DLTS.stop_at(n) for n in range(1, 30)] == [boin.boundaries(n).eliminate_at_least for n in range(1, 30)]


@pytest.mark.rule("rules.md 5.5: ST-05")
def test_each_rate_has_its_own_limit() -> None:
    # P(rate > 0.10) after 1 of 3 is 0.9^4 + 4 x 0.1 x 0.9^3 = 0.9477; after 2 of 3 it adds 6 x 0.01 x 0.81 = 0.9963.
    found = DEATHS.look(3, 1)
    assert (found.decision, found.next_action) == ("CONTINUE", "go on")
    assert found.reasons == ("deaths without relapse: 1 of 3 infused", "P(rate > 0.1) = 0.947700", "stop at 2 or more")
    assert DEATHS.look(3, 2).decision == "STOP"
    assert Monitor.of_icans(Fraction("0.20")).stop_at(3) == 2


@pytest.mark.rule("rules.md 5.5: ST-05")
def test_before_the_first_look_nothing_stops() -> None:
    found = DLTS.look(2, 2)
    assert (found.decision, found.reasons[-1]) == ("CONTINUE", "no look yet")
    assert Monitor("deaths", Fraction("0.05"), looks_from=1).look(1, 1).decision == "STOP"


@pytest.mark.rule("rules.md 5.5: ST-05")
@given(st.integers(1, 99), st.integers(0, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_it_stops_exactly_where_more_than_95_per_cent_lie_above_the_limit(
    hundredths: int, pair: tuple[int, int]
) -> None:
    monitor = Monitor("a rate", Fraction(hundredths, 100), looks_from=1)
    n, events = pair
    found = monitor.look(n, events)
    if events and found.decision == "STOP":
        assert float(found.reasons[1].rpartition(" ")[2]) >= 0.95
    if events == 0:
        assert found.decision == "CONTINUE"
    if found.decision == "STOP" and events < n:
        assert monitor.look(n, events + 1).decision == "STOP"


def test_another_prior_is_carried_and_counts() -> None:
    sceptical = Monitor("a rate", Fraction("0.30"), prior=(1, 9))
    assert sceptical.stop_at(3) is None
    assert dict(sceptical.parameters)["prior"] == "Beta(1, 9)"


def test_the_table_marks_where_one_stands() -> None:
    whole = DLTS.table(4, Here(4, 3))
    assert whole.rows == (("1", "0-1", "-"), ("2", "0-2", "-"), ("3", "0-2", "3"), ("4", "0-2", "3-4"))
    assert whole.here == (3, 2)
    assert DLTS.table(4, Here(4, 2)).here == (3, 1)


@pytest.mark.parametrize(
    ("limit", "certainty", "prior", "looks_from", "said"),
    [
        ("0", "0.95", (1, 1), 3, "the limit of a rate is 0.0; allowed is above 0 to below 1"),
        ("1", "0.95", (1, 1), 3, "the limit of a rate is 1.0; allowed is above 0 to below 1"),
        ("0.3", "1", (1, 1), 3, "the certainty is 1.0; allowed is 0.5 to below 1"),
        ("0.3", "0.95", (0, 1), 3, "the prior is Beta(0, 1); allowed are whole numbers from 1"),
        ("0.3", "0.95", (1, 1), 0, "looks begin with 0 infused; allowed is 1 or more"),
    ],
)
def test_what_cannot_be_is_refused(
    limit: str, certainty: str, prior: tuple[int, int], looks_from: int, said: str
) -> None:
    with pytest.raises(Impossible) as wrong:
        Monitor("a rate", Fraction(limit), Fraction(certainty), prior, looks_from)
    assert str(wrong.value) == said
    with pytest.raises(Impossible, match="4 with a DLT of 3"):
        DLTS.look(3, 4)
