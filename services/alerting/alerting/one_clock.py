"""One clock whole, as people and programs read it: what was sent for it, and to whom a copy is still owed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, or_, select

from alerting import board
from alerting.instants import text
from alerting.parts import Parts
from alerting.standing import Standing, standing_of
from alerting.submission_answers import REJECTED
from alerting.tables import clocks, submissions
from tocsin.domain.clock_life import ClockLife
from tocsin.domain.clocks import Duty
from tocsin.errors import NotFound


def whole(tx: Connection, parts: Parts, clock_id: UUID) -> dict[str, Any]:
    """The clock as the list shows it, with `submissions` and `distribution`; NotFound."""
    row = tx.execute(select(clocks.c.study, clocks.c.case_id).where(clocks.c.id == clock_id)).one_or_none()
    if row is None:
        raise NotFound("there is no such clock")
    return all_whole(tx, parts, board.clocks_like(tx, clock_id=clock_id), row.study, row.case_id)[0]


def all_whole(
    tx: Connection, parts: Parts, shown: Sequence[dict[str, Any]], study: str, case_id: str
) -> list[dict[str, Any]]:  # fmt: skip
    """These clocks of one case, as the list shows them, each with its submissions and its distribution."""
    stands = standing_of(tx, parts, study, case_id)
    lives = stands.lives()
    return [_whole(tx, one, stands, lives.get(UUID(one["clock_id"]))) for one in shown]


def _whole(tx: Connection, shown: dict[str, Any], stands: Standing, life: ClockLife | None) -> dict[str, Any]:
    sent = of_clock(tx, UUID(shown["clock_id"]), life)
    return {
        **shown,
        "duty": None if life is None else life.duty.value,
        "outstanding": [] if life is None else list(life.outstanding),
        "submissions": [shown_submission(one) for one in sent],
        "distribution": [] if life is None else _distribution(stands, life, sent),
    }


def of_clock(tx: Connection, clock_id: UUID, life: ClockLife | None) -> list[Row[Any]]:
    """What was entered at this clock, and what was entered at another and counts for it; oldest first."""
    counting = [] if life is None else [UUID(one) for one in life.submissions]
    query = select(submissions).where(or_(submissions.c.clock_id == clock_id, submissions.c.id.in_(counting)))
    return list(tx.execute(query.order_by(submissions.c.sent_at, submissions.c.recipient, submissions.c.id)))


def shown_submission(row: Row[Any]) -> dict[str, Any]:
    """One submission as it is kept, and what the other side said to it."""
    answered = None
    if row.answer is not None:
        answered = {
            "outcome": row.answer, "at": text(row.answered_at), "reference": row.answer_reference,
            "reason": row.answer_reason, "signed_by": row.signed_by, "entered_by": row.answer_entered_by,
            "entered_at": text(row.answer_entered_at),
        }  # fmt: skip
    return {
        "submission_id": str(row.id),
        "clock_id": str(row.clock_id),
        "at": text(row.sent_at),
        "kind": row.kind,
        "recipient": row.recipient,
        "reference": row.reference,
        "events": row.event_ids,
        "version": row.revision,
        "entered_by": row.entered_by,
        "entered_at": text(row.entered_at),
        "acknowledgement": answered,
    }


def _distribution(stands: Standing, life: ClockLife, sent: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """Who gets a copy, one by one: which version went out when, received and signed by whom, and who still waits."""
    if life.duty is not Duty.COPIES:
        return []
    own = life.clock.recipient.casefold()
    counting = [row for row in sent if str(row.id) in life.submissions and row.answer != REJECTED]
    found = []
    for one in stands.protocol.copies_to:
        got = next((row for row in counting if row.recipient.casefold() in (one.name.casefold(), own)), None)
        found.append(
            {
                "recipient": one.name,
                "kind": one.kind.value,
                "site": one.site,
                "submission_id": None if got is None else str(got.id),
                "version": None if got is None else got.revision,
                "sent_at": None if got is None else text(got.sent_at),
                "reference": None if got is None else got.reference,
                "acknowledged_at": None if got is None else text(got.answered_at),
                "signed_by": None if got is None else got.signed_by,
                "outstanding": one.name in life.outstanding,
            }
        )
    return found
