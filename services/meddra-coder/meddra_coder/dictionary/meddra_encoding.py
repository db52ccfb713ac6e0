"""Which one encoding the files of a MedDRA distribution are in, and which lines are in another.

UTF-8 is known by its form. Of the older encodings, the one is taken in which the lines read most naturally, as bytes of
one are often valid in another. Fields and what they mean are left to `meddra_tables`.
"""

from __future__ import annotations

import codecs
import functools
import re
from collections.abc import Mapping
from typing import Final

from meddra_coder.dictionary.meddra_tables import Findings

UTF_8: Final = "utf-8"
OLDER: Final = ("gb18030", "shift-jis", "windows-1252", "latin-1")
"""By name as it is told, in the order that decides where two read as naturally."""

_CODECS: Final = {"shift-jis": "cp932", "windows-1252": "cp1252"}
_TOLD: Final = "UTF-8, GB18030, Shift-JIS or Windows-1252, and one for all files"
_SAMPLE: Final = 2_000
_MARGIN: Final = 0.5
"""How much more naturally a line must read in another encoding to be taken as in that one."""

_WESTERN: Final = ("windows-1252", "latin-1")
_UNBROKEN: Final = re.compile(rb"[\x80-\xff]{4}")
"""So many letters with accents never stand side by side; two Chinese ones do."""

_BARE_CR: Final = re.compile(rb"\r(?!\n)")


def decoded(raws: Mapping[str, bytes], findings: Findings) -> tuple[str, dict[str, str]]:
    """The encoding, and the text of each file with line feeds as line ends. Raises DistributionRefused."""
    for file, raw in raws.items():
        if found := _BARE_CR.search(raw):
            line = _line(raw, found.start())
            findings.tell(file, line, "a carriage return without line feed", "CR LF or LF at the end of a line")
        if b"\0" in raw:
            findings.tell(file, _line(raw, raw.index(b"\0")), "a byte 0, as UTF-16 has it", _TOLD)
    findings.refuse_if_any()
    raws = {file: raw.removeprefix(codecs.BOM_UTF8) for file, raw in raws.items()}
    encoding = _encoding(raws, findings)
    findings.refuse_if_any()
    codec = _CODECS.get(encoding, encoding)
    return encoding, {file: raw.decode(codec).replace("\r\n", "\n") for file, raw in raws.items()}


def _encoding(raws: Mapping[str, bytes], findings: Findings) -> str:
    foreign = {file: raw for file, raw in raws.items() if not raw.isascii()}
    if all(_text(raw, UTF_8) is not None for raw in foreign.values()):
        return UTF_8
    lines = [
        (file, number, line)
        for file, raw in foreign.items()
        for number, line in enumerate(raw.split(b"\n"), 1)
        if not line.isascii()
    ]
    older = [line for _, _, line in lines if _text(line, UTF_8) is None]
    if len(lines) - len(older) > len(older):
        encoding = UTF_8
    else:
        sample = older[:: len(older) // _SAMPLE + 1]
        encoding = max(OLDER, key=lambda one: sum(_naturalness(line, one) or 0.0 for line in sample))
    told: set[str] = set()
    for file, number, line in lines:
        if file not in told and _is_stranger(line, encoding):
            told.add(file)
            findings.tell(file, number, f"mixed encodings: not {encoding}, as most lines are", _TOLD)
    return encoding


def _is_stranger(line: bytes, encoding: str) -> bool:
    natural = _naturalness(line, encoding)
    if encoding == UTF_8 or natural is None:
        return natural is None
    others = (_naturalness(line, one) or 0.0 for one in (UTF_8, *OLDER) if one != encoding)
    return natural < 1 and max(others) - natural >= _MARGIN


def _naturalness(line: bytes, encoding: str) -> float | None:
    """From 0 to 1, how much of what is beyond ASCII is what such texts are made of. None: not this encoding at all."""
    text = _text(line, encoding)
    if text is None:
        return None
    if encoding in _WESTERN and _UNBROKEN.search(line):
        return 0.0
    usual, rarer = _usual(encoding)
    if usual.issuperset(text):
        return 1.0
    beyond = [letter for letter in text if not letter.isascii()]
    return sum(1.0 if letter in usual else 0.6 if letter in rarer else 0.0 for letter in beyond) / len(beyond)


def _text(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(_CODECS.get(encoding, encoding))
    except UnicodeDecodeError:
        return None


@functools.cache
def _usual(encoding: str) -> tuple[frozenset[str], frozenset[str]]:
    """The letters that texts in an encoding are made of, ASCII with them, and those that are rarer."""
    ascii_letters = map(chr, range(0x80))
    if encoding == "gb18030":
        return frozenset().union(ascii_letters, _pairs("gb2312", range(0xA1, 0xF8))), frozenset()
    if encoding == "shift-jis":
        usual = frozenset().union(ascii_letters, _pairs("cp932", range(0x81, 0x99)))
        return usual, frozenset(_pairs("cp932", range(0x99, 0xEB))) - usual
    if encoding == UTF_8:
        east_asian = map(chr, range(0x3000, 0xD7A4))
        return frozenset().union(east_asian, *(_usual(one)[0] for one in OLDER)), frozenset()
    # A with circumflex or tilde is how the first byte of two in UTF-8 reads here, and hardly ever a letter.
    western = {chr(code) for code in range(0xC0, 0x180)} - set("ÂÃ×÷")
    return frozenset().union(ascii_letters, western, "°±²³µ·×®–—‘’“”…™\N{NO-BREAK SPACE}"), frozenset()


def _pairs(codec: str, leads: range) -> str:
    """Every letter that stands in two bytes, the first of them one of these."""
    pairs = (bytes((lead, trail)) for lead in leads for trail in range(0x40, 0x100))
    return "".join(text for pair in pairs if len(text := _text(pair, codec) or "") == 1)


def _line(raw: bytes, at: int) -> int:
    return raw.count(b"\n", 0, at) + 1
