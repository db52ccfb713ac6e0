"""Holds on infusions: what asks for one, since when, whom it concerns, and who has confirmed it.

A hold stops nobody by itself: each site and the cell lab are told until they confirm. One that the facts have set
stays until it is lifted by signature, also where the facts no longer ask for it. Only the stagger passes by itself, on
its date. Sources: rules.md 5.5 ST-01 to ST-06, readings.md DLT 14.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from tocsin.domain.board.facts import CELL_LAB, Lifted, Raised, TrialFacts


class Kind(StrEnum):
    """What a hold is set for."""

    STAGGER = "stagger"
    SECOND_DLT = "second_dlt"
    ELIMINATED = "eliminated"
    TREATMENT_RELATED_DEATH = "treatment_related_death"
    REVIEW = "review"
    UNDONE = "escalation_undone"
    OUTSIDE_PLAN = "dlt_outside_plan"
    PARALLEL = "parallel_levels"
    PRODUCT = "product"
    MALIGNANCY = "car_positive_malignancy"
    REPLICATION_COMPETENT_VIRUS = "replication_competent_virus"
    MONITORING = "monitoring"

    @property
    def is_condition(self) -> bool:
        """Whether it holds until something expected comes, and not because something happened."""
        return self in (Kind.STAGGER, Kind.REVIEW, Kind.PARALLEL, Kind.OUTSIDE_PLAN)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A site or the cell lab, and when it confirmed that it knows; None: it has not."""

    party: str
    at: datetime | None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold. `level` is what it is about; `levels` are those that it stops, none of them meaning all.

    `since` is aware, UTC: when the facts set it, or the moment of the board where no earlier one is known. `spares`:
    who is not held by it. `ends_on`: the first date of an infusion that it no longer holds. `is_closing`: the level is
    closed and not only held. `decide_by`: when the committee should have decided. `is_asked_for`: by the facts as they
    are now.
    """

    key: str
    kind: Kind
    level: str | None
    reasons: tuple[str, ...]
    since: datetime
    levels: tuple[str, ...] = ()
    spares: str | None = None
    ends_on: date | None = None
    is_closing: bool = False
    decide_by: datetime | None = None
    is_asked_for: bool = True
    lifted: Lifted | None = None
    confirmations: tuple[Confirmation, ...] = ()

    def stands(self, at: datetime, on: date) -> bool:
        """Whether it stood at a moment; `on` is the local date of that moment, by which a stagger ends."""
        if self.since > at or (self.lifted is not None and self.lifted.at <= at):
            return False
        return self.ends_on is None or on < self.ends_on

    def stops(self, level: str) -> bool:
        return not self.levels or level in self.levels

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Who has still to be told."""
        return tuple(one.party for one in self.confirmations if one.at is None)


def settled(asked: Iterable[Hold], facts: TrialFacts, sites: Sequence[str]) -> tuple[Hold, ...]:
    """The holds that the facts ask for, with those set before, and with what people signed and confirmed."""
    by_key = {hold.key: hold for hold in asked}
    for raised in sorted(set(facts.raised), key=lambda one: (one.at, one.key, one.reasons)):
        if raised.key not in by_key and not Kind(raised.kind).is_condition:
            by_key[raised.key] = _no_longer_asked_for(raised)
    found = [_with_people(hold, facts, sites) for hold in by_key.values()]
    return tuple(sorted(found, key=lambda hold: (hold.since, hold.key)))


def _no_longer_asked_for(raised: Raised) -> Hold:
    why = "the facts no longer ask for it: it stays until it is lifted by signature"
    return Hold(raised.key, Kind(raised.kind), raised.level, (*raised.reasons, why), raised.at, raised.levels,
                is_asked_for=False)  # fmt: skip


def _with_people(hold: Hold, facts: TrialFacts, sites: Sequence[str]) -> Hold:
    """A hold that was set again after it was lifted stands again. A signature proves that it stood before."""
    lifts = [one for one in facts.lifted if one.key == hold.key]
    lifted = max(lifts, key=lambda one: (one.at, one.by, one.reason), default=hold.lifted)
    times = sorted(one.at for one in facts.raised if one.key == hold.key)
    since = min([hold.since, *times])
    if lifted is not None and lifted is not hold.lifted:
        again = [at for at in times if at > lifted.at]
        since, lifted = (again[0], None) if again else (min(since, lifted.at), lifted)
    hold = replace(hold, since=since, lifted=lifted)
    if hold.kind.is_condition:
        return hold
    told = sorted(
        {one for one in facts.confirmed if one.key == hold.key and one.at >= since},
        key=lambda one: (one.at, one.party, one.by),
    )
    first = {one.party: one for one in reversed(told)}
    confirmations = tuple(
        Confirmation(party, first[party].at, first[party].by) if party in first else Confirmation(party, None)
        for party in (*sites, CELL_LAB)
    )
    return replace(hold, confirmations=confirmations)
