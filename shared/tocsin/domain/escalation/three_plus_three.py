"""The 3+3 design: cohorts of three, six at most, and the MTD is the highest dose with at most one DLT in six.

The rows of rules.md 5.1. A second DLT closes the dose at once, whatever the number evaluable (ST-04); there is no
MTD with fewer than six evaluable (trial record). What is contested elsewhere is not offered here: two DLTs in six
exceed the MTD. A dose never holds more than six evaluable, so seven are refused and not guessed.
"""

from __future__ import annotations

from typing import Final

from tocsin.domain.escalation.decision import (
    NOBODY,
    Decision,
    Impossible,
    Parameters,
    Pending,
    Position,
    position_of,
    waiting,
    wrong_counts,
)
from tocsin.domain.escalation.table import Here, Table, spans

COHORT: Final = 3
FULL: Final = 6
TOO_MANY: Final = 2
"""This many DLTs at a dose exceed the MTD."""

PARAMETERS: Final[Parameters] = (
    ("design", "3+3"),
    ("cohort", str(COHORT)),
    ("most evaluable at a dose, and needed for the MTD", str(FULL)),
    ("DLTs that exceed the MTD", f"{TOO_MANY} or more"),
)

NEXT_ACTIONS: Final = {
    "CONTINUE_COHORT": "complete the cohort of 3",
    "EXPAND_TO_6": "enrol 3 more at the same dose",
    "ESCALATE": "next higher dose",
    "DECLARE_MTD": "highest dose with <=1/6 DLT and >=6 evaluable",
    "DECLARE_MTD_NOT_EXCEEDED": "highest planned dose tolerated: MTD not reached, RP2D candidate",
    "DE_ESCALATE": "dose exceeds MTD; next lower dose: expand to 6 evaluable if <6, else declare MTD",
    "STOP_ALL_DOSES_TOO_TOXIC": "dose exceeds MTD; stop or test dose -1 by amendment",
}
"""What follows from each decision."""

COMPLETE_SIX: Final = "complete 6 evaluable"
"""What follows from CONTINUE_COHORT once the first three are complete."""


def decide(
    position: str, higher_exceeds: bool, n_evaluable: int, n_dlt: int, pending: Pending = NOBODY
) -> Decision:  # fmt: skip
    """What to do at a dose. `position` is lowest, middle or highest; `higher_exceeds`: the next higher dose was too
    toxic. Raises Impossible."""
    problems = wrong_counts(n_evaluable, n_dlt, pending.subjects, most=FULL)
    try:
        stands = position_of(position)
    except Impossible as wrong:
        raise Impossible([str(wrong), *problems]) from None
    if stands is Position.HIGHEST and higher_exceeds:
        problems.append("a dose higher than the highest exceeds the MTD; allowed is lowest or middle")
    if problems:
        raise Impossible(problems)
    seen = f"{n_dlt} of {n_evaluable} evaluable with a DLT"
    if n_dlt >= TOO_MANY:
        # The row "any, 2 or more" of the table: at every number evaluable, 2 of 2 among them.
        word = "STOP_ALL_DOSES_TOO_TOXIC" if stands is Position.LOWEST else "DE_ESCALATE"
        return _decision(word, seen, f"{TOO_MANY} or more exceed the MTD, without waiting for the others")
    if pending.subjects:
        return waiting(pending, PARAMETERS, seen)
    if n_evaluable < COHORT:
        return _decision("CONTINUE_COHORT", seen, "the first three decide together")
    is_open = stands is not Position.HIGHEST and not higher_exceeds
    if n_evaluable == COHORT:
        if n_dlt == 0 and is_open:
            return _decision("ESCALATE", seen, "no DLT in the first three, and the next higher dose is open")
        if n_dlt:
            return _decision("EXPAND_TO_6", seen, "one DLT in the first three")
        # Nowhere to go up to: this dose is a candidate, and the MTD needs six (rules.md 5.1).
        return _decision("EXPAND_TO_6", seen, f"{_why_closed(stands)}, and an MTD needs {FULL} evaluable")
    if n_evaluable < FULL:
        return _decision("CONTINUE_COHORT", seen, f"an expanded dose is judged with {FULL}", action=COMPLETE_SIX)
    if is_open:
        return _decision("ESCALATE", seen, "at most one DLT in six, and the next higher dose is open")
    word = "DECLARE_MTD_NOT_EXCEEDED" if stands is Position.HIGHEST else "DECLARE_MTD"
    return _decision(word, seen, f"at most one DLT in six, and {_why_closed(stands)}")


def table(position: str, higher_exceeds: bool, here: Here | None = None) -> Table:
    """Every decision at one position, DLTs with the same decision in one row."""
    rows: list[tuple[str, str, str, str]] = []
    marked: tuple[int, int] | None = None
    for n in range(FULL + 1):
        found: dict[tuple[str, str], list[int]] = {}
        for dlt in range(n + 1):
            one = decide(position, higher_exceeds, n, dlt)
            found.setdefault((one.decision, one.next_action), []).append(dlt)
        for (word, action), dlts in found.items():
            if here is not None and here.n == n and here.dlt in dlts:
                marked = len(rows), 2
            rows.append((str(n), spans(dlts), word, action))
    higher = "exceeds the MTD" if higher_exceeds else "is open"
    where = f"{position} dose" + ("" if position == Position.HIGHEST else f", the next higher {higher}")
    return Table(
        title=f"3+3, {where}",
        columns=("evaluable", "DLTs", "decision", "next action"),
        rows=tuple(rows),
        parameters=PARAMETERS,
        here=marked,
    )


def _why_closed(stands: Position) -> str:
    return "this is the highest planned dose" if stands is Position.HIGHEST else "the next higher dose exceeds the MTD"


def _decision(word: str, *reasons: str, action: str | None = None) -> Decision:
    return Decision(word, action or NEXT_ACTIONS[word], reasons, PARAMETERS)
