"""What is said of one event once all rules have looked at it."""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.domain import dlt
from tocsin.domain.known import Finding


@dataclass(frozen=True, slots=True)
class EventAssessment:
    """One event, judged. `is_susar` and `fatal_lt` are what the clocks go by."""

    event_id: str
    serious: Finding
    fatal: Finding
    life_threatening: Finding
    suspected: Finding
    unexpected: Finding
    special_interest: tuple[str, ...]
    dlt: dlt.Verdict
    special_interest_is_provisional: bool = False
    rsi_version: str = ""

    @property
    def is_susar(self) -> bool:
        return bool(self.serious) and bool(self.suspected) and bool(self.unexpected)

    @property
    def is_fatal_or_life_threatening(self) -> bool:
        return bool(self.fatal) or bool(self.life_threatening)
