"""A good file, made bad: cut off, bent, filled up, its columns swapped, said in another encoding."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from hypothesis import strategies as st

PIECES = (
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", "\u202e".encode(), "\ufeff".encode(), b'"', b"'", b"\\", b"\r", b"\n\n",
    b"\r\n", b",", b",,,,,,,,", b"$", b"\t", b"=cmd|' /C calc'!A0", b"NaN", b"Infinity", b"1e999", b"-0", b"9" * 5000,
    b"\xb0\xa1\xd6\xd0", b"{", b"}", b"[", b"]", b"null", b"true", "é".encode("latin-1"), "\U0010ffff".encode(),
    b"0001-01-01", b"9999-12-31T23:59:59-14:00", b"2026-02-30", b"\\ud800", b'"\\u0000"',
)  # fmt: skip
HUGE = (
    b"A" * 150_000,
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"," * 100_000,
    b"\n" * 100_000,
    b'"' * 100_001,
    b"\x00" * 99_999,
)
ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "gb18030", "utf-7", "utf-8-sig")


@st.composite
def spoilt(draw: st.DrawFn, good: bytes) -> bytes:
    """The file after one to three mishaps."""
    found = good
    for _ in range(draw(st.integers(1, 3))):
        found = draw(st.sampled_from(_MISHAPS))(draw, found)
    return found


def _cut(draw: st.DrawFn, raw: bytes) -> bytes:
    return raw[: draw(_place(raw))]


def _bend(draw: st.DrawFn, raw: bytes) -> bytes:
    bent = bytearray(raw)
    for place in draw(st.lists(_place(raw), min_size=1, max_size=8)):
        if bent:
            bent[place % len(bent)] ^= 1 << draw(st.integers(0, 7))
    return bytes(bent)


def _put(draw: st.DrawFn, raw: bytes) -> bytes:
    place = draw(_place(raw))
    return raw[:place] + draw(st.sampled_from(PIECES)) + raw[place:]


def _overwrite(draw: st.DrawFn, raw: bytes) -> bytes:
    place, piece = draw(_place(raw)), draw(st.sampled_from(PIECES))
    return raw[:place] + piece + raw[place + len(piece) :]


def _fill(draw: st.DrawFn, raw: bytes) -> bytes:
    place = draw(_place(raw))
    return raw[:place] + draw(st.sampled_from(HUGE)) + raw[place:]


def _take_out(draw: st.DrawFn, raw: bytes) -> bytes:
    place = draw(_place(raw))
    return raw[:place] + raw[place + draw(st.integers(1, 200)) :]


def _twice(draw: st.DrawFn, raw: bytes) -> bytes:
    first, last = sorted((draw(_place(raw)), draw(_place(raw))))
    return raw[:last] + raw[first : min(last, first + 5000)] + raw[last:]


def _swap_columns(draw: st.DrawFn, raw: bytes) -> bytes:
    sign = draw(st.sampled_from((b",", b"$", b" = ", b":")))
    one, other = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    lines = []
    for line in raw.split(b"\n"):
        cells = line.split(sign)
        if max(one, other) < len(cells):
            cells[one], cells[other] = cells[other], cells[one]
        lines.append(sign.join(cells))
    return b"\n".join(lines)


def _mix_lines(draw: st.DrawFn, raw: bytes) -> bytes:
    lines = raw.split(b"\n")
    one, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _say_otherwise(draw: st.DrawFn, raw: bytes) -> bytes:
    return raw.decode("utf-8", "replace").encode(draw(st.sampled_from(ENCODINGS)), "replace")


_MISHAPS = (
    _cut, _bend, _bend, _put, _put, _put, _overwrite, _overwrite, _fill, _take_out, _twice, _swap_columns, _mix_lines,
    _say_otherwise,
)  # fmt: skip


def _place(raw: bytes) -> st.SearchStrategy[int]:
    return st.integers(0, len(raw))


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """What is done within, or a failure instead of a test that never ends."""

    def too_long(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"not done within {seconds} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
