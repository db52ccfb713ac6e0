"""Which holds the facts ask for now (rules.md 5.5, ST-01 to ST-06; readings.md DLT 14), and against which one dosed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from tocsin.domain.board.decision import DOWN, UP, LevelDecision, outside_key
from tocsin.domain.board.designs import CONTINUE
from tocsin.domain.board.facts import Alarm, Lifted, SubjectFacts, TrialFacts
from tocsin.domain.board.given import infusion_of
from tocsin.domain.board.holds import Hold, Kind
from tocsin.domain.board.levels import LevelCount
from tocsin.domain.board.phase_2a import Expansion
from tocsin.domain.board.settings import Design
from tocsin.domain.board.standing import Standing, Status
from tocsin.domain.calendars import local_day
from tocsin.domain.escalation import three_plus_three
from tocsin.domain.escalation.decision import WAIT
from tocsin.domain.known import Known
from tocsin.domain.protocol import Protocol

_ALARMS = {
    Alarm.CAR_POSITIVE_MALIGNANCY: (Kind.MALIGNANCY, "a CAR-positive T-cell malignancy"),
    Alarm.REPLICATION_COMPETENT_VIRUS: (Kind.REPLICATION_COMPETENT_VIRUS, "replication-competent virus"),
}


@dataclass(frozen=True, slots=True)
class Trial:
    """Everything that may ask for a hold. `counts` and `decisions` are of phase 1, the lowest level first."""

    protocol: Protocol
    subjects: tuple[SubjectFacts, ...]
    standings: tuple[Standing, ...]
    counts: tuple[LevelCount, ...]
    decisions: tuple[LevelDecision, ...]
    expansion: Expansion
    facts: TrialFacts
    as_of: datetime


def asked(trial: Trial) -> Iterable[Hold]:
    """The holds that the facts ask for, in no order; `holds.settled` puts what people signed beside them."""
    yield from _staggers(trial)
    yield from _closed_levels(trial)
    yield from _outside_plan(trial)
    yield from _deaths(trial)
    yield from _reviews(trial)
    yield from _undone(trial)
    yield from _parallel(trial)
    yield from _product(trial)
    for look in trial.expansion.stopped:
        said = (f"ST-05: {look.rate}: {look.decision.next_action}", *look.decision.reasons)
        yield Hold(f"monitoring:{look.name}", Kind.MONITORING, trial.expansion.level, said, trial.as_of)


def _staggers(trial: Trial) -> Iterable[Hold]:
    for count in trial.counts:
        here = [one for one in trial.standings if one.level == count.level and one.started is not None]
        first = min(here, key=lambda one: (_start(one), one.subject), default=None)
        if first is None or first.started is None:
            continue
        days = trial.protocol.dose.stagger(count.level, count.place == 1)
        zone = next(one.zone for one in trial.subjects if one.id == first.subject)
        ends_on = local_day(first.started.latest, zone) + timedelta(days=days)
        said = (
            f"ST-01: {first.subject} was the first at {count.level}, on {local_day(first.started.earliest, zone)}",
            f"the next infusion there is {days} days later at the earliest: {ends_on}",
        )
        key = f"stagger:{count.level}"
        yield Hold(key, Kind.STAGGER, count.level, said, _start(first), (count.level,), first.subject, ends_on)


def _closed_levels(trial: Trial) -> Iterable[Hold]:
    """Under 3+3 the second DLT holds a level and all above it, two confirmed close it; under BOIN the table does."""
    is_three = trial.protocol.dose.design is Design.THREE_PLUS_THREE
    for count in trial.counts:
        stopped = _from(trial, count.place)
        if is_three and len(count.all_dlt) >= three_plus_three.TOO_MANY:
            closing = len(count.confirmed) >= three_plus_three.TOO_MANY
            said = (
                f"ST-04: {len(count.all_dlt)} subjects with a DLT at {count.level}: {', '.join(count.all_dlt)}",
                f"{len(count.confirmed)} confirmed: " + ("the level is closed" if closing else "enrolment is held"),
            )
            key = f"second_dlt:{count.level}"
            yield Hold(key, Kind.SECOND_DLT, count.level, said, trial.as_of, stopped, is_closing=closing)
        elif not is_three and count.is_exceeded:
            said = (f"the table eliminates {count.level} and every higher level", f"DLTs: {', '.join(count.dlt)}")
            key = f"eliminated:{count.level}"
            yield Hold(key, Kind.ELIMINATED, count.level, said, trial.as_of, stopped, is_closing=True)


def _outside_plan(trial: Trial) -> Iterable[Hold]:
    for count in trial.counts:
        for subject in count.outside:
            said = (
                f"{subject} at {count.level} had a DLT, and the dose is not known to be within the plan",
                "whether it counts against the level is the committee's; until then nobody goes up",
            )
            stopped = _from(trial, count.place + 1) or (count.level,)
            yield Hold(outside_key(count.level, subject), Kind.OUTSIDE_PLAN, count.level, said, trial.as_of, stopped)


def _deaths(trial: Trial) -> Iterable[Hold]:
    for subject in trial.subjects:
        for death in sorted(subject.deaths, key=repr):
            if death.related:
                said = (f"ST-03: {subject.id} died, and the death counts as treatment-related", *death.related.reasons)
                since = _raised_at(trial, f"death:{death.event_id}")
                by = since + trial.protocol.dose.review_within
                kind = Kind.TREATMENT_RELATED_DEATH
                yield Hold(f"death:{death.event_id}", kind, None, said, since, decide_by=by)


def _reviews(trial: Trial) -> Iterable[Hold]:
    """A level opens with the first review of the one below; dosed there again after it, with one more."""
    if not trial.protocol.dose.committee_review_before_escalation:
        return
    began = min((_start(one) for one in trial.standings if one.started is not None), default=trial.as_of)
    for lower, upper in pairwise(trial.counts):
        if not (lower.is_used or upper.is_used):
            continue
        key, said = f"review:{upper.level}", f"ST-02: {upper.level} opens with the signed review of {lower.level}"
        signed = sorted((one for one in trial.facts.reviewed if one.level == lower.level),
                        key=lambda one: (one.at, one.by, one.reason))  # fmt: skip
        lifts = [Lifted(key, one.by, one.at, one.reason) for one in signed]
        first = lifts[0] if lifts else None
        yield Hold(key, Kind.REVIEW, upper.level, (said,), began, (upper.level,), lifted=first)
        last = lower.last_infused_at
        if first is not None and last is not None and first.at < last:
            on = local_day(first.at, trial.protocol.receiver_zone)
            again = f"{lower.level} was dosed again after the review of {on} was signed"
            later = next((one for one in lifts if one.at >= last), None)
            yield Hold(f"{key}:again", Kind.REVIEW, upper.level, (said, again), last, (upper.level,), lifted=later)


def _undone(trial: Trial) -> Iterable[Hold]:
    """The level below no longer says go up: a DLT came, or was counted, after the review was signed."""
    is_three = trial.protocol.dose.design is Design.THREE_PLUS_THREE
    for n, (lower, upper) in enumerate(pairwise(trial.decisions)):
        was_signed = any(one.level == lower.level for one in trial.facts.reviewed)
        stays = {WAIT} if is_three else {WAIT, CONTINUE}
        stands = lower.word in UP | DOWN or lower.word in stays or upper.word in DOWN
        if was_signed and not stands and trial.counts[n].dlt:
            said = (
                f"the review that opened {upper.level} was signed on other facts",
                f"{lower.level} now: {lower.word}: {lower.action}",
                *lower.reasons,
            )
            key = f"undone:{upper.level}"
            yield Hold(key, Kind.UNDONE, upper.level, said, trial.as_of, _from(trial, n + 2))


def _parallel(trial: Trial) -> Iterable[Hold]:
    for level, open_there in _in_window(trial, trial.as_of, trial.as_of).items():
        others = tuple(count.level for count in trial.counts if count.level != level)
        said = (
            f"no two levels at once: {', '.join(one.subject for one in open_there)} at {level} still in the window",
        )
        since = min(_start(one) for one in open_there)
        if others:
            yield Hold(f"parallel:{level}", Kind.PARALLEL, level, said, since, others)


def _product(trial: Trial) -> Iterable[Hold]:
    for event in sorted(trial.facts.product_events, key=repr):
        is_harmful = event.is_linked_to_harm is Known.YES
        if is_harmful or event.fault in trial.protocol.dose.product_holds:
            what = f"product: {event.fault.replace('_', ' ')}" + (", linked to harm (ST-06)" if is_harmful else "")
            said = tuple(text for text in (what, event.said) if text)
            yield Hold(f"product:{event.id}", Kind.PRODUCT, None, said, event.received_at)
    for finding in sorted(trial.facts.alarming, key=repr):
        kind, what = _ALARMS[finding.alarm]
        yield Hold(f"{kind}:{finding.id}", kind, None, (f"ST-06: {what} in {finding.subject}",), finding.known_at)


def against(subject: SubjectFacts, held: Sequence[Hold], trial: Trial) -> tuple[Hold, ...]:
    """The holds that stood when the subject was infused; of a start that is partly known, by any reading of it."""
    given = infusion_of(subject)
    span = None if given is None else given.started.widest(subject.zone)
    if given is None or span is None:
        return ()
    found = [
        hold
        for hold in held
        if hold.kind is not Kind.PARALLEL and hold.stops(given.level) and hold.spares != subject.id
        and any(hold.stands(edge, local_day(edge, subject.zone)) for edge in (span.earliest, span.latest))
    ]  # fmt: skip
    for level, others in _in_window(trial, span.earliest, span.latest, but=subject.id).items():
        closing = [h for h in held if h.kind in (Kind.SECOND_DLT, Kind.ELIMINATED) and h.since <= span.latest]
        if level != given.level and not any(hold.stops(level) for hold in closing):
            said = (f"no two levels at once: {', '.join(one.subject for one in others)} at {level} in the window then",)
            found.append(Hold(f"parallel:{level}", Kind.PARALLEL, level, said, min(_start(one) for one in others)))
    return tuple(sorted(found, key=lambda hold: hold.key))


def _in_window(trial: Trial, first: datetime, last: datetime, but: str = "") -> dict[str, list[Standing]]:
    """Who was in the window between two moments, by level; a level that goes down now is left and not parallel."""
    found: dict[str, list[Standing]] = {}
    if trial.protocol.dose.parallel_levels:
        return found
    left = {one.level for one in trial.decisions if one.word in DOWN} if first == trial.as_of else set()
    for one in sorted(trial.standings, key=lambda one: one.subject):
        if one.subject == but or one.window is None or one.level is None or one.level in left:
            continue
        if _start(one) <= last and one.window.latest >= first and one.status is not Status.NOT_EVALUABLE:
            found.setdefault(one.level, []).append(one)
    return found


def _from(trial: Trial, place: int) -> tuple[str, ...]:
    """The levels from a place on, counted from 1."""
    return tuple(count.level for count in trial.counts if count.place >= place)


def _raised_at(trial: Trial, key: str) -> datetime:
    return min((one.at for one in trial.facts.raised if one.key == key), default=trial.as_of)


def _start(one: Standing) -> datetime:
    assert one.started is not None
    return one.started.earliest
