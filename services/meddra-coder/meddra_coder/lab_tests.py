"""Which test a row of laboratory data is of, and which terms of CTCAE judge it: asked once for each naming.

Urine is never judged as blood: the specimen (`lab_specimen`) is told to the table of analytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meddra_coder.lab_rows import CAT, FAST, LOINC, SCAT, SPEC, TEST, TESTCD, Cells, Lack
from meddra_coder.lab_specimen import specimen
from tocsin.criteria import find_analyte
from tocsin.domain.bands import Analyte, Band, Baseline, Condition, Criterion, Direction, LabCriteria
from tocsin.domain.known import Known

NAMED_BY: Final = (TESTCD, TEST, CAT, SCAT, SPEC, LOINC, FAST)
"""The variables on which the test of a row depends."""

_FASTED: Final = {"Y": Known.YES, "N": Known.NO}
_MOST_NAMINGS: Final = 20_000
"""A study has some hundreds. More are forgotten and asked again, so that a hostile file cannot fill the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class LabTest:
    """One test as a row names it. `analyte` is what was measured, `judged` what the criteria judge in its place.

    `bands` are all that may judge it, in both directions and in all units. `lack` says why no row of this test can be
    graded; None where it can.
    """

    analyte: Analyte | None = None
    judged: Analyte | None = None
    low: Criterion | None = None
    high: Criterion | None = None
    bands: tuple[Band, ...] = ()
    fasting: Known = Known.UNKNOWN
    lack: Lack | None = None
    is_albumin: bool = False
    needs_albumin: bool = False
    asks_baseline: bool = False


class LabTests:
    """Finds the test of a row. `criteria` are those of one edition of CTCAE."""

    def __init__(self, criteria: LabCriteria) -> None:
        self.criteria = criteria
        self._found: dict[tuple[str, ...], LabTest] = {}

    def of(self, cells: Cells) -> LabTest:
        """The test of a row of trimmed cells."""
        naming = tuple([cells[place] for place in NAMED_BY])
        found = self._found.get(naming)
        if found is None:
            if len(self._found) >= _MOST_NAMINGS:
                self._found.clear()
            found = self._found[naming] = self._find(cells)
        return found

    def _find(self, cells: Cells) -> LabTest:
        fasting = _FASTED.get(cells[FAST].upper(), Known.UNKNOWN)
        what = specimen(cells)
        loinc = cells[LOINC] or None
        # The name is asked only where the code is not known: a code that is known and means two things stays open.
        analyte = find_analyte(test=cells[TESTCD], loinc=loinc, specimen=what) or (
            find_analyte(test=cells[TEST], loinc=loinc, specimen=what) if cells[TEST] else None
        )
        if analyte is None:
            return LabTest(lack=Lack.UNKNOWN_TEST)
        judged = self.criteria.analytes[analyte.judged_as or analyte.id]
        low, high = (self.criteria.main(judged.id, direction) for direction in (Direction.LOW, Direction.HIGH))
        bands = tuple(
            band for criterion in (low, high) if criterion for band in criterion.bands if band.analyte == judged.id
        )
        return LabTest(
            analyte=analyte,
            judged=judged,
            low=low,
            high=high,
            bands=bands,
            fasting=fasting,
            lack=Lack.NO_CRITERION if low is None and high is None else None,
            is_albumin=analyte.id == "albumin",
            needs_albumin=analyte.judged_as is not None,
            asks_baseline=any(map(_asks_baseline, bands)),
        )


def _asks_baseline(band: Band) -> bool:
    return (
        band.baseline is not Baseline.ANY
        or any(bound.basis.of_baseline for bound in band.bounds)
        or any(condition is Condition.NO_BASELINE_EXISTS for condition, _ in band.needs)
    )
