"""One laboratory value as it was sent."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


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
