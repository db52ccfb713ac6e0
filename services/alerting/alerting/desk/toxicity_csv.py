"""The toxicity table as CSV: the rows of the page, or every event with what became of it.

A cell that a spreadsheet would run as a formula gets a leading apostrophe; the file begins with a byte order mark, by
which spreadsheets know UTF-8.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

from alerting.desk import toxicity_words
from tocsin.domain.toxicity import Choice, Counted, LeftOut, ToxicityEvent
from tocsin.domain.toxicity_table import GRADES, Row, Toxicity
from tocsin.domain.words import Scale

Cell = str | int | None

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9._-]+")


def file_name(study: str, day: str, what: str = "") -> str:
    """The name under which it is saved: "toxicity-NCT06223646-2026-05-14.csv"."""
    return f"toxicity{what}-{_NOT_IN_NAMES.sub('_', study)}-{day}.csv"


def of_rows(found: Toxicity, about: Sequence[tuple[str, str]]) -> bytes:
    """The rows of the table, the total last. `about`: columns that say of every row what was asked for."""
    of_level = [*(f"grade {grade}" for grade in GRADES), "not graded", "any", "treated"]
    heads = [
        *(name for name, _ in about), "System organ class", "Preferred term", "Coded",
        *(f"{level} {name}" for level in found.levels for name in of_level),
        "All grade 3 or more", "All any", "All treated",
    ]  # fmt: skip
    rows = [*found.rows, found.total]
    return _written(heads, ([*(value for _, value in about), *_row(row, found)] for row in rows))


def of_events(found: Toxicity, about: Sequence[tuple[str, str]]) -> bytes:
    """Every event: those that count with their grade and what was assumed, the others with why they do not."""
    heads = [
        *(name for name, _ in about), "Case", "Event", "Subject", "Level", "System organ class", "Preferred term",
        "Verbatim", "Counts", "Grade counted", *toxicity_words.SCALES.values(), "Onset", "First study day",
        "Last study day of onset", "Study day of end", "Serious", "Related", "Why not counted", "Assumed",
    ]  # fmt: skip
    rows = [*(_counted(one) for one in found.counted), *(_left_out(one) for one in found.left_out)]
    return _written(heads, ([*(value for _, value in about), *row] for row in rows))


def about(study: str, as_of: str, choice: Choice) -> list[tuple[str, str]]:
    """What stands in the first columns."""
    return [
        ("Study", study), ("As of", as_of), ("Period", toxicity_words.period(choice)),
        ("Related only", "yes" if choice.related_only else "no"),
        ("Serious only", "yes" if choice.serious_only else "no"),
    ]  # fmt: skip


def safe(cell: Cell) -> str | int:
    """A cell that no spreadsheet takes for a formula. A number is a number, also a negative one."""
    if not isinstance(cell, str):
        return "" if cell is None else cell
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _row(row: Row, found: Toxicity) -> list[Cell]:
    cells: list[Cell] = [row.soc, row.term, "yes" if row.is_coded else "no"]
    for tally, treated in zip(row.levels, found.treated, strict=True):
        cells += [*(len(subjects) for subjects in tally.by_grade), len(tally.unknown), tally.any, treated]
    return [*cells, row.severe, row.any, found.all_treated]


def _counted(one: Counted) -> list[Cell]:
    said = "; ".join(toxicity_words.ASSUMED[assumed] for assumed in one.assumed)
    return _event(one.event, one.level, "yes", one.grade, "", said)


def _left_out(one: LeftOut) -> list[Cell]:
    return _event(one.event, "", "no", None, toxicity_words.WHY[one.why], "")


def _event(event: ToxicityEvent, level: str, counts: str, grade: int | None, why: str, assumed: str) -> list[Cell]:
    return [
        event.case_id, event.event_id, event.subject, level, event.soc, event.term, event.verbatim, counts, grade,
        *(_grade(event, scale) for scale in toxicity_words.SCALES), event.began, event.onset.first, event.onset.last,
        event.ends, toxicity_words.answer(event.serious), toxicity_words.answer(event.related), why, assumed,
    ]  # fmt: skip


def _grade(event: ToxicityEvent, scale: Scale) -> Cell:
    own = next((one for one in event.grades if one.scale is scale), None)
    if own is None:
        return None
    return own.most if own.least == own.most else f"{own.least} to {own.most}"


def _written(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow([safe(head) for head in heads])
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return lines.getvalue().encode("utf-8-sig")
