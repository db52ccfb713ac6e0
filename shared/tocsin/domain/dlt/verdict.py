"""What the rules say of one event, or of one finding that no report tells of. Only people confirm or reject."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tocsin.domain.dlt.definition import About


class State(StrEnum):
    """How far a verdict is (rules.md 4.2, flow; readings.md DLT 3).

    NONE: nothing ever matched. NOT_DLT is advisory and names what excluded it. CONFIRMED and REJECTED are signed.
    """

    NONE = "none"
    NOT_DLT = "NOT_DLT"
    POTENTIAL_DLT = "POTENTIAL_DLT"
    PENDING_DURATION = "PENDING_DURATION"
    MET_BY_RULE = "MET_BY_RULE"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"

    @property
    def is_open(self) -> bool:
        """Whether a person or a date must still say: nobody is evaluable without DLT while it is."""
        return self in (State.POTENTIAL_DLT, State.PENDING_DURATION, State.MET_BY_RULE)

    @property
    def counts(self) -> bool:
        """Whether it counts as a DLT now: what is met counts until it is rejected (readings.md DLT 2)."""
        return self in (State.MET_BY_RULE, State.CONFIRMED)


POTENTIAL_DLT = State.POTENTIAL_DLT
NO_DLT = State.NONE

_WEIGHT = {
    state: n
    for n, state in enumerate(
        (State.NONE, State.NOT_DLT, State.POTENTIAL_DLT, State.PENDING_DURATION, State.MET_BY_RULE)
    )
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One verdict with everything that a person needs to check it.

    `key` stays the same while the facts change: the id of the event, or what was measured and the day on which it
    began. `due_at`: the first moment at which the limit is passed, aware, UTC, while that is waited for; `strict_at`
    likewise for the shorter limit, while it is still ahead. `for_committee`: why the committee must see it, whatever
    the state. `would_change`: what would make it another verdict. `asks`: what the site has to say.
    """

    state: State
    rule_id: str | None
    reasons: tuple[str, ...]
    is_provisional: bool = False
    key: str = ""
    about: About = About.EVENT
    case_id: str | None = None
    event_id: str | None = None
    grade: int | None = None
    study_day: int | None = None
    due_at: datetime | None = None
    strict_at: datetime | None = None
    is_strict_passed: bool = False
    for_committee: tuple[str, ...] = ()
    would_change: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    by_rule: State | None = None
    """What the rules alone say, where a person signed."""

    @property
    def holds_up(self) -> bool:
        """Whether the subject cannot be evaluable without DLT because of it."""
        return self.state.is_open or (self.state is not State.REJECTED and bool(self.for_committee))


def worst(found: list[Verdict]) -> Verdict:
    """Of what several rules say of one thing, what weighs most; of equals the first in order of the definition."""
    return max(found, key=lambda one: (_WEIGHT[one.state], not one.is_provisional))
