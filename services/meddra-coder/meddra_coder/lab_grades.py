"""The grades of one row of laboratory data, by the rule: what `lab_columns` must equal, and asks when in doubt.

A result that is only a bound ("<0.2") is graded where every value within it has one grade. Total calcium is corrected
for albumin first; the limits of normal stay those of the row.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from meddra_coder.lab_history import History
from meddra_coder.lab_rows import Cells, Lack, Result, Unread, result_of
from meddra_coder.lab_tests import LabTest, LabTests
from tocsin.domain.bands import Condition, Criterion
from tocsin.domain.corrected_calcium import corrected_calcium
from tocsin.domain.graded import Grading, NotGradable
from tocsin.domain.known import Known
from tocsin.domain.labs import grade_lab
from tocsin.domain.measured import Measured
from tocsin.domain.possible import BASELINE, LLN, ULN

ADDED: Final = ("low_term", "low_grade", "high_term", "high_grade", "reason")
"""The columns that are added to a row."""


class Answer(NamedTuple):
    """The cells of `ADDED`, and what each direction without a grade lacks."""

    low_term: str
    low_grade: str
    high_term: str
    high_grade: str
    reason: str
    lacks: tuple[Lack, ...] = ()

    @property
    def cells(self) -> tuple[str, ...]:
        return self[:5]

    @property
    def is_graded(self) -> bool:
        return bool(self.low_grade or self.high_grade)


SHIFTED: Final = Answer("", "", "", "", f"{Lack.SHIFTED}: not graded, as cells may be shifted", (Lack.SHIFTED,))


_MOST_KNOWN: Final = 50_000
"""Answers that are kept, because the same value comes again and again."""


class LabGrader:
    """Grades rows one by one. `history` must have been told the whole file."""

    def __init__(self, tests: LabTests, history: History) -> None:
        self.tests = tests
        self.history = history
        self._known: dict[tuple[str, Known, Result, Decimal, Measured | str | None], Answer] = {}

    def answer(self, cells: Cells) -> Answer:
        """The answer to one row of trimmed cells (`lab_rows.READ`)."""
        test = self.tests.of(cells)
        ungradable = self.ungradable(test)
        if ungradable is not None:
            return ungradable
        assert test.judged is not None
        result = result_of(cells, test.judged.factors)
        if isinstance(result, Unread):
            return _for_both(test, result.lack, result.said)
        if test.needs_albumin:
            corrected = self.corrected(cells, result)
            if isinstance(corrected, Unread):
                return _for_both(test, corrected.lack, corrected.said)
            return self.graded(test, result, corrected, None)
        return self.graded(test, result, Decimal(0), self.history.baseline(cells, test) if test.asks_baseline else None)

    def ungradable(self, test: LabTest) -> Answer | None:
        """The answer to every row of a test that has none of a value; None where a value is needed."""
        if test.lack is None:
            return None
        edition = self.tests.criteria.edition
        said = f"CTCAE v{edition} has no term for a value of this test" if test.lack is Lack.NO_CRITERION else test.lack
        return _for_both(test, test.lack, said)

    def corrected(self, cells: Cells, result: Result) -> Decimal | Unread:
        """How much the correction for albumin adds to a calcium."""
        albumin = self.history.albumin(cells)
        if albumin is None:
            return Unread(Lack.NO_ALBUMIN, f"{Lack.NO_ALBUMIN}: none of the same subject and LBDTC or VISITNUM")
        if albumin.value is None:
            return Unread(Lack.NO_ALBUMIN, f"{Lack.NO_ALBUMIN}: that of the same time is not one exact number")
        whole = corrected_calcium(result.value, result.unit, albumin.value, albumin.unit)
        if whole is None:
            return Unread(Lack.NO_ALBUMIN, f"{Lack.NO_ALBUMIN}: no formula for {result.unit} with {albumin.unit}")
        return whole - result.value

    def graded(self, test: LabTest, result: Result, added: Decimal, baseline: Measured | str | None) -> Answer:
        """The answer to a result that was read. `added` is the correction; `baseline` a text: why there is none."""
        assert test.judged is not None
        key = (test.judged.id, test.fasting, result, added, baseline)
        known = self._known.get(key)
        if known is None:
            known = self._grade(test, result, added, baseline)
            # These sentences repeat figures as they were written, which 1.0 and 1.00 are not alike in.
            if not result.bound and Lack.LIMITS not in known.lacks:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[key] = known
        return known

    def _grade(self, test: LabTest, result: Result, added: Decimal, baseline: Measured | str | None) -> Answer:
        assert test.judged is not None
        before = baseline if isinstance(baseline, Measured) else None
        conditions = {Condition.FASTING: test.fasting}
        found = [
            grade_lab(
                Measured(test.judged.id, value + added, result.unit, result.lln, result.uln),
                self.tests.criteria,
                baseline=before,
                conditions=conditions,
            )
            for value in _ends(result)
        ]
        no_baseline = baseline if isinstance(baseline, str) else None
        low = _direction([grades.low for grades in found], test.low, result, no_baseline)
        high = _direction([grades.high for grades in found], test.high, result, no_baseline)
        return _joined(test, low, high)


class _Way(NamedTuple):
    """One direction: its grade, or why there is none."""

    grade: str
    lack: Lack | None = None
    said: str = ""


def _joined(test: LabTest, low: _Way, high: _Way) -> Answer:
    ways = [(criterion.term, way) for criterion, way in ((test.low, low), (test.high, high)) if criterion]
    open_ = [(term, way) for term, way in ways if way.lack is not None]
    sayings: dict[str, list[str]] = {}
    for term, way in open_:
        sayings.setdefault(way.said, []).append(term)
    reason = "; ".join(f"{' and '.join(terms)}: {said}" for said, terms in sayings.items())
    lacks = tuple(dict.fromkeys(way.lack for _, way in open_ if way.lack is not None))
    return Answer(_term(test.low), low.grade, _term(test.high), high.grade, reason, lacks)


def _for_both(test: LabTest, lack: Lack, said: str) -> Answer:
    return Answer(_term(test.low), "", _term(test.high), "", said, (lack,))


def _term(criterion: Criterion | None) -> str:
    return criterion.term if criterion else ""


_NEAR: Final = Decimal("1e-15")
_FAR: Final = Decimal("1e12")


def _ends(result: Result) -> tuple[Decimal, ...]:
    """The number itself; of a bound the two ends of what it may be, between which grades only rise or only fall."""
    value = result.value
    match result.bound:
        case "<":
            return Decimal(0), value - value * _NEAR
        case "<=":
            return Decimal(0), value
        case ">":
            return value + (value * _NEAR or _NEAR), max(value, Decimal(1)) * _FAR
        case ">=":
            return value, max(value, Decimal(1)) * _FAR
        case _:
            return (value,)


def _direction(
    found: list[Grading | None], criterion: Criterion | None, result: Result, no_baseline: str | None
) -> _Way:
    if criterion is None:
        return _Way("")
    if not criterion.bands:
        edition = criterion.edition
        return _Way("", Lack.WITHOUT_NUMBER, f"CTCAE v{edition} grades it without a number")
    lowest, highest = 5, 0
    missing: list[str] = []
    for grading in found:
        if grading is None or isinstance(grading, NotGradable):
            because = grading.because if grading else ""
            return _Way("", _lack(because, result), because + _why_no_baseline(because, no_baseline))
        lowest, highest = min(lowest, grading.lowest), max(highest, grading.highest)
        missing.extend(grading.missing)
    if lowest == highest:
        return _Way(str(lowest))
    unknown = [*([_only(result)] if result.bound else []), *map(_unknown, dict.fromkeys(missing))]
    because = "; ".join(unknown)
    said = f"grades {lowest} to {highest} remain open because {because}{_why_no_baseline(because, no_baseline)}"
    return _Way("", _lack_of(missing), said)


def _only(result: Result) -> str:
    return f"the result is only known to be {result.bound}{result.value:f} {result.unit}".removesuffix(" 1")


def _unknown(what: str) -> str:
    return f"it is not known {what}" if what.startswith("whether ") else f"{what} is not known"


def _why_no_baseline(because: str, no_baseline: str | None) -> str:
    return f" ({no_baseline})" if no_baseline and f"{BASELINE} is not known" in because else ""


def _lack_of(missing: Iterable[str]) -> Lack:
    """What would settle it first: a number that the file may hold, before what it does not."""
    names = set(missing)
    if not names:
        return Lack.ONLY_A_BOUND
    if names & {ULN, LLN}:
        return Lack.NO_LIMIT
    return Lack.NO_BASELINE if BASELINE in names else Lack.CONDITION


def _lack(because: str, result: Result) -> Lack:
    if result.lln is not None and result.uln is not None and result.lln > result.uln:
        return Lack.LIMITS
    missing = [name for name in (ULN, LLN, BASELINE) if f"{name} is not known" in because]
    return _lack_of(missing) if missing else Lack.CONDITION
