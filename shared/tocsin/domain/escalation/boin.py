"""The Bayesian optimal interval design (Liu and Yuan 2015, J R Stat Soc C 64:507-523), for a target rate of DLTs.

Three rates are compared: the target, phi1 below it (too low) and phi2 above it (too high). Escalate where the outcomes
are at least as likely under phi1 as under the target; de-escalate where they are at least as likely under phi2. Solved
for the observed rate y/n that is y <= lambda_e n and y >= lambda_d n; the two numbers are logarithms, so decisions are
taken on the likelihoods themselves, which are fractions, and lambda_e and lambda_d are only shown.

A dose and all higher ones are eliminated when P(rate > target) is above the cutoff and enough are evaluable.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import log
from typing import Final

from tocsin.domain.escalation.decision import (
    NOBODY,
    Decision,
    Impossible,
    Parameters,
    Pending,
    Position,
    position_of,
    told,
    waiting,
    wrong_counts,
)
from tocsin.domain.escalation.posterior import first_above, probability_above
from tocsin.domain.escalation.table import Here, Table, spans

ESCALATE, STAY, DE_ESCALATE, ELIMINATE = "E", "S", "D", "DU"
WORDS: Final = (ESCALATE, STAY, DE_ESCALATE, ELIMINATE)
MOST: Final = 200
"""Evaluable at one dose; more is no escalation."""

LOWEST_TARGET, HIGHEST_TARGET = Fraction(5, 100), Fraction(60, 100)
LEAST_DISTANCE: Final = Fraction(1, 10)
"""How far phi1 and phi2 are from the target at least, as a part of it: nearer ones no small trial could tell apart."""


@dataclass(frozen=True, slots=True)
class Boundaries:
    """How many DLTs of n lead where. Nobody can be eliminated where `eliminate_at_least` is None."""

    n: int
    escalate_at_most: int
    de_escalate_at_least: int
    eliminate_at_least: int | None

    def word(self, dlt: int) -> str:
        """E, S, D or DU."""
        if self.eliminate_at_least is not None and dlt >= self.eliminate_at_least:
            return ELIMINATE
        if dlt >= self.de_escalate_at_least:
            return DE_ESCALATE
        return ESCALATE if dlt <= self.escalate_at_most else STAY


@dataclass(frozen=True, slots=True)
class Boin:
    """The design with its parameters. Raises Impossible for parameters with which it tells nothing apart."""

    target: Fraction
    phi1: Fraction
    phi2: Fraction
    cutoff: Fraction = Fraction(95, 100)
    eliminates_from: int = 3

    def __post_init__(self) -> None:
        problems = []
        if not LOWEST_TARGET <= self.target <= HIGHEST_TARGET:
            allowed = f"{told(LOWEST_TARGET)} to {told(HIGHEST_TARGET)}"
            problems.append(f"the target is {told(self.target)}; allowed is {allowed}")
        nearest_below, nearest_above = self.target * (1 - LEAST_DISTANCE), self.target * (1 + LEAST_DISTANCE)
        if not 0 < self.phi1 <= nearest_below:
            problems.append(f"phi1 is {told(self.phi1)}; allowed is above 0 to {told(nearest_below)}")
        if not nearest_above <= self.phi2 < 1:
            problems.append(f"phi2 is {told(self.phi2)}; allowed is {told(nearest_above)} to below 1")
        if not Fraction(1, 2) <= self.cutoff < 1:
            problems.append(f"the cutoff is {told(self.cutoff)}; allowed is 0.5 to below 1")
        if self.eliminates_from < 1:
            problems.append(f"eliminates from {self.eliminates_from} evaluable; allowed is 1 or more")
        if problems:
            raise Impossible(problems)

    @classmethod
    def of(
        cls, target: Fraction | str, phi1: Fraction | str | None = None, phi2: Fraction | str | None = None
    ) -> Boin:  # fmt: skip
        """The design of a target; left out, phi1 is 0.6 and phi2 1.4 of it. A rate in figures is taken as written."""
        rate = Fraction(target)
        return cls(
            rate,
            rate * Fraction(6, 10) if phi1 is None else Fraction(phi1),
            rate * Fraction(14, 10) if phi2 is None else Fraction(phi2),
        )

    @property
    def lambda_e(self) -> float:
        """The highest observed rate at which one escalates: for people to read, nothing is decided by it."""
        low, at = self.phi1, self.target
        return log((1 - low) / (1 - at)) / log(at * (1 - low) / (low * (1 - at)))

    @property
    def lambda_d(self) -> float:
        """The lowest observed rate at which one de-escalates: for people to read, nothing is decided by it."""
        at, high = self.target, self.phi2
        return log((1 - at) / (1 - high)) / log(high * (1 - at) / (at * (1 - high)))

    @property
    def parameters(self) -> Parameters:
        return (
            ("design", "BOIN"),
            ("target", told(self.target)),
            ("phi1", told(self.phi1)),
            ("phi2", told(self.phi2)),
            ("lambda_e", f"{self.lambda_e:.7f}"),
            ("lambda_d", f"{self.lambda_d:.7f}"),
            ("eliminated when P(rate > target) is above", told(self.cutoff)),
            ("eliminated from this many evaluable", str(self.eliminates_from)),
            ("prior", "Beta(1, 1)"),
        )

    def boundaries(self, n: int) -> Boundaries:
        """The bounds for n evaluable. Raises Impossible."""
        if problems := wrong_counts(n, 0, most=MOST, least=1):
            raise Impossible(problems)
        return _boundaries(self, n)

    def probability_too_toxic(self, n: int, dlt: int) -> Fraction:
        """P(rate > target) after `dlt` of n."""
        return probability_above(self.target, n, dlt)

    def decide(
        self,
        n: int,
        dlt: int,
        position: str | None = None,
        higher_eliminated: bool = False,
        pending: Pending = NOBODY,
    ) -> Decision:
        """E, S, D or DU at a dose, or WAIT. `position`, where given, makes the next action exact. Raises Impossible.

        Nobody evaluable is no rate of nought, and is refused. With some pending, going down is said at once only where
        it would be said even if none of them had a DLT.
        """
        if problems := wrong_counts(n, dlt, pending.subjects, most=MOST - pending.subjects, least=1):
            raise Impossible(problems)
        stands = None if position is None else position_of(position)
        if pending.subjects:
            mildest = self.boundaries(n + pending.subjects).word(dlt)
            if mildest not in (DE_ESCALATE, ELIMINATE):
                return waiting(pending, self.parameters, self._seen(n, dlt))
            also = (f"and even if none of the {pending.subjects} pending has one",)
            action = next_action(mildest, stands, higher_eliminated)
            return Decision(mildest, action, (*self._why(n, dlt), *also), self.parameters)
        word = self.boundaries(n).word(dlt)
        return Decision(word, next_action(word, stands, higher_eliminated), self._why(n, dlt), self.parameters)

    def table(self, up_to: int, here: Here | None = None) -> Table:
        """Every decision for 1 to `up_to` evaluable: which numbers of DLTs lead where."""
        if problems := wrong_counts(up_to, 0, most=MOST, least=1):
            raise Impossible(problems)
        rows: list[tuple[str, ...]] = []
        marked: tuple[int, int] | None = None
        for n in range(1, up_to + 1):
            bounds = self.boundaries(n)
            found: dict[str, list[int]] = {word: [] for word in WORDS}
            for dlt in range(n + 1):
                found[bounds.word(dlt)].append(dlt)
            if here is not None and here.n == n:
                marked = len(rows), 1 + WORDS.index(bounds.word(here.dlt))
            rows.append((str(n), *(spans(dlts) for dlts in found.values())))
        columns = ("evaluable", "E escalate", "S stay", "D de-escalate", "DU eliminate")
        return Table(f"BOIN, target {told(self.target)}: DLTs", columns, tuple(rows), self.parameters, marked)

    def _seen(self, n: int, dlt: int) -> str:
        return f"{dlt} of {n} evaluable with a DLT ({dlt / n:.4f})"

    def _why(self, n: int, dlt: int) -> tuple[str, ...]:
        bounds = self.boundaries(n)
        eliminates = bounds.eliminate_at_least
        return (
            self._seen(n, dlt),
            f"escalate at {bounds.escalate_at_most} or fewer, de-escalate at {bounds.de_escalate_at_least} or more, "
            + (f"eliminate at {eliminates} or more" if eliminates is not None else "no elimination yet"),
            f"P(rate > {told(self.target)}) = {float(self.probability_too_toxic(n, dlt)):.6f}",
        )


def next_action(word: str, position: Position | None = None, higher_eliminated: bool = False) -> str:
    """What follows from E, S, D or DU at a position of the planned doses."""
    is_lowest, is_highest = position is Position.LOWEST, position is Position.HIGHEST
    if word == ESCALATE:
        if higher_eliminated:
            return "same dose: the next higher one is eliminated"
        return "same dose: this is the highest planned one" if is_highest else "next higher dose"
    if word == DE_ESCALATE:
        return "same dose: there is no lower one" if is_lowest else "next lower dose"
    if word == ELIMINATE:
        if is_lowest:
            return "stop: all doses are eliminated, there is no MTD"
        return "next lower dose; this dose and all higher ones are eliminated"
    return "same dose"


@lru_cache(maxsize=4096)
def _boundaries(design: Boin, n: int) -> Boundaries:
    def is_likelier(other: Fraction, dlt: int) -> bool:
        return _likelihood(other, n, dlt) >= _likelihood(design.target, n, dlt)

    # Both comparisons turn once, because the ratio of two likelihoods only falls or only rises with the DLTs.
    counts = range(n + 1)
    escalate = bisect_left(counts, True, key=lambda dlt: not is_likelier(design.phi1, dlt)) - 1
    de_escalate = bisect_left(counts, True, key=lambda dlt: is_likelier(design.phi2, dlt))
    eliminate = first_above(design.target, n, design.cutoff) if n >= design.eliminates_from else None
    return Boundaries(n, escalate, de_escalate if eliminate is None else min(de_escalate, eliminate), eliminate)


def _likelihood(rate: Fraction, n: int, dlt: int) -> Fraction:
    """How likely `dlt` of n are, but for the number of ways to have them, which is the same for every rate."""
    return Fraction(rate**dlt * (1 - rate) ** (n - dlt))
