"""Cost against history: the same figures with a thousand and with two hundred thousand reports stored.

Both databases are filled by bulk inserts. One report and its coding are played for real, through the intake's own
acceptance and alerting's own handlers; the rows that they leave are copied under other numbers, subjects, ids and
studies, as trials like the first user's leave them (`bench.filled`). The audit trail is chained as a service chains it.
Measured are: POST whole at 32 and at 1 connections, POST to webhook of deaths at 4 a second (at 20 what is measured is
how long the queue has become), and the board of the desk.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from bench import filled, intake, load, ringing
from bench.harness import Progress, in_turn, medians
from bench.load import Plan
from bench.running import service, settings, site_keys
from tocsin.now import wall
from tocsin.web.identity import Person, sign_person
from tocsin.web.pages import COOKIE

STORED: Final = (1_000, 200_000)
ROUNDS, SECONDS, VIEWS = 3, 6.0, 15
BOARD: Final = "/desk"


def measure(progress: Progress = lambda _: None, *, is_quick: bool = False) -> dict[str, Any]:
    """Each figure with few and with many reports stored, and how many times dearer it is with many."""
    stored = (200, 2_000) if is_quick else STORED
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        houses = {str(n): _house(Path(name) / str(n), n, progress, stack) for n in stored}
        sides = {n: partial(_measured, house, is_quick) for n, house in houses.items()}
        rounds = in_turn(sides, 1 if is_quick else ROUNDS)
    found = {n: medians(of) for n, of in rounds.items()}
    few, many = (found[str(n)] for n in stored)
    for name in ("post_32_requests_per_s", "post_1_requests_per_s"):  # More is better: dearer is fewer.
        found.setdefault("times_dearer", {})[name] = round(few[name] / many[name], 2)
    for name in ("post_to_webhook_p50_ms", "post_to_webhook_p99_ms", "board_ms"):
        found["times_dearer"][name] = round(many[name] / few[name], 2)
    progress(json.dumps(found["times_dearer"]))
    return found


def _house(folder: Path, number: int, progress: Progress, stack: ExitStack) -> dict[str, Any]:
    folder.mkdir()
    files = filled.study_files(folder)
    data = folder / "data"
    data.mkdir()
    environment = settings(data, files)
    begun = time.monotonic()
    filled.fill(data, files, number)
    alone = folder / "intake"
    alone.mkdir()
    shutil.copy(data / "intake.db", alone)
    progress(f"{number:,} reports are stored, after {time.monotonic() - begun:.0f} s")
    house = stack.enter_context(service("up", folder, environment))
    intake_alone = stack.enter_context(intake.intake(folder, settings(alone, files)))
    hook = stack.enter_context(ringing.receiver())
    ringing.tell_of(f"sqlite:///{data / 'alerting.db'}", hook)
    keys = site_keys(f"sqlite:///{data / 'intake.db'}", ringing.STUDIES)
    return {
        "running": house,
        "side": ringing.Side(house.url, keys, hook),
        "environment": environment,
        "intake": intake_alone,
    }


def _measured(house: dict[str, Any], is_quick: bool, number: int) -> dict[str, float]:
    running, side, alone = house["running"], house["side"], house["intake"]
    seconds, first = 2.0 if is_quick else SECONDS, 2_000_000 + number * 400_000
    numbers = iter(range(5_000_000 + number * 10_000, 9_000_000))
    rung = ringing.rung(side, 4, 3 if is_quick else 10, numbers)
    board = _board(running.url, house["environment"])
    posted = {
        n: load.run(Plan(alone.running.port, "/v1/reports", n, seconds, 1.0, first + n * 10_000, alone.headers))
        for n in intake.CONNECTIONS
    }
    return {
        **{f"post_{n}_requests_per_s": one["requests_per_s"] for n, one in posted.items()},
        "post_to_webhook_p50_ms": rung["p50"],
        "post_to_webhook_p99_ms": rung["p99"],
        "board_ms": board,
    }


def _board(url: str, environment: dict[str, str]) -> float:
    """Median milliseconds of the board, as a safety physician opens it; the first view is left out."""
    key = environment["TOCSIN_SIGNING_KEY"].encode()
    token = sign_person(Person("lin", frozenset({"safety_physician"})), key, wall(), timedelta(hours=1))
    took = []
    with httpx.Client(base_url=url, cookies={COOKIE: token}, timeout=60) as client:
        for _ in range(VIEWS + 1):
            begun = time.perf_counter()
            client.get(BOARD).raise_for_status()
            took.append((time.perf_counter() - begun) * 1000)
    return round(statistics.median(took[1:]), 2)
