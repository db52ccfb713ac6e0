"""May the next subject be infused, and at what dose: the level where the trial stands, and what stands against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from tocsin.domain.board.decision import DECLARES, DOWN, NOT_OPEN, LevelDecision
from tocsin.domain.board.designs import COMMITTEE, CONTINUE
from tocsin.domain.board.holds import Hold
from tocsin.domain.board.levels import LevelCount
from tocsin.domain.board.settings import Design
from tocsin.domain.board.standing import Standing
from tocsin.domain.calendars import local_day
from tocsin.domain.escalation.decision import WAIT
from tocsin.domain.escalation.three_plus_three import COHORT, FULL
from tocsin.domain.escalation.tite_boin import SUSPEND
from tocsin.domain.protocol import Protocol

EXPAND: Final = "EXPAND_TO_6"


@dataclass(frozen=True, slots=True)
class NextInfusion:
    """`current` is where the trial stands; `level` the dose of the next infusion, None: nobody may be infused now.

    `places`: how many more may be infused there before the next decision. `held_by`: holds that stand against it;
    `earliest_on`: the first date on which those that end by a date have ended.
    """

    current: str | None
    level: str | None
    places: int
    reasons: tuple[str, ...]
    held_by: tuple[str, ...] = ()
    earliest_on: date | None = None

    @property
    def may_be_infused(self) -> bool:
        return self.level is not None and not self.held_by


def next_infusion(
    counts: Sequence[LevelCount],
    decisions: Sequence[LevelDecision],
    standings: Sequence[Standing],
    held: Sequence[Hold],
    protocol: Protocol,
    as_of: datetime,
) -> NextInfusion:
    """The next infusion of phase 1."""
    if not counts:
        return NextInfusion(None, None, 0, ("this study has no dose levels",))
    began = _began_at(counts, standings, protocol)
    at = _after_going_down(began, decisions)
    if at is None:
        return NextInfusion(None, None, 0, (f"{decisions[0].level}: {decisions[0].action}", *decisions[0].reasons))
    current = decisions[at]
    # Who has just come down stays for a cohort: what the lower level said before is not asked again.
    if at == began and current.is_up and not current.needs_review:
        at = next(n for n, count in enumerate(counts) if count.level == current.goes_to)
    count, decision = counts[at], decisions[at]
    said = (f"{current.level}: {current.word}: {current.action}", *current.reasons)
    room = 0 if _stops(decision, is_new=at != began) else _room(count, decision, protocol, moved=at != began)
    places = max(room - count.treated, 0)
    if not places:
        return NextInfusion(current.level, None, 0, said)
    return _held(NextInfusion(current.level, count.level, places, said), held, protocol, as_of)


def in_expansion(level: str, held: Sequence[Hold], protocol: Protocol, as_of: datetime) -> NextInfusion:
    """The next infusion of phase 2a: at the dose that was signed, as long as nothing holds it."""
    planned = protocol.planned_subjects
    said = (f"phase 2a at {level}", *((f"{planned} subjects are planned in all",) if planned else ()))
    return _held(NextInfusion(level, level, 1, said), held, protocol, as_of)


def _held(found: NextInfusion, held: Sequence[Hold], protocol: Protocol, as_of: datetime) -> NextInfusion:
    assert found.level is not None
    today = local_day(as_of, protocol.receiver_zone)
    against = [hold for hold in held if hold.stops(found.level) and hold.stands(as_of, today)]
    earliest = max((hold.ends_on for hold in against if hold.ends_on is not None), default=None)
    reasons = (*found.reasons, *(hold.reasons[0] for hold in against))
    return NextInfusion(
        found.current, found.level, found.places, reasons, tuple(hold.key for hold in against), earliest
    )  # fmt: skip


def _began_at(counts: Sequence[LevelCount], standings: Sequence[Standing], protocol: Protocol) -> int:
    """The place of the level in use: under 3+3 the highest, which never goes back up; under BOIN that of the last."""
    highest = max((n for n, count in enumerate(counts) if count.is_used), default=0)
    if protocol.dose.design is Design.THREE_PLUS_THREE:
        return highest
    return _last_infused(counts, standings, highest)


def _after_going_down(at: int, decisions: Sequence[LevelDecision]) -> int | None:
    """The place of the highest level from there on that does not go down itself; None where no dose is left."""
    while decisions[at].word in DOWN and decisions[at].goes_to != decisions[at].level:
        if at == 0 or decisions[at].goes_to is None:
            return None
        at -= 1
    return at


def _last_infused(counts: Sequence[LevelCount], standings: Sequence[Standing], otherwise: int) -> int:
    places = {count.level: n for n, count in enumerate(counts)}
    dosed = [(one.started.earliest, places[one.level]) for one in standings if one.started and one.level in places]
    return max(dosed)[1] if dosed else otherwise


def _stops(decision: LevelDecision, *, is_new: bool) -> bool:
    """Whether nobody is infused until something else is decided."""
    if decision.word in DECLARES or decision.word in {COMMITTEE, SUSPEND}:
        return True
    return decision.needs_review and not is_new


def _room(count: LevelCount, decision: LevelDecision, protocol: Protocol, *, moved: bool) -> int:
    """How many may be treated at a level before its next decision."""
    if protocol.dose.design is Design.THREE_PLUS_THREE:
        return FULL if count.treated > COHORT or decision.word == EXPAND else COHORT
    cohort = protocol.dose.subjects_per_cohort
    if decision.word in {WAIT, CONTINUE, NOT_OPEN} and not moved:
        return -(-max(count.treated, 1) // cohort) * cohort
    return (count.treated // cohort + 1) * cohort
