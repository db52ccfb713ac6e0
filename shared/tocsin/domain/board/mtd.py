"""The maximum tolerated dose as far as it is found (rules.md 5.1, 5.2; the trial record: six evaluable)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.domain.board.decision import DECLARES, LevelDecision
from tocsin.domain.board.levels import LevelCount
from tocsin.domain.board.settings import Design
from tocsin.domain.escalation.isotonic import select_mtd
from tocsin.domain.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Mtd:
    """`level` None: there is none yet, or none at all. `is_declared`: the design has come to its end."""

    level: str | None
    is_declared: bool
    reasons: tuple[str, ...]


def mtd(counts: Sequence[LevelCount], decisions: Sequence[LevelDecision], protocol: Protocol) -> Mtd:
    """Under 3+3 what the table declares. Under BOIN what isotonic regression would choose if the trial ended now."""
    if protocol.dose.design is Design.THREE_PLUS_THREE:
        return _declared(counts, decisions)
    used = [count for count in counts if count.evaluable]
    waits = [f"{count.level}: {len(count.pending)} pending" for count in counts if count.pending]
    if not used or waits:
        return Mtd(None, False, tuple(waits) or ("nobody is evaluable yet",))
    found = select_mtd(
        [(count.evaluable, len(count.dlt)) for count in counts],
        protocol.dose.target,
        needs_evaluable=protocol.dose.mtd_needs_evaluable,
    )
    level = None if found.mtd is None else counts[found.mtd - 1].level
    return Mtd(level, False, ("if the trial ended now", *found.reasons))


def _declared(counts: Sequence[LevelCount], decisions: Sequence[LevelDecision]) -> Mtd:
    for one in reversed(decisions):
        if one.word in DECLARES:
            return Mtd(one.level, True, (f"{one.level}: {one.action}", *one.reasons))
    if counts and counts[0].is_exceeded:
        return Mtd(None, True, (f"{counts[0].level}, the lowest dose, is too toxic: there is no MTD",))
    return Mtd(None, False, ("no dose holds six evaluable with at most one DLT and a closed or no higher dose yet",))
