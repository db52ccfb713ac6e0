"""Whoever sends an alarm may be killed at any step of it: the alarm reaches somebody, under one id."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flow.killed_deliveries import run, together
from tests.flow.killing_receivers import STEPS


@pytest.mark.rule("promise: kill -9 at every step of a delivery loses no alarm")
def test_killed_thirty_times_at_every_step_no_alarm_is_lost(tmp_path: Path) -> None:
    found = run(30, 7, tmp_path)
    assert found.wrong == ()
    assert found.kills == 30
    assert {step: found.by_step.get(step, 0) for step in STEPS} == dict.fromkeys(STEPS, 3), found
    assert found.dead > 0, "no dead letter was among them"
    assert found.alerts >= 30


@pytest.mark.rule("promise: kill -9 at every step of a delivery loses no alarm")
def test_two_processes_at_once_send_each_notice_once(any_database: Callable[[], str], tmp_path: Path) -> None:
    """No leader: timers and deliveries are taken row by row."""
    found = together(2, 15, tmp_path, url=any_database())
    assert found.wrong == ()
    assert found.twice == 0
    assert found.alerts >= 30
