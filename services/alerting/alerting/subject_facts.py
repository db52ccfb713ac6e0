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

from sqlalchemy import Connection, Row, Table, bindparam, select, union

from alerting import cases, grades, past, subject_values
from alerting.tables import doses, observations, snapshots
from tocsin.domain import seriousness
from tocsin.domain.calendars import Partial
from tocsin.domain.case import Case, Event
from tocsin.domain.clock_life import Past
from tocsin.domain.coverage import belonging
from tocsin.domain.derived import Derived
from tocsin.domain.dlt.subject import Reported, Subject
from tocsin.domain.judging import reviewed, reviews_of
from tocsin.domain.protocol import Protocol

# Made once: these run for every message, and making a statement costs as much as running it.
_ROWS = {
    table: select(table)
    .where(table.c.study == bindparam("of_study"), table.c.subject == bindparam("of_subject"))
    .order_by(table.c.received_at, table.c.record_id)
    for table in (doses, observations)
}


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
    tx: Connection, protocol: Protocol, subject: str, *, of_cases: Collection[str] | None = None
) -> Facts | None:  # fmt: skip
    """What is known of a subject now; None where no report, dose record or observation is of it any more.

    `of_cases`: only the events of these cases, everything else whole.
    """
    asked = cases.of_subject(tx, protocol.id, subject) if of_cases is None else sorted(of_cases)
    told = list(_cases(tx, subject, asked))
    dosed = _rows(tx, doses, protocol.id, subject)
    observed = _rows(tx, observations, protocol.id, subject)
    if not (told or dosed or observed):
        return None
    zone = _zone(protocol, [case for case, _ in told], dosed, observed)
    infusions = cases.infusions_of(tx, protocol.id, subject)
    values = subject_values.read([row.body for row in observed], infusions, zone)
    graded = grades.of_subject(tx, protocol.id, subject)
    events = [one for case, case_past in told for one in _reported(case, case_past, protocol, graded, zone)]
    known = Subject(
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
    return Facts(known, values.unread, _seen_at(observed), told_at, frozenset(asked))


def subjects_of(tx: Connection, study: str) -> list[str]:
    """Every subject of whom there is a report, a dose record or an observation, by their numbers."""
    named = [
        select(table.c.subject).where(table.c.study == study, table.c.subject.is_not(None))
        for table in (snapshots, doses, observations)
    ]
    return sorted(tx.scalars(union(*named)))


def _cases(tx: Connection, subject: str, asked: Iterable[str]) -> Iterator[tuple[Case, Past]]:
    """Those of the cases that are of this subject by their newest report, with what was signed of each."""
    for case_id in asked:
        known = cases.load(tx, case_id)
        if known.latest is not None and known.latest.subject == subject:
            yield known.case((), coded_before=cases.ALL_CODINGS), past.past_of(tx, case_id)


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


def _rows(tx: Connection, table: Table, study: str, subject: str) -> Sequence[Row[Any]]:
    return tx.execute(_ROWS[table], {"of_study": study, "of_subject": subject}).all()


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
