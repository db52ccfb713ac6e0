"""The dose board of a study at one moment: everything of it in one value, whatever the order of its facts.

A pure function of facts and moment, so that two that are handed the same facts say the same. What it is made of, each
in its own module: `standing`, `levels`, `decision`, `holding`, `mtd`, `phase_2a`, `next_infusion`, `follow_up`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from tocsin.domain.board import designs
from tocsin.domain.board.decision import LevelDecision, decisions
from tocsin.domain.board.facts import SubjectFacts, TrialFacts
from tocsin.domain.board.follow_up import Calendar, calendar
from tocsin.domain.board.holding import Trial, against, asked
from tocsin.domain.board.holds import Hold, settled
from tocsin.domain.board.levels import LevelCount, levels, without_level
from tocsin.domain.board.mtd import Mtd, mtd
from tocsin.domain.board.next_infusion import NextInfusion, in_expansion, next_infusion
from tocsin.domain.board.phase_2a import Expansion, Proposal, expansion, parted, proposal
from tocsin.domain.board.settings import Design
from tocsin.domain.board.standing import Standing, standing
from tocsin.domain.calendars import local_day
from tocsin.domain.escalation.decision import Parameters
from tocsin.domain.protocol import APPROVED, ASSUMED_RULES, Protocol


@dataclass(frozen=True, slots=True)
class Board:
    """What the desk shows. `today` is the date in the study's own zone.

    `assumptions` are the sentences to stand on it until the sponsor approves. `levels` and `decisions` are of phase 1,
    the lowest level first. `holds` are all that were ever set; `standing_holds` those that stand now. `given_against`:
    for each subject who was infused against holds, which they were. `unplaced`: subjects at no level of the protocol.
    """

    study: str
    as_of: datetime
    today: date
    design: Design
    parameters: Parameters
    assumptions: tuple[str, ...]
    subjects: tuple[Standing, ...]
    levels: tuple[LevelCount, ...]
    decisions: tuple[LevelDecision, ...]
    next: NextInfusion
    holds: tuple[Hold, ...]
    given_against: tuple[tuple[str, tuple[Hold, ...]], ...]
    mtd: Mtd
    proposal: Proposal
    expansion: Expansion
    follow_up: tuple[Calendar, ...]
    enrolled: int
    planned: int | None
    unplaced: tuple[str, ...]

    @property
    def standing_holds(self) -> tuple[Hold, ...]:
        return tuple(hold for hold in self.holds if hold.stands(self.as_of, self.today))

    def subject(self, subject_id: str) -> Standing | None:
        return next((one for one in self.subjects if one.subject == subject_id), None)

    def decision(self, level: str) -> LevelDecision:
        return next(one for one in self.decisions if one.level == level)

    def count(self, level: str) -> LevelCount:
        return next(one for one in self.levels if one.level == level)

    def hold(self, key: str) -> Hold | None:
        return next((one for one in self.holds if one.key == key), None)


def board(protocol: Protocol, subjects: Iterable[SubjectFacts], facts: TrialFacts, as_of: datetime) -> Board:
    """The board of a study. Each subject is given once, with all that is known of it."""
    known = tuple(sorted(subjects, key=lambda one: one.id))
    found = tuple(standing(one, protocol, as_of) for one in known)
    phase_1, phase_2a, signed = parted(found, facts.recommended)
    counts = levels(phase_1, protocol)
    decided = decisions(counts, protocol, facts.reviewed, facts.lifted)
    watched = expansion(phase_2a, known, signed, protocol.dose.expansion)
    trial = Trial(protocol, known, phase_1, counts, decided, watched, facts, as_of)
    held = settled(asked(trial), facts, [site.id for site in protocol.sites])
    chosen = mtd(counts, decided, protocol)
    return Board(
        study=protocol.id,
        as_of=as_of,
        today=local_day(as_of, protocol.receiver_zone),
        design=protocol.dose.design,
        parameters=designs.parameters(protocol.dose),
        assumptions=tuple(_assumptions(protocol)),
        subjects=found,
        levels=counts,
        decisions=decided,
        next=in_expansion(signed.level, held, protocol, as_of)
        if signed is not None
        else next_infusion(counts, decided, phase_1, held, protocol, as_of),
        holds=held,
        given_against=tuple((one.id, told) for one in known if (told := against(one, held, trial))),
        mtd=chosen,
        proposal=proposal(phase_1, chosen.level, chosen.reasons),
        expansion=watched,
        follow_up=tuple(one for subject in known if (one := calendar(subject, protocol, as_of)) is not None),
        enrolled=len(known),
        planned=protocol.planned_subjects,
        unplaced=without_level(found, protocol),
    )


def _assumptions(protocol: Protocol) -> Iterable[str]:
    if protocol.dose.status != APPROVED:
        yield f"{ASSUMED_RULES}: dose design {protocol.dose.design}, its numbers, and the calendar of follow-up"
    if protocol.dlt is not None and protocol.dlt.status != APPROVED:
        yield f"{ASSUMED_RULES}: DLT definition {protocol.dlt.id}"
