"""A decision table as plain rows, and its text for people, with the place where one stands now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tocsin.domain.escalation.decision import Parameters


@dataclass(frozen=True, slots=True)
class Here:
    """Where one stands: how many had a DLT, of how many."""

    n: int
    dlt: int


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells below their columns. `here` is the row and the column that hold now, counted from 0."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    parameters: Parameters
    here: tuple[int, int] | None = None


def render(table: Table) -> str:
    """A table in plain text: the cell where one stands is in brackets, and its row says so."""
    marked = [list(row) for row in table.rows]
    if table.here is not None:
        row, column = table.here
        marked[row][column] = f"[{marked[row][column]}]"
    widths = [max(len(row[place]) for row in (table.columns, *marked)) for place in range(len(table.columns))]
    lines = [table.title, "", _line(table.columns, widths), _line(["-" * width for width in widths], widths)]
    for number, cells in enumerate(marked):
        is_here = table.here is not None and number == table.here[0]
        lines.append(_line(cells, widths) + ("  <- you are here" if is_here else ""))
    lines.extend(["", *(f"{name}: {value}" for name, value in table.parameters)])
    return "\n".join(line.rstrip() for line in lines)


def spans(numbers: Iterable[int]) -> str:
    """Whole numbers in ascending order as a person writes them: "0-2", "4", "0-1, 3"; "-" for none."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in found) or "-"


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
