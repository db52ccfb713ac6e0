"""The CDISC pilot's 1,191 events through the public API, in both shapes: each once, 39 serious, the same outcome."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flow.importing import begin_import, end_import
from tests.flow.outcome import accepted, broken_audit, doubled, outcome, undelivered
from tests.support.kafka_broker import Broker
from tests.support.shapes import Shape, one_process, three_processes, wait_until

pytestmark = pytest.mark.reference

ROWS = 1191
SERIOUS = 39
CONTRADICTIONS = 36


def import_twice(shape: Shape, file: Path) -> None:
    """Import, see that every row was accepted once, and see that a second run adds nothing."""
    shape.start()
    key = shape.key("CDISCPILOT01", "all")
    running = begin_import(shape, file, key)
    first = end_import(running)
    assert running.returncode == 1  # the data set contradicts itself, and each place is named
    assert {name: first[name] for name in ("rows", "accepted", "already_known", "refused", "unsent", "serious")} == {
        "rows": ROWS, "accepted": ROWS, "already_known": 0, "refused": 0, "unsent": 0, "serious": SERIOUS,
    }  # fmt: skip
    assert len(first["contradictions"]) == CONTRADICTIONS
    assert first["findings"] == []
    wait_until(shape.is_quiet, "every row is coded, judged and told", 180)

    second = end_import(begin_import(shape, file, key))
    assert (second["accepted"], second["already_known"], second["serious"]) == (0, ROWS, SERIOUS)
    wait_until(shape.is_quiet, "the second run is through", 60)
    assert accepted(shape) == ROWS
    assert undelivered(shape) == []
    assert broken_audit(shape) == []


@pytest.mark.kafka
@pytest.mark.postgres
def test_both_shapes_make_the_same_of_the_pilot(
    tmp_path: Path, reference: Path, own_kafka: Broker, fresh_database: Callable[[], str]
) -> None:
    file = reference / "pilot" / "ae.xpt"
    found = []
    for name, make in (
        ("one", one_process),
        (
            "three",
            lambda folder: three_processes(folder, bus=f"kafka://{own_kafka.bootstrap}", database=fresh_database()),
        ),
    ):
        (tmp_path / name).mkdir()
        shape = make(tmp_path / name)
        try:
            import_twice(shape, file)
            found.append(outcome(shape))
        finally:
            shape.end()

    assert len(found[0]) == ROWS
    assert doubled(found[0]) == []
    assert found[0] == found[1]
    # Every serious row rings at its own level; the three deaths page.
    kinds = [kind for of in found[0].values() for kind, _, _ in of["alerts"]]
    assert kinds.count("fatal") == 3
    assert sum(bool(of["alerts"]) for of in found[0].values()) == SERIOUS
    assert sum(bool(of["clocks"]) for of in found[0].values()) == SERIOUS
