"""`python -m bench`: run the measurements, keep what was found, and write docs/benchmarks.md from it.

    python -m bench                        everything, some hours: a rebuild of 100,000 messages is most of it
    python -m bench --only intake,rebuild  these; the page keeps what it has of the others
    python -m bench --quick                a try of a minute each or less: printed, and nothing is written
    python -m bench --page                 the page again, from what is kept

What was found stands in bench/results.json, each part with the machine, the versions, the commit and the time.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import structlog

from bench import machine, page
from bench.harness import Measure

PARTS = (
    "intake", "ringing", "cost", "rebuild", "coder_processes", "history", "footprint",
    "coding_scorecard", "coding_speed", "lab_rows", "due_clocks", "desk_pages",
)  # fmt: skip
"""In the order of the page."""


def main(arguments: Sequence[str] | None = None) -> int:
    told = _arguments(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    if told.page:
        page.write(page.load())
        return 0
    found: dict[str, Any] = {}
    for name in told.only:
        _say(f"{name} …")
        begun = time.monotonic()
        measure: Measure = importlib.import_module(f"bench.{name}").measure
        part = measure(partial(_say_of, name), is_quick=told.quick)
        found[name] = {"found": part, "took_s": round(time.monotonic() - begun), "run": machine.described()}
        if not told.quick:  # Kept as soon as it is there: what comes later may fail.
            page.write({**page.load(), name: found[name]})
    print(json.dumps({name: part["found"] for name, part in found.items()}, indent=2, ensure_ascii=False))
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Tocsin, as ratios within one run.")
    parser.add_argument("--only", type=_names, default=PARTS, help=f"some of {', '.join(PARTS)}, joined by commas")
    parser.add_argument("--quick", action="store_true", help="too short to be quoted; nothing is written")
    parser.add_argument("--page", action="store_true", help="only write the page again, from bench/results.json")
    return parser.parse_args(arguments)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := [name for name in names if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)} is not measured; known are {', '.join(PARTS)}")
    return names


def _say_of(name: str, said: str) -> None:
    _say(f"{name}: {said}")


def _say(said: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {said}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
