"""Watching a rate while an expansion runs: stop when it is all but sure to lie above its limit (rules.md 5.5, ST-05).

The rate may be that of DLTs, of ICANS of grade 3 or higher, or of deaths without relapse. P(rate > limit) is exact,
from the prior Beta(1, 1) unless another is set. For DLTs with the limit of the escalation the numbers are those of
BOIN's elimination. Of the two other rates no limit is public: the sponsor sets it, and none is supposed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from tocsin.domain.escalation.decision import Decision, Impossible, Parameters, told, wrong_counts
from tocsin.domain.escalation.posterior import FLAT, Prior, first_above, probability_above
from tocsin.domain.escalation.table import Here, Table, spans

STOP, CONTINUE = "STOP", "CONTINUE"
MOST: Final = 1000
"""Subjects in an expansion."""

DLT_LIMIT: Final = Fraction(30, 100)


@dataclass(frozen=True, slots=True)
class Monitor:
    """One rate, its limit, and how sure one must be that it is exceeded. Looks begin with `looks_from` infused."""

    rate: str
    limit: Fraction
    certainty: Fraction = Fraction(95, 100)
    prior: Prior = FLAT
    looks_from: int = 3

    def __post_init__(self) -> None:
        problems = []
        if not 0 < self.limit < 1:
            problems.append(f"the limit of {self.rate} is {told(self.limit)}; allowed is above 0 to below 1")
        if not Fraction(1, 2) <= self.certainty < 1:
            problems.append(f"the certainty is {told(self.certainty)}; allowed is 0.5 to below 1")
        if min(self.prior) < 1:
            problems.append(f"the prior is Beta{self.prior}; allowed are whole numbers from 1")
        if self.looks_from < 1:
            problems.append(f"looks begin with {self.looks_from} infused; allowed is 1 or more")
        if problems:
            raise Impossible(problems)

    @classmethod
    def of_dlts(cls, limit: Fraction = DLT_LIMIT) -> Monitor:
        return cls("dose-limiting toxicities", limit)

    @classmethod
    def of_icans(cls, limit: Fraction) -> Monitor:
        return cls("ICANS of grade 3 or higher", limit)

    @classmethod
    def of_non_relapse_mortality(cls, limit: Fraction) -> Monitor:
        return cls("deaths without relapse", limit)

    @property
    def parameters(self) -> Parameters:
        return (
            ("design", "Bayesian monitoring"),
            ("rate", self.rate),
            ("limit", told(self.limit)),
            ("stopped when P(rate > limit) is above", told(self.certainty)),
            ("prior", f"Beta{self.prior}"),
            ("looks begin with this many infused", str(self.looks_from)),
        )

    def stop_at(self, n: int) -> int | None:
        """The smallest number of events of n infused that stops; None where no number does."""
        if problems := wrong_counts(n, 0, most=MOST):
            raise Impossible(problems)
        return first_above(self.limit, n, self.certainty, self.prior) if n >= self.looks_from else None

    def look(self, n: int, events: int) -> Decision:
        """STOP or CONTINUE after `events` in n infused. Raises Impossible."""
        if problems := wrong_counts(n, events, most=MOST):
            raise Impossible(problems)
        bound = self.stop_at(n)
        above = float(probability_above(self.limit, n, events, self.prior))
        reasons = (
            f"{self.rate}: {events} of {n} infused",
            f"P(rate > {told(self.limit)}) = {above:.6f}",
            "no look yet" if n < self.looks_from else f"stop at {bound} or more" if bound is not None else "no bound",
        )
        if bound is not None and events >= bound:
            return Decision(STOP, "pause infusions; the committee decides", reasons, self.parameters)
        return Decision(CONTINUE, "go on", reasons, self.parameters)

    def table(self, up_to: int, here: Here | None = None) -> Table:
        """From how many events on one stops, for 1 to `up_to` infused."""
        if problems := wrong_counts(up_to, 0, most=MOST, least=1):
            raise Impossible(problems)
        rows: list[tuple[str, str, str]] = []
        marked: tuple[int, int] | None = None
        for n in range(1, up_to + 1):
            bound = self.stop_at(n)
            if here is not None and here.n == n:
                marked = len(rows), 2 if bound is not None and here.dlt >= bound else 1
            goes_on = n + 1 if bound is None else bound
            rows.append((str(n), spans(range(goes_on)), spans(range(goes_on, n + 1))))
        title = f"Monitoring of {self.rate}, limit {told(self.limit)}"
        return Table(title, ("infused", "go on", "stop"), tuple(rows), self.parameters, marked)
