"""Whom to ring next. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.alarm import POLICIES, Alarm, Notice, Rung, next_due, next_notice, policy_for

T0 = datetime(2026, 5, 14, 2, 8, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PAGE = POLICIES["page"]


def page(**changed: object) -> Alarm:
    return Alarm(**({"level": "page", "state": "open", "raised_at": T0} | changed))  # type: ignore[arg-type]


def all_due(alarm: Alarm, history: list[Rung], now: datetime) -> list[Notice]:
    """What a caller rings at one moment."""
    found: list[Notice] = []
    while (notice := next_notice(alarm, history, policy_for(alarm), now)) is not None:
        found.append(notice)
        history.append(Rung(notice.step, now))
        assert len(found) < 10, "it must come to an end"
    return found


@pytest.mark.rule("rules.md 1.5: an unanswered page climbs; readings.md clocks 9")
def test_a_page_rings_physician_then_second_then_director_then_hourly() -> None:
    history: list[Rung] = []
    rung = []
    for minute in range(4 * 60):
        rung += [(minute, n.role) for n in all_due(page(), history, T0 + minute * MINUTE)]
    assert rung == [
        (0, "safety_physician"),
        (15, "second_physician"),
        (60, "medical_director"),
        (120, "medical_director"),
        (180, "medical_director"),
    ]


def test_each_notice_says_why_and_when_the_next_is_rung() -> None:
    history: list[Rung] = []
    notices = [n for hours in (0, 0.25, 1, 2) for n in all_due(page(), history, T0 + hours * HOUR)]
    assert [(n.reason, n.answer_by) for n in notices] == [
        ("rung at once", T0 + 15 * MINUTE),
        ("not acknowledged within 15 minutes", T0 + HOUR),
        ("not acknowledged within 60 minutes", T0 + 2 * HOUR),
        ("still not acknowledged after 2 hours", T0 + 3 * HOUR),
    ]


def test_one_second_before_the_quarter_hour_nobody_else_is_rung() -> None:
    history = [Rung(0, T0)]
    assert next_notice(page(), history, PAGE, T0 + 15 * MINUTE - timedelta(seconds=1)) is None
    assert next_due(page(), history, PAGE, T0) == T0 + 15 * MINUTE


def test_an_acknowledged_alarm_rings_nobody() -> None:
    assert all_due(page(state="acknowledged"), [], T0 + HOUR) == []
    assert next_due(page(state="acknowledged"), [], PAGE, T0) is None


def test_after_a_week_asleep_every_step_is_rung_and_the_missed_repeats_are_one() -> None:
    history = [Rung(0, T0)]
    week = T0 + timedelta(days=7)
    notices = all_due(page(), history, week)
    assert [(n.step, n.role) for n in notices] == [
        (1, "second_physician"),
        (2, "medical_director"),
        (2 + 167, "medical_director"),
    ]
    assert notices[-1].reason == (
        "still not acknowledged after 168 hours; 166 earlier notices were not sent and are joined in this one"
    )
    assert next_due(page(), history, PAGE, week) == week + HOUR


def test_the_first_physician_has_her_quarter_hour_even_when_the_facts_are_an_hour_old() -> None:
    history: list[Rung] = []
    late = T0 + HOUR
    assert [n.role for n in all_due(page(), history, late)] == ["safety_physician"]
    assert next_due(page(), history, PAGE, late) == late + 15 * MINUTE


@pytest.mark.parametrize(
    ("level", "roles"),
    [
        ("info", ["safety_physician", "safety_team"]),
        ("warn", ["safety_team"]),
        ("review", ["medical_reviewer", "safety_team"]),
        ("escalate", ["medical_director"]),
        ("critical", ["medical_director"]),
    ],
)
def test_every_other_level_rings_once(level: str, roles: list[str]) -> None:
    history: list[Rung] = []
    alarm = page(level=level)
    assert [n.role for n in all_due(alarm, history, T0)] == roles
    assert all_due(alarm, history, T0 + timedelta(days=3)) == []


@pytest.mark.rule("rules.md 1.5: overdue")
def test_an_overdue_report_rings_the_director_hourly() -> None:
    history: list[Rung] = []
    alarm = page(level="overdue")
    rung = [hour for hour in range(4) for _ in all_due(alarm, history, T0 + hour * HOUR)]
    assert rung == [0, 1, 2, 3]


def test_whoever_must_confirm_a_hold_is_told_every_four_hours_on_the_first_day_and_then_daily() -> None:
    alarm = Alarm("warn", "open", T0, ("cell_lab",), until_answered=True)
    history: list[Rung] = []
    rung = [hour for hour in range(73) for _ in all_due(alarm, history, T0 + hour * HOUR)]
    assert rung == [0, 4, 8, 12, 16, 20, 24, 48, 72]


def test_an_alert_that_names_its_roles_rings_those() -> None:
    assert [n.role for n in all_due(page(level="warn", roles=("coder", "safety_team")), [], T0)] == [
        "coder",
        "safety_team",
    ]


moments = st.lists(st.integers(min_value=-60, max_value=3 * 24 * 60), max_size=25).map(sorted)


@given(moments)
def test_however_time_passes_no_step_is_rung_twice_or_skipped(minutes: list[int]) -> None:
    history: list[Rung] = []
    for minute in minutes:
        all_due(page(), history, T0 + minute * MINUTE)
    steps = [r.step for r in history]
    assert steps == sorted(set(steps))
    assert steps[:3] == list(range(min(3, len(steps))))


@given(moments)
def test_nothing_is_rung_before_it_is_due(minutes: list[int]) -> None:
    history: list[Rung] = []
    for minute in minutes:
        all_due(page(), history, T0 + minute * MINUTE)
    if not history:
        return
    first = history[0].at
    assert first >= T0
    for rung in history:
        assert rung.at >= first + {0: 0 * MINUTE, 1: 15 * MINUTE, 2: HOUR}.get(rung.step, (rung.step - 1) * HOUR)


@given(moments, st.randoms())
def test_the_order_of_the_history_does_not_matter(minutes: list[int], random: object) -> None:
    history: list[Rung] = []
    for minute in minutes:
        all_due(page(), history, T0 + minute * MINUTE)
    shuffled = list(history)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    now = T0 + timedelta(days=4)
    assert next_notice(page(), shuffled, PAGE, now) == next_notice(page(), history, PAGE, now)
    assert next_due(page(), shuffled, PAGE, now) == next_due(page(), history, PAGE, now)


@given(moments)
def test_what_is_due_is_found_exactly_when_the_timer_says(minutes: list[int]) -> None:
    history: list[Rung] = []
    for minute in minutes:
        now = T0 + minute * MINUTE
        due = next_due(page(), history, PAGE, now)
        assert due is not None
        assert (due <= now) == (next_notice(page(), history, PAGE, now) is not None)
        all_due(page(), history, now)
