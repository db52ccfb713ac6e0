"""What people did and what timers fired, put on the log, so that a rebuild knows it too.

Live, the deed and its message are one transaction, and the message coming back finds its own row. On a rebuild the
tables are empty: the row is kept, and whoever makes the alert it is about looks for it here (`about`), because the
two come by different topics and nothing may depend on their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from alerting.parts import NAME
from alerting.tables import decisions
from tocsin.messages.bodies import DecisionRecordedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.store import outbox
from tocsin.store.insert import insert_unless_there

TOPIC = "decisions.recorded.v1"
RUNG, ACKNOWLEDGED, FIRED = "notice_rung", "alert_acknowledged", "timer_fired"
HANDED_OVER, ALERT_CLOSED = "alert_handed_over", "alert_closed"
SUBMITTED, ANSWERED = "submission_entered", "submission_answered"
SIGNED, DUPLICATE = "decision_signed", "duplicate_decided"

# Made once: it runs for every message, and making a statement costs as much as running it.
_ABOUT = select(decisions.c.body).where(decisions.c.about == bindparam("thing")).order_by(decisions.c.at)


def record(
    tx: Connection, *, what: str, about: str, parts: Sequence[str], study: str, case_id: str | None, by: str,
    at: datetime, reason: str | None = None, detail: Mapping[str, Any] | None = None,
) -> bool:  # fmt: skip
    """Keep a deed and say it. `parts` name it among the deeds about the same thing; False when it is known already."""
    decision_id = identity("decision", what, about, *parts)
    body = DecisionRecordedV1(
        decision_id=str(decision_id), case_id=case_id, study=study, what=what, by=by, at=at, about=about,
        reason=reason, detail=dict(detail or {}),
    )  # fmt: skip
    return say(tx, body)


def say(tx: Connection, body: DecisionRecordedV1) -> bool:
    """Keep a deed and put it on the log; False when it is known already."""
    if not keep(tx, body):
        return False
    key = body.case_id or body.study
    outbox.put(tx, Envelope(UUID(body.decision_id), TOPIC, key, NAME, body.study, body.at, body.at, body))
    return True


def keep(tx: Connection, body: DecisionRecordedV1) -> bool:
    """Keep a deed as the log tells it; False when it is known already."""
    row = {
        "id": body.decision_id, "about": body.about, "what": body.what, "by": body.by, "at": body.at,
        "body": body.model_dump(mode="json"),
    }  # fmt: skip
    return tx.execute(insert_unless_there(decisions, tx.dialect.name), row).rowcount == 1


def about(tx: Connection, thing: str) -> list[DecisionRecordedV1]:
    """Every deed about one thing, oldest first."""
    rows = tx.scalars(_ABOUT, {"thing": thing})
    return [DecisionRecordedV1.model_validate(body) for body in rows]
