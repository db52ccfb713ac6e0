"""What is said of one event once all rules have looked at it."""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.domain import dlt
from tocsin.domain.clocks import Trigger
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

    @property
    def trigger(self) -> Trigger | None:
        """What this event sets going at an authority; None when nothing.

        A fatal or life-threatening reaction that was expected starts a clock only where an authority asks for it
        (Japan): elsewhere no rule has this trigger.
        """
        if not (self.serious and self.suspected):
            return None
        if self.unexpected:
            return Trigger.FATAL_LT_SUSAR if self.is_fatal_or_life_threatening else Trigger.OTHER_SUSAR
        return Trigger.EXPECTED_FATAL_LT if self.is_fatal_or_life_threatening else None

    @property
    def grounds(self) -> tuple[Finding, ...]:
        """The findings that `trigger` rests on, the class first where it is fatal or life-threatening."""
        by = (self.serious, self.suspected, self.unexpected)
        class_by = [finding for finding in (self.fatal, self.life_threatening) if finding]
        # The class is firm as soon as one of the two is.
        return (min(class_by, key=lambda finding: finding.is_provisional), *by) if class_by else by
