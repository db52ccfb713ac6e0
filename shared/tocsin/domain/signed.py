"""What people decided about a case and signed, as facts. What follows from them is in `clock_life`.

A decision of the sponsor never takes back what the investigator said (EU 536/2014 Annex III para 4); both stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tocsin.domain.case import Opinion
from tocsin.domain.known import Known
from tocsin.domain.words import Criterion


class Deed(StrEnum):
    """What was decided."""

    MEDICAL_REVIEW = "medical_review"
    DOWNGRADE = "downgrade"
    NULLIFICATION = "nullification"
    DUPLICATE = "duplicate"
    AWARENESS_OVERRIDE = "awareness_override"
    SIGNIFICANT = "significant"


@dataclass(frozen=True, slots=True)
class Signed:
    """One signed decision. `signed_at` is aware, UTC: of the last signature it needed.

    `event_ids` empty: every event of the case. `opinions` and `criteria` are the sponsor's own; `is_expected` its
    answer on expectedness. `aware_at` (an override's) is when the sponsor knew in truth. `revision` names the report
    an override or a word on significance is about. `other_case` is the case that stays, of two that tell of the same.
    `needs`: how many people had to sign when it was signed; None means as many as the study asks for now.
    """

    id: str
    deed: Deed
    signed_at: datetime
    by: tuple[str, ...]
    reason: str
    event_ids: frozenset[str] = frozenset()
    opinions: tuple[Opinion, ...] = ()
    criteria: frozenset[Criterion] = frozenset()
    is_expected: Known = Known.UNKNOWN
    aware_at: datetime | None = None
    revision: int | None = None
    other_case: str | None = None
    needs: int | None = None

    def is_about(self, event_id: str) -> bool:
        return not self.event_ids or event_id in self.event_ids


def people(deed: Signed) -> str:
    """Who signed."""
    return " and ".join(deed.by)
