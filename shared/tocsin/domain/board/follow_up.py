"""The calendar of follow-up of each subject after infusion: what is due, done, missed and overdue.

Source: the trial record, adverse events followed for at least two years. The single visits are an assumption.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from tocsin.domain.board.facts import SubjectFacts
from tocsin.domain.board.given import infusion_of
from tocsin.domain.calendars import Partial, local_day
from tocsin.domain.protocol import Protocol


class VisitState(StrEnum):
    """MISSED: nothing is held of its time, and the subject was seen later. ENDED: the subject died or left before."""

    TO_COME = "to_come"
    DUE = "due"
    DONE = "done"
    MISSED = "missed"
    OVERDUE = "overdue"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit. Any contact from `opens_on` to `closes_on`, both included, does for it."""

    month: int
    due_on: date
    opens_on: date
    closes_on: date
    state: VisitState
    seen_on: date | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """The visits of one subject. `next`: the first that is due or to come. `ended`: why nothing more is due."""

    subject: str
    site: str
    infused_on: date | None
    visits: tuple[Visit, ...]
    last_contact: date | None
    ended: str | None
    reasons: tuple[str, ...]

    @property
    def overdue(self) -> tuple[Visit, ...]:
        return tuple(one for one in self.visits if one.state is VisitState.OVERDUE)

    @property
    def next(self) -> Visit | None:
        return next((one for one in self.visits if one.state in (VisitState.DUE, VisitState.TO_COME)), None)


def calendar(subject: SubjectFacts, protocol: Protocol, as_of: datetime) -> Calendar | None:
    """The calendar of a subject who was infused; None for one who was not.

    Of a start that is partly known the latest day counts, so that nobody is called overdue by a guess.
    """
    infusion = infusion_of(subject)
    if infusion is None:
        return None
    today = local_day(as_of, subject.zone)
    seen = frozenset(day for day in subject.contacts if day <= today)
    last = max(seen, default=None)
    end, why = _end(subject)
    span = infusion.started.widest(subject.zone)
    if span is None:
        reasons = (f"the infusion of {infusion.started} has no year: no visit can be dated",)
        return Calendar(subject.id, subject.site, None, (), last, why, reasons)
    began = local_day(span.latest, subject.zone)
    visits: list[Visit] = []
    before = began
    for month in protocol.dose.follow_up.months:
        due_on = months_after(began, month)
        grace = protocol.dose.follow_up.grace
        opens_on, closes_on = max(due_on - grace, before + timedelta(days=1)), due_on + grace
        visits.append(_visit(month, due_on, opens_on, closes_on, seen, today, end, why is not None))
        before = due_on
    partly = f"infused on {infusion.started}: counted from {began}"
    said = () if infusion.started.is_whole_day else (partly,)
    return Calendar(subject.id, subject.site, began, tuple(visits), last, why, said)


def months_after(day: date, months: int) -> date:
    """The same day of a later month; the last day of a month that is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _visit(
    month: int,
    due_on: date,
    opens_on: date,
    closes_on: date,
    seen: frozenset[date],
    today: date,
    end: date | None,
    has_ended: bool,
) -> Visit:
    inside = min((day for day in seen if opens_on <= day <= closes_on), default=None)
    if inside is not None:
        state = VisitState.DONE
    elif has_ended and (end is None or end <= closes_on):
        state = VisitState.ENDED
    elif today <= closes_on:
        state = VisitState.DUE if today >= opens_on else VisitState.TO_COME
    else:
        state = VisitState.MISSED if any(day > closes_on for day in seen) else VisitState.OVERDUE
    return Visit(month, due_on, opens_on, closes_on, state, inside)


def _end(subject: SubjectFacts) -> tuple[date | None, str | None]:
    """The day on which follow-up ended, None where it is not known, and why; nothing where it goes on."""
    ends: list[tuple[Partial | None, str]] = [(one.on, "died") for one in subject.deaths]
    ends += [(one.on, "withdrew") for one in subject.withdrawn]
    if not ends:
        return None, None
    dated = sorted(_dated(ends, subject))
    if not dated:
        return None, f"{sorted(word for _, word in ends)[0]}, on a date that is not known"
    day, word = dated[0]
    return day, f"{word} on {day}"


def _dated(ends: Iterable[tuple[Partial | None, str]], subject: SubjectFacts) -> Iterable[tuple[date, str]]:
    for on, word in ends:
        span = on.widest(subject.zone) if on is not None else None
        if span is not None:
            yield local_day(span.latest, subject.zone), word
