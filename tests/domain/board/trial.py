"""Builders of a trial for the tests of the board: three levels, subjects infused on a day, verdicts and signatures."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.domain.cases import SHANGHAI, at
from tocsin.domain.board.board import Board, board
from tocsin.domain.board.facts import Death, Enrolled, Given, Reviewed, SubjectFacts, TrialFacts, Withdrawn
from tocsin.domain.board.settings import DoseSettings
from tocsin.domain.calendars import Partial
from tocsin.domain.dlt.verdict import State, Verdict
from tocsin.domain.known import Finding
from tocsin.domain.protocol import Protocol
from tocsin.studies import read

STUDY = read(Path(__file__).parents[3] / "deploy" / "protocols" / "nct06223646.toml")
MET, CONFIRMED, REJECTED = State.MET_BY_RULE, State.CONFIRMED, State.REJECTED
POTENTIAL, PENDING, NOT_DLT = State.POTENTIAL_DLT, State.PENDING_DURATION, State.NOT_DLT
LATE = at("2026-12-01T12:00")
"""Long after the windows of everybody who is infused in the first months of the year."""


def protocol(**dose: Any) -> Protocol:
    """The first study, with other dose settings where they are named."""
    return replace(STUDY, dose=replace(DoseSettings(), **dose))


def verdict(state: State, n: int = 1, **more: Any) -> Verdict:
    return Verdict(state, "DLT-11", ("written for a test",), key=f"E{n}", event_id=f"E{n}", **more)


def subject(
    n: int,
    *states: State | Verdict,
    level: str = "DL1",
    on: str | None = "2026-01-05T10:00",
    percent: str | None = "100",
    planned: str | None = "1.0",
    left: str | None = None,
    died: str | None = None,
    related: bool = True,
    contacts: tuple[date, ...] = (),
    **more: Any,
) -> SubjectFacts:
    """A subject of site S01. `on` None: enrolled and not infused; `percent` of the planned dose was given."""
    given = None if percent is None else Decimal(percent) / 100 * Decimal(planned or "1")
    dose = None if planned is None else Decimal(planned)
    infusions = () if on is None else (Given(Partial.parse(on), level, dose, given),)
    deaths = (Death(f"D{n}", Partial.parse(died), Finding(related, ("written for a test",))),) if died else ()
    return SubjectFacts(
        id=f"S01-{n:03}",
        site="S01",
        zone=SHANGHAI,
        enrolled=(Enrolled(level, Partial.parse("2026-01-01")),),
        given=infusions,
        withdrawn=(Withdrawn(Partial.parse(left)),) if left else (),
        deaths=deaths,
        verdicts=tuple(one if isinstance(one, Verdict) else verdict(one, k) for k, one in enumerate(states, 1)),
        contacts=frozenset(contacts),
        **more,
    )


def cohort(first: int, *states: State | None, level: str = "DL1", on: str = "2026-01-05T10:00") -> list[SubjectFacts]:
    """One subject for each state, all infused on one day; None: nothing happened."""
    return [subject(n, *([] if s is None else [s]), level=level, on=on) for n, s in enumerate(states, first)]


def reviewed(level: str = "DL1", on: str = "2026-02-10T09:00") -> TrialFacts:
    return TrialFacts(reviewed=(Reviewed(level, ("A. Chair",), at(on), "three without a DLT"),))


def at_board(
    subjects: list[SubjectFacts],
    facts: TrialFacts | None = None,
    as_of: datetime | str = LATE,
    of: Protocol = STUDY,
) -> Board:
    moment = at(as_of) if isinstance(as_of, str) else as_of
    return board(of, subjects, facts or TrialFacts(), moment)
