"""One hash for the code that decides: the book of rules and the grading criteria, as they stand on this machine.

Two houses with the same hash decide alike. A checkout and a wheel hold the same files, so they have the same hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parent
_PLACES = ("criteria", "domain")
_KINDS = (".csv", ".py")


@cache
def code_hash() -> str:
    """SHA-256, in hex, over the source of `tocsin.domain` and over the code and tables of `tocsin.criteria`."""
    return hash_of(_ROOT, files_of(_ROOT))


def files_of(root: Path) -> tuple[str, ...]:
    """The files below `root` that count, as paths with forward slashes, in the order of their characters."""
    found = (path for place in _PLACES for path in (root / place).rglob("*") if path.suffix in _KINDS)
    return tuple(sorted(path.relative_to(root).as_posix() for path in found))


def hash_of(root: Path, files: Iterable[str]) -> str:
    """SHA-256, in hex, over a line "digest, two spaces, path" for each file, in the order given.

    These are the lines that `sha256sum` prints, so that anybody can check the hash without this code.
    """
    whole = hashlib.sha256()
    for name in files:
        digest = hashlib.sha256((root / name).read_bytes()).hexdigest()
        whole.update(f"{digest}  {name}\n".encode())
    return whole.hexdigest()
