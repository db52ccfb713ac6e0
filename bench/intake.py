"""`POST /v1/reports`, whole, beside a bare reference app and beside validation alone: requests a second and waits.

Whole is: who sends, idempotency, understanding, judging, case, audit, outbox, receipt, and the relay that publishes
meanwhile. The reference app (`tests/reference_app`) understands the same report by the same model, keeps it with one
INSERT and commits. All three are one process each; the same reports go to each in turn, from one generator that is a
process of its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench import invented, load
from bench.harness import Progress, in_turn, medians, ratio
from bench.load import Plan
from bench.running import Running, postgres, reference, service, settings, site_keys

STUDY: Final = "BENCH-01"
CONNECTIONS: Final = (32, 1)
ROUNDS, SECONDS, WARM_S = 5, 6.0, 2.0
OURS, THEIRS, ALONE = "tocsin", "reference", "validation_alone"

Side = Callable[[int], dict[str, Any]]


def measure(progress: Progress = lambda _: None, *, is_quick: bool = False) -> dict[str, Any]:
    """By database and connections: each side's medians, the ratio to the reference, the share of validation alone."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        environment = settings(place / "data", [invented.study_file(place, STUDY)])
        found["sqlite"] = _of(place, environment, f"sqlite:///{place / 'reference.db'}", "SQLite", progress, is_quick)
    with tempfile.TemporaryDirectory() as folder, postgres() as server:
        if isinstance(server, str):
            return {**found, "postgresql": {"left_out": server}}
        place = Path(folder)
        ours, theirs = server.fresh_database(), server.fresh_database()
        environment = settings(place / "data", [invented.study_file(place, STUDY)], TOCSIN_DATABASE=ours)
        found["postgresql"] = _of(place, environment, theirs, "PostgreSQL", progress, is_quick)
    return found


def _of(
    folder: Path, environment: dict[str, str], theirs: str, name: str, progress: Progress, is_quick: bool
) -> dict[str, Any]:
    (folder / "data").mkdir()
    found: dict[str, Any] = {}
    with ExitStack() as stack:
        house = stack.enter_context(intake(folder, environment))
        app = stack.enter_context(reference(theirs, folder))
        for connections in CONNECTIONS:
            sides: dict[str, Side] = {
                OURS: partial(_posted, house.running, "/v1/reports", house.headers, connections, is_quick),
                THEIRS: partial(_posted, app, "/reports", {}, connections, is_quick),
                ALONE: partial(_posted, app, "/validated", {}, connections, is_quick),
            }
            rounds = in_turn(sides, 1 if is_quick else ROUNDS)
            found[f"{connections}_connections"] = told = _told(rounds)
            progress(f"{name}, {connections} connections: {told['ratio_to_reference']} of the reference, {told[OURS]}")
    return found


class House:
    """A running intake, and what a request to it must carry."""

    def __init__(self, running: Running, key: str) -> None:
        self.running = running
        self.headers = {"Authorization": f"Bearer {key}"}


@contextmanager
def intake(folder: Path, environment: dict[str, str]) -> Iterator[House]:
    """`tocsin serve intake`, with a key of site S01."""
    with service("intake", folder, environment) as running:
        database = environment.get("TOCSIN_DATABASE", f"sqlite:///{environment['TOCSIN_DATA']}/intake.db")
        yield House(running, *site_keys(database, [STUDY]))


def _posted(
    to: Running, path: str, headers: dict[str, str], connections: int, is_quick: bool, number: int
) -> dict[str, Any]:
    # A span of numbers for each round: the sides of a round get the same reports, and no round those of another.
    first = (number + 1) * 200_000 + (1_500_000 if connections == 1 else 0)
    seconds, warm_s = (2.0, 1.0) if is_quick else (SECONDS, WARM_S)
    before = to.cpu_s()
    found = load.run(Plan(to.port, path, connections, seconds, warm_s, first, headers))
    return {**found, "cpu_ms_a_request": round((to.cpu_s() - before) * 1000 / found.pop("answered"), 3)}


def _told(rounds: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    speed = {name: [one["requests_per_s"] for one in of] for name, of in rounds.items()}
    waits = {name: [one["p99"] for one in of] for name, of in rounds.items()}
    return {
        "rounds": len(rounds[OURS]),
        **{name: medians(of) for name, of in rounds.items()},
        "ratio_to_reference": ratio(speed[OURS], speed[THEIRS]),
        "share_of_validation_alone": ratio(speed[OURS], speed[ALONE]),
        "p99_to_reference": ratio(waits[OURS], waits[THEIRS]),
    }
