"""NCI's own words of the criteria, where whoever runs this house has loaded them: kept by edition, read by term.

None of them is part of the project. An edition is replaced whole, or left as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select

from meddra_coder.tables import criteria_texts
from tocsin.criteria.workbook import Workbook
from tocsin.store import audit

DEFINITION: Final = 0
"""The "grade" under which a term's definition is kept."""

_STEP: Final = 500


def keep(
    tx: Connection,
    workbook: Workbook,
    at: datetime,
    *,
    who: str = "command line",
    tell: Callable[[int, int | None], None] = lambda done, of: None,
) -> int:
    """Put the texts of one edition in the place of those that were there. Answers how many texts are now kept."""
    its = criteria_texts.c.edition == workbook.edition
    before = tx.execute(select(func.count()).select_from(criteria_texts).where(its)).scalar_one()
    tx.execute(delete(criteria_texts).where(its))
    rows = [
        {
            "edition": workbook.edition,
            "code": row.code,
            "grade": grade,
            "term": row.term,
            "text": text,
            "loaded_at": at,
        }
        for row in workbook.rows
        for grade, text in ((DEFINITION, row.definition), *row.grades.items())
        if text
    ]
    for start in range(0, len(rows), _STEP):
        tx.execute(insert(criteria_texts), rows[start : start + _STEP])
        tell(min(start + _STEP, len(rows)), len(rows))
    audit.append(
        tx,
        at=at,
        who=who,
        did="official text loaded",
        about=f"CTCAE {workbook.edition}",
        before={"texts": before},
        after={"texts": len(rows)},
    )
    return len(rows)


def texts_of(tx: Connection, edition: str, code: str) -> dict[int, str]:
    """The official text of a term by grade, 0 for the definition; empty where the edition was not loaded."""
    found = tx.execute(
        select(criteria_texts.c.grade, criteria_texts.c.text)
        .where(criteria_texts.c.edition == edition, criteria_texts.c.code == code)
        .order_by(criteria_texts.c.grade)
    )
    return {row.grade: row.text for row in found}
