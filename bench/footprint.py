"""What a house weighs: seconds from its start to the first 200 of `/ready`, and its resident memory then and after use.

`tocsin up`, and each service by itself on the embedded log and SQLite; each time a fresh interpreter and folder.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import httpx

from bench import invented
from bench.harness import Progress, medians
from bench.running import service, settings, site_keys

STUDY: Final = "BENCH-01"
NAMES: Final = ("up", "intake", "coder", "alerting")
TIMES, REPORTS = 5, 200


def measure(progress: Progress = lambda _: None, *, is_quick: bool = False) -> dict[str, Any]:
    """Medians, by process. Memory after use: of `up` and of the intake, after two hundred reports."""
    found: dict[str, Any] = {}
    for name in NAMES:
        found[name] = medians([_of(name) for _ in range(1 if is_quick else TIMES)])
        progress(f"{name}: {found[name]}")
    return found


def _of(name: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        place = Path(folder)
        (place / "data").mkdir()
        environment = settings(place / "data", [invented.study_file(place, STUDY)])
        one = stack.enter_context(service(name, place, environment))
        told = {"ready_after_s": one.ready_after_s, "memory_when_ready_mb": one.memory_mb()}
        if name in ("up", "intake"):
            [key] = site_keys(f"sqlite:///{place / 'data' / 'intake.db'}", [STUDY])
            headers = {"Authorization": f"Bearer {key}"}
            with httpx.Client(base_url=one.url, headers=headers, timeout=60) as client:
                for body in invented.reports(REPORTS):
                    client.post("/v1/reports", json=body).raise_for_status()
            told["memory_after_use_mb"] = one.memory_mb()
        return told
