"""A grade found from facts: on which scale, what it is at least and at most, and why.

Every grader of this house answers with one of two things: `Graded`, or `NotGradable` with the reason. A fact that is
not known widens the answer instead of being guessed, and what cannot be graded is never grade 0. Which grade counts
for what is the study's to say; grades of two scales stand side by side and are never merged.
"""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.domain.words import Scale

ASTCT = "2019"
"""The consensus grading of CRS and ICANS (Lee 2019, rules.md 3.2 and 3.4)."""

IEC_HS = "2023"
"""The grading of IEC-HS (Hines 2023, rules.md 3.5)."""

ICAHT = "2023"
"""The grading of haematotoxicity (EHA/EBMT, Rejeski 2023, rules.md 3.6)."""


@dataclass(frozen=True, slots=True)
class Graded:
    """A grade from 0 to 5. `lowest` and `highest` are one where the facts settle it; 0 means that none is reached.

    `edition` is the version of the scale ("5.0", "6.0", "2019"). `term` is as the scale spells it, `code` its MedDRA
    code where it has one. `reasons` explain the grade in whole sentences; `missing` are the facts that would settle
    it.
    """

    scale: Scale
    edition: str
    term: str
    code: str | None
    lowest: int
    highest: int
    reasons: tuple[str, ...]
    missing: tuple[str, ...] = ()

    @property
    def grade(self) -> int | None:
        """The grade; None where the facts leave several."""
        return self.lowest if self.lowest == self.highest else None


@dataclass(frozen=True, slots=True)
class NotGradable:
    """No grade can be given, and why: "no unit given", "the upper limit of normal is not known"."""

    scale: Scale
    edition: str
    term: str
    code: str | None
    because: str


Grading = Graded | NotGradable
