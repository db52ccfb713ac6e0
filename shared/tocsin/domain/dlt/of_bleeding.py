"""The verdict on a bleeding with few platelets beside it.

Sources: rules.md 4.2 DLT-10, readings.md DLT 7 and 12. Where the platelets were not low, the rules on any other event
decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tocsin.domain.calendars import Span
from tocsin.domain.cell_counts import Count
from tocsin.domain.dlt.definition import About, DltDefinition, DltRule, GradedBy
from tocsin.domain.dlt.lasting import grades_of
from tocsin.domain.dlt.naming import names
from tocsin.domain.dlt.relation import Related, related
from tocsin.domain.dlt.subject import Reported, Subject
from tocsin.domain.dlt.verdict import State, Verdict
from tocsin.domain.dlt.window import place
from tocsin.domain.known import Known
from tocsin.domain.stretches import GradeSpan, moments
from tocsin.domain.words import CrsScale

A_DAY = timedelta(hours=24)
FEW_PLATELETS_GRADE = 3
_ASK_COUNT = ("which platelet count was measured in the 24 h before or after the bleeding began?",)


@dataclass(frozen=True, slots=True)
class _Few:
    """Whether the platelets were low at the bleeding, why, and what that had to assume."""

    known: Known
    said: str
    missing: str = ""
    asks: tuple[str, ...] = ()


def of_bleeding(
    reported: Reported, subject: Subject, rule: DltRule, definition: DltDefinition, grade: int | None
) -> Verdict | None:  # fmt: skip
    """None where the rule does not hold of the event, so that others decide. `grade`: its worst, None if not stated."""
    event = reported.event
    named = names(rule, event, reported.coded)
    onset = place(event.onset, subject.infusions, subject.zone, definition)
    if event.is_nullified or named is None or not onset.is_inside or (grade is not None and grade < rule.min_grade):
        return None
    few = _few_platelets(reported, subject, rule, definition)
    if few.known is Known.NO:
        return None
    relation = related(event) if rule.needs_relation else Related(True, ())
    graded = "the site states no grade of it" if grade is None else f"grade {grade}"
    facts = (f"{rule.id}: {rule.text}", named, graded, few.said, onset.said, *relation.reasons)
    about = Verdict(
        State.NOT_DLT, rule.id, tuple(dict.fromkeys(facts)), key=event.event_id, about=rule.about,
        case_id=reported.case_id, event_id=event.event_id, grade=grade, study_day=onset.study_day,
        would_change=("one party judges it related: the rule counts again",),
    )  # fmt: skip
    return about if not relation.holds else _open(about, rule, few, relation, onset.missing, bool(subject.infusions))


def _open(
    about: Verdict, rule: DltRule, few: _Few, relation: Related, not_placed: str, is_infused: bool
) -> Verdict:  # fmt: skip
    """Met where everything that it needs is known, or was assumed at its worst; potential where a fact is lacking."""
    is_met = about.grade is not None and few.known is Known.YES and is_infused
    no_grade = "no grade: never met without one" if about.grade is None else ""
    assumed = [said for said in (not_placed, *relation.missing, no_grade, few.missing) if said]
    would = [f"the platelets were at or above {rule.platelets_below} 10*9/L: the rules on any other event decide"]
    if about.grade is None:
        would.append(f"a grade below {rule.min_grade}: it does not match {rule.id}")
    if rule.needs_relation:
        would.append(f"both parties judge it not related: NOT_DLT by {rule.id}")
    asks = (*(("which grade was it at its worst?",) if about.grade is None else ()), *few.asks)
    return Verdict(
        State.MET_BY_RULE if is_met else State.POTENTIAL_DLT, rule.id, tuple(dict.fromkeys((*about.reasons, *assumed))),
        bool(assumed), about.key, about.about, about.case_id, about.event_id, about.grade, about.study_day,
        for_committee=relation.for_committee, would_change=tuple(would), asks=asks,
    )  # fmt: skip


def _few_platelets(reported: Reported, subject: Subject, rule: DltRule, definition: DltDefinition) -> _Few:
    """By a reported platelet event that is open then, by the lowest value around it, or by the last before it."""
    at = moments(reported.event.onset, subject.zone) if reported.event.onset is not None else None
    told = [
        _by_event(one, at, subject)
        for one in subject.events
        if not one.event.is_nullified and one.event.event_id != reported.event.event_id
        for about in definition.rules_about(About.PLATELETS)
        if names(about, one.event, one.coded) is not None
    ]
    found = [one for one in (*told, _around(at, subject, rule, definition)) if one is not None]
    if found:
        # A low value that is sure stands before what the dates leave open.
        return min(found, key=lambda one: (one.known is not Known.YES, bool(one.missing), one.said))
    if at is None:
        return _Few(Known.UNKNOWN, "no platelet count is known", "no count: taken as perhaps low", _ASK_COUNT)
    return _last_before(at, subject, rule)


def _by_event(one: Reported, at: Span | None, subject: Subject) -> _Few | None:
    """A platelet event of grade 3 or more that is open when the bleeding begins; None where there is none."""
    grades = grades_of(one, subject.zone, GradedBy.ANY, CrsScale.WORST_OF)
    if grades.most is None or grades.most < FEW_PLATELETS_GRADE:
        return None
    said = f"{one.event.event_id} ({one.event.verbatim}) is of grade {FEW_PLATELETS_GRADE} or more at the time"
    spans = grades.spans(FEW_PLATELETS_GRADE)
    if at is None or not spans:
        return _Few(Known.YES, said, "the dates leave open whether it was at the time: taken so")
    then = [span for span in spans if _may_hold(span, at)]
    if not then:
        return None
    is_sure = any(_surely_holds(span, at) for span in then) and not grades.assumed
    return _Few(Known.YES, said, "" if is_sure else "the dates leave open whether it was at the time: taken so")


def _may_hold(span: GradeSpan, at: Span) -> bool:
    return span.longest.since <= at.latest and (span.longest.until is None or span.longest.until > at.earliest)


def _surely_holds(span: GradeSpan, at: Span) -> bool:
    return any(
        part.since <= at.earliest and (part.until is None or part.until > at.latest) for part in span.sure
    )  # fmt: skip


def _around(at: Span | None, subject: Subject, rule: DltRule, definition: DltDefinition) -> _Few | None:
    """By the lowest value from 24 h before to 24 h after the onset, both included; None where there is none.

    Of a bleeding without a date every value of the window may be one.
    """
    zone = subject.zone
    if at is None:
        near = [one for one in subject.platelets if place(one.at, subject.infusions, zone, definition).is_inside]
        sure: list[Count] = []
    else:
        near = [one for one in subject.platelets if _lies_in(moments(one.at, zone), _stretched(at), wholly=False)]
        sure = [one for one in near if _lies_in(moments(one.at, zone), _narrowed(at), wholly=True)]
    if not near:
        return None
    lowest = min(near, key=_depth)
    where = "of the window" if at is None else "within 24 h of its onset"
    said = f"the lowest platelets {where} were {lowest.value_10e9_per_l} 10*9/L of {lowest.at}"
    if lowest.value_10e9_per_l >= rule.platelets_below:
        # A value of some day of a month shows nothing of this day.
        return _Few(Known.NO, said) if any(one.at.is_whole_day for one in near) else None
    is_sure = any(one.value_10e9_per_l < rule.platelets_below for one in sure)
    return _Few(Known.YES, said, "" if is_sure else "the dates leave open whether that was within 24 h: taken so")


def _last_before(at: Span, subject: Subject, rule: DltRule) -> _Few:
    """By the last known value before; nothing that comes later can stand for it."""
    before = [
        (span.latest, one)
        for one in (*subject.platelets, *subject.baseline_platelets)
        if (span := moments(one.at, subject.zone)) is not None and span.latest < at.earliest
    ]
    if not before:
        said = "no platelet count is known within 24 h of it or before"
        return _Few(Known.UNKNOWN, said, "no count: taken as perhaps low", _ASK_COUNT)
    last_at = max(moment for moment, _ in before)
    last = min((one for moment, one in before if moment == last_at), key=_depth)
    said = f"the last known platelets before it were {last.value_10e9_per_l} 10*9/L of {last.at}"
    if last.value_10e9_per_l >= rule.platelets_below:
        return _Few(Known.NO, said)
    return _Few(Known.YES, said, "no count within 24 h of it: the last known one is taken", _ASK_COUNT)


def _stretched(at: Span) -> Span:
    return Span(at.earliest - A_DAY, at.latest + A_DAY)


def _narrowed(at: Span) -> Span:
    """What is within 24 h whatever moment of the onset is the true one."""
    return Span(at.latest - A_DAY, at.earliest + A_DAY)


def _lies_in(span: Span | None, whole: Span, *, wholly: bool) -> bool:
    if span is None:
        return not wholly
    if wholly:
        return whole.earliest <= span.earliest and span.latest <= whole.latest
    return span.earliest <= whole.latest and span.latest >= whole.earliest


def _depth(one: Count) -> tuple[object, str, str]:
    return one.value_10e9_per_l, one.at.text, one.evidence
