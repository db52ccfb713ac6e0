"""Every decision of a person on the log and in the audit trail, with all that a rebuild needs to keep it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from meddra_coder import casebook
from tocsin.messages.bodies import DecisionRecordedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.store import audit, outbox

TOPIC: Final = "decisions.recorded.v1"
CODED: Final = "event coded by a person"
UNDONE: Final = "coding by a person undone"
PROPOSED: Final = "coding proposed"
APPROVED: Final = "proposed coding approved"
REFUSED: Final = "proposed coding refused"
SYNONYM: Final = "word on a synonym"
HELD: Final = "word on a held phrase"
DICTIONARY: Final = "dictionary chosen"
ASKED: Final = "site asked about an event"
ALL_STUDIES: Final = "all"
"""What stands as the study of a decision that holds for all of them."""

Detail = Mapping[str, str | int | float | bool | list[str] | None]


@dataclass(frozen=True, slots=True)
class Decided:
    """What somebody decided. `about` names the event or the phrase; `detail` is what a rebuild keeps it by."""

    decision_id: UUID
    what: str
    about: str
    study: str
    by: str
    at: datetime
    reason: str
    detail: Detail
    case_id: str | None = None


def record(tx: Connection, decided: Decided, *, did: str, before: object = None, after: object = None) -> None:
    """Say the decision, and add it to the audit trail; `did`, `before` and `after` are for the trail."""
    outbox.put(
        tx,
        Envelope(
            id=identity(TOPIC, str(decided.decision_id)),
            type=TOPIC,
            key=decided.case_id or decided.study,
            source=casebook.SOURCE,
            study=decided.study,
            occurred_at=decided.at,
            recorded_at=decided.at,
            body=DecisionRecordedV1(
                decision_id=str(decided.decision_id),
                case_id=decided.case_id,
                study=decided.study,
                what=decided.what,
                by=decided.by,
                at=decided.at,
                about=decided.about,
                reason=decided.reason,
                detail=dict(decided.detail),
            ),
        ),
    )
    audit.append(
        tx,
        at=decided.at,
        who=decided.by,
        did=did,
        about=f"case {decided.case_id}" if decided.case_id else decided.about,
        study=None if decided.study == ALL_STUDIES else decided.study,
        before=before,
        after=after,
        reason=decided.reason,
    )
