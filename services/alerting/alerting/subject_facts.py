"""Everything that alerting holds of one subject, as the rules on dose-limiting toxicity read it.

Facts only: reports with what the sponsor signed of them, grades of values, doses, and observations (`subject_values`).
What follows from them is in `tocsin.domain.dlt`, what people decided of a verdict in `verdicts`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, bindparam, select, union

from alerting import cases, grades, past, so_far, subject_values
from alerting.so_far import SoFar
from alerting.tables import doses, observations, snapshots
from tocsin.domain import seriousness
from tocsin.domain.calendars import Partial
from tocsin.domain.case import Case, Event
from tocsin.domain.clock_life import NOTHING_YET, Past
from tocsin.domain.coverage import belonging
from tocsin.domain.derived import Derived
from tocsin.domain.dlt.subject import Reported, Subject
from tocsin.domain.judging import reviewed, reviews_of
from tocsin.domain.protocol import Protocol

# Made once: these run for every message, and making a statement costs as much as running it.
_O = observations.c
_OBSERVED = (
    select(observations)
    .where(_O.study == bindparam("of_study"), _O.subject == bindparam("of_subject"))
    .order_by(_O.received_at, _O.record_id)
)
_NAMED = [
    select(table.c.subject).where(table.c.study == bindparam("of_study"), table.c.subject.is_not(None))
    for table in (snapshots, doses, observations)
]
_SUBJECTS = union(*_NAMED)


@dataclass(frozen=True, slots=True)
class Facts:
    """One subject, and a sentence for each value that the rules would look at and that could not be read.

    `seen_at`: when it was observed; `first_told`: receipt of the report that first told each event, aware, UTC.
    `cases`: those that were asked for, also such as are not of the subject any more.
    """

    subject: Subject
    unread: tuple[str, ...] = ()
    seen_at: tuple[Partial, ...] = ()
    first_told: Mapping[str, datetime] = field(default_factory=dict)
    cases: frozenset[str] = frozenset()


def subject_of(
    tx: Connection, protocol: Protocol, subject: str, *, of_cases: Collection[str] | None = None,
    known: SoFar | None = None,
) -> Facts | None:  # fmt: skip
    """What is known of a subject now; None where no report, dose record or observation is of it any more.

    `of_cases`: only the events of these cases, everything else whole. `known`: what is known already of one case.
    """
    asked = cases.of_subject(tx, protocol.id, subject) if of_cases is None else sorted(of_cases)
    told = list(_cases(tx, subject, asked, known))
    is_read = known is not None and known.subject == subject
    dosed = known.dosed if known is not None and is_read else so_far.dosed_of(tx, protocol.id, subject)
    observed = tx.execute(_OBSERVED, {"of_study": protocol.id, "of_subject": subject}).all()
    if not (told or dosed or observed):
        return None
    zone = _zone(protocol, [case for case, _ in told], dosed, observed)
    infusions = known.infusions if known is not None and is_read else cases.infusions_in(dosed)
    values = subject_values.read([row.body for row in observed], infusions, zone)
    graded = _graded(tx, protocol.id, subject, known)
    events = [one for case, case_past in told for one in _reported(case, case_past, protocol, graded, zone)]
    found = Subject(
        id=subject,
        zone=zone,
        infusions=infusions,
        events=tuple(events),
        neutrophils=values.neutrophils,
        platelets=values.platelets,
        baseline_neutrophils=values.baseline_neutrophils,
        baseline_platelets=values.baseline_platelets,
        transfusions=values.transfusions,
        g_csf=values.g_csf,
        marrow=values.marrow,
        liver=values.liver,
    )
    told_at = {e.event_id: r.received_at for case, _ in told for r in reversed(case.revisions) for e in r.events}
    return Facts(found, values.unread, _seen_at(observed), told_at, frozenset(asked))


def subjects_of(tx: Connection, study: str) -> list[str]:
    """Every subject of whom there is a report, a dose record or an observation, by their numbers."""
    return sorted(tx.scalars(_SUBJECTS, {"of_study": study}))


def _graded(tx: Connection, study: str, subject: str, known: SoFar | None) -> tuple[Derived, ...]:
    read = None if known is None else known.graded
    return read.found if read is not None and read.subject == subject else grades.of_subject(tx, study, subject)


def _cases(
    tx: Connection, subject: str, asked: Sequence[str], read: SoFar | None
) -> Iterator[tuple[Case, Past]]:  # fmt: skip
    """Those of the cases that are of this subject by their newest report, with what was signed of each."""
    told = [case for case, latest in so_far.each_case(tx, asked, read) if latest.subject == subject]
    pasts = past.past_of_each(tx, (one.latest.case_id for one in told if read is None or one is not read.case))
    for case in told:
        if read is not None and case is read.case:
            yield case, read.past
        else:
            yield case, pasts.get(case.latest.case_id, NOTHING_YET)


def _reported(
    case: Case, signed: Past, protocol: Protocol, graded: Sequence[Derived], zone: ZoneInfo
) -> Iterator[Reported]:
    for event in _told(case):
        coded = case.coding_of(event)
        judged = reviewed(event, reviews_of(event, signed.signed))
        fatal = seriousness.of(judged, coded, protocol.special_interest, protocol.grading.crs).fatal
        yield Reported(case.latest.case_id, judged, coded, fatal, belonging(event, coded, graded, zone))


def _told(case: Case) -> Iterable[Event]:
    """Each event as last told, also what was taken back: its history stays."""
    is_gone = case.latest.is_nullified
    told = {e.event_id: e for r in case.revisions if is_gone or not r.is_nullified for e in r.events}
    return [replace(event, is_nullified=True) if is_gone else event for event in told.values()]


def _seen_at(observed: Iterable[Row[Any]]) -> tuple[Partial, ...]:
    """When a subject was observed, each moment once and in the order of its text."""
    moments = {one["at"] for row in observed for one in row.body["observations"]}
    return tuple(Partial.parse(text) for text in sorted(moments))


def _zone(
    protocol: Protocol, told: Iterable[Case], dosed: Iterable[Row[Any]], observed: Iterable[Row[Any]]
) -> ZoneInfo:
    """The zone of the site that infused the subject; before that, of the first that told anything of it."""
    by_infusion = sorted(dosed, key=lambda row: row.kind != "infusion")
    sites = [
        *(row.site for row in by_infusion),
        *(case.latest.site for case in told),
        *(row.body["site"] for row in observed),
    ]
    known = protocol.site(sites[0])
    return known.zone if known else protocol.receiver_zone
