"""The rule for laboratory values in columns: many rows at once, and the same answers, always.

The answer to a value can change only where a comparison of the criteria turns, and each such place is a linear form
(`lab_forms`). On which side of every form a row is says in which cell of their arrangement it lies, and all rows of
one cell have one answer. So numpy finds the cells, and the rule itself (`lab_grades`) is asked once for each: no
number and no clause of the criteria is here a second time.

Floats settle no row that is near a form: it goes to the rule, and so does every row that is not plain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from meddra_coder.lab_forms import Number
from meddra_coder.lab_grades import Answer, LabGrader
from meddra_coder.lab_history import NO_ROW, Albumin
from meddra_coder.lab_plans import Plan, plan_of
from meddra_coder.lab_rows import (
    DTC,
    ORNRHI,
    ORNRLO,
    ORRES,
    ORRESU,
    READ,
    STAT,
    STNRHI,
    STNRLO,
    STRESC,
    STRESN,
    STRESU,
    SUBJECT,
    TESTCD,
    VISIT,
    number,
)
from meddra_coder.lab_tests import NAMED_BY, LabTest
from tocsin.domain import units
from tocsin.domain.corrected_calcium import corrected_calcium
from tocsin.domain.measured import Measured

_MOST_KEPT: Final = 200_000
"""Texts and baselines that are kept to be quick. A file with more is slower, not larger in memory."""

_STANDARD: Final = (STRESN, STRESC, STNRLO, STNRHI)
_ORIGINAL: Final = (ORRES, ORRES, ORNRLO, ORNRHI)
_KIND: Final = (*NAMED_BY, STAT, STRESU, ORRESU)
_NAN: Final = float("nan")
_NOTHING: Final = (_NAN, _NAN, _NAN)


@dataclass(slots=True)
class _Kind:
    """Rows that name the same test and the same units. `columns` hold the result; None: each goes to the rule."""

    test: LabTest
    constant: Answer | None = None
    unit: str = ""
    columns: tuple[int, int, int, int] | None = None
    asks_baseline: bool = False
    plans: dict[int, Plan] = field(default_factory=dict)


class LabColumns:
    """Grades rows by columns. `places` says where the variables of `READ` stand in a row, None for one that lacks."""

    def __init__(self, grader: LabGrader, places: Sequence[int | None]) -> None:
        self.grader = grader
        self.places = tuple(places)
        self.asked = 0
        """How many rows went to the rule."""
        self._numbers = _Numbers()
        self._kinds: dict[tuple[str, ...], _Kind] = {}
        self._baselines: dict[tuple[int, str], tuple[float, float, float, str | None, bool]] = {}

    def answers(self, rows: Sequence[Sequence[str]]) -> list[Answer]:
        """The answer to each row. Every row has as many cells as the header."""
        if not rows:
            return []
        self._forget()
        table = list(zip(*rows, strict=True))
        empty = ("",) * len(rows)
        columns = [empty if place is None else table[place] for place in self.places]
        groups: dict[tuple[str, ...], list[int]] = {}
        for place, naming in enumerate(zip(*(columns[named] for named in _KIND), strict=True)):
            if naming in groups:
                groups[naming].append(place)
            else:
                groups[naming] = [place]
        found: list[Answer | None] = [None] * len(rows)
        for naming, members in groups.items():
            kind = self._kinds.get(naming)
            if kind is None:
                kind = self._kinds[naming] = self._kind(naming)
            if kind.constant is not None:
                for place in members:
                    found[place] = kind.constant
            elif kind.columns is not None:
                self._settle(kind, members, columns, found)
        return [answer or self._ask(columns, place) for place, answer in enumerate(found)]

    def _ask(self, columns: Sequence[Sequence[str]], place: int) -> Answer:
        self.asked += 1
        return self.grader.answer([column[place].strip() for column in columns])

    def _kind(self, naming: tuple[str, ...]) -> _Kind:
        said = dict(zip(_KIND, map(str.strip, naming), strict=True))
        test = self.grader.tests.of([said.get(place, "") for place in range(len(READ))])
        constant = self.grader.ungradable(test)
        if constant is not None:
            return _Kind(test, constant)
        assert test.judged is not None
        if said[STAT].upper() == "NOT DONE":
            return _Kind(test)
        for columns, unit_said in ((_STANDARD, said[STRESU]), (_ORIGINAL, said[ORRESU])):
            unit = units.laboratory(unit_said)
            if unit is not None and unit in test.judged.factors:
                return _Kind(test, None, unit, columns, test.asks_baseline)
        return _Kind(test)

    def _settle(
        self, kind: _Kind, members: list[int], columns: Sequence[Sequence[str]], found: list[Answer | None]
    ) -> None:
        """Answer the rows of one kind that are plain and near no form; the others stay open."""
        import numpy as np

        assert kind.columns is not None
        first, second, low, high = (columns[place] for place in kind.columns)
        numbers = self._numbers
        row = np.zeros((len(members), len(Number)))
        row[:, Number.ONE] = 1
        row[:, Number.VALUE] = [numbers[first[place] or second[place]] for place in members]
        row[:, Number.LLN] = [numbers[low[place]] for place in members]
        row[:, Number.ULN] = [numbers[high[place]] for place in members]
        row[~(row[:, Number.ULN] > 0), Number.ULN] = _NAN  # as `result_of` reads it
        row[:, Number.BASELINE :] = _NAN
        is_plain = row[:, Number.VALUE] >= 0  # no number is not
        is_plain &= ~(row[:, Number.LLN] > row[:, Number.ULN])
        which = np.zeros(len(members), dtype=np.int64)
        if kind.test.needs_albumin:
            row[:, Number.VALUE] = self._corrected(kind, members, columns, first, second)
            is_plain &= ~np.isnan(row[:, Number.VALUE])
        elif kind.asks_baseline:
            subjects, testcd = columns[SUBJECT], columns[TESTCD][members[0]].strip()
            before = [self._baseline(kind, subjects[place].strip(), testcd) for place in members]
            row[:, Number.BASELINE :] = [one[:3] for one in before]
            which += [one[3] is NO_ROW for one in before]
            is_plain &= np.array([one[4] for one in before])
        is_known = ~np.isnan(row)
        which = which * 2 ** len(Number) + is_known @ (1 << np.arange(len(Number)))
        row[~is_known] = 0
        places = np.array(members)
        for pattern in np.unique(which[is_plain]).tolist():
            chosen = is_plain & (which == pattern)
            if pattern not in kind.plans:
                kind.plans[pattern] = plan_of(kind.test, kind.unit, is_known[chosen][0])
            plan = kind.plans[pattern]
            for place, cell in zip(places[chosen].tolist(), plan.cells(row[chosen]), strict=True):
                if cell is not None:
                    found[place] = plan.answers.get(cell) or plan.keep(cell, self._ask(columns, place))

    def _baseline(self, kind: _Kind, subject: str, testcd: str) -> tuple[float, float, float, str | None, bool]:
        """The baseline with its limits, why there is none, and whether it may be compared by columns."""
        key = id(kind), subject
        known = self._baselines.get(key)
        if known is None:
            cells = [""] * len(READ)
            cells[SUBJECT], cells[TESTCD] = subject, testcd
            baseline = self.grader.history.baseline(cells, kind.test)
            if isinstance(baseline, Measured):
                limits = (_float(baseline.lln), _float(baseline.uln))
                known = (float(baseline.value), *limits, None, baseline.unit == kind.unit)
            else:
                known = (*_NOTHING, baseline, True)
            self._baselines[key] = known
        return known

    def _corrected(
        self,
        kind: _Kind,
        members: list[int],
        columns: Sequence[Sequence[str]],
        first: Sequence[str],
        second: Sequence[str],
    ) -> list[float]:
        """Calcium corrected for albumin; no number where the rule must say why not."""
        found = []
        cells = [""] * len(READ)
        for place in members:
            for named in (SUBJECT, DTC, VISIT):
                cells[named] = columns[named][place].strip()
            albumin = self.grader.history.albumin(cells)
            total = number((first[place] or second[place]).strip())
            found.append(_NAN if albumin is None or total is None else _with_albumin(total, kind.unit, albumin))
        return found

    def _forget(self) -> None:
        if len(self._numbers) > _MOST_KEPT:
            self._numbers.clear()
        if len(self._baselines) > _MOST_KEPT or len(self._kinds) > _MOST_KEPT // 10:
            self._baselines.clear()
            self._kinds.clear()


class _Numbers(dict[str, float]):
    """The number that a cell holds, as a float; no number for anything else."""

    def __missing__(self, text: str) -> float:
        found = self[text] = _float(number(text.strip()))
        return found


def _with_albumin(total: Any, unit: str, albumin: Albumin) -> float:
    if albumin.value is None:
        return _NAN
    return _float(corrected_calcium(total, unit, albumin.value, albumin.unit))


def _float(exact: Any) -> float:
    return _NAN if exact is None else float(exact)
