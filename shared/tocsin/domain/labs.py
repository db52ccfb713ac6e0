"""Laboratory values to grades, both directions, exactly where the criterion has its bounds.

Criteria arrive as data (`tocsin.criteria`); numbers are decimals, so that a value at a bound is judged at the bound.
Finding the analyte of a name and the baseline of a subject is left to others.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tocsin.domain.graded import Grading


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of one analyte. `analyte` is its id in the table of analytes, `unit` UCUM as in `units`.

    `lln` and `uln` are the laboratory's limits of normal for this value, in the same unit; None: not known.
    """

    analyte: str
    value: Decimal
    unit: str
    lln: Decimal | None = None
    uln: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LabGrades:
    """What one value is in each direction; None where the criteria have no term for that direction of the analyte."""

    low: Grading | None
    high: Grading | None
