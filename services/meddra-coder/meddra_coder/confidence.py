"""How sure a coding is: the share of right codes among those found in the same manner, as it was measured.

The figures come from `python -m bench.coding_scorecard --calibrate`, on the half of the sets that is kept for that; the
scorecard prints beside them what the other half gave. A manner that was right less often than `LEAST` is for a person.
A manner that was not measured yet has no figure: a coding found so says none.
"""

from __future__ import annotations

from typing import Final

from meddra_coder.manner import Manner

MEASURED: Final[dict[Manner, float]] = {}
"""The probability of being right, by manner. Empty: the sets are still to be written."""

LEAST: Final = 0.97
"""A coding that is less sure waits for a person."""


def confidence(manner: Manner) -> float | None:
    """The measured probability of being right; None where it was not measured."""
    return MEASURED.get(manner)
