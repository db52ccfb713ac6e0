"""A small file from outside, read whole, and no further than such a file can be long: a device has no end."""

from __future__ import annotations

from pathlib import Path

from tocsin.table_file import FileRefused


def bytes_within(path: Path, most: int) -> bytes:
    """The bytes of a file of at most `most`. Raises FileRefused for a longer one, OSError where it cannot be read."""
    with path.open("rb") as file:
        raw = file.read(most + 1)
    if len(raw) > most:
        raise FileRefused(f"{path}: is longer than {most >> 20} MiB", f"at most {most} bytes are read")
    return raw
