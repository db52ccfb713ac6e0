"""Falls of a cell count to grade 4, each placed against the infusion by whose study day it must have recovered.

A fall is an episode of counts, or what the site grades without a count below the limit. Sources: rules.md 4.2 DLT-08
and DLT-09, readings.md DLT 1 and 11. The verdict is left to `of_counts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tocsin.domain.calendars import Span, end_of_day, local_day
from tocsin.domain.case import Event, Infusion
from tocsin.domain.cell_counts import (
    NEUTROPHILS,
    PLATELETS,
    Count,
    Day,
    RecoveryRule,
    counts_for_recovery,
    days_of,
    is_low,
)
from tocsin.domain.dlt.definition import About, DltDefinition, DltRule
from tocsin.domain.dlt.subject import Reported, Subject
from tocsin.domain.dlt.window import Place, day, place, study_day_of
from tocsin.domain.known import Known
from tocsin.domain.recovery import Episode, count_course

A_DAY = timedelta(days=1)
LOW_GRADE = 4


@dataclass(frozen=True, slots=True)
class LimitDay:
    """The study day by whose end a count must have recovered. `ends`: its last second, aware, UTC."""

    day: date
    ends: datetime
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Fall:
    """From `since` to the day before `until` (None: open), days of the site.

    `limit` None: without it nothing can be judged, and `missing` says why. `recovered`: by the end of that day.
    `lacks`: what is not known at the limit, so that it is taken as not recovered; `may_recover`: what would prove that
    it did; `asks`: what the site has to say by then; `flags`: what changes nothing and is told all the same.
    """

    name: str
    since: date | None
    until: date | None
    facts: tuple[str, ...]
    grade: int | None
    study_day: int | None
    limit: LimitDay | None
    recovered: Known
    missing: str = ""
    lacks: str = ""
    may_recover: str = ""
    asks: tuple[str, ...] = ()
    for_committee: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    def is_of(self, event: Event, zone: ZoneInfo) -> bool:
        """Whether an event may tell of it: from the day before its onset to the day after its end.

        What is not known of an event's time is open.
        """
        onset = event.onset.widest(zone) if event.onset is not None else None
        end = event.end.widest(zone) if event.end is not None else None
        if onset is not None and self.until is not None and local_day(onset.earliest, zone) - A_DAY >= self.until:
            return False
        return end is None or self.since is None or self.since <= local_day(end.latest, zone) + A_DAY


def recovery_rule(about: About) -> RecoveryRule:
    return NEUTROPHILS if about is About.NEUTROPHILS else PLATELETS


def counts_of(subject: Subject, about: About) -> tuple[Count, ...]:
    return subject.neutrophils if about is About.NEUTROPHILS else subject.platelets


def falls_of(
    subject: Subject, rule: DltRule, definition: DltDefinition, onset: Place | None = None
) -> list[Fall]:  # fmt: skip
    """The falls that a rule looks at, in order of time: in the window, or begun before the infusion and not over then.

    `onset` is where an event lies. One inside the window takes what fell after the window with it (readings DLT 1).
    """
    counts, recovery, zone = counts_of(subject, rule.about), recovery_rule(rule.about), subject.zone
    days = days_of(counts, zone)
    by_infusion = {
        infusion: count_course(
            counts, recovery, zone, infused=None if infusion is None else infusion.started,
            transfusions=subject.transfusions, g_csf=subject.g_csf,
        )
        for infusion in (None, *subject.infusions)
    }  # fmt: skip
    found, episodes = [], by_infusion[None].episodes
    for n, episode in enumerate(episodes):
        where = _where(episode, subject, definition)
        late: tuple[str, ...] = ()
        if not where.is_inside and onset is not None and onset.is_inside:
            late = (
                f"the event began earlier, and the count fell to grade 4 only after the window, on {episode.first.day}",
            )
            where = onset
        if where.is_inside:
            as_infused = by_infusion[where.infusion].episodes[n]
            found.append(_of_episode(as_infused, days, where, late, subject, definition, rule))
    return found


def _where(episode: Episode, subject: Subject, definition: DltDefinition) -> Place:
    """Where the first value lies. Begun before the infusion and not recovered by then is inside too (readings DLT 11).

    On which side of the infusion it lies changes nothing, so that a date that leaves it open is not missing.
    """
    inside = place(episode.first.lowest.at, subject.infusions, subject.zone, definition)
    if inside.is_inside:
        return inside
    return begun_before(episode.first.at, episode.recovered_on, subject, definition) or inside


def begun_before(began: Span, over_on: date | None, subject: Subject, definition: DltDefinition) -> Place | None:
    """Where it lies as one that began before an infusion and was not over on its day; None where it is no such."""
    zone = subject.zone
    for started, infusion in _in_order(subject.infusions, zone):
        is_over = over_on is not None and over_on <= local_day(started.earliest, zone)
        if began.earliest < started.earliest and not is_over:
            number = study_day_of(local_day(began.earliest, zone), started.earliest, zone, definition)
            said = f"it began before the infusion of {infusion.started} (study day {number}) and was not over then"
            return Place(True, said, infusion=infusion, study_day=number)
    return None


def _in_order(infusions: Sequence[Infusion], zone: ZoneInfo) -> list[tuple[Span, Infusion]]:
    dated = [(started, one) for one in infusions if (started := one.started.widest(zone)) is not None]
    return sorted(dated, key=lambda found: (found[0].earliest, found[1].started.text))


def limit_day(where: Place, rule: DltRule, definition: DltDefinition, zone: ZoneInfo) -> LimitDay | None:
    """None where no infusion is known, or its year is open."""
    started = where.infusion.started.widest(zone) if where.infusion is not None else None
    if started is None or where.infusion is None:
        return None
    on = day(started.earliest, rule.by_day, zone, definition)
    given = where.infusion.started
    missing = "" if given.is_whole_day else f"the infusion of {given} has no day: its first possible day is taken"
    return LimitDay(on, end_of_day(on, zone), missing)


def _of_episode(
    episode: Episode, days: Sequence[Day], where: Place, late: tuple[str, ...], subject: Subject,
    definition: DltDefinition, rule: DltRule,
) -> Fall:  # fmt: skip
    limit = limit_day(where, rule, definition, subject.zone)
    recovery, name = episode.rule, episode.rule.name
    recovered = Known.UNKNOWN if limit is None else episode.recovered_by(limit.day)
    missing = where.missing if limit is None or late else limit.missing
    is_bare = recovery.untransfused is None and episode.g_csf is Known.NO
    flags = ("that no G-CSF is noted changes nothing: the committee sees it flagged",) if is_bare else ()
    lacks = may_recover = ""
    asks: tuple[str, ...] = ()
    last_low = max(day.day for day in days if is_low(day, recovery) and _is_within(day, episode))
    if limit is not None and recovered is Known.UNKNOWN:
        since = episode.may_recover_on
        lacks = f"the counts from {since} on may still prove a recovery by {limit.day}: taken as not recovered"
        may_recover = f"the next counts go on as those from {since} on: {recovery.values} in a row prove a recovery"
    elif limit is not None and last_low < limit.day and last_low == days[-1].day:
        lacks = f"nothing was measured after the low value of {last_low}: taken as still of grade 4"
        asks = (f"which {name} were measured after {last_low}, up to {limit.day} and beyond?",)
    return Fall(
        name, episode.first.day, episode.recovered_on, (*episode.reasons, where.said), LOW_GRADE,
        where.study_day, limit, recovered, missing, lacks, may_recover, asks, late, flags,
    )  # fmt: skip


def _is_within(day: Day, episode: Episode) -> bool:
    return episode.first.day <= day.day and (episode.recovered_on is None or day.day < episode.recovered_on)


def onset_of(reported: Reported, subject: Subject, rule: DltRule, definition: DltDefinition) -> Place:
    """Where an event lies; one that the site grades 4 since before the infusion, and not over then, is inside too."""
    event, zone = reported.event, subject.zone
    onset = place(event.onset, subject.infusions, zone, definition)
    began = event.onset.widest(zone) if event.onset is not None else None
    grade = event.worst_grade()
    if onset.is_inside or began is None or grade is None or grade < rule.min_grade:
        return onset
    ended = event.end.widest(zone) if event.end is not None else None
    return begun_before(began, None if ended is None else local_day(ended.latest, zone), subject, definition) or onset


def graded_fall(
    reported: Reported, onset: Place, subject: Subject, rule: DltRule, definition: DltDefinition
) -> Fall:  # fmt: skip
    """What the site reports of grade 4, or without a grade, and no count below the limit shows."""
    event, zone, recovery = reported.event, subject.zone, recovery_rule(rule.about)
    grade = event.worst_grade()
    limit = limit_day(onset, rule, definition, zone)
    since = sorted(_low_since(event, rule, zone), key=lambda span: span.earliest)
    recovered_on = _recovered_after(local_day(since[-1].latest, zone), subject, rule) if since else None
    recovered = Known.of(limit is not None and recovered_on is not None and recovered_on <= limit.day)
    facts = ["the site states no grade" if grade is None else f"the site says grade {grade}", onset.said]
    if recovered_on is not None:
        facts.append(f"the counts after it prove a recovery on {recovered_on}")
    lacks = "no count shows that it recovered: taken as not recovered"
    if event.end is not None:
        lacks += f" (that it ended {event.end}, as the site says, is no recovery as the rule has it)"
    missing = onset.missing
    asks: tuple[str, ...] = (f"which {recovery.name} were measured, and on which days?",)
    if grade is None and recovered is not Known.YES:
        limit, missing = None, "no grade and no low count: never met without one"
        asks = ("which grade was it at its worst?", *asks)
    return Fall(
        recovery.name, local_day(since[0].earliest, zone) if since else None, recovered_on, tuple(facts), grade,
        onset.study_day, limit, recovered, missing or ("" if limit is None else limit.missing), lacks, "", asks,
    )  # fmt: skip


def _low_since(event: Event, rule: DltRule, zone: ZoneInfo) -> list[Span]:
    """When the site says that it was of the rule's grade; a grade without a date holds from the onset on."""
    dated = [step.since for step in event.course if step.grade >= rule.min_grade]
    given = dated or ([] if event.onset is None else [event.onset])
    return [span for one in given if (span := one.widest(zone)) is not None]


def _recovered_after(low_on: date, subject: Subject, rule: DltRule) -> date | None:
    """The day of the first of the counts after a day that prove a recovery."""
    recovery = recovery_rule(rule.about)
    days = [day for day in days_of(counts_of(subject, rule.about), subject.zone) if day.day > low_on]
    for n in range(len(days) - recovery.values + 1):
        run = days[n : n + recovery.values]
        if all(counts_for_recovery(day, recovery, subject.transfusions, subject.zone) for day in run):
            return run[0].day
    return None
