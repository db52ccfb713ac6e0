"""A reader who does what a page for sites says, to the letter: saves its files, runs its commands, in its order.

She sets two things of her own, which the page tells her to: TOCSIN_URL and TOCSIN_KEY.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.docs.pages import Block, blocks

REQUIRE_R = "TOCSIN_REQUIRE_R"
_SETS_HER_OWN = re.compile(r"^export TOCSIN_(URL|KEY)=", re.MULTILINE)
_PROBE = 'for (name in c("httr2", "jsonlite")) if (!requireNamespace(name, quietly = TRUE)) quit(status = 1)'


@dataclass(frozen=True, slots=True)
class Done:
    """One block that was run, and what it printed: an answer, and the status as its last line."""

    block: Block
    printed: str

    @property
    def status(self) -> int:
        return int(self.printed.split()[-1])

    @property
    def answer(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.printed.rstrip()[: -len(str(self.status))])
        return found


@cache
def why_no_r() -> str | None:
    """Why R's blocks cannot be run; None when they can."""
    if shutil.which("Rscript") is None:
        return f"Rscript is not installed (Debian: r-base-core); {REQUIRE_R}=1 makes that a failure"
    probe = subprocess.run(["Rscript", "-e", _PROBE], capture_output=True, check=False)
    if probe.returncode:
        return f"R lacks httr2 or jsonlite (Debian: r-cran-httr2 r-cran-jsonlite); {REQUIRE_R}=1 makes that a failure"
    return None


def follow(page: Path, folder: Path, *, url: str, key: str, with_r: bool) -> list[Done]:
    """Everything the page says, done in `folder`. Fails at the first command that does."""
    own = {"TOCSIN_URL": url, "TOCSIN_KEY": key, "LC_ALL": "C.UTF-8", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = []
    for block in blocks(page):
        if block.language in ("json", "python", "r") and "." in block.name:
            (folder / block.name).write_text(block.text, "utf-8")
        if (command := _command(block)) is None or (block.language == "r" and not with_r):
            continue
        ran = subprocess.run(
            command, cwd=folder, env={**os.environ, **own}, capture_output=True, text=True, timeout=120, check=False
        )
        where = f"{page.name}, line {block.line}"
        assert ran.returncode == 0, f"{where}: exit {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        done.append(Done(block, ran.stdout))
    return done


def _command(block: Block) -> list[str] | None:
    """How the reader runs a block; None when it is nothing to run, or hers to fill in."""
    if block.language == "sh" and not _SETS_HER_OWN.search(block.text):
        return ["bash", "-euo", "pipefail", "-c", block.text]
    if block.language == "python":
        return [sys.executable, "-I", "-S", "-W", "error", block.name]  # nothing but Python's own library
    if block.language == "r":
        return ["Rscript", block.name]
    return None
