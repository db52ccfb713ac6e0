"""Files that are much more than they seem: of gigabytes of nothing, packed a thousandfold, without an end.

Each is read in a process that may not have more memory than a small machine has.
"""

from __future__ import annotations

import io
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from meddra_coder.dictionary.meddra_files import read_distribution
from tests.hostile.mutations import within
from tests.hostile.test_files_fuzz import LONGEST_S, READERS, good
from tests.support.invented_meddra import write_distribution
from tests.support.warm import fork
from tocsin.errors import TocsinError

MOST_MEMORY = 2 << 30
"""Bytes of address space, of which the libraries alone take a half."""

GIGABYTES = 8


def within_memory(made: Callable[[Path], None], name: str, folder: str) -> None:
    """Read the bomb here: it must be refused in our words, as each of them is much too large."""
    path = Path(folder) / name
    made(path)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    with within(LONGEST_S):
        try:
            READERS[name](path) if name in READERS else read_distribution(path.parent)
        except TocsinError as refusal:
            print(f"refused: {refusal}", flush=True)


def sparse(path: Path) -> None:
    """Zeros without end, which take no room on the disk."""
    with path.open("wb") as file:
        file.write(good(path.name) if path.name in READERS else b"")
        file.truncate(GIGABYTES << 30)


def without_end(path: Path) -> None:
    """A device instead of a file."""
    path.symlink_to("/dev/zero")


def one_line(path: Path) -> None:
    """A header and one cell of 32 megabytes."""
    path.write_bytes(good(path.name) + b'"' + b"x" * (32 << 20) + b'"\n')


def packed(path: Path) -> None:
    """A workbook whose sheet is 128 MB of blanks, in 128 kB."""
    kept = io.BytesIO(good("ctcae.xlsx"))
    with zipfile.ZipFile(kept) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            with new.open(name, "w", force_zip64=True) as part:
                part.write(old.read(name))
                if name.endswith("sheet1.xml"):
                    for _ in range(128):
                        part.write(b" " * (1 << 20))


BOMBS = [
    *((sparse, name) for name in ("ae.csv", "ae.xpt", "ae.json", "lb.csv", "lb.xpt", "terms.csv", "study.toml")),
    *((one_line, name) for name in ("ae.csv", "lb.csv", "due.csv")),
    *((without_end, name) for name in ("study.toml", "rules.toml", "ae.ndjson")),
    (packed, "ctcae.xlsx"),
]


@pytest.mark.rule("promise: a damaged file is read or refused in words, never a fault, never for ever")
@pytest.mark.parametrize(("made", "name"), BOMBS, ids=[f"{made.__name__}-{name}" for made, name in BOMBS])
def test_a_file_much_too_large_is_refused_in_little_memory(
    tmp_path: Path, made: Callable[[Path], None], name: str
) -> None:
    refused_in_a_process(tmp_path, made, name)


def test_a_file_of_meddra_without_an_end_is_refused_in_little_memory(tmp_path: Path) -> None:
    write_distribution(tmp_path, llts=60, pts=30)
    (tmp_path / "llt.asc").unlink()
    refused_in_a_process(tmp_path, without_end, "llt.asc")


def refused_in_a_process(folder: Path, made: Callable[[Path], None], name: str) -> None:
    out = folder.parent / f"{folder.name}-said"
    out.write_bytes(b"")
    process = fork(within_memory, (made, name, str(folder)), out)
    assert process.wait(60) == 0, out.read_text()[-2000:]
    assert "refused: " in out.read_text()
