"""A grade found from an observation: what was measured, when, when we learnt of it, and the grade it makes.

It stands beside the grade that the site states and never takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from tocsin.domain.calendars import Partial, Span
from tocsin.domain.graded import Graded
from tocsin.domain.stretches import moments


@dataclass(frozen=True, slots=True)
class Derived:
    """One graded observation. `evidence` are the ids of the observations it rests on.

    `at` is when it was measured, as the site wrote it; `known_at` is the server's receipt, aware, UTC; `said` is what
    was measured, in words: "neutrophils 0.4 10*9/L".
    """

    grading: Graded
    at: Partial
    known_at: datetime
    evidence: tuple[str, ...]
    said: str

    @property
    def term(self) -> str:
        """What the values of one term share: its code, or its name where the scale gives it no code."""
        return self.grading.code or self.grading.term.casefold()

    @property
    def grade_said(self) -> str:
        """The grade in words: "grade 4", or "grade 2 to 4" where a fact is missing."""
        low, high = self.grading.lowest, self.grading.highest
        return f"grade {low}" if low == high else f"grade {low} to {high}"

    @property
    def scale_said(self) -> str:
        """The scale and its version in words: "CTCAE 5.0"."""
        return f"{self.grading.scale.upper().replace('_', '-')} {self.grading.edition}"

    def span(self, zone: tzinfo) -> Span | None:
        """When it was measured, as far as the site's words allow; None where they leave the year open."""
        return moments(self.at, zone)
