"""Clocks written one a line, so that a test can hold a whole history against what stands in it by hand.

A clock is written as `RULE day zero > due STATUS`; a superseded one names its successor, and `open` stands where
something is still owed although the status is final.
"""

from __future__ import annotations

from tests.domain.cases import report
from tocsin.domain.assess import assess
from tocsin.domain.case import Case, Event, Report
from tocsin.domain.clock_life import Effect, Past, Status
from tocsin.domain.clocks import Duty
from tocsin.domain.protocol import Protocol
from tocsin.domain.signed import Signed
from tocsin.domain.submissions import Submission


def told(*events: Event, on: str, revision: int = 2, **more: bool) -> Report:
    return report(*events, revision=revision, received=on, **more)  # type: ignore[arg-type]


def clocks(held: Case, study: Protocol, *did: Submission | Signed, n: int = 1, copies: bool = False) -> list[str]:
    """What became of the clocks of one event: those of the authority, or of the copies."""
    found = assess(held, study, past(*did)).lives
    return sorted(
        f"{life.clock.rule} {life.clock.day_zero:%m-%d} > {life.clock.due_on:%m-%d} {life.status}"
        + (f" by {life.superseded_by.rule}" if life.superseded_by else "")
        + (" open" if life.is_open and life.status is not Status.RUNNING else "")
        for life in found
        if life.clock.event_id == f"TOC-0031-E{n}" and (life.duty is Duty.COPIES) == copies
    )


def past(*did: Submission | Signed) -> Past:
    return Past(
        tuple(one for one in did if isinstance(one, Submission)), tuple(one for one in did if isinstance(one, Signed))
    )


def effects(held: Case, study: Protocol, *did: Submission | Signed) -> list[Effect]:
    return [effect for _, found in assess(held, study, past(*did)).effects for effect in found]
