"""What is known of a case: its snapshots by revision, and what its subject was given.

A snapshot is kept under (case, source, revision), so a coding of an older revision can never replace a newer one. Two
codings of one revision (a machine's, then a person's) are ordered by when they were made, never by arrival.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from alerting.tables import doses, snapshots, studies
from tocsin.domain.case import Case, Coded, Infusion, Report
from tocsin.errors import Poison
from tocsin.messages.bodies import DoseRecordedV1, EventsCodedV1, ReportReceivedV1
from tocsin.messages.translate import codings_of, infusion_of, report_of

REPORT, CODING = "report", "coding"
ALL_CODINGS = 2**31
"""More than any revision: every coding there is."""


# Made once: these run for every message, and making a statement costs as much as running it.
_SNAPSHOTS = select(
    *(snapshots.c[name] for name in ("case_id", "source", "revision", "at", "message_id", "body"))
).where(snapshots.c.case_id.in_(bindparam("of_cases", expanding=True)))
_NEW = insert(snapshots)
_AGAIN = (
    update(snapshots)
    .where(
        snapshots.c.case_id == bindparam("of_case"), snapshots.c.source == CODING,
        snapshots.c.revision == bindparam("of_revision"),
    )
    .values(at=bindparam("at"), message_id=bindparam("message_id"), body=bindparam("body"))
)  # fmt: skip
_LOCK = select(studies.c.id).where(studies.c.id == bindparam("of_id")).with_for_update()
_INFUSIONS = (
    select(doses.c.body)
    .where(doses.c.study == bindparam("study"), doses.c.subject == bindparam("subject"), doses.c.kind == "infusion")
    .order_by(doses.c.received_at, doses.c.record_id)
)
_OF_SUBJECT = (
    select(snapshots.c.case_id)
    .where(snapshots.c.study == bindparam("study"), snapshots.c.subject == bindparam("subject"))
    .distinct()
)


@dataclass(frozen=True, slots=True)
class _Kept:
    at: datetime
    message_id: UUID
    body: dict[str, Any]


@dataclass(slots=True)
class Known:
    """Everything held of one case. `reports` and `codings` by revision."""

    case_id: str
    reports: dict[int, ReportReceivedV1] = field(default_factory=dict)
    codings: dict[int, EventsCodedV1] = field(default_factory=dict)
    _kept: dict[tuple[str, int], _Kept] = field(default_factory=dict)

    @property
    def latest(self) -> ReportReceivedV1 | None:
        return self.reports[max(self.reports)] if self.reports else None

    @property
    def subjects(self) -> list[str]:
        """Every subject that a revision names, the one that the newest names last: a wrong one may be put right."""
        named = [self.reports[n].subject for n in sorted(self.reports, reverse=True)]
        return list(dict.fromkeys(one for one in named if one is not None))[::-1]

    @property
    def first_received_at(self) -> datetime:
        return min(report.received_at for report in self.reports.values())

    def case(self, infusions: tuple[Infusion, ...], *, coded_before: int) -> Case:
        """The case for the book of rules, with the codings of revisions below `coded_before`.

        A coding of a revision whose report has not come yet waits for it.
        """
        newest = max(self.reports)
        reports: tuple[Report, ...] = tuple(report_of(self.reports[r]) for r in sorted(self.reports))
        codings: tuple[Coded, ...] = tuple(
            coded
            for revision in sorted(self.codings)
            if revision <= newest and revision < coded_before
            for coded in codings_of(self.codings[revision])
        )
        return Case(reports, codings, infusions)

    def uncoded_events(self) -> list[str]:
        """The standing events whose words nobody has coded; none where the case is nullified."""
        return uncoded_in(self.case((), coded_before=ALL_CODINGS)) if self.reports else []


def uncoded_in(case: Case) -> list[str]:
    """The standing events of a case with every coding whose words nobody has coded."""
    found = ((event.event_id, case.coding_of(event)) for event, _ in case.standing)
    return [event_id for event_id, coded in found if coded is None or not coded.is_coded]


def lock_study(tx: Connection, study: str) -> None:
    """Wait until nobody else judges this study's cases, so that two processes never each see half of what is known.

    On SQLite the transaction itself is alone already.
    """
    if tx.dialect.name != "sqlite":
        tx.execute(_LOCK, {"of_id": study})


def load(tx: Connection, case_id: str) -> Known:
    """All snapshots of a case."""
    return load_each(tx, [case_id])[case_id]


def load_each(tx: Connection, case_ids: Iterable[str]) -> dict[str, Known]:
    """The same of many cases, in one query: a subject may have hundreds."""
    found = {case_id: Known(case_id) for case_id in case_ids}
    if found:
        for row in tx.execute(_SNAPSHOTS, {"of_cases": list(found)}):
            known = found[row.case_id]
            known._kept[row.source, row.revision] = _Kept(row.at, row.message_id, row.body)
            if row.source == REPORT:
                known.reports[row.revision] = ReportReceivedV1.model_validate(row.body)
            else:
                known.codings[row.revision] = EventsCodedV1.model_validate(row.body)
    return found


def keep_report(tx: Connection, known: Known, body: ReportReceivedV1, message_id: UUID) -> bool:
    """Keep a revision; False when it is known already. Poison when the same revision says something else."""
    kept = body.model_dump(mode="json", by_alias=True, exclude_unset=True)
    before = known._kept.get((REPORT, body.revision))
    if before is not None:
        if before.body != kept:
            raise Poison(f"{body.case_id} revision {body.revision} is known with other facts; a revision never changes")
        return False
    _insert(tx, REPORT, body.case_id, body.revision, body.study, body.subject, body.received_at, message_id, kept)
    known.reports[body.revision] = body
    return True


def keep_coding(tx: Connection, known: Known, body: EventsCodedV1, message_id: UUID) -> bool:
    """Keep the coding of a revision; False when a later one of the same revision is known."""
    kept = body.model_dump(mode="json", by_alias=True, exclude_unset=True)
    before = known._kept.get((CODING, body.revision))
    if before is None:
        _insert(tx, CODING, body.case_id, body.revision, body.study, None, body.coded_at, message_id, kept)
    # Two of one instant have an order too, whichever comes first.
    elif (body.coded_at, str(message_id)) <= (before.at, str(before.message_id)):
        return False
    else:
        told = {"at": body.coded_at, "message_id": message_id, "body": kept}
        tx.execute(_AGAIN, {"of_case": body.case_id, "of_revision": body.revision, **told})
    known.codings[body.revision] = body
    return True


def _insert(
    tx: Connection, source: str, case_id: str, revision: int, study: str, subject: str | None, at: datetime,
    message_id: UUID, body: dict[str, Any],
) -> None:  # fmt: skip
    tx.execute(
        _NEW,
        {"case_id": case_id, "source": source, "revision": revision, "study": study, "subject": subject, "at": at,
         "message_id": message_id, "body": body, "kind": body["facts"].get("kind") if source == REPORT else None},
    )  # fmt: skip


def infusions_of(tx: Connection, study: str, subject: str | None) -> tuple[Infusion, ...]:
    """What the subject was given, in order of receipt."""
    if subject is None:
        return ()
    return _infusions(tx.scalars(_INFUSIONS, {"study": study, "subject": subject}))


def infusions_in(dosed: Iterable[Row[Any]]) -> tuple[Infusion, ...]:
    """The infusions among the dose records of a subject, in their order."""
    return _infusions(row.body for row in dosed if row.kind == "infusion")


def _infusions(bodies: Iterable[dict[str, Any]]) -> tuple[Infusion, ...]:
    found = (infusion_of(DoseRecordedV1.model_validate(body)) for body in bodies)
    return tuple(infusion for infusion in found if infusion is not None)


def of_subject(tx: Connection, study: str, subject: str) -> list[str]:
    """The cases that name this subject in any revision, in order of their numbers."""
    return sorted(tx.scalars(_OF_SUBJECT, {"study": study, "subject": subject}))
