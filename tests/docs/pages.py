"""The pages of the project as tests read them: their fenced blocks, links and headings.

A fenced block with a file's name beside its language (```` ```json report.json ````) is a file that the reader saves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"(?P<marks>`{3,}|~{3,})(?P<info>[^`]*)")
_HEADING = re.compile(r"(#{1,6}) +(.+?) *#*")
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<to>[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)(?:\s+\"[^\"]*\")?\)")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its language, the name beside it, the heading it stands under, its line and its text."""

    language: str
    name: str
    heading: str
    line: int
    text: str


def pages() -> list[Path]:
    """Every page a reader is led to: the README files, CONTRIBUTING, and all of docs."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    inner = [ROOT / "shared" / "README.md", *sorted((ROOT / "services").glob("*/README.md"))]
    return [path for path in [*top, *inner, *sorted((ROOT / "docs").rglob("*.md"))] if path.is_file()]


def named(path: Path) -> str:
    """A page as tests name it."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found, _ = _read(path)
    return found


def prose(path: Path) -> list[tuple[int, str]]:
    """The lines of a page that stand outside its fenced blocks, with their numbers."""
    _, lines = _read(path)
    return lines


def links(path: Path) -> Iterator[tuple[int, str]]:
    """Where the links of a page go to, with the line of each."""
    for number, line in prose(path):
        for found in _LINK.finditer(re.sub(r"`[^`]*`", lambda code: code[0].translate({91: 40, 93: 41}), line)):
            yield number, found["to"]


def anchors(path: Path) -> set[str]:
    """The places of a page that a link may name, as GitHub makes them out of headings."""
    found: dict[str, int] = {}
    for _, line in prose(path):
        if heading := _HEADING.fullmatch(line):
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[2]).replace("`", "")
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            count = found[slug] = found.get(slug, -1) + 1
            if count:
                found[f"{slug}-{count}"] = 0
    return set(found)


def _read(path: Path) -> tuple[list[Block], list[tuple[int, str]]]:
    found, outside = [], []
    heading, closing, info, begun = "", "", "", 0
    inside: list[str] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if closing:
            if line.strip() == closing:
                language, _, name = info.partition(" ")
                text = "".join(f"{one}\n" for one in inside)
                found.append(Block(language, name.strip(), heading, begun, text))
                closing, inside = "", []
            else:
                inside.append(line)
        elif fence := _FENCE.fullmatch(line.strip()):
            closing, info, begun = fence["marks"], fence["info"].strip(), number
        else:
            if title := _HEADING.fullmatch(line):
                heading = title[2]
            outside.append((number, line))
    assert not closing, f"{path}: the block of line {begun} is not closed"
    return found, outside
