"""A file written whole or not at all: beside its place first, then moved there in one step."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def whole_file(path: Path, encoding: str) -> Iterator[TextIO]:
    """A text file to write into; it appears at `path` only when the block ends without an error.

    What stood at `path` before stays until then. Line ends are written as given.
    """
    target = path.resolve()
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("x", encoding=encoding, newline="") as lines:
            yield lines
            lines.flush()
            os.fsync(lines.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
