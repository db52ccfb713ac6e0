"""A file of counts in, the same file with a dose design's decisions out: what stands behind `tocsin dose --file`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from standalone.dose_rows import ADDED, Design, Unread, cells
from tocsin.answered_file import Answer, Answered, Progress, answer_rows, places, shifted
from tocsin.domain.escalation import Impossible
from tocsin.table_file import Row, check_target, open_table


@dataclass(frozen=True, slots=True)
class Summary(Answered):
    """What became of a file: how many rows got which decision."""

    decisions: Mapping[str, int]

    @property
    def decided(self) -> int:
        return sum(self.decisions.values())


def dose_file(source: Path, out: Path, design: Design, progress: Progress) -> Summary:
    """Add the columns `ADDED` to every row of a CSV file, into another file, which appears whole or not at all.

    A row whose numbers cannot be gets no decision, and the reason says what is allowed. Raises FileRefused (with
    `exit_code` 1 or 2) when the file cannot be read as asked; nothing is written then.
    """
    check_target(out, source)
    table = open_table(source)
    stand = places(table, design.read, needed=design.read)
    decisions: Counter[str] = Counter()

    def decided_row(row: Row) -> Answer:
        if problem := shifted(row, table, "decided"):
            return Answer(("", problem), problem)
        try:
            decision = design.answer({name: row.cells[place] for name, place in stand.items()})
        except (Unread, Impossible) as wrong:
            return Answer(("", str(wrong)), str(wrong))
        decisions[decision.decision] += 1
        return Answer(cells(decision))

    whole = answer_rows(table, out, ADDED, decided_row, progress)
    return Summary(whole.rows, whole.findings, whole.renamed, dict(decisions.most_common()))
