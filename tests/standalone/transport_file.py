"""Writes a SAS transport file (version 5) for tests: the layout is SAS's published one, TS-140."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_WHEN = b"26NOV26:12:00:00"


def transport_file(name: str, rows: Sequence[dict[str, str | float | None]]) -> bytes:
    """One data set. A variable is a number where its first value is; None is a missing number."""
    variables = list(rows[0])
    widths = {
        each: 8 if not isinstance(rows[0][each], str) else max(1, *(len(str(row[each])) for row in rows))
        for each in variables
    }
    described = b""
    place = 0
    for number, each in enumerate(variables, 1):
        kind = 2 if isinstance(rows[0][each], str) else 1
        described += struct.pack(
            ">hhhh8s40s8shhh2s8shhl52s",
            kind, 0, widths[each], number, each.ljust(8).encode(), b" " * 40, b" " * 8, 0, 0, 0, b"\0\0", b" " * 8,
            0, 0, place, b"\0" * 52,
        )  # fmt: skip
        place += widths[each]
    data = b"".join(_value(row[each], widths[each]) for row in rows for each in variables)
    return b"".join(
        [
            _header("LIBRARY", "0" * 30),
            b"SAS     SAS     SASLIB  9.4     X64     ".ljust(64) + _WHEN,
            _WHEN.ljust(80),
            _header("MEMBER", "0" * 17 + "1600000000140"),
            _header("DSCRPTR", "0" * 30),
            b"SAS     " + name.ljust(8).encode() + b"SASDATA 9.4     X64     ".ljust(48) + _WHEN,
            _WHEN.ljust(80),
            _header("NAMESTR", f"{len(variables):010d}" + "0" * 20),
            _padded(described),
            _header("OBS", "0" * 30),
            _padded(data),
        ]
    )


def _header(kind: str, digits: str) -> bytes:
    return f"HEADER RECORD*******{kind:<8}HEADER RECORD!!!!!!!{digits}".ljust(80).encode()


def _padded(raw: bytes) -> bytes:
    return raw + b" " * (-len(raw) % 80)


def _value(value: str | float | None, width: int) -> bytes:
    if isinstance(value, str):
        return value.ljust(width).encode()
    if value is None:
        return b"." + b"\0" * 7
    return _ibm(value)


def _ibm(value: float) -> bytes:
    """A number as the mainframe keeps it: sign, a power of 16, and 56 bits after the point."""
    if value == 0:
        return b"\0" * 8
    sign, size, power = (0x80 if value < 0 else 0), abs(value), 64
    while size >= 1:
        size, power = size / 16, power + 1
    while size < 1 / 16:
        size, power = size * 16, power - 1
    return bytes([sign | power]) + int(size * 2**56).to_bytes(7, "big")
