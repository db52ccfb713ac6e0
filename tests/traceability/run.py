"""What a run of the suite says of the matrix: a page of its own, and a line for the summary."""

from __future__ import annotations

import platform
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.architecture.imports import ROOT
from tests.traceability.matrix import matrix
from tests.traceability.page import page_of_a_run
from tests.traceability.register import TraceError
from tests.traceability.results import VERDICTS, Reported, Results, counted
from tocsin.whole_file import whole_file

RECORD = ROOT / "build" / "traceability.md"


def record(
    stats: Mapping[str, Iterable[Reported]], used: Sequence[str], record: Path = RECORD, root: Path = ROOT
) -> Iterator[str]:
    """Write the page of this run, whole or not at all, and give the lines to print.

    `stats`: pytest's lists of reports; under xdist they are gathered in the controlling process. A register or marker
    that cannot be read is said here and fails tests/architecture/test_traceability.py; it must not end the session.
    """
    try:
        found = matrix(root)
    except TraceError as wrong:
        yield f"Traceability: not written: {wrong}"
        return
    results = Results.of(stats)
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(record, "utf-8") as lines:
            lines.write(page_of_a_run(found, results, [*_when_and_what(root), *used]))
    except OSError as wrong:
        yield f"Traceability: not written: {wrong}"
        return
    verdicts = Counter(results.verdict(row, found.tests.get(row.id, ())) for row in found.requirements)
    said = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in (*VERDICTS, "no test") if verdicts[verdict])
    where = record.relative_to(root) if record.is_relative_to(root) else record
    yield f"Traceability: {counted(len(found.requirements), 'requirement')}: {said}; written to {where}"


def _when_and_what(root: Path) -> Iterator[str]:
    yield f"Run: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    yield f"Source: {_source(root)}"
    yield f"Python: {platform.python_version()} on {platform.system()} {platform.machine()}"


def _source(root: Path) -> str:
    """Which commit was tested, and whether the files were as committed."""
    try:
        commit, changed = (
            subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True, timeout=10).stdout
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain"])
        )
    except (OSError, subprocess.SubprocessError):
        return "no git checkout"
    files = len(changed.splitlines())
    state = f"with {counted(files, 'file')} changed" if files else "unchanged"
    return f"commit {commit.strip()}, {state}"
