"""When a delivery is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.delivery.schedule import PAUSES, next_attempt

NOW = datetime(2026, 5, 14, 2, 8, tzinfo=UTC)


def middle() -> float:
    return 0.5


def test_the_pauses_are_these_and_then_it_is_dead() -> None:
    pauses = []
    for failures in range(1, 11):
        at = next_attempt(failures, None, NOW, middle)
        pauses.append(None if at is None else (at - NOW).total_seconds())
    assert pauses == [5, 30, 120, 600, 1800, 3600, 10800, 21600, 36000, None]


@given(st.integers(1, len(PAUSES)), st.floats(0, 1, exclude_max=True))
def test_jitter_moves_a_pause_by_a_tenth_at_most(failures: int, drawn: float) -> None:
    at = next_attempt(failures, None, NOW, lambda: drawn)
    assert at is not None
    tenth = timedelta(microseconds=1)
    assert 0.9 * PAUSES[failures - 1] - tenth <= at - NOW <= 1.1 * PAUSES[failures - 1] + tenth


@pytest.mark.parametrize(
    ("asked", "pause"),
    [
        (timedelta(seconds=1), timedelta(seconds=5)),
        (timedelta(minutes=7), timedelta(minutes=7)),
        (timedelta(days=30), timedelta(hours=10)),
    ],
)
def test_the_other_side_may_ask_for_more_patience_within_reason(asked: timedelta, pause: timedelta) -> None:
    assert next_attempt(1, asked, NOW, middle) == NOW + pause
