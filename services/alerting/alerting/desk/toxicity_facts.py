"""What the toxicity page reads of a study: every standing event, and whoever was infused.

A study may have thousands of cases. What a case gives is kept in memory and made anew only once a fact that it rests on
has changed: four short queries say of which case that is. Nothing is written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Text, cast, func, select

from alerting import past
from alerting.cases import REPORT, Known
from alerting.desk.toxicity_case import events_of
from alerting.tables import doses, grades, signed, snapshots
from tocsin.domain.board import given
from tocsin.domain.board.facts import Given, SubjectFacts
from tocsin.domain.calendars import Partial, local_day
from tocsin.domain.derived import Derived
from tocsin.domain.protocol import Protocol
from tocsin.domain.signed import Signed
from tocsin.domain.stretches import moments
from tocsin.domain.toxicity import ToxicityEvent, Treated
from tocsin.messages.bodies import DerivedGrade, DoseRecordedV1, EventsCodedV1, ReportReceivedV1
from tocsin.messages.translate import derived_of, infusion_of

AT_ONCE: Final = 500
"""How many cases are read in one query."""


@dataclass(frozen=True, slots=True)
class Infused:
    """One subject's first infusion. `today`: the study day now; it and `month` None where the date leaves them open."""

    treated: Treated
    started: Partial
    today: int | None
    month: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the page needs of a study: whoever was infused, in order of infusion, and every standing event."""

    infused: tuple[Infused, ...]
    events: tuple[ToxicityEvent, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a case gave. `rests_on`: the versions of its snapshots, of what was signed, and of its subject's facts."""

    subject: str | None
    rests_on: tuple[object, ...]
    events: tuple[ToxicityEvent, ...]


@dataclass(frozen=True, slots=True)
class _Versions:
    """Which facts are held now, by case and by subject."""

    snapshots: Mapping[str, list[tuple[str, int, str]]]
    signed: Mapping[str, list[Signed]]
    grades: Mapping[str, tuple[int, int]]
    first: Mapping[str, tuple[Given, ZoneInfo]]

    def of(self, case_id: str, subject: str | None) -> tuple[object, ...]:
        about = (self.grades.get(subject or ""), self.first.get(subject or ""))
        return self.snapshots[case_id], tuple(one.id for one in self.signed.get(case_id, ())), about


@dataclass(slots=True)
class Ledger:
    """What was read of each study so far."""

    _lock: Lock = field(default_factory=Lock)
    _kept: dict[str, tuple[Protocol, dict[str, _Kept]]] = field(default_factory=dict)

    def of_study(self, tx: Connection, protocol: Protocol, now: datetime) -> Facts:
        """What is known of a study now."""
        held = _Versions(
            _snapshots(tx, protocol.id), _signed(tx, protocol.id), _grades(tx, protocol.id), _first(tx, protocol)
        )  # fmt: skip
        with self._lock:
            of, before = self._kept.get(protocol.id, (protocol, {}))
        known = {
            case_id: kept
            for case_id, kept in (before if of is protocol else {}).items()
            if case_id in held.snapshots and kept.rests_on == held.of(case_id, kept.subject)
        }
        stale = [case_id for case_id in held.snapshots if case_id not in known]
        for start in range(0, len(stale), AT_ONCE):
            known |= _read(tx, protocol, stale[start : start + AT_ONCE], held)
        with self._lock:
            self._kept[protocol.id] = (protocol, known)
        found = [_infused(name, *first, protocol, now) for name, first in sorted(held.first.items(), key=_order)]
        return Facts(
            tuple(one for one in found if one is not None),
            tuple(event for case_id in sorted(known) for event in known[case_id].events),
        )


def _snapshots(tx: Connection, study: str) -> dict[str, list[tuple[str, int, str]]]:
    """The snapshots of each case. A coding that is written over has another message."""
    s = snapshots.c
    query = select(s.case_id, s.source, s.revision, cast(s.message_id, Text)).where(s.study == study)
    found: defaultdict[str, list[tuple[str, int, str]]] = defaultdict(list)
    for case_id, source, revision, message_id in tx.execute(query.order_by(s.case_id, s.source, s.revision)):
        found[case_id].append((source, revision, message_id))
    return {case_id: rows for case_id, rows in found.items() if any(source == REPORT for source, _, _ in rows)}


def _signed(tx: Connection, study: str) -> dict[str, list[Signed]]:
    found: defaultdict[str, list[Signed]] = defaultdict(list)
    query = select(signed).where(signed.c.study == study, signed.c.signed_at.is_not(None))
    for row in tx.execute(query.order_by(signed.c.signed_at, signed.c.id)):
        found[row.case_id].append(past.signed_of(row))
    return found


def _grades(tx: Connection, study: str) -> dict[str, tuple[int, int]]:
    """How many grades of each subject are held, and the sum of their numbers, which only rise."""
    g = grades.c
    query = select(g.subject, func.count(), func.sum(g.number)).where(g.study == study).group_by(g.subject)
    return {subject: (int(count), int(total)) for subject, count, total in tx.execute(query)}


def _first(tx: Connection, protocol: Protocol) -> dict[str, tuple[Given, ZoneInfo]]:
    """The first infusion of each subject, and the zone of the site that gave it."""
    d = doses.c
    query = select(d.body).where(d.study == protocol.id, d.kind == "infusion", d.subject.is_not(None))
    told: defaultdict[str, list[tuple[Given, str]]] = defaultdict(list)
    for body in tx.scalars(query.order_by(d.received_at, d.record_id)):
        dose = DoseRecordedV1.model_validate(body)
        infusion = infusion_of(dose)
        if infusion is not None and dose.subject is not None:
            told[dose.subject].append((Given(infusion.started, infusion.level), dose.site))
    found = {}
    for subject, ones in told.items():
        site = protocol.site(ones[0][1])
        zone = site.zone if site is not None else protocol.receiver_zone
        first = given.infusion_of(SubjectFacts(subject, ones[0][1], zone, given=tuple(one for one, _ in ones)))
        if first is not None:
            found[subject] = (first, zone)
    return found


def _read(tx: Connection, protocol: Protocol, case_ids: Sequence[str], held: _Versions) -> dict[str, _Kept]:
    """These cases, read whole, with the graded observations of their subjects."""
    s = snapshots.c
    cases: dict[str, Known] = {case_id: Known(case_id) for case_id in case_ids}
    for case_id, source, revision, body in tx.execute(
        select(s.case_id, s.source, s.revision, s.body).where(s.case_id.in_(case_ids))
    ):
        if source == REPORT:
            cases[case_id].reports[revision] = ReportReceivedV1.model_validate(body)
        else:
            cases[case_id].codings[revision] = EventsCodedV1.model_validate(body)
    of = {case_id: known.latest.subject if known.latest is not None else None for case_id, known in cases.items()}
    derived = _derived(tx, protocol.id, {subject for subject in of.values() if subject in held.grades})
    found = {}
    for case_id, known in cases.items():
        subject = of[case_id] or ""
        started = held.first[subject][0].started if subject in held.first else None
        told = events_of(known, protocol, held.signed.get(case_id, ()), derived.get(subject, ()), started)
        found[case_id] = _Kept(of[case_id], held.of(case_id, of[case_id]), told)
    return found


def _derived(tx: Connection, study: str, subjects: set[str | None]) -> dict[str, list[Derived]]:
    g = grades.c
    query = select(g.subject, g.known_at, g.body).where(g.study == study, g.subject.in_(sorted(filter(None, subjects))))
    found: defaultdict[str, list[Derived]] = defaultdict(list)
    for subject, known_at, body in tx.execute(query.order_by(g.grade_id)) if subjects else ():
        one = derived_of(DerivedGrade.model_validate(body), known_at)
        if one is not None:
            found[subject].append(one)
    return found


def _order(named: tuple[str, tuple[Given, ZoneInfo]]) -> tuple[bool, str, str]:
    subject, (infusion, zone) = named
    when = infusion.started.widest(zone)
    return when is None, "" if when is None else when.earliest.isoformat(), subject


def _infused(subject: str, infusion: Given, zone: ZoneInfo, protocol: Protocol, now: datetime) -> Infused | None:
    """The subject as somebody who was infused; None where the infusion is dated in the future."""
    when = moments(infusion.started, zone)
    if when is not None and when.earliest > now:
        return None
    level = infusion.level if protocol.level(infusion.level) is not None else None
    today = month = None
    if when is not None and infusion.started.is_whole_day:
        base = protocol.dlt.day_base if protocol.dlt is not None else 0
        today = (local_day(now, zone) - local_day(when.earliest, zone)).days + base
    if when is not None and infusion.started.month is not None:
        month = f"{when.earliest.astimezone(zone):%Y-%m}"
    return Infused(Treated(subject, level), infusion.started, today, month)
