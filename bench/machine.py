"""On what a measurement ran: the machine, the versions of what it stands on, the commit, the time."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from bench.invented import ROOT
from tests.support import kafka_broker
from tests.support.postgres_server import NoPostgres, find_programs


def described() -> dict[str, str | int | float]:
    """`load`: how many processes wanted a core in the minute before; over the number of cores it was not quiet."""
    postgres = find_programs()
    missing = kafka_broker.why_not()
    return {
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": _commit(),
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "load": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "postgresql": postgres.why if isinstance(postgres, NoPostgres) else postgres.title.split(" (")[0],
        "kafka": missing or f"Apache Kafka {kafka_broker.VERSION}, Java {kafka_broker.java_version()}",
    }


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607
        return done.stdout.strip()

    changed = " with changes" if git("status", "--porcelain", "--untracked-files=no") else ""
    return f"{git('rev-parse', '--short', 'HEAD') or 'unknown'}{changed}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
