"""How the events that count stand now: coded by the machine, decided by a person, or waiting; and what was seen last.

Of each case the newest revision counts, and of each event its newest coding. Nothing of a nullified case counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from meddra_coder import tables


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of events that count. `newest_at`: when the newest report was received; None before the first."""

    cases: int
    by_machine: int
    by_person: int
    waiting: int
    newest_at: datetime | None

    @property
    def events(self) -> int:
        return self.by_machine + self.by_person + self.waiting


def of_study(tx: Connection, study: str | None) -> Tally:
    """The numbers of one study, or of all."""
    its, seen = tables.codings.c, tables.revisions.c
    newest = select(seen.case_id, func.max(seen.revision).label("revision")).group_by(seen.case_id)
    if study is not None:
        newest = newest.where(seen.study == study)
    counting = newest.subquery()
    last = (
        select(func.max(its.seq).label("seq"))
        .join(counting, and_(counting.c.case_id == its.case_id, counting.c.revision == its.revision))
        .group_by(its.case_id, its.event_id)
        .subquery()
    )
    rows = tx.execute(
        select(its.case_id, its.event_id, its.status, seen.serious)
        .join(last, last.c.seq == its.seq)
        .join(tables.revisions, and_(seen.case_id == its.case_id, seen.revision == its.revision))
    ).all()
    states = [row.status for row in rows if row.serious is None or row.event_id in row.serious]
    came = select(func.max(seen.received_at)) if study is None else (
        select(func.max(seen.received_at)).where(seen.study == study)
    )  # fmt: skip
    return Tally(
        cases=tx.scalar(select(func.count()).select_from(counting)) or 0,
        by_machine=states.count("coded"),
        by_person=states.count("corrected"),
        waiting=states.count("needs_review"),
        newest_at=tx.scalar(came),
    )
