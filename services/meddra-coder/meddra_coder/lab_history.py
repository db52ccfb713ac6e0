"""What the file says of a subject in other rows: the baseline of each test, and the albumin of each time.

The baseline is the row with LBBLFL=Y, else the last one before the first dose (LBDY below 1: SDTM has no day 0). Read
in a pass of its own before any row is graded. Memory grows with subjects and tests, not with rows, and has a limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from meddra_coder.lab_rows import BLFL, DTC, DY, SUBJECT, TESTCD, VISIT, Cells, Result, number, result_of
from meddra_coder.lab_tests import LabTest, LabTests
from tocsin.domain.measured import Measured
from tocsin.table_file import FileRefused

MOST_KEPT: Final = 500_000
"""Baselines and albumin values that are kept at once, some 0.8 kB each: 0.4 GB at most."""

NO_ROW: Final = "no row of this subject and test has LBBLFL=Y or an LBDY below 1"
UNREADABLE: Final = "the row that is the baseline has no exact number in a unit of the test"


@dataclass(frozen=True, slots=True)
class Albumin:
    """An albumin value in its unit; None: there are several that differ, or it is no exact number."""

    value: Decimal | None
    unit: str = ""


@dataclass(slots=True)
class _Candidate:
    rank: tuple[bool, Decimal, str]
    measured: Measured | None


_FIRST: Final = Decimal("-Infinity")


@dataclass(slots=True)
class History:
    """Baselines and albumin of one file. Ask after the whole file was told."""

    tests: LabTests
    most_kept: int = MOST_KEPT
    _baselines: dict[tuple[str, str, str], _Candidate] = field(default_factory=dict)
    _at_time: dict[tuple[str, str], Albumin] = field(default_factory=dict)
    _at_visit: dict[tuple[str, str], Albumin] = field(default_factory=dict)

    def tell(self, rows: Iterable[Cells]) -> None:
        """Take the rows in, in any portions. Raises FileRefused where it would be more than can be kept."""
        for cells in rows:
            test = self.tests.of(cells)
            if test.is_albumin:
                self._tell_albumin(cells, test)
            if test.asks_baseline and cells[SUBJECT]:
                self._tell_baseline(cells, test)
        kept = len(self._baselines) + len(self._at_time) + len(self._at_visit)
        if kept > self.most_kept:
            raise FileRefused(
                f"the file has more than {self.most_kept:,} baselines and albumin values",
                "split it by subjects, so that each part has all rows of its subjects",
            )

    def baseline(self, cells: Cells, test: LabTest) -> Measured | str:
        """The baseline of a row's subject and test, or why there is none."""
        found = self._baselines.get(_key(cells, test))
        if found is None:
            return NO_ROW
        return found.measured if found.measured is not None else UNREADABLE

    def albumin(self, cells: Cells) -> Albumin | None:
        """The albumin of the same subject and the same LBDTC, else of the same VISITNUM; None where there is none."""
        subject = cells[SUBJECT]
        if not subject:
            return None
        found = self._at_time.get((subject, cells[DTC])) if cells[DTC] else None
        if found is None and cells[VISIT]:
            found = self._at_visit.get((subject, cells[VISIT]))
        return found

    def _tell_albumin(self, cells: Cells, test: LabTest) -> None:
        assert test.analyte is not None
        result = result_of(cells, test.analyte.factors)
        if not isinstance(result, Result):
            return
        albumin = Albumin(None if result.bound else result.value, result.unit)
        for kept, when in ((self._at_time, cells[DTC]), (self._at_visit, cells[VISIT])):
            if when and cells[SUBJECT]:
                same = kept.setdefault((cells[SUBJECT], when), albumin)
                if same != albumin:
                    kept[cells[SUBJECT], when] = Albumin(None)

    def _tell_baseline(self, cells: Cells, test: LabTest) -> None:
        is_flagged = cells[BLFL].upper() == "Y"
        day = number(cells[DY])
        if not is_flagged and (day is None or day >= 1):
            return
        rank = (is_flagged, _FIRST if day is None else day, cells[DTC])
        key = _key(cells, test)
        before = self._baselines.get(key)
        if before is not None and rank < before.rank:
            return
        assert test.judged is not None
        result = result_of(cells, test.judged.factors)
        if isinstance(result, Result):
            is_exact = not result.bound
            measured = Measured(test.judged.id, result.value, result.unit, result.lln, result.uln) if is_exact else None
        elif is_flagged:
            measured = None
        else:
            return  # a visit without a result is no baseline; the one before it is
        self._baselines[key] = _Candidate(rank, measured)


def _key(cells: Cells, test: LabTest) -> tuple[str, str, str]:
    return cells[SUBJECT], cells[TESTCD], test.judged.id if test.judged is not None else ""
