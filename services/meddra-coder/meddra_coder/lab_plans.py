"""The cells in which laboratory values lie, found by numpy: on which side of every form a row is.

One plan is for rows of one test in one unit with the same numbers known. It remembers the answer of each cell that was
met; who gives the answer is `lab_columns`. A row near a form is in no cell, because floats cannot tell its side.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from meddra_coder.lab_forms import Form, Number, forms_of
from meddra_coder.lab_grades import Answer
from meddra_coder.lab_tests import LabTest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROOM: Final = 1e-9
"""How near a row may be to a form before floats are not believed, as a part of what is compared."""

_MOST_CELLS: Final = 10_000
"""Answers that one plan keeps; the criteria make some dozens."""


@dataclass(slots=True)
class Plan:
    """The weights of the forms, a column for each; the same without their signs; and the answers by cell."""

    weights: Floats
    sizes: Floats
    answers: dict[bytes, Answer] = field(default_factory=dict)

    def cells(self, rows: Floats) -> list[bytes | None]:
        """The cell of each row of numbers (a column for each `Number`, 0 where not known); None: near a form."""
        import numpy as np

        sides = rows @ self.weights
        is_near: list[bool] = np.any(np.abs(sides) <= ROOM * (np.abs(rows) @ self.sizes), axis=1).tolist()
        packed = np.packbits(sides > 0, axis=1)
        width, whole = packed.shape[1], packed.tobytes()
        return [None if near else whole[at * width : (at + 1) * width] for at, near in enumerate(is_near)]

    def keep(self, cell: bytes, answer: Answer) -> Answer:
        """Remember the answer of a cell, and give it back."""
        if len(self.answers) < _MOST_CELLS:
            self.answers[cell] = answer
        return answer


def plan_of(test: LabTest, unit: str, is_known: Any) -> Plan:
    """The plan of both directions of a test. `is_known` says of each `Number` whether the rows have it."""
    import numpy as np

    assert test.judged is not None
    known = frozenset(each for each in Number if is_known[each])
    forms: set[Form] = set()
    for criterion in (test.low, test.high):
        bands = [band for band in criterion.bands if band.analyte == test.judged.id] if criterion else []
        forms |= forms_of(bands, test.judged, unit, known)
    weights = np.array([[float(weight) for weight in form] for form in sorted(forms)]).reshape(-1, len(Number)).T
    return Plan(weights, np.abs(weights))
