"""How many of each level count for its decision, who is waited for, and who is replaced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from tocsin.domain.board.settings import Design
from tocsin.domain.board.standing import Standing, Status
from tocsin.domain.escalation import three_plus_three
from tocsin.domain.escalation.boin import ELIMINATE
from tocsin.domain.escalation.decision import Pending, Position
from tocsin.domain.protocol import DoseLevel, Protocol


@dataclass(frozen=True, slots=True)
class LevelCount:
    """One level. `evaluable` counts those with a DLT too; `dlt` those among them with one, met or confirmed.

    `outside` had a DLT after a dose that is not known to be as planned: they count in no table and are the
    committee's. `watched` are replaced for their dose and still in their window. `earliest_on`: when the last of the
    pending may be evaluable, as far as there is a date.
    """

    level: str
    label: str
    place: int
    position: Position | None
    evaluable: int
    dlt: tuple[str, ...]
    confirmed: tuple[str, ...]
    pending: tuple[str, ...]
    enrolled: tuple[str, ...]
    replaced: tuple[str, ...]
    outside: tuple[str, ...]
    watched: tuple[str, ...]
    waits_for: tuple[str, ...]
    earliest_on: date | None
    follow_up_days: tuple[Fraction, ...]
    last_infused_at: datetime | None
    is_exceeded: bool

    @property
    def is_used(self) -> bool:
        """Whether anybody was infused or is to be infused here."""
        return any((self.evaluable, self.pending, self.enrolled, self.replaced, self.outside))

    @property
    def treated(self) -> int:
        """Who counts or may come to count in the table."""
        return self.evaluable + len(self.pending)

    @property
    def waited_for(self) -> Pending:
        return Pending(len(self.pending), self.earliest_on)

    @property
    def all_dlt(self) -> tuple[str, ...]:
        """Everybody with a DLT here, whatever the dose was."""
        return tuple(sorted((*self.dlt, *self.outside)))


def levels(standings: Iterable[Standing], protocol: Protocol) -> tuple[LevelCount, ...]:
    """Each planned level, the lowest first. A subject at no known level is in none of them."""
    at: dict[str | None, list[Standing]] = {}
    for one in sorted(standings, key=lambda one: one.subject):
        at.setdefault(one.level, []).append(one)
    return tuple(_count(n, level, at.get(level.id, []), protocol) for n, level in enumerate(protocol.levels, 1))


def without_level(standings: Iterable[Standing], protocol: Protocol) -> tuple[str, ...]:
    """The subjects who stand at no level of the protocol."""
    known = {level.id for level in protocol.levels}
    return tuple(sorted(one.subject for one in standings if one.level not in known))


def _count(place: int, level: DoseLevel, here: Sequence[Standing], protocol: Protocol) -> LevelCount:
    pending = [one for one in here if one.status is Status.PENDING]
    dlt = [one for one in here if one.status is Status.DLT and one.is_in_plan]
    evaluable = sum(one.counts for one in here)
    return LevelCount(
        level=level.id,
        label=level.label,
        place=place,
        position=Position.of(place, len(protocol.levels)) if len(protocol.levels) > 1 else None,
        evaluable=evaluable,
        dlt=_ids(dlt),
        confirmed=_ids(one for one in here if one.status is Status.DLT and one.is_confirmed),
        pending=_ids(pending),
        enrolled=_ids(one for one in here if one.status is Status.ENROLLED),
        replaced=_ids(one for one in here if one.status is Status.NOT_EVALUABLE),
        outside=_ids(one for one in here if one.status is Status.DLT and not one.is_in_plan),
        watched=_ids(one for one in here if one.is_watched),
        waits_for=tuple(f"{one.subject}: {what}" for one in pending for what in one.waits_for),
        earliest_on=max((one.earliest_on for one in pending if one.earliest_on is not None), default=None),
        follow_up_days=tuple(sorted(one.follow_up_days for one in pending)),
        last_infused_at=max((one.started.earliest for one in here if one.started is not None), default=None),
        is_exceeded=_is_exceeded(evaluable, len(dlt), len(pending), protocol),
    )


def _is_exceeded(evaluable: int, dlt: int, pending: int, protocol: Protocol) -> bool:
    """Whether the table closes the level for good: at the second DLT of 3+3; at BOIN's elimination."""
    if protocol.dose.design is Design.THREE_PLUS_THREE:
        return dlt >= three_plus_three.TOO_MANY
    treated = evaluable + pending
    return treated > 0 and protocol.dose.boin.boundaries(treated).word(dlt) == ELIMINATE


def _ids(standings: Iterable[Standing]) -> tuple[str, ...]:
    return tuple(one.subject for one in standings)
