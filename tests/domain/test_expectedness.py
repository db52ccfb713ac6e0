"""Expected only by an approved listing, up to its grade, and fatal only where it says so."""

from __future__ import annotations

import pytest

from tests.domain.cases import coded, event, listed, rsi
from tocsin.domain.case import Coded
from tocsin.domain.expectedness import unexpected
from tocsin.domain.protocol import ExpectedReaction, ReferenceSafetyInformation

CRS = "Cytokine release syndrome"


@pytest.mark.parametrize(
    ("coding", "grade", "fatal", "safety", "value", "is_provisional"),
    [
        (None, 2, False, rsi(listed(CRS, 3)), True, True),
        (coded(None, is_coded=False), 2, False, rsi(listed(CRS, 3)), True, True),
        (coded("Fever"), 2, False, rsi(listed(CRS, 3)), True, False),
        (coded("Fever"), 2, False, rsi(), True, False),
        (coded(CRS), 2, False, rsi(listed(CRS, 3)), False, False),
        (coded(CRS), 3, False, rsi(listed(CRS, 3)), False, False),
        (coded(CRS), 4, False, rsi(listed(CRS, 3)), True, False),
        (coded(CRS), None, False, rsi(listed(CRS, 3)), True, True),
        (coded(CRS), None, False, rsi(listed(CRS)), False, False),
        (coded(CRS), 4, False, rsi(listed(CRS)), False, False),
        (coded(CRS), 5, True, rsi(listed(CRS, 3)), True, False),
        (coded(CRS), None, True, rsi(listed(CRS)), True, False),
        (coded(CRS), 5, True, rsi(listed(CRS, 3, fatal=True)), False, False),
        (coded(CRS), 2, False, rsi(listed(CRS, 3), approved=False), True, True),
        (coded(CRS), 2, False, rsi(ExpectedReaction(CRS.upper(), None, 3, False)), False, False),
        (coded(CRS), 2, False, rsi(ExpectedReaction("another name", "10052015", 3, False)), False, False),
    ],
)
@pytest.mark.rule("rules.md 1.1: unexpected; rules.md 1.1: fatal and RSI; rules.md C7")
def test_what_is_not_listed_at_this_severity_is_unexpected(
    coding: Coded | None,
    grade: int | None,
    fatal: bool,
    safety: ReferenceSafetyInformation,
    value: bool,
    is_provisional: bool,
) -> None:
    found = unexpected(event("fever after cells", grade=grade), coding, fatal, safety)
    assert (found.value, found.is_provisional) == (value, is_provisional)


@pytest.mark.rule("rules.md 1.1: RSI version")
def test_the_reason_names_the_version_it_was_judged_by() -> None:
    found = unexpected(event(grade=4), coded(CRS), False, rsi(listed(CRS, 3)))
    assert found.reasons == ("grade 4 is above grade 3 listed in reference safety information IB 4.1",)


def test_a_listing_that_nobody_approved_silences_nothing() -> None:
    found = unexpected(event(grade=2), coded(CRS), False, rsi(listed(CRS, 3), approved=False))
    assert "which the sponsor has not approved" in found.reasons[0]
