"""Runs `tocsin` as people do, as a process of its own: a house from nothing or forked, a command forked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.imports import PLACES
from tests.support.warm import Forked
from tests.support.warm import run as run_warm

READY_S = 30.0


def environment(**more: str) -> dict[str, str]:
    """As it is, less any setting, and with our packages on the path. A house does not beat: tests count messages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(str(place.parent) for place in PLACES.values()),
            "TOCSIN_HEARTBEAT_MINUTES": "0", **more}  # fmt: skip


def tocsin(*words: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """One command, to its end, in a process that has imported everything."""
    return run_warm(words, environment(**more), stdin=stdin)


@dataclass
class House:
    """A running `tocsin up` or `tocsin serve`, with what it has said."""

    process: subprocess.Popen[bytes] | Forked
    out: Path
    err: Path
    ready_after_s: float = 0.0

    @classmethod
    def start(cls, words: Sequence[str], folder: Path, ready: str, **more: str) -> House:
        """Start it and return when it has said a line with `ready` in it."""
        folder.mkdir(parents=True, exist_ok=True)
        out, err = folder / "stdout", folder / "stderr"
        began = time.monotonic()
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = subprocess.Popen(
                [sys.executable, "-m", "standalone", *words],
                stdin=subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
                env=environment(**more),
            )
        return cls(process, out, err)._when(ready, words, began)

    @classmethod
    def fork(cls, words: Sequence[str], folder: Path, ready: str, **more: str) -> House:
        """The same from a process that has imported everything: for a test that needs a house and not its start."""
        folder.mkdir(parents=True, exist_ok=True)
        out, err = folder / "stdout", folder / "stderr"
        for path in (out, err):
            path.write_bytes(b"")  # What an earlier process said is not what this one says.
        began = time.monotonic()
        return cls(Forked(words, out, err, environment(**more)), out, err)._when(ready, words, began)

    def _when(self, ready: str, words: Sequence[str], began: float) -> House:
        while ready not in self.said:
            if self.process.poll() is not None or time.monotonic() - began > READY_S:
                self.process.kill()
                raise AssertionError(f"tocsin {' '.join(words)} did not get ready:\n{self.err.read_text()[-4000:]}")
            time.sleep(0.01)
        self.ready_after_s = time.monotonic() - began
        return self

    @property
    def said(self) -> str:
        """Every line it has said whole: the end of a line that is still being written may be anything."""
        text = self.out.read_text()
        return text[: text.rfind("\n") + 1]

    @property
    def url(self) -> str:
        """The address it printed."""
        return next(line.split()[-1] for line in self.said.splitlines() if line.startswith("Tocsin is ready at"))

    def end(self, signal_number: int = signal.SIGTERM) -> tuple[int, float]:
        """Ask it to end; its exit code, and how many seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal_number)
        code = self.process.wait(30)
        return code, time.monotonic() - began

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


def status(url: str, **headers: str) -> int:
    """The HTTP status of a GET."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
