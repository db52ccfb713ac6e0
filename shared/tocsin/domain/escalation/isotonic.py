"""Which dose is the MTD when the trial is over: isotonic regression, as published with BOIN (Liu and Yuan 2015).

Each dose that was used and not eliminated has an estimated rate (a Beta(0.05, 0.05) prior), weighted by one over its
variance; doses whose estimates fall where they should rise are pooled. The dose nearest to the target is the MTD. Of
doses with one and the same estimate the highest counts where it is below the target, else the lowest; of two that are
equally far on both sides, the lower. All in fractions. This trial asks besides that the MTD holds six evaluable.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from tocsin.domain.escalation.decision import Impossible, Parameters, told, wrong_counts
from tocsin.domain.escalation.posterior import first_above

NEEDS_EVALUABLE: Final = 6
"""Of the MTD, by the trial record."""

PRIOR: Final = Fraction(5, 100)
"""Both parameters of the prior of each estimate: so little that the data decide."""


@dataclass(frozen=True, slots=True)
class MtdSelection:
    """The MTD as a level counted from 1, None where there is none.

    `nearest` is nearest to the target whatever it holds: where it is not the MTD, it holds too few. `estimates` are
    the pooled rates, None for a dose that was never used or is eliminated.
    """

    mtd: int | None
    nearest: int | None
    estimates: tuple[Fraction | None, ...]
    eliminated: tuple[bool, ...]
    reasons: tuple[str, ...]
    parameters: Parameters


def select_mtd(
    counts: Sequence[tuple[int, int]],
    target: Fraction,
    *,
    needs_evaluable: int = NEEDS_EVALUABLE,
    cutoff: Fraction = Fraction(95, 100),
    eliminates_from: int = 3,
) -> MtdSelection:
    """The MTD from (evaluable, DLTs) of each dose, the lowest dose first. Raises Impossible."""
    problems = [f"level {level}: {wrong}" for level, (n, dlt) in _levels(counts) for wrong in wrong_counts(n, dlt)]
    if not counts:
        problems.append("no dose; allowed is one or more")
    if problems:
        raise Impossible(problems)
    parameters = (
        ("method", "isotonic regression"),
        ("target", told(target)),
        ("needs evaluable", str(needs_evaluable)),
        ("eliminated when P(rate > target) is above", told(cutoff)),
        ("eliminated from this many evaluable", str(eliminates_from)),
        ("prior of an estimate", f"Beta({told(PRIOR)}, {told(PRIOR)})"),
    )
    first_out = next(
        (place for place, (n, dlt) in enumerate(counts) if _is_too_toxic(n, dlt, target, cutoff, eliminates_from)),
        len(counts),
    )
    eliminated = tuple(place >= first_out for place in range(len(counts)))
    used = [place for place in range(first_out) if counts[place][0]]
    pooled = dict(zip(used, _rising([_estimate(*counts[place]) for place in used]), strict=True))
    estimates = tuple(pooled.get(place) for place in range(len(counts)))
    nearest = _nearest(pooled, target)
    mtd = _nearest({place: rate for place, rate in pooled.items() if counts[place][0] >= needs_evaluable}, target)
    reasons = _why(counts, pooled, first_out, nearest, mtd, needs_evaluable)
    return MtdSelection(_level(mtd), _level(nearest), estimates, eliminated, tuple(reasons), parameters)


def _is_too_toxic(n: int, dlt: int, target: Fraction, cutoff: Fraction, eliminates_from: int) -> bool:
    if n < eliminates_from:
        return False
    bound = first_above(target, n, cutoff)
    return bound is not None and dlt >= bound


def _estimate(n: int, dlt: int) -> tuple[Fraction, Fraction]:
    """The mean of one dose's rate, and its weight: one over the variance."""
    a, b = dlt + PRIOR, n - dlt + PRIOR
    return a / (a + b), (a + b) ** 2 * (a + b + 1) / (a * b)


def _rising(estimates: Iterable[tuple[Fraction, Fraction]]) -> list[Fraction]:
    """The estimates made to rise: neighbours that fall are pooled by their weights, until none falls."""
    pools: list[tuple[Fraction, Fraction, int]] = []
    for rate, weight in estimates:
        pools.append((rate, weight, 1))
        while len(pools) > 1 and pools[-1][0] < pools[-2][0]:
            (low, light, few), (high, heavy, many) = pools.pop(), pools.pop()
            pools.append(((low * light + high * heavy) / (light + heavy), light + heavy, few + many))
    return [rate for rate, _, doses in pools for _ in range(doses)]


def _nearest(rates: dict[int, Fraction], target: Fraction) -> int | None:
    if not rates:
        return None
    distance = min(abs(rate - target) for rate in rates.values())
    below = [place for place, rate in rates.items() if target - rate == distance and rate < target]
    return max(below) if below else min(place for place, rate in rates.items() if rate - target == distance)


def _why(
    counts: Sequence[tuple[int, int]],
    pooled: dict[int, Fraction],
    first_out: int,
    nearest: int | None,
    mtd: int | None,
    needs_evaluable: int,
) -> list[str]:
    reasons = [
        f"level {place + 1}: {counts[place][1]} of {counts[place][0]} evaluable with a DLT, "
        f"estimated rate {told(rate, 4)}"
        for place, rate in pooled.items()
    ]
    if first_out < len(counts):
        reasons.append(f"level {first_out + 1} and all above it are eliminated")
    if nearest is None:
        reasons.append("no dose is left to choose from")
    elif nearest != mtd:
        held = counts[nearest][0]
        reasons.append(
            f"level {nearest + 1} is nearest to the target and holds {held} evaluable: {needs_evaluable - held} more "
            "before it may be the MTD"
        )
    if mtd is not None:
        reasons.append(f"level {mtd + 1} is nearest to the target of those that hold {needs_evaluable}")
    return reasons


def _levels(counts: Sequence[tuple[int, int]]) -> Iterable[tuple[int, tuple[int, int]]]:
    return enumerate(counts, 1)


def _level(place: int | None) -> int | None:
    return None if place is None else place + 1
