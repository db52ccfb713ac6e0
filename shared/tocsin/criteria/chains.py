"""Whether the bands of one term stand end to end: no overlap, and no gap that nobody explained.

Bands of one analyte, unit, baseline and basis are a ladder. Under every answer to what its bands need, the rungs that
then count have to meet, each where the next begins. Several ladders of a term may overlap: the worse grade counts.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from tocsin.criteria.explain import Explain
from tocsin.criteria.terms import CriteriaError, Term
from tocsin.domain.bands import Band, Basis, Bound, Condition
from tocsin.domain.known import Known

_FIRSTS = {
    1: {Basis.X_ULN, Basis.X_LLN, Basis.X_BASELINE},
    0: {Basis.INCREASE, Basis.DECREASE, Basis.PCT_INCREASE, Basis.PCT_DECREASE, Basis.ABOVE_ULN, Basis.BELOW_LLN},
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row with its place. `band` None: the grade is described without a number."""

    where: str
    term: Term
    analyte: str
    grade: int
    band: Band | None
    explains: frozenset[Explain]


@dataclass(frozen=True, slots=True)
class _Rung:
    where: str
    band: Band


def check(rows: Iterable[Row]) -> None:
    """Refuse the rows of one term with CriteriaError where they overlap, or leave an unexplained gap."""
    rows = list(rows)
    banded = [row for row in rows if row.band is not None]
    numbered = {row.grade for row in banded}
    for row in rows:
        _check_explains(row, numbered)
    ladders: dict[tuple[object, ...], list[Row]] = {}
    for row in banded:
        assert row.band is not None
        ladders.setdefault(_ladder(row.band), []).append(row)
    for its in ladders.values():
        _check_grades(its)
        explained = frozenset().union(*(row.explains for row in its))
        rungs = [_Rung(row.where, row.band) for row in its if row.band is not None]
        rises = _rises(rungs)
        for standing in _standing(rungs):
            _check_chain(standing, rises, explained)


def _ladder(band: Band) -> tuple[object, ...]:
    is_change = any(bound.basis.of_baseline for bound in (band.lower, band.upper) if bound is not None)
    return band.analyte, band.unit, band.baseline, is_change, band.also


def _check_explains(row: Row, numbered: set[int]) -> None:
    for word in row.explains:
        kind, _, grade = word.value.rpartition("_grade_")
        if not kind:
            continue
        exists = int(grade) in row.term.grades
        if exists == (kind == "no"):
            there = "has" if exists else "lacks"
            raise CriteriaError(f'{row.where}: explains is "{word}", but "{row.term.name}" {there} that grade.')
        if kind == "other_way" and int(grade) not in numbered:
            raise CriteriaError(f'{row.where}: explains is "{word}", but no row of the term gives grade {grade}.')


def _check_grades(rows: list[Row]) -> None:
    """Every grade from 1 to 4 has a band in the ladder, or a reason why it has none."""
    there = {row.grade for row in rows}
    words = {word.value for row in rows for word in row.explains}
    for grade in (1, 2, 3, 4):
        if grade in there:
            continue
        kinds = ("clinical", "other_way") if grade in rows[0].term.grades else ("no",)
        allowed = [f"{kind}_grade_{grade}" for kind in kinds]
        if not words & set(allowed):
            raise CriteriaError(
                f'{rows[0].where}: "{rows[0].term.name}" has no band of grade {grade} here; '
                f"explains has to hold {' or '.join(allowed)}."
            )


def _standing(rungs: list[_Rung]) -> Iterator[list[_Rung]]:
    """The rungs that count, under each set of answers to what they need."""
    asked: tuple[Condition, ...] = tuple(dict.fromkeys(need for rung in rungs for need, _ in rung.band.needs))
    for answers in itertools.product((Known.YES, Known.NO), repeat=len(asked)):
        told = dict(zip(asked, answers, strict=True))
        standing = [rung for rung in rungs if all(told[need] is answer for need, answer in rung.band.needs)]
        if standing:
            yield standing


def _check_chain(rungs: list[_Rung], rises: bool, explained: frozenset[Explain]) -> None:
    ordered = sorted(rungs, key=lambda rung: _start(rung.band, rises))
    for milder, worse in itertools.pairwise(ordered):
        end, start = _sides(milder.band, rises)[1], _sides(worse.band, rises)[0]
        if worse.band.grade < milder.band.grade:
            raise CriteriaError(f"{worse.where}: a worse value has a lower grade than on {_line(milder)}.")
        if end is None or start is None or not end.meets(start):
            kind = "overlaps" if end is None or start is None or _overlap(end, start, rises) else "leaves a gap to"
            raise CriteriaError(f"{worse.where}: the band of grade {worse.band.grade} {kind} that of {_line(milder)}.")
    first, last = ordered[0], ordered[-1]
    start, end = _sides(first.band, rises)[0], _sides(last.band, rises)[1]
    begins = start is not None and start.basis in _FIRSTS.get(int(start.number), ()) and start.number in _FIRSTS
    reasons = {Explain.STARTS_AT_NUMBER, Explain.BELOW_1_5_X_BASELINE, Explain.BELOW_2_X_BASELINE}
    if not begins and not explained & reasons:
        raise CriteriaError(
            f"{first.where}: the mildest band does not begin at the limit of normal; explains has to hold one of "
            f"{', '.join(sorted(reasons))}."
        )
    if end is not None and Explain.ENDS_AT_NUMBER not in explained:
        raise CriteriaError(
            f"{last.where}: the worst band ends at a number; explains has to hold {Explain.ENDS_AT_NUMBER}."
        )


def _line(rung: _Rung) -> str:
    return rung.where.rpartition(", ")[2]


def _rises(rungs: list[_Rung]) -> bool:
    """Whether a worse value is a greater one (a greater fall, where falls are counted)."""
    worst = max(rungs, key=lambda rung: rung.band.grade).band
    if worst.upper is None or worst.lower is None:
        return worst.upper is None
    if len(rungs) > 1:
        mildest = min(rungs, key=lambda rung: rung.band.grade).band
        if mildest.upper is not None and mildest.lower is not None:
            return mildest.lower.number < worst.lower.number
    return worst.lower.basis is not Basis.ABSOLUTE or worst.upper.basis is not Basis.X_LLN


def _sides(band: Band, rises: bool) -> tuple[Bound | None, Bound | None]:
    return (band.lower, band.upper) if rises else (band.upper, band.lower)


def _start(band: Band, rises: bool) -> tuple[int, Fraction]:
    """A place to sort by. A start that is a limit of normal, or none, comes first."""
    start = _sides(band, rises)[0]
    if start is None or (start.basis in (Basis.X_ULN, Basis.X_LLN) and start.number == 1):
        return 0, Fraction(0)
    return 1, start.number if rises else -start.number


def _overlap(end: Bound, start: Bound, rises: bool) -> bool:
    if end.basis is not start.basis:
        return False
    if end.number == start.number:
        return "=" in end.comparison and "=" in start.comparison
    return (end.number > start.number) == rises
