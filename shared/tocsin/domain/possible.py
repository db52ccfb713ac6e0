"""Which grades of a criterion are possible for a value, given all that is known.

What is not known is tried: each condition both ways, and each limit or baseline at every place where the answer could
change, and between them. The grades found are exactly the possible ones, and a fact matters where it changes one.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from tocsin.domain.bands import IMPLIES, Band, Baseline, Basis, Bound, Condition
from tocsin.domain.known import Known

ULN = "the upper limit of normal"
LLN = "the lower limit of normal"
BASELINE = "the baseline"
_OF_BASELINE = tuple(basis for basis in Basis if basis.of_baseline)
_AT_5X = frozenset({Baseline.ABOVE_ULN_TO_5X, Baseline.ABOVE_5X_ULN})


@dataclass(frozen=True, slots=True)
class Facts:
    """The numbers of one value, all in the unit of the bands; None: not known.

    `baseline_uln` and `baseline_lln` are the limits that the baseline came with; where it came without, those of the
    value stand for them.
    """

    value: Fraction
    lln: Fraction | None
    uln: Fraction | None
    baseline: Fraction | None
    baseline_lln: Fraction | None = None
    baseline_uln: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Possible:
    """The bands that may decide, by grade (0: None), and the facts that would settle it."""

    deciding: Mapping[int, Band | None]
    missing_numbers: tuple[str, ...]
    missing_conditions: tuple[Condition, ...]

    @property
    def lowest(self) -> int:
        return min(self.deciding)

    @property
    def highest(self) -> int:
        return max(self.deciding)


def possible(bands: Sequence[Band], facts: Facts, conditions: Mapping[Condition, Known]) -> Possible:
    """Every grade that the bands can give. Bands of one grade are told apart by their order."""
    asked = tuple(dict.fromkeys(need for band in bands for need, _ in band.needs))
    deciding: dict[int, Band | None] = {}
    grades: dict[tuple[object, ...], int] = {}
    for numbers in _numbers(bands, facts):
        for answers in _answers(asked, conditions):
            band = _worst(bands, numbers, answers)
            grade = band.grade if band else 0
            deciding.setdefault(grade, band)
            grades[numbers.uln, numbers.lln, numbers.baseline, *answers.values()] = grade
    names = (ULN, LLN, BASELINE, *asked)
    matters = [name for place, name in enumerate(names) if _matters(place, grades)]
    return Possible(
        deciding,
        tuple(name for name in matters if not isinstance(name, Condition)),
        tuple(name for name in matters if isinstance(name, Condition)),
    )


def _matters(place: int, grades: Mapping[tuple[object, ...], int]) -> bool:
    others: dict[tuple[object, ...], set[int]] = defaultdict(set)
    for key, grade in grades.items():
        others[key[:place] + key[place + 1 :]].add(grade)
    return any(len(found) > 1 for found in others.values())


def _answers(asked: Sequence[Condition], told: Mapping[Condition, Known]) -> Iterator[dict[Condition, Known]]:
    choices = [
        (Known.YES, Known.NO) if (said := told.get(need, Known.UNKNOWN)) is Known.UNKNOWN else (said,) for need in asked
    ]
    for answers in itertools.product(*choices):
        answered = {**told, **dict(zip(asked, answers, strict=True))}
        if all(answered.get(this) is not Known.YES or answered.get(that) is not Known.NO for this, that in IMPLIES):
            yield {need: answered[need] for need in asked}


def _worst(bands: Iterable[Band], facts: Facts, answers: Mapping[Condition, Known]) -> Band | None:
    worst: Band | None = None
    for band in bands:
        if (worst is None or band.grade > worst.grade) and _holds(band, facts, answers):
            worst = band
    return worst


def _holds(band: Band, facts: Facts, answers: Mapping[Condition, Known]) -> bool:
    return (
        all(answers[condition] is needed for condition, needed in band.needs)
        and _is_for(band.baseline, facts)
        and all(_reaches(bound, facts) for bound in band.bounds)
    )


def _is_for(baseline: Baseline, facts: Facts) -> bool:
    if baseline is Baseline.ANY:
        return True
    before = _given(facts.baseline)
    if baseline.of_lln:
        is_low = before < _given(facts.lln if facts.baseline_lln is None else facts.baseline_lln)
        return is_low == (baseline is Baseline.BELOW_LLN)
    uln = _given(facts.uln if facts.baseline_uln is None else facts.baseline_uln)
    match baseline:
        case Baseline.NOT_ABOVE_ULN:
            return before <= uln
        case Baseline.ABOVE_ULN_TO_5X:
            return uln < before <= 5 * uln
        case Baseline.ABOVE_5X_ULN:
            return before > 5 * uln
        case _:
            return before > uln


def _reaches(bound: Bound, facts: Facts) -> bool:
    """Whether one bound holds. A change is compared as a change, so that nothing is divided."""
    value, number = facts.value, bound.number
    match bound.basis:
        case Basis.ABSOLUTE:
            left, right = value, number
        case Basis.X_ULN:
            left, right = value, number * _given(facts.uln)
        case Basis.X_LLN:
            left, right = value, number * _given(facts.lln)
        case Basis.X_BASELINE:
            left, right = value, number * _given(facts.baseline)
        case Basis.ABOVE_ULN:
            left, right = value - _given(facts.uln), number
        case Basis.BELOW_LLN:
            left, right = _given(facts.lln) - value, number
        case Basis.INCREASE:
            left, right = value - _given(facts.baseline), number
        case Basis.DECREASE:
            left, right = _given(facts.baseline) - value, number
        case Basis.PCT_INCREASE:
            left, right = 100 * (value - _given(facts.baseline)), number * _given(facts.baseline)
        case Basis.PCT_DECREASE:
            left, right = 100 * (_given(facts.baseline) - value), number * _given(facts.baseline)
    return bound.comparison.holds(left, right)


def _given(number: Fraction | None) -> Fraction:
    assert number is not None, "every number that a band asks for is given or tried"
    return number


def _numbers(bands: Sequence[Band], facts: Facts) -> Iterator[Facts]:
    """The facts with every number given: the known ones as they are, the others tried."""
    bounds = [bound for band in bands for bound in band.bounds]
    baselines = {band.baseline for band in bands}
    asks_uln = any(bound.basis.of_uln for bound in bounds) or (
        facts.baseline_uln is None and any(baseline.of_uln for baseline in baselines)
    )
    asks_lln = any(bound.basis.of_lln for bound in bounds) or (
        facts.baseline_lln is None and any(baseline.of_lln for baseline in baselines)
    )
    asks_baseline = any(bound.basis.of_baseline for bound in bounds) or baselines != {Baseline.ANY}
    of_baseline = [*_turns(bounds, facts.value, *_OF_BASELINE)]
    # A limit that no bound asks for is tried where a baseline that turns a bound would stand at it.
    own_uln = [*_turns(bounds, facts.value, Basis.X_ULN, Basis.ABOVE_ULN)] or of_baseline
    own_lln = [*_turns(bounds, facts.value, Basis.X_LLN, Basis.BELOW_LLN)] or of_baseline
    before = () if facts.baseline is None else (facts.baseline, facts.baseline / 5)
    # A limit is also tried at the other one, so that one is left that does not contradict it.
    at_lln = () if facts.lln is None else (facts.lln,)
    ulns = _tried(facts.uln, asks_uln, [*own_uln, *before, *at_lln])
    at_uln = [uln for uln in ulns if uln is not None]
    llns = _tried(facts.lln, asks_lln, [*own_lln, *before, *at_uln])
    limits = [limit for limit in (*ulns, *llns, facts.baseline_uln, facts.baseline_lln) if limit is not None]
    fivefold = [5 * limit for limit in limits] if _AT_5X & baselines else []
    befores = _tried(facts.baseline, asks_baseline, [*of_baseline, *limits, *fivefold])
    for uln, lln, baseline in itertools.product(ulns, llns, befores):
        if uln is None or lln is None or lln <= uln:
            yield replace(facts, uln=uln, lln=lln, baseline=baseline)


def _turns(bounds: Iterable[Bound], value: Fraction, *bases: Basis) -> Iterator[Fraction]:
    """Where the unknown number would have to be for the value to stand exactly at a bound."""
    for bound in bounds:
        if bound.basis not in bases:
            continue
        number = bound.number
        match bound.basis:
            case Basis.ABOVE_ULN | Basis.INCREASE:
                yield value - number
            case Basis.BELOW_LLN | Basis.DECREASE:
                yield value + number
            case Basis.PCT_INCREASE:
                yield value * 100 / (100 + number)
            case Basis.PCT_DECREASE if number < 100:
                yield value * 100 / (100 - number)
            case Basis.X_ULN | Basis.X_LLN | Basis.X_BASELINE if number > 0:
                yield value / number
            case _:
                pass


def _tried(known: Fraction | None, is_asked: bool, turns: Iterable[Fraction]) -> tuple[Fraction | None, ...]:
    if known is not None or not is_asked:
        return (known,)
    points = sorted({turn for turn in turns if turn > 0}) or [Fraction(1)]
    between = [(low + high) / 2 for low, high in itertools.pairwise(points)]
    return (points[0] / 2, *points, *between, points[-1] * 2)
