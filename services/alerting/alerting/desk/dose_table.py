"""A decision table for the page: where the design has one decision a cell, DLTs down and evaluable across.

Where one stands, where one would stand if no more DLTs came, and if one more came, is written into the cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from alerting.desk import dose_words

_OF_CELLS: Final = ["evaluable", "DLTs", "decision"]
HERE, NO_MORE, ONE_MORE = "you are here", "if no more DLTs", "if one more DLT"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One decision: its plain words, the design's own, its tone, and what is written below."""

    plain: str
    word: str
    tone: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows are (DLTs, cells); a cell that cannot be is None."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]
    parameters: Mapping[str, str]


def grid(level: Json) -> Grid | None:
    """The table of a level as a grid; None where the design has another shape of table, or none."""
    table = level["table"]
    if table is None or table["columns"][: len(_OF_CELLS)] != _OF_CELLS:
        return None
    words = {(int(row[0]), dlt): row[2] for row in table["rows"] for dlt in _numbers(row[1])}
    marks = _marks(level)
    evaluable = sorted({n for n, _ in words})
    return Grid(
        table["title"],
        tuple(str(n) for n in evaluable),
        tuple(
            (f"{dlt} or more" if is_last else str(dlt), tuple(_cell(words, marks, n, dlt, is_last) for n in evaluable))
            for dlt, is_last in _rows(words)
        ),
        table["parameters"],
    )


def _rows(words: Mapping[tuple[int, int], str]) -> list[tuple[int, bool]]:
    """Numbers of DLTs; from the first at which nothing differs any more they are one row."""
    most = max(dlt for _, dlt in words)
    last = next(
        dlt for dlt in range(most + 1)
        if all(words[n, more] == words[n, dlt] for n, more in words if more > dlt and (n, dlt) in words)
        and all((n, dlt) in words for n, more in words if more > dlt)
    )  # fmt: skip
    return [(dlt, dlt == last and last < most) for dlt in range(last + 1)]


def _marks(level: Json) -> dict[tuple[int, int], tuple[str, ...]]:
    here = (level["evaluable"], level["dlt"])
    pending = len(level["pending"])
    marks: dict[tuple[int, int], tuple[str, ...]] = {here: (HERE,)}
    if pending:
        for place, said in (((here[0] + pending, here[1]), NO_MORE), ((here[0] + 1, here[1] + 1), ONE_MORE)):
            marks[place] = (*marks.get(place, ()), said)
    return marks


def _cell(
    words: Mapping[tuple[int, int], str], marks: Mapping[tuple[int, int], tuple[str, ...]], n: int, dlt: int,
    is_last: bool,
) -> Cell | None:  # fmt: skip
    word = words.get((n, dlt))
    if word is None:
        return None
    of = [said for (at, many), said in marks.items() if at == n and (many == dlt or (is_last and many > dlt))]
    return Cell(dose_words.decision(word), word, dose_words.tone(word), tuple(one for said in of for one in said))


def _numbers(spans: str) -> list[int]:
    """The numbers that a cell names, such as "0-1, 3"; none for a dash."""
    found: list[int] = []
    for span in spans.split(", "):
        low, _, high = span.partition("-")
        if low:
            found += range(int(low), int(high or low) + 1)
    return found
