"""How sure a coding is: the share of right codes among those found in the same manner, as it was measured.

The figures come from `python -m bench.coding_scorecard --calibrate`, on the half of the sets that is kept for that; the
scorecard prints beside them what the other half gave. A manner that was right less often than `LEAST` is for a person.
A manner that was not measured often enough has no figure: a coding found so says none.
"""

from __future__ import annotations

from typing import Final

from meddra_coder.manner import Manner

MEASURED: Final[dict[Manner, float]] = {
    Manner.NORMALISED: 0.989,  # 89 of 89
    Manner.SYNONYM: 0.9981,  # 537 of 537
    Manner.WORDS: 0.9898,  # 96 of 96
    Manner.CIRCUMSTANCE: 0.9773,  # 42 of 42
    Manner.SPELLING: 0.9821,  # 54 of 54
    Manner.VALUE: 0.9857,  # 68 of 68
}
"""The probability of being right, by manner: (right + 1) / (coded + 2) over the calibrating half.

The other manners were found in fewer than thirty of its rows, and have no figure yet.
"""

LEAST: Final = 0.97
"""A coding that is less sure waits for a person."""


def confidence(manner: Manner) -> float | None:
    """The measured probability of being right; None where it was not measured."""
    return MEASURED.get(manner)
