"""What a report costs, by process: seconds of a core from the POST to the last delivery, and bytes that it leaves.

Reports of twenty studies, one event in four serious, are posted over eight connections; then everything is waited for.
What each process used in between is divided by the reports. The broker's and the database's share is beside it.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import create_engine, text

from bench import invented, ringing
from bench.harness import Progress, medians
from bench.running import kafka, postgres, service, settings, site_keys
from tests.support.shapes import SERVICES, Shape

REPORTS, ROUNDS, WARM, TOGETHER = 400, 3, 40, 8
WITHIN_S: Final = 600.0
EVERY_S: Final = 3.0
"""How often it is looked whether anything waits: to look costs the database something too."""
_TICKS: Final = os.sysconf("SC_CLK_TCK")

Used = Mapping[str, Callable[[], float]]


def measure(progress: Progress = lambda _: None, *, is_quick: bool = False) -> dict[str, Any]:
    """By shape: milliseconds of a core for one report, by process, and the kilobytes that it leaves."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        data = folder / "data"
        data.mkdir()
        house = stack.enter_context(service("up", folder, settings(data, ringing.study_files(folder))))
        databases = {one: f"sqlite:///{data / one}.db" for one in SERVICES}
        shape = Shape({}, {}, databases, folder)
        used = {"tocsin up": house.cpu_s, "kilobytes": lambda: _kilobytes(data)}
        found["embedded_log_and_sqlite"] = _of(house.url, shape, used, is_quick)
        progress(f"embedded: {found['embedded_log_and_sqlite']}")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        server, broker = stack.enter_context(postgres()), stack.enter_context(kafka(folder / "kafka"))
        if isinstance(server, str) or isinstance(broker, str):
            why = "; ".join(one for one in (server, broker) if isinstance(one, str))
            return {**found, "kafka_and_postgresql": {"left_out": why}}
        (folder / "data").mkdir()
        database = server.fresh_database()
        environment = settings(
            folder / "data", ringing.study_files(folder), TOCSIN_BUS=f"kafka://{broker.bootstrap}",
            TOCSIN_DATABASE=database,
        )  # fmt: skip
        running = {one: stack.enter_context(service(one, folder, environment)) for one in SERVICES}
        used = {
            **{one: process.cpu_s for one, process in running.items()},
            "Kafka": lambda: _tree_s(broker.pid),
            "PostgreSQL": lambda: _tree_s(server.pid),
            "kilobytes": lambda: _size_of(database) + _kilobytes(folder / "kafka"),
        }
        shape = Shape({}, {}, dict.fromkeys(SERVICES, database), folder)
        found["kafka_and_postgresql"] = _of(running["intake"].url, shape, used, is_quick)
        progress(f"three processes: {found['kafka_and_postgresql']}")
    return found


def _of(url: str, shape: Shape, used: Used, is_quick: bool) -> dict[str, float]:
    keys = site_keys(shape.databases["intake"], ringing.STUDIES)
    numbers = iter(range(1, 1_000_000))
    _post(url, keys, [next(numbers) for _ in range(WARM)], shape)
    rounds = []
    for _ in range(1 if is_quick else ROUNDS):
        count = 40 if is_quick else REPORTS
        before = {name: read() for name, read in used.items()}
        _post(url, keys, [next(numbers) for _ in range(count)], shape)
        after = {name: read() for name, read in used.items()}
        rounds.append(
            {
                name: (after[name] - before[name]) * (1 if name == "kilobytes" else 1000) / count
                for name in used
            }
        )  # fmt: skip
    return medians(rounds)


def _post(url: str, keys: Sequence[str], numbers: Sequence[int], shape: Shape) -> None:
    """Post these reports, and wait until each is coded and judged and what rings is delivered."""
    with httpx.Client(base_url=url, timeout=60) as client, ThreadPoolExecutor(TOGETHER) as posting:

        def post(number: int) -> None:
            headers = {"Authorization": f"Bearer {keys[number % len(keys)]}"}
            body = invented.report(number, invented.subject(number))
            client.post("/v1/reports", json=body, headers=headers).raise_for_status()

        list(posting.map(post, numbers))
    until = time.monotonic() + WITHIN_S
    while waiting := shape.what_waits():
        if time.monotonic() > until:
            raise RuntimeError(f"not everything was done within {WITHIN_S:g} s: {waiting}")
        time.sleep(EVERY_S)


def _kilobytes(folder: Path) -> float:
    """What lies in a folder. A log that makes its files in advance has them counted by what is written."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) / 1024


def _size_of(database: str) -> float:
    engine = create_engine(database)
    try:
        with engine.connect() as connection:
            size: int = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    finally:
        engine.dispose()
    return size / 1024


def _tree_s(pid: int) -> float:
    """Seconds of a core that a process and its children used, those that have ended too."""
    return sum(_stat_s(one, with_ended=one == pid) for one in (pid, *_children(pid)))


def _children(pid: int) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(path.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                yield int(path.parent.name)
        except FileNotFoundError:
            continue  # it ended meanwhile, and counts with its parent


def _stat_s(pid: int, *, with_ended: bool) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11 : 15 if with_ended else 13])) / _TICKS
