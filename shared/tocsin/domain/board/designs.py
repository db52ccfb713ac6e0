"""The three designs asked with the counts of one level: the answer of the table, and the table itself.

A cohort is completed before BOIN decides for more; what goes down goes down at once. What a design does not cover is
the committee's, with the reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tocsin.domain.board.levels import LevelCount
from tocsin.domain.board.settings import Design, DoseSettings
from tocsin.domain.escalation import three_plus_three
from tocsin.domain.escalation.boin import DE_ESCALATE, ELIMINATE, ESCALATE, STAY
from tocsin.domain.escalation.decision import Decision, Impossible, Parameters, waiting
from tocsin.domain.escalation.table import Here, Table
from tocsin.domain.escalation.tite_boin import SUSPEND, total_follow_up
from tocsin.domain.protocol import Protocol

COMMITTEE: Final = "COMMITTEE"
"""The design does not cover what stands here."""

CONTINUE: Final = "CONTINUE_COHORT"
SHOWN_UP_TO: Final = 12
"""Subjects in a printed table, where no more stand at the level."""

_TITE_COLUMN: Final = {ESCALATE: 3, STAY: 4, DE_ESCALATE: 5, ELIMINATE: 5, SUSPEND: 6}


def parameters(settings: DoseSettings) -> Parameters:
    """The numbers that the design was run with, computed ones too."""
    if settings.design is Design.THREE_PLUS_THREE:
        return three_plus_three.PARAMETERS
    return settings.boin.parameters if settings.design is Design.BOIN else settings.tite_boin.parameters


def decide(count: LevelCount, higher_exceeded: bool, protocol: Protocol) -> Decision:
    """What the design says at one level."""
    try:
        if count.position is None:
            raise Impossible(["the study has one level; a design needs at least two"])
        if protocol.dose.design is Design.THREE_PLUS_THREE:
            return _of_three(count, higher_exceeded)
        return _of_interval(count, higher_exceeded, protocol)
    except Impossible as wrong:
        why = (str(wrong), f"{len(count.dlt)} of {count.evaluable} evaluable with a DLT")
        return Decision(COMMITTEE, "the design does not cover this: the committee decides", why, _told(protocol))


def _of_three(count: LevelCount, higher_exceeded: bool) -> Decision:
    """3+3 holds six. With more the second DLT still closes the level (rules.md 5.1: any, 2 or more)."""
    assert count.position is not None
    dlt, evaluable = len(count.dlt), count.evaluable
    if evaluable <= three_plus_three.FULL or dlt < three_plus_three.TOO_MANY:
        return three_plus_three.decide(count.position, higher_exceeded, evaluable, dlt, count.waited_for)
    full = three_plus_three.FULL
    found = three_plus_three.decide(count.position, higher_exceeded, full, min(dlt, full), count.waited_for)
    return replace(found, reasons=(f"{dlt} of {evaluable} evaluable with a DLT", *found.reasons[1:]))


def table(count: LevelCount, higher_exceeded: bool, word: str, protocol: Protocol) -> Table | None:
    """The whole decision table with the place where the level stands; None where there is none to print."""
    settings, here = protocol.dose, Here(count.evaluable, len(count.dlt))
    if count.position is None:
        return None
    if settings.design is Design.THREE_PLUS_THREE:
        return three_plus_three.table(count.position, higher_exceeded, here)
    if settings.design is Design.BOIN:
        return settings.boin.table(max(SHOWN_UP_TO, count.evaluable), here if count.evaluable else None)
    cohort = settings.subjects_per_cohort
    whole = settings.tite_boin.table(cohort, max(SHOWN_UP_TO, -(-count.treated // cohort) * cohort))
    return Table(whole.title, whole.columns, whole.rows, whole.parameters, _tite_place(whole, count, word))


def _of_interval(count: LevelCount, higher_exceeded: bool, protocol: Protocol) -> Decision:
    settings, dlt, waited = protocol.dose, len(count.dlt), count.waited_for
    if not count.treated:
        return Decision(CONTINUE, _complete(settings), ("nobody is evaluable yet",), _told(protocol))
    is_tite = settings.design is Design.TITE_BOIN
    if is_tite:
        window = protocol.dlt.window_days if protocol.dlt is not None else 1
        stft = total_follow_up(count.follow_up_days, window)
        found = settings.tite_boin.decide(
            count.treated, dlt, waited.subjects, stft, count.position, higher_exceeded
        )  # fmt: skip
    elif not count.evaluable:
        return waiting(waited, _told(protocol), "nobody is evaluable yet")
    else:
        found = settings.boin.decide(count.evaluable, dlt, count.position, higher_exceeded, waited)
    is_part = bool(count.treated % settings.subjects_per_cohort)
    if is_part and found.decision in (ESCALATE, STAY):
        why = f"{count.treated} treated: the cohort is completed before anything else"
        return Decision(CONTINUE, _complete(settings), (*found.reasons, why), found.parameters)
    return found


def _complete(settings: DoseSettings) -> str:
    return f"complete the cohort of {settings.subjects_per_cohort}"


def _tite_place(whole: Table, count: LevelCount, word: str) -> tuple[int, int] | None:
    where = str(count.treated), str(len(count.dlt))
    for n, row in enumerate(whole.rows):
        if row[:2] == where and word in _TITE_COLUMN and _holds(row[2], len(count.pending)):
            return n, _TITE_COLUMN[word]
    return None


def _holds(spans: str, number: int) -> bool:
    """Whether a number is among those that a cell names, such as "0-2, 4"."""
    return any(int(low) <= number <= int(high or low) for low, _, high in (s.partition("-") for s in spans.split(", ")))


def _told(protocol: Protocol) -> Parameters:
    return parameters(protocol.dose)
