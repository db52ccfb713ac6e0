"""The no-loss proof, short: one seed on each shape of the house, with every kind of fault of that shape once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from chaos.nemesis import FAULTS, KILL, plan
from chaos.run import Outcome, run

from tests.support.fixtures_kafka import need_kafka
from tests.support.fixtures_postgres import need_programs

KILLS, DEEDS = 4, 2


def shown(outcome: Outcome) -> str:
    return "\n".join([outcome.failed, *map(str, outcome.faults)])


@pytest.mark.rule("promise: nothing is lost, doubled or wrong under fire")
def test_a_house_on_one_folder_loses_nothing_under_fire(tmp_path: Path) -> None:
    outcome = run(
        2, "embedded", KILLS, len(FAULTS["embedded"]), tmp_path, is_answered_under_fire=False, deeds_a_step=DEEDS
    )
    assert outcome.is_well, shown(outcome)
    assert outcome.done[f"{KILL} up"] == KILLS
    assert outcome.newer > 0, "the next release wrote nothing"
    assert {name: outcome.done[name] for name in FAULTS["embedded"]} == dict.fromkeys(FAULTS["embedded"], 1)
    assert min(outcome.reports, outcome.revisions - outcome.reports, outcome.clocks, outcome.alarms) > 0, outcome


@pytest.mark.kafka
@pytest.mark.postgres
@pytest.mark.rule("promise: nothing is lost, doubled or wrong under fire")
def test_three_services_on_kafka_and_postgresql_lose_nothing_under_fire(tmp_path: Path) -> None:
    need_kafka()
    need_programs()
    outcome = run(3, "kafka", KILLS, len(FAULTS["kafka"]), tmp_path, is_answered_under_fire=False, deeds_a_step=DEEDS)
    assert outcome.is_well, shown(outcome)
    assert outcome.kills >= KILLS, "a broker that stops is one more"
    assert outcome.set_aside > 0, "no reader was older than its writer"
    assert outcome.newer > 0, "the next release wrote nothing"
    assert {name: outcome.done[name] for name in FAULTS["kafka"]} == dict.fromkeys(FAULTS["kafka"], 1)
    assert min(outcome.reports, outcome.revisions - outcome.reports, outcome.clocks, outcome.alarms) > 0, outcome


def test_a_seed_gives_the_same_plan_again() -> None:
    """So a seed that failed can be run again; when an answer comes is drawn by nobody."""
    first, again, other = (
        plan("kafka", 20, 13, random.Random(seed)) for seed in ("7/nemesis", "7/nemesis", "8/nemesis")
    )
    assert first == again != other
    assert first.count(KILL) == 20
    assert sorted(step for step in first if step != KILL) == sorted(FAULTS["kafka"])
