"""The verdicts on liver values: transaminases and bilirubin above their limits together, and for how long.

A value holds until the next of its test; a pause of less than 24 h does not part a stretch. That cholestasis, CRS or
IEC-HS explains it is the committee's to say. The relation is that of the reports that tell of the liver at the time.
Sources: rules.md 4.2 DLT-13, readings.md DLT 4, 7, 8 and 12.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tocsin.domain.affirmed import named
from tocsin.domain.calendars import Span, local_day, local_minute
from tocsin.domain.course import Course, SaidBy, Step
from tocsin.domain.dlt.definition import DltDefinition, DltRule
from tocsin.domain.dlt.lasting import A_SECOND, hours_of
from tocsin.domain.dlt.relation import NO_REPORT, Related, related
from tocsin.domain.dlt.subject import LiverTest, LiverValue, Reported, Subject
from tocsin.domain.dlt.verdict import State, Verdict
from tocsin.domain.dlt.window import Place, place
from tocsin.domain.known import Known
from tocsin.domain.same_finding import finding_of
from tocsin.domain.stretches import GradeSpan, Stretch, bridged, moments
from tocsin.domain.syndromes import Syndrome, recognise
from tocsin.domain.words import Scale

A_DAY = timedelta(hours=24)
ALP_ABOVE = Decimal(2)
"""Alkaline phosphatase above this multiple of its upper limit speaks for cholestasis."""

_TRANSAMINASES = (LiverTest.ALT, LiverTest.AST)
_FINDINGS = tuple(
    found for code in ("10001551", "10003481", "10005364") if (found := finding_of(code, "")) is not None
)  # fmt: skip
"""Raised ALT, AST and bilirubin, each with the codes and words that tell of it."""

_MAY_EXPLAIN = frozenset({Syndrome.CRS, Syndrome.IEC_HS})
_ABOVE, _NOT_ABOVE = 1, 0


@dataclass(frozen=True, slots=True)
class _Dated:
    """A value that can be used, and the moments at which it may have been measured."""

    value: LiverValue
    times_uln: Decimal
    at: Span

    def __str__(self) -> str:
        return f"{self.value.test} {self.times_uln} times the upper limit of normal, {self.value.at}"


def of_liver(subject: Subject, rule: DltRule, definition: DltDefinition, as_of: datetime) -> list[Verdict]:
    """One for each stretch in which both are above their limits and that began in the window."""
    dated = _dated(subject)
    found = []
    for span in _together(dated, rule):
        began = [one for one in dated if one.at.earliest == span.longest.since and one.value.test is not LiverTest.ALP]
        first = min(began, key=str)
        onset = place(first.value.at, subject.infusions, subject.zone, definition)
        if onset.is_inside:
            found.append(_Look(subject, rule, as_of, dated, span, onset).verdict())
    return found


def _dated(subject: Subject) -> list[_Dated]:
    """The values with a multiple and a date, in order of time; the others say nothing of when."""
    found = [
        _Dated(one, one.times_uln, at)
        for one in set(subject.liver)
        if one.times_uln is not None and (at := moments(one.at, subject.zone)) is not None
    ]
    return sorted(found, key=lambda one: (one.at.earliest, one.at.latest, str(one), one.value.evidence))


def _together(dated: Sequence[_Dated], rule: DltRule) -> list[GradeSpan]:
    """When both are above, read both ways where a date is partial."""
    both = [
        _course((one for one in dated if one.value.test in _TRANSAMINASES), rule.transaminases_above),
        _course((one for one in dated if one.value.test is LiverTest.BILIRUBIN), rule.bilirubin_above),
    ]
    edges = sorted({edge for one in dated for edge in (one.at.earliest, one.at.latest)})
    found = [(edge, [course.grade_at(edge) for course in both]) for edge in edges]
    may_be = [(edge, all(at is not None and at.highest == _ABOVE for at in ats)) for edge, ats in found]
    is_sure = [(edge, all(at is not None and at.lowest == _ABOVE for at in ats)) for edge, ats in found]
    sure = bridged(is_sure, A_DAY)
    return [GradeSpan(one, tuple(s for s in sure if _overlap(s, one))) for one in bridged(may_be, A_DAY)]


def _overlap(one: Stretch, other: Stretch) -> bool:
    return (other.until is None or one.since < other.until) and (one.until is None or other.since < one.until)


def _course(dated: Iterable[_Dated], above: Decimal) -> Course:
    """Above the limit is a grade of its own, so that what holds when is found as it is for grades."""
    steps = []
    for one in dated:
        is_above = _ABOVE if one.times_uln > above else _NOT_ABOVE
        steps.append(Step(is_above, is_above, SaidBy.COMPUTED, one.value.test, one.at, str(one)))
    return Course(Scale.CTCAE, tuple(steps))


def tells_of_liver(reported: Reported) -> bool:
    """Whether an event tells of transaminases, bilirubin or an injured liver, by its code or the site's words."""
    code = reported.coded.code if reported.coded is not None else None
    words = [pattern for one in _FINDINGS for pattern in (one.is_, one.tells) if pattern is not None]
    is_coded = any(code in one.codes | one.tells_codes for one in _FINDINGS)
    return is_coded or any(named(pattern, reported.event.verbatim) for pattern in words)


def _by(reported: Reported, relation: Related) -> tuple[str, ...]:
    return (f"{reported.event.event_id} ({reported.event.verbatim}) tells of it", *relation.reasons)


@dataclass(frozen=True, slots=True)
class _Look:
    """One stretch, at one moment."""

    subject: Subject
    rule: DltRule
    as_of: datetime
    dated: Sequence[_Dated]
    span: GradeSpan
    onset: Place

    @property
    def zone(self) -> ZoneInfo:
        return self.subject.zone

    def verdict(self) -> Verdict:
        state, said, due_at, missing, asks = self._by_time()
        if state is State.NOT_DLT:
            longer = f"it lasted longer than {self._hours}, or rises again within 24 h"
            return self._verdict(state, said, self.onset.missing, would=(longer,))
        relation = self._relation()
        if not relation.holds:
            again = "one party judges it related: the rule counts again"
            return self._verdict(State.NOT_DLT, said, self.onset.missing, judged=relation.reasons, would=(again,))
        committee = (*relation.for_committee, *self._cholestasis(), *self._syndromes())
        if committee or not self.subject.infusions:
            state = State.POTENTIAL_DLT
        assumed = [one for one in (self.onset.missing, *relation.missing, missing) if one]
        would = (
            f"one of them fell to its limit or below within {self._hours}: NOT_DLT by {self.rule.id}",
            "another cause explains it: the committee's to say",
        )
        due_at = due_at if self.subject.infusions else None
        return self._verdict(
            state, said, *assumed, judged=relation.reasons, would=would, committee=committee, due_at=due_at, asks=asks
        )

    def _relation(self) -> Related:
        """By the reports that tell of the liver at the time: the one that suspects the product most surely counts."""
        if not self.rule.needs_relation:
            return Related(True, ())
        events = sorted(self.subject.events, key=lambda one: one.event.event_id)
        telling = [one for one in events if not one.event.is_nullified and tells_of_liver(one) and self._is_beside(one)]
        found = [replace(it, reasons=_by(one, it)) for one in telling for it in [related(one.event)]]
        return min(found, key=lambda one: (not one.holds, bool(one.missing)), default=NO_REPORT)

    @property
    def _limit(self) -> timedelta:
        assert self.rule.longer_than is not None
        return self.rule.longer_than

    @property
    def _hours(self) -> str:
        return hours_of(self._limit)

    def _by_time(self) -> tuple[State, str, datetime | None, str, tuple[str, ...]]:
        """What time alone gives: the state, why, when the limit is passed, what was assumed, what the site is asked."""
        since, until = self.span.longest.since, self.span.longest.until
        began = f"both above since {local_minute(since, self.zone)}"
        is_over = until is not None and until <= self.as_of
        is_longer = self.span.lasts_longer_than(self._limit, self.as_of)
        if is_longer is Known.NO and is_over and until is not None:
            return (
                State.NOT_DLT,
                f"{began}, not both above {local_minute(until, self.zone)}: within {self._hours}",
                None,
                "",
                (),
            )
        if is_longer is Known.NO:
            passes = since + self._limit
            said = f"{began}: {self._hours} are over on {local_minute(passes, self.zone)}"
            return State.PENDING_DURATION, said, passes + A_SECOND, "", ()
        asks: tuple[str, ...] = ("which ALT, AST and bilirubin were measured since, and when exactly?",)
        if is_longer is Known.UNKNOWN:
            missing = f"the dates leave open whether it lasted longer than {self._hours}: taken so"
            return State.MET_BY_RULE, began, None, missing, asks
        if is_over or any(self._is_news(one, since + self._limit) for one in self.dated):
            return State.MET_BY_RULE, f"{began}, longer than {self._hours}", None, "", ()
        missing = f"{self._hours} are over and nothing newer was measured: taken as still above"
        return State.MET_BY_RULE, began, None, missing, asks

    def _is_news(self, one: _Dated, limit_at: datetime) -> bool:
        return one.value.test is not LiverTest.ALP and limit_at < one.at.earliest <= self.as_of

    def _own(self, tests: Iterable[LiverTest], around: timedelta = timedelta(0)) -> list[_Dated]:
        since, until = self.span.longest.since, self.span.longest.until
        return [
            one
            for one in self.dated
            if one.value.test in tests
            and one.at.latest >= since - around
            and (until is None or one.at.earliest <= until + around)
        ]

    def _cholestasis(self) -> tuple[str, ...]:
        high = [one for one in self._own((LiverTest.ALP,), A_DAY) if one.times_uln > ALP_ABOVE]
        return tuple(f"{one}: the committee says whether cholestasis explains it" for one in high[:1])

    def _syndromes(self) -> tuple[str, ...]:
        found = []
        for one in sorted(self.subject.events, key=lambda reported: reported.event.event_id):
            what = recognise(one.event, one.coded) & _MAY_EXPLAIN
            if what and not one.event.is_nullified and self._is_beside(one):
                named = " and ".join(sorted(what))
                found.append(f"{named} at the time ({one.event.event_id}): the committee says whether it explains it")
        return tuple(found)

    def _is_beside(self, reported: Reported) -> bool:
        """Whether an event may overlap the stretch; what is not known of its time is open."""
        since, until = self.span.longest.since, self.span.longest.until
        onset = reported.event.onset.widest(self.zone) if reported.event.onset is not None else None
        end = reported.event.end.widest(self.zone) if reported.event.end is not None else None
        is_before = end is not None and end.latest < since
        return not is_before and (onset is None or until is None or onset.earliest <= until)

    def _verdict(
        self, state: State, said: str, *assumed: str, would: tuple[str, ...], judged: tuple[str, ...] = (),
        committee: tuple[str, ...] = (), due_at: datetime | None = None, asks: tuple[str, ...] = (),
    ) -> Verdict:  # fmt: skip
        values = [str(one) for one in self._own((*_TRANSAMINASES, LiverTest.BILIRUBIN))]
        missing = [one for one in assumed if one]
        reasons = (f"{self.rule.id}: {self.rule.text}", *values, said, self.onset.said, *judged, *missing)
        return Verdict(
            state, self.rule.id, tuple(dict.fromkeys(reasons)), bool(missing),
            key=f"{self.rule.about}|{local_day(self.span.longest.since, self.zone)}", about=self.rule.about,
            study_day=self.onset.study_day, due_at=due_at, for_committee=committee, would_change=would, asks=asks,
        )  # fmt: skip
