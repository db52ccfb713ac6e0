"""One event of a report as the rules on contradictions look at it, and what such a rule finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from tocsin.domain.calendars import Partial, Span
from tocsin.domain.words import Outcome
from tocsin.messages.facts import EventFacts

SKEW: Final = timedelta(minutes=5)
"""How far a hospital's clock may be ahead of ours before a time counts as lying in the future."""


@dataclass(frozen=True, slots=True)
class Look:
    """One event with what its dates are read against. `names` are the refs of all events of the report."""

    event: EventFacts
    zone: ZoneInfo
    received_at: datetime
    names: frozenset[str]
    own_names: frozenset[str]

    def span(self, text: str | None) -> Span | None:
        return None if text is None else _span(text, self.zone)

    def is_future(self, text: str | None) -> bool:
        """Later than the receipt, whatever it leaves open."""
        span = self.span(text)
        return span is not None and span.earliest > self.received_at + SKEW

    def before(self, first: str | None, second: str | None) -> bool:
        """The first is earlier than the second, whatever they leave open."""
        one, two = self.span(first), self.span(second)
        return one is not None and two is not None and one.latest < two.earliest

    def grades(self) -> list[int]:
        """Every grade that the event states anywhere."""
        stated = [] if self.event.grade is None else [self.event.grade.ctcae, self.event.grade.astct]
        return [g for g in stated if g is not None] + [step.grade for step in self.event.course]

    def has_died(self) -> bool:
        return self.event.outcome is Outcome.FATAL or 5 in self.grades()


@lru_cache(maxsize=4096)  # Several rules ask of the same date.
def _span(text: str, zone: ZoneInfo) -> Span | None:
    return Partial.parse(text).span(zone)


@dataclass(frozen=True, slots=True)
class Found:
    """A contradiction at `at` (a pointer within the event)."""

    at: str
    problem: str
    read_as: str
