"""`make vulnerabilities`: known vulnerabilities of what the lock files name, as pip-audit finds them. By the network.

pip-audit passes over a package that its source of knowledge does not know, and says that all is well. Here that is an
error: what was not asked about is named.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

LOCKS = ("requirements.lock", "requirements-dev.lock")
CLEAN, KNOWN, NOT_ASKED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one lock: packages asked about, known vulnerabilities, packages nobody could be asked of."""

    asked: int
    known: tuple[str, ...]
    not_asked: tuple[str, ...]

    @property
    def code(self) -> int:
        if self.known:
            return KNOWN
        return NOT_ASKED if self.not_asked or not self.asked else CLEAN


def read(document: dict[str, Any]) -> Found:
    """The JSON of pip-audit, read."""
    asked = [one for one in document["dependencies"] if "skip_reason" not in one]
    known = [f"{one['name']} {one['version']}: {v['id']}{_mended(v)}" for one in asked for v in one["vulns"]]
    return Found(
        len(asked), tuple(known), tuple(one["name"] for one in document["dependencies"] if "skip_reason" in one)
    )


def _mended(vulnerability: dict[str, Any]) -> str:
    versions = vulnerability.get("fix_versions") or []
    return f", mended in {', '.join(versions)}" if versions else ", not mended yet"


def ask(pip_audit: str, lock: str) -> Found | str:
    """What is known of one lock, or why nobody could be asked."""
    words = [
        "--requirement",
        lock,
        "--require-hashes",
        "--disable-pip",
        "--progress-spinner",
        "off",
        "--format",
        "json",
    ]
    done = subprocess.run([pip_audit, *words], capture_output=True, text=True, check=False)
    try:
        return read(json.loads(done.stdout))
    except ValueError:
        return (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]


def say(lock: str, found: Found | str) -> int:
    """Tell of one lock; answers the exit code."""
    if isinstance(found, str):
        print(f"{lock}: NOT CHECKED, the network refused: {found}")
        return NOT_ASKED
    for line in found.known:
        print(f"{lock}: {line}")
    if found.not_asked:
        print(f"{lock}: NOT CHECKED, {len(found.not_asked)} packages are not known where it asked: "
              f"{', '.join(found.not_asked)}")  # fmt: skip
    print(f"{lock}: {found.asked} packages asked about, {len(found.known)} known vulnerabilities")
    return found.code


def main() -> int:
    """The worst of the locks counts."""
    codes = [say(lock, ask(sys.argv[1], lock)) for lock in LOCKS]
    return KNOWN if KNOWN in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
