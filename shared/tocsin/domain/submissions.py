"""What was sent to whom about an event, and what the other side said: facts that clocks are met by.

A submission counts from the instant it was sent until it is rejected. Which clocks it meets is in `clock_life`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SubmissionKind(StrEnum):
    """What was sent. A nullification takes back what was sent before (E2B(R3) C.1.11)."""

    INITIAL = "initial"
    FOLLOW_UP = "follow_up"
    NULLIFICATION = "nullification"


@dataclass(frozen=True, slots=True)
class Submission:
    """One report as it was sent. `sent_at` and `rejected_at` are aware, UTC; `event_ids` are all it tells of.

    `recipient` is the recipient of a rule, or one of those who get copies.
    """

    id: str
    sent_at: datetime
    kind: SubmissionKind
    recipient: str
    event_ids: frozenset[str]
    reference: str
    by: str
    rejected_at: datetime | None = None
    rejected_because: str = ""
