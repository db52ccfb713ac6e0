"""Total calcium corrected for albumin: what the calcium bounds of CTCAE are written for.

About half of the calcium of serum is bound to albumin, so a low albumin lowers the total and not what works. CTCAE
asks for the corrected value and names no formula; this is the usual one (0.8 mg/dL for each g/dL that albumin is away
from 4.0 g/dL), and its form in SI units.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

# unit of calcium: (unit of albumin, its usual level, calcium for each unit that albumin is below it)
_FORMULAS: Final = {
    "mmol/L": ("g/L", Decimal(40), Decimal("0.02")),
    "mg/dL": ("g/dL", Decimal("4.0"), Decimal("0.8")),
}
_ALBUMIN_IN: Final = {
    ("g/L", "g/L"): Decimal(1),
    ("g/dL", "g/dL"): Decimal(1),
    ("g/L", "g/dL"): Decimal("0.1"),
    ("g/dL", "g/L"): Decimal(10),
}


def corrected_calcium(total: Decimal, unit: str, albumin: Decimal, albumin_unit: str) -> Decimal | None:
    """The corrected value in `unit` (mmol/L or mg/dL); None for another unit of calcium or of albumin (g/L, g/dL)."""
    if unit not in _FORMULAS:
        return None
    wanted, usual, each = _FORMULAS[unit]
    factor = _ALBUMIN_IN.get((albumin_unit, wanted))
    return None if factor is None else total + each * (usual - albumin * factor)
