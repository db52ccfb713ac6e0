"""TITE-BOIN: BOIN that decides while some subjects are still watched (Yuan, Lin, Li, Nie and Warren 2018, Clin Cancer
Res 24:4921-4930). With nobody pending it is BOIN.

Each pending subject counts as the DLT that may still come: with rate p it comes with odds p/(1-p), times the part of
the window that is still open. Over c pending that is p/(1-p) (c - STFT), where STFT, the standardised total follow-up
time, is what they were followed together, in windows. p is the posterior mean of those who are complete, with the
prior Beta(target/2, 1 - target/2). The sum of observed and expected DLTs is held against lambda_e n and lambda_d n.

In this order, as the published table shows (PMC9260438, table 1, target 0.20, which is reproduced whole):

1. Elimination, then de-escalation, by what was observed, whoever is pending: no outcome can undo that by BOIN's bounds.
2. Accrual is suspended where more than half are pending.
3. An observed rate below the target leaves E or S, one at or above it leaves S or D. A rate that equals the target is
   not in the table; it is taken to the careful side.

This project does not use it by default: rules.md 5.4 waits for everybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeAlias

from tocsin.domain.escalation.boin import (
    DE_ESCALATE,
    ELIMINATE,
    ESCALATE,
    MOST,
    STAY,
    Boin,
    next_action,
)
from tocsin.domain.escalation.decision import Decision, Impossible, Parameters, position_of, told, wrong_counts
from tocsin.domain.escalation.table import Table, spans

SUSPEND: Final = "SUSPEND"

Windows: TypeAlias = Fraction | float
"""A time in windows: 1.5 is once and a half the DLT window."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the STFT is held against: E at `escalate_from` or more, D at `de_escalate_to` or less.

    None where the observed rate leaves no such decision. A threshold outside 0 to the number pending is never, or
    always, reached.
    """

    escalate_from: float | None
    de_escalate_to: float | None


@dataclass(frozen=True, slots=True)
class TiteBoin:
    """BOIN with its parameters, and the part of the subjects at a dose above which pending ones suspend accrual."""

    boin: Boin
    suspends_above: Fraction = Fraction(1, 2)

    def __post_init__(self) -> None:
        if not 0 < self.suspends_above <= 1:
            raise Impossible([f"suspends above {told(self.suspends_above)}; allowed is above 0 to 1"])

    @property
    def parameters(self) -> Parameters:
        half = self.boin.target / 2
        return (
            ("design", "TITE-BOIN"),
            *self.boin.parameters[1:],
            ("suspended when more than this part is pending", told(self.suspends_above)),
            ("prior of the pending", f"Beta({told(half)}, {told(1 - half)})"),
        )

    def thresholds(self, n: int, dlt: int, pending: int) -> Thresholds:
        """What the STFT of the pending is held against. `n` counts all treated, the pending among them."""
        if problems := _wrong(n, dlt, pending):
            raise Impossible(problems)
        mean = (dlt + self.boin.target / 2) / (n - pending + 1)
        against = (1 - mean) / mean
        if Fraction(dlt, n) < self.boin.target:
            return Thresholds(pending - float(against) * (n * self.boin.lambda_e - dlt), None)
        return Thresholds(None, pending - float(against) * (n * self.boin.lambda_d - dlt))

    def decide(
        self,
        n: int,
        dlt: int,
        pending: int,
        stft: Windows,
        position: str | None = None,
        higher_eliminated: bool = False,
    ) -> Decision:
        """E, S, D, DU or SUSPEND at a dose. `n` counts all treated, the pending among them. Raises Impossible."""
        problems = _wrong(n, dlt, pending)
        if not 0 <= stft <= max(pending, 0):
            problems.append(f"STFT is {float(stft):g}; allowed is 0 to the number pending")
        if problems:
            raise Impossible(problems)
        stands = None if position is None else position_of(position)
        word, why = self._word(n, dlt, pending, stft)
        seen = f"{dlt} of {n} treated with a DLT, {pending} pending, followed {float(stft):.2f} windows together"
        action = (
            "suspend accrual until more are complete"
            if word == SUSPEND
            else next_action(word, stands, higher_eliminated)
        )
        return Decision(word, action, (seen, why), self.parameters)

    def table(self, cohort: int, up_to: int) -> Table:
        """Every decision for whole cohorts, as it is published: what the STFT has to be, or "yes" for any."""
        rows: list[tuple[str, ...]] = []
        for n in range(cohort, up_to + 1, cohort):
            for dlt in range(n + 1):
                found: dict[tuple[str, ...], list[int]] = {}
                for pending in range(n - dlt + 1):
                    found.setdefault(self._cells(n, dlt, pending), []).append(pending)
                rows.extend((str(n), str(dlt), spans(counts), *cells) for cells, counts in found.items())
        columns = ("treated", "DLTs", "pending", "escalate", "stay", "de-escalate", "suspend")
        title = f"TITE-BOIN, target {told(self.boin.target)}: STFT in windows"
        return Table(title, columns, tuple(rows), self.parameters)

    def _word(self, n: int, dlt: int, pending: int, stft: Windows) -> tuple[str, str]:
        observed = self.boin.boundaries(n).word(dlt)
        if observed in (DE_ESCALATE, ELIMINATE):
            return observed, f"the DLTs observed reach {observed} for {n}, whatever is pending"
        if pending == 0:
            return observed, "nobody is pending: decided as BOIN does"
        if pending > self.suspends_above * n:
            return SUSPEND, f"more than {told(self.suspends_above)} of the subjects are pending"
        bounds = self.thresholds(n, dlt, pending)
        if bounds.escalate_from is not None:
            word = ESCALATE if stft >= bounds.escalate_from else STAY
            return word, f"{word}: escalate from {bounds.escalate_from:.4f} windows on"
        assert bounds.de_escalate_to is not None
        word = DE_ESCALATE if stft <= bounds.de_escalate_to else STAY
        return word, f"{word}: de-escalate up to {bounds.de_escalate_to:.4f} windows"

    def _cells(self, n: int, dlt: int, pending: int) -> tuple[str, str, str, str]:
        """Escalate, stay, de-escalate, suspend. One who was just infused and one at the last hour of it differ most."""
        least, most = (self._word(n, dlt, pending, stft)[0] for stft in (0, pending))
        if least != most:
            bounds = self.thresholds(n, dlt, pending)
            if bounds.escalate_from is not None:
                return f">={bounds.escalate_from:.2f}", f"<{bounds.escalate_from:.2f}", "", ""
            return "", f">{bounds.de_escalate_to:.2f}", f"<={bounds.de_escalate_to:.2f}", ""
        return (
            "yes" if least == ESCALATE else "",
            "yes" if least == STAY else "",
            {DE_ESCALATE: "yes", ELIMINATE: "yes, eliminate"}.get(least, ""),
            "yes" if least == SUSPEND else "",
        )


def total_follow_up(days: Iterable[Fraction | int], window_days: int) -> Fraction:
    """The STFT of pending subjects from the days that each was followed; more than a window counts as one."""
    if window_days < 1:
        raise Impossible([f"the window has {window_days} days; allowed is 1 or more"])
    followed = [Fraction(each) for each in days]
    if any(each < 0 for each in followed):
        raise Impossible(["somebody was followed for less than no time; allowed is 0 days or more"])
    return sum((min(each / window_days, Fraction(1)) for each in followed), Fraction(0))


def _wrong(n: int, dlt: int, pending: int) -> list[str]:
    problems = wrong_counts(n, dlt, pending, most=MOST, least=1)
    if not problems and dlt + pending > n:
        problems.append(f"{dlt} with a DLT and {pending} pending of {n} treated; allowed is {n} together")
    return problems
