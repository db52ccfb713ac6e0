"""Which observations count, and what was measured, for whoever reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tocsin.chart import Seen, amount, analyte_of, counting, measured_of
from tocsin.criteria.analytes import load_analytes
from tocsin.messages.facts import Observation

NOON = datetime(2026, 5, 14, 4, 0, tzinfo=UTC)
_READ: TypeAdapter[Observation] = TypeAdapter(Observation)


def seen(name: str, test: str = "ANC", *, hour: int = 0, **more: Any) -> Seen:
    """A laboratory value, received so many hours after noon."""
    value = {"kind": "laboratory", "subject": "S01-003", "at": "2026-05-13", "value": 1.0, "unit": "10*9/L", **more}
    facts = _READ.validate_python({"test": test, **value})
    return Seen(name, analyte_of(facts), NOON + timedelta(hours=hour), facts)


def ids(*seen: Seen) -> list[str]:
    return [one.id for one in counting(seen)]


def test_a_correction_takes_the_place_of_the_same_test_under_the_same_ref() -> None:
    first, other = seen("R1/0", ref="LB-1"), seen("R1/1", "PLT", ref="LB-1")
    correction = seen("R2/0", "Neutrophil count", hour=1, ref="LB-1", correction=True)

    assert ids(first, other, correction) == ["R1/1", "R2/0"]


def test_a_correction_that_names_another_test_takes_the_place_of_all_under_the_ref() -> None:
    first, correction = seen("R1/0", ref="LB-1"), seen("R2/0", "PLT", hour=1, ref="LB-1", correction=True)

    assert ids(correction, first) == ["R2/0"]


def test_a_correction_without_a_ref_and_one_that_was_received_before_take_nothing_away() -> None:
    first = seen("R2/0", ref="LB-1", hour=1)

    assert ids(first, seen("R1/0", ref="LB-1", correction=True)) == ["R1/0", "R2/0"]
    assert ids(first, seen("R3/0", hour=2, correction=True)) == ["R2/0", "R3/0"]


_VALUES = st.builds(
    lambda n, test, hour, ref, correction: seen(f"R{n}/0", test, hour=hour, ref=ref, correction=correction),
    st.integers(0, 99), st.sampled_from(["ANC", "PLT", "what is that"]), st.integers(0, 3),
    st.sampled_from([None, "LB-1", "LB-2"]), st.booleans(),
)  # fmt: skip


@given(st.lists(_VALUES, max_size=8, unique_by=lambda one: one.id), st.integers())
def test_the_order_of_arrival_does_not_decide_what_counts(values: list[Seen], seed: int) -> None:
    mixed = Random(seed).sample(values, len(values))

    assert counting(mixed) == counting(values)


@pytest.mark.parametrize(
    ("value", "unit", "in_10e9_per_l"),
    [
        (0.4, "10*9/L", "0.4"),
        (0.4, "K/uL", "0.4"),
        (499, "/mm3", "0.499"),
        (500, "cells/uL", "0.5"),
        (500, "10^6/L", "0.5"),
        (40, "%", None),
    ],
)
def test_a_count_of_any_unit_is_the_same_count(value: float, unit: str, in_10e9_per_l: str | None) -> None:
    measured = measured_of(seen("R1/0", value=value, unit=unit))
    assert measured is not None

    expected = None if in_10e9_per_l is None else Decimal(in_10e9_per_l)
    assert amount(measured, load_analytes().by_id["neutrophils"]) == expected
