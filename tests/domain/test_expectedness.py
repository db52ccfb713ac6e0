"""Expected only by an approved listing, up to its grade, and fatal only where it says so."""

from __future__ import annotations

from dataclasses import replace

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


def version(name: str, *entries: ExpectedReaction, approved: bool = True) -> ReferenceSafetyInformation:
    return replace(rsi(*entries, approved=approved), version=name)


OLD, MILD, SEVERE = version("IB 3.0"), version("IB 4.0", listed(CRS, 2)), version("IB 4.1", listed(CRS, 4))


@pytest.mark.parametrize(
    ("grade", "versions", "value", "is_provisional"),
    [
        (2, [MILD], False, False),
        (2, [MILD, SEVERE], False, False),
        (2, [OLD, MILD], True, True),
        (3, [OLD, MILD], True, False),
        (3, [MILD, SEVERE], True, True),
        (3, [SEVERE, MILD], True, True),
        (2, [MILD, version("IB 4.1", listed(CRS, 2), approved=False)], True, True),
        (None, [OLD, MILD], True, True),
    ],
)
@pytest.mark.rule("rules.md 1.1: RSI version")
def test_unexpected_in_any_version_that_may_have_been_in_force_is_unexpected(
    grade: int | None, versions: list[ReferenceSafetyInformation], value: bool, is_provisional: bool
) -> None:
    found = unexpected(event(grade=grade), coded(CRS), False, versions)
    assert (found.value, found.is_provisional) == (value, is_provisional)


def test_where_the_versions_differ_each_is_named_with_its_reason() -> None:
    assert unexpected(event(grade=3), coded(CRS), False, [MILD, SEVERE]).reasons == (
        "grade 3 is above grade 2 listed in reference safety information IB 4.0",
        "Cytokine release syndrome grade 3 is listed in reference safety information IB 4.1",
        "the onset leaves open which was in force (IB 4.0, IB 4.1): taken as unexpected",
    )


def test_what_holds_for_every_version_is_said_once() -> None:
    found = unexpected(event(grade=3), None, False, [OLD, MILD, SEVERE])
    assert (found.reasons, found.is_provisional) == (("not coded yet: taken as unexpected",), True)


def test_to_judge_by_no_version_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="no version of the reference safety information is given; allowed is one"):
        unexpected(event(grade=3), coded(CRS), False, [])
