"""How probable it is that a true rate lies above a limit, after y of n: exact, in fractions.

For a Beta prior of whole numbers (a, b) the posterior is Beta(a + y, b + n - y), and its upper tail at a limit is a sum
of binomial terms: P(p > x) = P(X <= a + y - 1) for X binomial of a + b + n - 1 trials with rate x. So no incomplete
beta function is needed, and nothing is rounded.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import comb
from typing import Final, TypeAlias

Prior: TypeAlias = tuple[int, int]

FLAT: Final[Prior] = (1, 1)
"""Beta(1, 1): every rate is as likely as any other."""


def probability_above(limit: Fraction, n: int, y: int, prior: Prior = FLAT) -> Fraction:
    """P(p > limit) after y of n."""
    return tails(limit, n, prior)[y]


def first_above(limit: Fraction, n: int, certainty: Fraction, prior: Prior = FLAT) -> int | None:
    """The smallest y of n, from 1 on, at which P(p > limit) is more than `certainty`; None when there is none.

    Where nothing happened a low limit may be improbable by the prior alone; that condemns no dose.
    """
    rates = tails(limit, n, prior)
    return next((y for y in range(1, n + 1) if rates[y] > certainty), None)


@lru_cache(maxsize=4096)
def tails(limit: Fraction, n: int, prior: Prior = FLAT) -> tuple[Fraction, ...]:
    """P(p > limit) for y = 0 to n."""
    a, b = prior
    trials = a + b + n - 1
    hit, miss, whole = limit.numerator, limit.denominator - limit.numerator, limit.denominator**trials
    below = sum(comb(trials, k) * hit**k * miss ** (trials - k) for k in range(a))
    found = []
    for y in range(n + 1):
        found.append(Fraction(below, whole))
        k = a + y
        below += comb(trials, k) * hit**k * miss ** (trials - k)
    return tuple(found)
