"""NCI's own words of the criteria, where whoever runs this house has loaded them: kept by edition, read by term.

None of them is part of the project. An edition is replaced whole, or left as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
    return texts_of_terms(tx, edition, [code]).get(code, {})


def texts_of_terms(tx: Connection, edition: str, codes: Iterable[str]) -> dict[str, dict[int, str]]:
    """The same of several terms, by their codes. A term of which nothing was loaded is not in it."""
    its = criteria_texts.c
    rows = tx.execute(
        select(its.code, its.grade, its.text)
        .where(its.edition == edition, its.code.in_(sorted(set(codes))))
        .order_by(its.code, its.grade)
    )
    found: dict[str, dict[int, str]] = {}
    for row in rows:
        found.setdefault(row.code, {})[row.grade] = row.text
    return found
