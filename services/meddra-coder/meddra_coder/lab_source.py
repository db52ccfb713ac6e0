"""An SDTM LB data set as people send it: `.csv`, `.csv.gz` or a SAS transport file (`.xpt`), read in portions.

Answers a header and rows of text, and the rows may be read several times. A packed file is unpacked beside the output
first, in a folder that only this user may open, up to a limit; so memory grows with no file. What the columns mean is
left to others. The reader of transport files costs time to import and is imported only for one.
"""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from tocsin.table_file import FileRefused, Row, open_table

KINDS: Final = ".csv, .csv.gz or .xpt (SAS transport)"

MOST_UNPACKED: Final = 4 << 30
"""Bytes that a packed file may hold, and a transport file may have: of each portion all that is before it is read."""

MOST_TIMES: Final = 200
"""How many times its own size a packed file may hold, above `SMALL`. Tables of results pack 10 to 50 times."""

SMALL: Final = 64 << 20
"""Bytes that any packed file may hold."""

_TRANSPORT_ALLOWED: Final = "a SAS transport file is allowed"
_PIECE: Final = 1 << 20
_ROWS_AT_ONCE: Final = 20_000


class LabSource(Protocol):
    """A checked table. `blank_lines` are not rows; `encoding` and `line_end` are for the output."""

    @property
    def path(self) -> Path: ...
    @property
    def header(self) -> tuple[str, ...]: ...
    @property
    def rows(self) -> int: ...
    @property
    def encoding(self) -> str: ...
    @property
    def line_end(self) -> str: ...
    def read(self) -> Iterator[Row]: ...


@contextmanager
def open_source(path: Path, beside: Path) -> Iterator[LabSource]:
    """The data set in a file. `beside`: a folder with room for what a packed file holds. Raises FileRefused."""
    name = path.name.lower()
    if not path.is_file():
        raise FileRefused(f"{path}: no such file", f"name a file of the kind {KINDS}", exit_code=2)
    if name.endswith(".csv"):
        yield open_table(path)
    elif name.endswith(".xpt"):
        if path.stat().st_size > MOST_UNPACKED:
            raise FileRefused(
                f"{path}: is longer than {MOST_UNPACKED >> 30} GiB", f"allowed are {MOST_UNPACKED >> 30} GiB, or a .csv"
            )
        yield _open_transport(path)
    elif name.endswith(".csv.gz"):
        with tempfile.TemporaryDirectory(dir=beside, prefix=".unpacked-") as folder:
            plain = Path(folder) / "unpacked.csv"
            _unpack(path, plain)
            try:
                table = open_table(plain)
            except FileRefused as refused:
                [wrong] = refused.wrong
                raise FileRefused(wrong.problem.replace(str(plain), str(path)), wrong.allowed or "") from None
            yield table
    else:
        raise FileRefused(f"{path}: files of this kind are not known", f"allowed is {KINDS}", exit_code=2)


def _unpack(path: Path, plain: Path) -> None:
    most = min(MOST_UNPACKED, max(SMALL, MOST_TIMES * path.stat().st_size))
    done = 0
    try:
        with gzip.open(path) as packed, plain.open("xb") as out:
            while piece := packed.read(_PIECE):
                done += len(piece)
                if done > most:
                    raise FileRefused(
                        f"{path}: holds more than {most >> 20:,} MiB when it is unpacked",
                        f"allowed are {MOST_UNPACKED >> 30} GiB, and {MOST_TIMES} times what is packed",
                    )
                out.write(piece)
    except (EOFError, gzip.BadGzipFile, zlib.error) as wrong:
        raise FileRefused(f"{path}: cannot be unpacked ({wrong})", "a whole gzip file is allowed") from wrong


@dataclass(frozen=True, slots=True)
class TransportFile:
    """A SAS transport file of version 5 or 8. Numbers become text: 38.0 is 38, and a missing value is empty."""

    path: Path
    header: tuple[str, ...]
    rows: int
    encoding: str = "utf-8"
    line_end: str = "\n"

    def read(self) -> Iterator[Row]:
        """The rows in order, each with its number."""
        for done in range(0, self.rows, _ROWS_AT_ONCE):
            columns = _transport(self.path, done)
            texts = [[_text(value) for value in column] for column in columns.values()]
            for place, cells in enumerate(zip(*texts, strict=True), done + 1):
                yield Row(place, cells)


def _open_transport(path: Path) -> TransportFile:
    rows, header = 0, None
    while True:
        columns = _transport(path, rows)
        header = header or tuple(columns)
        if None in header:
            raise FileRefused(f"{path}: has a variable without a name", _TRANSPORT_ALLOWED)
        found = len(next(iter(columns.values()), ()))
        rows += found
        if found < _ROWS_AT_ONCE:
            return TransportFile(path, header, rows)


def _transport(path: Path, skipped: int) -> dict[str, Any]:
    import pyreadstat  # late: it brings numpy

    try:
        columns, _ = pyreadstat.read_xport(
            str(path),
            output_format="dict",
            disable_datetime_conversion=True,
            row_offset=skipped,
            row_limit=_ROWS_AT_ONCE,
        )
    except (pyreadstat.ReadstatError, UnicodeDecodeError) as wrong:
        raise FileRefused(f"{path}: cannot be read ({wrong})", _TRANSPORT_ALLOWED) from None
    except (TypeError, ValueError, OverflowError):  # what its reader stumbles over in a damaged file
        raise FileRefused(f"{path}: cannot be read, it is damaged", _TRANSPORT_ALLOWED) from None
    return dict(columns)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if value != value else f"{value:.0f}" if value.is_integer() else repr(float(value))
    return str(value)
