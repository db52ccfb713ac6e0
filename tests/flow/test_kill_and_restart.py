"""kill -9 in the middle of an import: every accepted report ends coded once and rung for once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.flow.importing import begin_import, end_import, write_ae
from tests.flow.outcome import accepted, broken_audit, doubled, outcome, undelivered
from tests.support.kafka_broker import Broker
from tests.support.shapes import Shape, one_process, three_processes, wait_until

ROWS = 300
SERIOUS = 30
DEAD = 6


@pytest.fixture
def shapes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Shape]]:
    started: list[Shape] = []

    def make(kind: str) -> Shape:
        if kind == "one process":
            shape = one_process(tmp_path)
        else:
            broker: Broker = request.getfixturevalue("own_kafka")
            database: Callable[[], str] = request.getfixturevalue("fresh_database")
            shape = three_processes(tmp_path, bus=f"kafka://{broker.bootstrap}", database=database())
        started.append(shape)
        return shape

    yield make
    for shape in started:
        shape.end()


@pytest.mark.parametrize(
    ("kind", "victims"),
    [
        pytest.param("one process", ["up", "up", "up"], id="one-process"),
        pytest.param(
            "three processes",
            ["intake", "coder", "alerting"],
            id="kafka-and-postgresql",
            marks=[pytest.mark.kafka, pytest.mark.postgres],
        ),
    ],
)
@pytest.mark.rule("promise: nothing accepted is lost, and nothing counts twice")
def test_killed_in_the_middle_of_an_import_nothing_is_lost_and_nothing_done_twice(
    shapes: Callable[[str], Shape], tmp_path: Path, kind: str, victims: list[str]
) -> None:
    shape = shapes(kind)
    shape.start()
    key = shape.key("CDISCPILOT01", "all")
    running = begin_import(shape, write_ae(tmp_path / "ae.csv", ROWS), key)
    for number, victim in enumerate(victims, 1):
        wait_until(partial(_has_accepted, shape, number * ROWS // 5), f"row {number * ROWS // 5} accepted", 90)
        shape.processes[victim].kill()
        shape.processes[victim].start()
        shape.processes[victim].ready()
    summary = end_import(running)
    wait_until(shape.is_quiet, "all is quiet", 120)

    found = outcome(shape)
    assert (summary["rows"], summary["refused"], summary["serious"]) == (ROWS, 0, SERIOUS)
    assert summary["accepted"] + summary["already_known"] == ROWS
    assert accepted(shape) == ROWS == len(found)
    assert [ref for ref, of in found.items() if len(of["codings"]) != 1] == []
    assert doubled(found) == []
    assert sum(("fatal", "page", "open") in of["alerts"] for of in found.values()) == DEAD
    assert sum(bool(of["alerts"]) for of in found.values()) == SERIOUS
    assert undelivered(shape) == []
    assert broken_audit(shape) == []


def _has_accepted(shape: Shape, rows: int) -> bool:
    return accepted(shape) >= rows
