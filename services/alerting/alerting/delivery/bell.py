"""All that may leave the house about an alert: case number, kind, due date, answer-by time, a link. Nothing else.

Mail and webhooks are made from this type alone, so a patient's word, a term, a grade, a site or a trial has no field
to travel in (decision 0010). It is kept with its notice: a second try sends the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

HEARTBEAT = "heartbeat"
"""The kind of a notice that says that a heartbeat went the whole way."""
TEST = "contact_test"
"""The kind of a notice that only tries an address."""

_CASE = re.compile(r"TOC-\d{4,}")


@dataclass(frozen=True, slots=True)
class Due:
    """The soonest clock: `clock` in words ("7-day clock"), `on` a date in `zone`, `at` the instant."""

    clock: str
    is_provisional: bool
    on: date
    at: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "clock": self.clock,
            "is_provisional": self.is_provisional,
            "on": self.on.isoformat(),
            "at": self.at.isoformat(),
        }

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Due:
        return cls(
            kept["clock"],
            kept["is_provisional"],
            date.fromisoformat(kept["on"]),
            datetime.fromisoformat(kept["at"]),
        )


@dataclass(frozen=True, slots=True)
class Bell:
    """One notice as it leaves. `kind`, `words`, `level`, `reason` come from closed lists of ours, never from a report.

    `to` is "physician" for an alert, "site" for questions (`count` of them, `alert_id` none).
    """

    to: Literal["physician", "site"]
    alert_id: str | None
    case_id: str | None
    kind: str
    words: str
    level: str
    reason: str
    step: int
    due: Due | None
    answer_by: datetime | None
    zone: ZoneInfo
    link: str
    sent_at: datetime
    count: int = 1

    def as_json(self) -> dict[str, Any]:
        """The bell as it is kept."""
        return {
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "due": self.due.as_json() if self.due else None,
            "answer_by": self.answer_by.isoformat() if self.answer_by else None,
            "zone": self.zone.key,
            "sent_at": self.sent_at.isoformat(),
        }

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Bell:
        """The bell as it was kept."""
        return cls(
            **{
                **kept,
                "due": Due.of(kept["due"]) if kept["due"] else None,
                "answer_by": datetime.fromisoformat(kept["answer_by"]) if kept["answer_by"] else None,
                "zone": ZoneInfo(kept["zone"]),
                "sent_at": datetime.fromisoformat(kept["sent_at"]),
            }
        )


def case_number(case_id: str | None) -> str | None:
    """A case number of ours, or None: whatever else stands where one should be stays inside."""
    return case_id if case_id is not None and _CASE.fullmatch(case_id) else None
