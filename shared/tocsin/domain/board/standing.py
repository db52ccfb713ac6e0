"""Where each subject stands: enrolled, pending, evaluable without DLT, with a DLT, or to be replaced.

Sources: rules.md 4.2 (evaluable), readings.md DLT 2: nobody is evaluable without DLT while day 28 is open or anything
of the subject is. What is met counts until it is rejected. What is not known is waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from tocsin.domain.board import given
from tocsin.domain.board.asking import asks
from tocsin.domain.board.facts import SubjectFacts
from tocsin.domain.board.given import Dosed
from tocsin.domain.calendars import Partial, Span, local_day, local_minute
from tocsin.domain.dlt.definition import DltDefinition
from tocsin.domain.dlt.verdict import State, Verdict
from tocsin.domain.dlt.window import study_day_of, window
from tocsin.domain.known import Known
from tocsin.domain.protocol import Protocol


class Status(StrEnum):
    """What a subject counts as for the dose."""

    ENROLLED = "enrolled"
    PENDING = "pending"
    EVALUABLE = "evaluable_without_dlt"
    DLT = "dlt"
    NOT_EVALUABLE = "not_evaluable"


@dataclass(frozen=True, slots=True)
class Standing:
    """One subject at one moment. `level` is that of the infusion, else of the enrolment.

    `window` is from the start of infusion to the last second of its last day; of a start that is partly known, the
    widest. `window_day` is the study day now, while the start is known to the day. `earliest_on`: the date at whose
    end the subject may be evaluable at the earliest; None where that hangs on a person alone. `is_in_plan` False with
    a DLT: it is put before the committee and counts in no table. `is_watched`: in the window, though replaced for the
    dose that was given. `follow_up_days`: how long followed without an open verdict, the window at most.
    """

    subject: str
    site: str
    level: str | None
    status: Status
    reasons: tuple[str, ...]
    waits_for: tuple[str, ...] = ()
    earliest_on: date | None = None
    started: Span | None = None
    window: Span | None = None
    window_day: int | None = None
    dosed: Dosed = Dosed.UNKNOWN
    is_confirmed: bool = False
    is_watched: bool = False
    for_committee: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    follow_up_days: Fraction = Fraction(0)

    @property
    def is_infused(self) -> bool:
        """Whether the product was given; one that is dated in the future was not yet."""
        return self.status is Status.PENDING or (self.window is not None and self.status is not Status.ENROLLED)

    @property
    def is_in_plan(self) -> bool:
        return self.dosed is Dosed.AS_PLANNED

    @property
    def counts(self) -> bool:
        """Whether the subject is one of those evaluable at its level, with a DLT or without."""
        return self.status is Status.EVALUABLE or (self.status is Status.DLT and self.is_in_plan)


def standing(subject: SubjectFacts, protocol: Protocol, as_of: datetime) -> Standing:
    """Where one subject stands at a moment."""
    return _Look(subject, protocol, as_of).standing()


class _Look:
    """One subject, looked at once."""

    def __init__(self, subject: SubjectFacts, protocol: Protocol, as_of: datetime) -> None:
        self.subject, self.protocol, self.as_of = subject, protocol, as_of
        self.infusion = given.infusion_of(subject)
        self.dose = given.dose_of(subject, protocol.levels, protocol.dose)
        self.started = None if self.infusion is None else self.infusion.started.widest(subject.zone)
        self.window = _window(self.started, subject, protocol.dlt)
        self.verdicts = sorted(set(subject.verdicts), key=lambda one: (one.key, repr(one)))

    def standing(self) -> Standing:
        dlts = [one for one in self.verdicts if one.state.counts]
        if dlts:
            return self._with_dlt(dlts)
        if self.infusion is None or (self.started is not None and self.started.earliest > self.as_of):
            return self._not_infused()
        waits = tuple(self._open_verdicts())
        left = self._left()
        if left is not None and left[0] is Known.YES and not waits:
            return self._make(Status.NOT_EVALUABLE, f"{left[1]} before day {self._last_day} without a DLT: replaced")
        if self.dose.dosed is Dosed.OUTSIDE and not waits:
            said = (f"{self.dose.said}: not evaluable without a DLT, replaced", *self._still_watched())
            return replace(self._make(Status.NOT_EVALUABLE, *said), is_watched=not self._is_complete)
        waits = (*waits, *self._unknown(left))
        if self._is_complete and not waits:
            return self._make(Status.EVALUABLE, f"day {self._last_day} is complete without a DLT", self.dose.said)
        why = () if self._is_complete else (f"day {self._last_day} is not complete",)
        pending = self._make(Status.PENDING, *why, *waits)
        return replace(pending, waits_for=(*why, *waits), earliest_on=self._earliest())

    def _with_dlt(self, dlts: Sequence[Verdict]) -> Standing:
        said = tuple(_named(one) for one in dlts)
        is_confirmed = any(one.state is State.CONFIRMED for one in dlts)
        committee = list(self._before_committee())
        if self.dose.dosed is not Dosed.AS_PLANNED:
            committee.append(f"a DLT, and {self.dose.said}: whether it counts against the level is the committee's")
        found = self._make(Status.DLT, *said, self.dose.said)
        return replace(found, is_confirmed=is_confirmed, for_committee=tuple(committee))

    def _not_infused(self) -> Standing:
        if self.subject.withdrawn or self.subject.deaths:
            left = min((one.on.text for one in self.subject.withdrawn), default="")
            return self._make(Status.NOT_EVALUABLE, f"left{left and f' on {left}'} before infusion: replaced")
        waits = tuple(self._open_verdicts())
        if self.infusion is not None:
            return self._make(Status.ENROLLED, f"the infusion is dated {self.infusion.started}, which is to come")
        return replace(self._make(Status.ENROLLED, "not yet infused", *waits), waits_for=waits)

    def _make(self, status: Status, *reasons: str) -> Standing:
        return Standing(
            self.subject.id,
            self.subject.site,
            self._level,
            status,
            reasons,
            started=self.started,
            window=self.window,
            window_day=self._window_day(),
            dosed=self.dose.dosed,
            for_committee=tuple(self._before_committee()),
            asks=tuple(asks(self.subject, self.protocol, self.dose, self.window if self._is_complete else None)),
            follow_up_days=self._followed(),
        )

    @property
    def _level(self) -> str | None:
        if self.infusion is not None:
            return self.infusion.level
        named = sorted({(one.on.text, one.level) for one in self.subject.enrolled if one.level is not None})
        return named[-1][1] if named else None

    @property
    def _last_day(self) -> int:
        return self.protocol.dlt.window_days if self.protocol.dlt is not None else 0

    @property
    def _is_complete(self) -> bool:
        """Whether the last second of the window has passed, by every reading of its start."""
        return self.window is not None and self.as_of > self.window.latest

    def _open_verdicts(self) -> Iterable[str]:
        for one in self.verdicts:
            if one.state.is_open:
                until = f", by {local_minute(one.due_at, self.subject.zone)} at the latest" if one.due_at else ""
                yield f"{_named(one)} waits for {'its limit' if one.due_at else 'a signature'}{until}"
        yield from self._before_committee()

    def _before_committee(self) -> Iterable[str]:
        for one in self.verdicts:
            if one.holds_up and one.for_committee:
                yield f"before the committee: {_named(one)}: {'; '.join(one.for_committee)}"

    def _left(self) -> tuple[Known, str] | None:
        """Whether the subject died or left before the last day of the window; None: neither is known of."""
        left = [(one.on, "died") for one in self.subject.deaths]
        left += [(one.on, "left") for one in self.subject.withdrawn]
        if not left:
            return None
        judged = [(self._is_before_last_day(on), f"{word} on {on}" if on else f"{word} on an unknown date")
                  for on, word in left]  # fmt: skip
        for answer in (Known.YES, Known.UNKNOWN):
            if found := sorted(said for known, said in judged if known is answer):
                return answer, found[0]
        return Known.NO, ""

    def _is_before_last_day(self, on: Partial | None) -> Known:
        when = on.widest(self.subject.zone) if on is not None else None
        if when is None or self.window is None:
            return Known.UNKNOWN
        first, last = (local_day(edge, self.subject.zone) for edge in (when.earliest, when.latest))
        day = local_day(self.window.latest, self.subject.zone)
        if last < day:
            return Known.YES
        return Known.NO if first >= day else Known.UNKNOWN

    def _unknown(self, left: tuple[Known, str] | None) -> Iterable[str]:
        if self.window is None:
            no_start = "the start of infusion is not known"
            yield no_start if self.protocol.dlt is not None else "this study defines no window for DLTs"
        if left is not None and left[0] is Known.UNKNOWN:
            yield f"{left[1]}: whether day {self._last_day} was completed is not known"
        if self.dose.dosed is Dosed.UNKNOWN:
            yield f"{self.dose.said}: not known to be as planned"

    def _still_watched(self) -> Iterable[str]:
        if not self._is_complete:
            yield f"until day {self._last_day} a DLT would go before the committee, and nobody goes up before"

    def _earliest(self) -> date | None:
        """The last of the dates that are known; None where only a person is waited for."""
        if self.window is None:
            return None
        dates = [local_day(self.window.latest, self.subject.zone)] if not self._is_complete else []
        dates += [local_day(one.due_at, self.subject.zone) for one in self.verdicts if one.state.is_open and one.due_at]
        return max(dates, default=None)

    def _window_day(self) -> int | None:
        definition, infusion = self.protocol.dlt, self.infusion
        if definition is None or infusion is None or self.started is None or not infusion.started.is_whole_day:
            return None
        today = local_day(self.as_of, self.subject.zone)
        return study_day_of(today, self.started.earliest, self.subject.zone, definition)

    def _followed(self) -> Fraction:
        """A subject with an open verdict counts as followed for no time: it may still be a DLT."""
        if self.started is None or any(self._open_verdicts()):
            return Fraction(0)
        passed = Fraction((self.as_of - self.started.latest) // timedelta(seconds=1), 86400)
        return min(max(passed, Fraction(0)), Fraction(self._last_day))


def _window(started: Span | None, subject: SubjectFacts, definition: DltDefinition | None) -> Span | None:
    if started is None or definition is None:
        return None
    first, last = (window(edge, subject.zone, definition) for edge in (started.earliest, started.latest))
    return Span(first.earliest, last.latest)


def _named(one: Verdict) -> str:
    rule = f" by {one.rule_id}" if one.rule_id else ""
    day = f", study day {one.study_day}" if one.study_day is not None else ""
    return f"{one.event_id or one.key} is {one.state}{rule}{day}{', provisional' if one.is_provisional else ''}"
