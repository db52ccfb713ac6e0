"""When people did something about a case last: decided, signed, sent a report. Acknowledging is no deed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from alerting.tables import dlt_decisions, duplicates, signed, submissions, verdicts


def last_about(tx: Connection, case_id: str) -> datetime | None:
    """The last of them; None when nothing was done yet."""
    its_verdicts = select(verdicts.c.id).where(verdicts.c.case_id == case_id)
    of_either = or_(duplicates.c.case_id == case_id, duplicates.c.other_case_id == case_id)
    asked = (
        select(func.max(signed.c.asked_at)).where(signed.c.case_id == case_id),
        select(func.max(submissions.c.entered_at)).where(submissions.c.case_id == case_id),
        select(func.max(submissions.c.answer_entered_at)).where(submissions.c.case_id == case_id),
        select(func.max(duplicates.c.decided_at)).where(of_either),
        select(func.max(dlt_decisions.c.at)).where(dlt_decisions.c.verdict_id.in_(its_verdicts)),
    )
    found: list[datetime] = [at for one in asked if (at := tx.scalar(one)) is not None]
    return max(found, default=None)
