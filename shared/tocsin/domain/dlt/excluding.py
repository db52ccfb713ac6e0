"""Whether an exclusion takes an event from a rule: now, perhaps until a moment, or not.

An exclusion makes no DLT by implication (readings.md DLT 13), and what the site has not stated never helps it: a need
that is not known is not met. Grounds other than the event itself and its syndrome are looked at elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tocsin.domain.case import Event
from tocsin.domain.dlt.definition import DltDefinition, DltRule, Exclusion, Ground, Need
from tocsin.domain.dlt.lasting import Grades, Lasts, lasting
from tocsin.domain.dlt.naming import excludes
from tocsin.domain.dlt.subject import Reported
from tocsin.domain.known import Known
from tocsin.domain.syndromes import Syndrome, recognise

A_WEEK = timedelta(days=7)
SYNDROMES = frozenset({Syndrome.CRS, Syndrome.ICANS, Syndrome.IEC_HS})


@dataclass(frozen=True, slots=True)
class Excluded:
    """An exclusion that holds, or that may still hold until `passes_at`.

    `committee_at`: when the committee must be told of what it takes from the rule, if nothing changes until then.
    """

    exclusion: Exclusion
    said: str
    passes_at: datetime | None = None
    for_committee: tuple[str, ...] = ()
    committee_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Exclusions:
    """`holds` takes the event from the rule; `may_hold` may still; `notes` say what kept an exclusion from holding.

    `lacks`: what of that is only assumed, as nobody says how long it lasted; `asks`: what the site has to say of it.
    """

    holds: Excluded | None
    may_hold: Excluded | None
    notes: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Fails:
    """Why an exclusion that names the event does not hold. `is_assumed`: nobody says so, and a limit has passed."""

    said: str
    is_assumed: bool = False
    asks: tuple[str, ...] = ()


def exclusions_of(
    reported: Reported, others: Sequence[Reported], rule: DltRule, definition: DltDefinition, grades: Grades,
    as_of: datetime, zone: ZoneInfo,
) -> Exclusions:  # fmt: skip
    """What the exclusions that a rule admits say of an event at a moment. `others`: the events of its subject."""
    holds: list[Excluded] = []
    may_hold: list[Excluded] = []
    fails: list[_Fails] = []
    for exclusion in definition.admitted(rule):
        if exclusion.ground is Ground.COMPONENT:
            component = _as_component(exclusion, reported, others, grades, as_of, zone)
            holds += [component] if component is not None else []
        elif exclusion.ground is Ground.EVENT:
            found = _as_event(exclusion, reported, rule, grades, as_of, zone)
            if isinstance(found, _Fails):
                fails.append(found)
            elif found is not None:
                (holds if found.passes_at is None else may_hold).append(found)
    return Exclusions(
        next(iter(holds), None),
        next(iter(may_hold), None),
        tuple(one.said for one in fails if not one.is_assumed),
        tuple(one.said for one in fails if one.is_assumed),
        tuple(ask for one in fails for ask in one.asks),
    )


def _as_event(
    exclusion: Exclusion, reported: Reported, rule: DltRule, grades: Grades, as_of: datetime, zone: ZoneInfo
) -> Excluded | _Fails | None:  # fmt: skip
    """None where it does not name the event."""
    named = excludes(exclusion, reported.event, reported.coded)
    if named is None:
        return None
    grade = grades.most
    is_of_any_grade = exclusion.min_grade == 1 and exclusion.max_grade == 5
    if grade is None:
        return Excluded(exclusion, named) if is_of_any_grade and not exclusion.needs and not exclusion.within else None
    if not exclusion.min_grade <= grade <= exclusion.max_grade:
        return None
    for need in sorted(exclusion.needs):
        known = _known(need, reported.event)
        if known is not Known.YES:
            said = "not said to be" if known is Known.UNKNOWN else "said not to be"
            return _Fails(f"{exclusion.id} does not hold: it is {said} {need.replace('_', ' ')}")
    if exclusion.within is None:
        return Excluded(exclusion, named)
    # Where an exclusion names no grade of its own, what has to be over is what makes the rule.
    grade = exclusion.min_grade if exclusion.min_grade > 1 else rule.min_grade
    lasts = lasting(grades, grade, exclusion.within, as_of, zone)
    if lasts.how is Lasts.WITHIN:
        return Excluded(exclusion, f"{named}; {lasts.said}")
    if lasts.how is Lasts.WAITS:
        return Excluded(exclusion, f"{named}; {lasts.said}", lasts.passes_at)
    return _Fails(f"{exclusion.id} does not hold: {lasts.said}", lasts.is_provisional, lasts.asks)


def _known(need: Need, event: Event) -> Known:
    return {
        Need.ASYMPTOMATIC: event.asymptomatic,
        Need.TREATED: Known.YES if event.treated is Known.UNKNOWN and event.treatment else event.treated,
        Need.CULTURE_POSITIVE: event.culture_positive,
    }[need]


def _as_component(
    exclusion: Exclusion, reported: Reported, others: Sequence[Reported], grades: Grades, as_of: datetime,
    zone: ZoneInfo,
) -> Excluded | None:  # fmt: skip
    """A sign of CRS, ICANS or IEC-HS is graded once, under its syndrome. What is grave by itself is the committee's."""
    whole = syndrome_of(reported, others)
    if whole is None:
        return None
    said = f"a sign of {whole.event.event_id} ({whole.event.verbatim}): graded once, under its syndrome"
    committee = []
    committee_at = None
    if grades.most is not None and grades.most >= 4:
        committee.append(f"a component of grade {grades.most}: the committee says whether it counts by itself")
    if grades.most is not None and grades.most >= 3:
        lasts = lasting(grades, 3, A_WEEK, as_of, zone)
        if lasts.how is Lasts.PASSED:
            committee.append(f"a component of grade 3 or more for longer than 168 h: {lasts.said}")
        committee_at = lasts.passes_at
    return Excluded(exclusion, said, None, tuple(committee), committee_at)


def syndrome_of(reported: Reported, others: Sequence[Reported]) -> Reported | None:
    """The standing event of the subject that is a syndrome and that the site names as the whole of this one."""
    named = reported.event.component_of
    if named is None or named == reported.event.event_id:
        return None
    return next(
        (
            one
            for one in others
            if one.event.event_id == named
            and not one.event.is_nullified
            and recognise(one.event, one.coded) & SYNDROMES
        ),
        None,
    )
