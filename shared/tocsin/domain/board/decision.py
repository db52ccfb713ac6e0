"""What the study's design says at each level, what it waits for, and who has to sign before the dose goes up.

Sources: rules.md 5.1, 5.2, 5.4 and ST-02; readings.md DLT 2 and 14. The designs themselves are in
`tocsin.domain.escalation`; here their answers meet what no table knows: the committee, and the levels below.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tocsin.domain.board import designs
from tocsin.domain.board.facts import Lifted, Reviewed
from tocsin.domain.board.levels import LevelCount
from tocsin.domain.calendars import local_day
from tocsin.domain.escalation.boin import DE_ESCALATE, ELIMINATE, ESCALATE
from tocsin.domain.escalation.decision import WAIT, Parameters
from tocsin.domain.escalation.table import Table
from tocsin.domain.escalation.tite_boin import SUSPEND
from tocsin.domain.protocol import Protocol

UP: Final = frozenset({"ESCALATE", ESCALATE})
DOWN: Final = frozenset({"DE_ESCALATE", "STOP_ALL_DOSES_TOO_TOXIC", DE_ESCALATE, ELIMINATE})
DECLARES: Final = frozenset({"DECLARE_MTD", "DECLARE_MTD_NOT_EXCEEDED"})
NOT_OPEN: Final = "NOT_OPEN"


@dataclass(frozen=True, slots=True)
class LevelDecision:
    """The decision at one level. `goes_to`: the level that it points to; None where it points to none.

    `needs_review`: it goes up and nobody has signed since the last infusion here; `reviewed`: who has, in order.
    `table` is the whole decision table with the place marked where this level stands; None where there is none for it.
    """

    level: str
    word: str
    action: str
    reasons: tuple[str, ...]
    parameters: Parameters
    goes_to: str | None = None
    needs_review: bool = False
    reviewed: tuple[Reviewed, ...] = ()
    table: Table | None = None

    @property
    def is_up(self) -> bool:
        return self.word in UP


def outside_key(level: str, subject: str) -> str:
    """The hold of a DLT after a dose outside the plan, at which the committee's word is kept."""
    return f"outside_plan:{level}:{subject}"


def decisions(
    counts: Sequence[LevelCount], protocol: Protocol, reviewed: Iterable[Reviewed], lifted: Iterable[Lifted]
) -> tuple[LevelDecision, ...]:  # fmt: skip
    """One decision for each level, the lowest first."""
    signed = sorted(set(reviewed), key=lambda one: (one.at, one.level, one.by, one.reason))
    keys = frozenset(one.key for one in lifted)
    found: list[LevelDecision] = []
    for place, count in enumerate(counts):
        below, above = counts[:place], counts[place + 1 :]
        found.append(_decision(count, below, above, protocol, tuple(_reviews(signed, count)), keys))
    return tuple(found)


def _decision(
    count: LevelCount,
    below: Sequence[LevelCount],
    above: Sequence[LevelCount],
    protocol: Protocol,
    reviewed: tuple[Reviewed, ...],
    lifted: frozenset[str],
) -> LevelDecision:
    higher = above[0] if above else None
    made = designs.decide(count, higher is not None and higher.is_exceeded, protocol)
    table = designs.table(count, higher is not None and higher.is_exceeded, made.decision, protocol)
    said = LevelDecision(count.level, made.decision, made.next_action, made.reasons, made.parameters, table=table)
    if exceeded := next((one for one in below if one.is_exceeded), None):
        return _closed_from_below(said, exceeded, counts_below=below)
    if below and not count.is_used:
        why = f"opens when {below[-1].level} goes up and the review is signed"
        return replace(said, word=NOT_OPEN, action=why, reasons=("nobody is enrolled here",))
    if made.decision in DOWN:
        return _going_down(said, below)
    if made.decision not in UP | DECLARES:
        return replace(said, goes_to=_same(said, count))
    if blocks := tuple(_blocks(count, lifted)):
        why = f"nobody goes up and no MTD is declared yet: {'; '.join(blocks)}"
        reasons = (*said.reasons, f"by the table alone: {made.decision}", *blocks)
        return replace(said, word=WAIT, action=why, reasons=reasons)
    if made.decision in DECLARES or higher is None or higher.is_exceeded:
        return replace(said, goes_to=count.level)
    return _going_up(said, higher, reviewed, protocol)


def _reviews(signed: Iterable[Reviewed], count: LevelCount) -> Iterable[Reviewed]:
    """Those that knew of everybody here: each going up needs its own, after the last infusion at the level."""
    for one in signed:
        if one.level == count.level and (count.last_infused_at is None or one.at >= count.last_infused_at):
            yield one


def _going_up(
    said: LevelDecision, higher: LevelCount, reviewed: tuple[Reviewed, ...], protocol: Protocol
) -> LevelDecision:  # fmt: skip
    needs = protocol.dose.committee_review_before_escalation and not reviewed
    if needs:
        action = f"escalate to {higher.level}, once the review is signed"
        why: tuple[str, ...] = ("going up needs the signed review of the committee (ST-02)",)
    else:
        action = f"escalate to {higher.level}"
        why = tuple(
            f"review signed by {' and '.join(one.by)} on {local_day(one.at, protocol.receiver_zone)}: {one.reason}"
            for one in reviewed
        )
    return replace(
        said, action=action, reasons=(*said.reasons, *why), goes_to=higher.level, needs_review=needs, reviewed=reviewed
    )


def _going_down(said: LevelDecision, below: Sequence[LevelCount]) -> LevelDecision:
    lower = below[-1].level if below else None
    # BOIN's D at the lowest dose stays there; its DU, and the second DLT of 3+3, stop the trial.
    to = said.level if lower is None and said.word == DE_ESCALATE else lower
    return replace(said, goes_to=to)


def _closed_from_below(
    said: LevelDecision, exceeded: LevelCount, counts_below: Sequence[LevelCount]
) -> LevelDecision:  # fmt: skip
    left = [one.level for one in counts_below if one.place < exceeded.place]
    action = "no infusion at this level: " + (f"next lower dose is {left[-1]}" if left else "no lower dose is left")
    why = f"{exceeded.level}, a lower dose, is too toxic by itself"
    word = ELIMINATE if said.word in {ESCALATE, "S", DE_ESCALATE, ELIMINATE} else "DE_ESCALATE"
    return replace(said, word=word, action=action, reasons=(why, *said.reasons), goes_to=left[-1] if left else None)


def _blocks(count: LevelCount, lifted: frozenset[str]) -> Iterable[str]:
    """What no table knows and nobody goes up against (readings.md DLT 2; ST-02: after the last subject's day 28)."""
    for subject in count.outside:
        if outside_key(count.level, subject) not in lifted:
            yield f"{subject} had a DLT, and the dose is not known to be within the plan: before the committee"
    for subject in count.watched:
        yield f"{subject} was given another dose than planned and is still in the window"


def _same(said: LevelDecision, count: LevelCount) -> str | None:
    return count.level if said.word not in {WAIT, designs.COMMITTEE, SUSPEND} else None
