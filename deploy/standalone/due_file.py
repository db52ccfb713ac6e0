"""A file of facts in, the same file with the clocks they start out: what stands behind `tocsin due --file`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from standalone.due_rows import ADDED, READ, Rules, Unread, answer, cells
from tocsin.answered_file import Answer, Answered, Progress, answer_rows, places, shifted
from tocsin.table_file import FileRefused, Row, check_target, open_table


@dataclass(frozen=True, slots=True)
class Summary(Answered):
    """What became of a file. `absent` are columns that were not there, so unknown."""

    with_clocks: int
    absent: tuple[str, ...]

    @property
    def without_clocks(self) -> int:
        return self.rows - self.with_clocks - len(self.findings)


def due_file(source: Path, out: Path, rules: Rules, progress: Progress) -> Summary:
    """Add the columns `ADDED` to every row of a CSV file, into another file, which appears whole or not at all.

    Encoding, line ends, order and all other cells stay. A row that cannot be read gets an `error` and no clock.
    Raises FileRefused (with `exit_code` 1 or 2) when the file cannot be read as asked; nothing is written then.
    """
    check_target(out, source)
    table = open_table(source)
    stand = places(table, READ, needed=())
    if not stand:
        raise FileRefused(
            f"{table.path}, line 1: none of the columns that are read is there",
            f"they are {', '.join(READ)}",
            exit_code=2,
        )
    with_clocks = 0

    def with_its_clocks(row: Row) -> Answer:
        nonlocal with_clocks
        if problem := shifted(row, table, "computed"):
            return Answer(("", "", problem), problem)
        try:
            facts, found = answer({name: row.cells[place] for name, place in stand.items()}, rules)
        except Unread as wrong:
            return Answer(("", "", str(wrong)), str(wrong))
        added = cells(facts, found, rules)
        with_clocks += bool(added[0])
        return Answer(added)

    whole = answer_rows(table, out, ADDED, with_its_clocks, progress)
    absent = tuple(name for name in READ if name not in stand)
    return Summary(whole.rows, whole.findings, whole.renamed, with_clocks, absent)
