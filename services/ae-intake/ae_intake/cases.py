"""The rows of a case: its number, its revisions, its events, its links, and what stands open about it.

Every function works inside the caller's transaction, in which the caller has taken the turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from ae_intake.duplicates import Told
from ae_intake.reach import Reach
from ae_intake.rows import Rows
from ae_intake.tables import cases, counters, duplicate_links, events, revisions
from tocsin.messages.bodies import DuplicateLink, KeptEvent, ReportReceivedV1
from tocsin.messages.envelope import identity
from tocsin.messages.facts import ReportFacts

# Built once: on this path, building a statement costs more than running it.
_TURN = select(counters.c.value).where(counters.c.name == "case").with_for_update()
_NEXT = (
    update(counters)
    .where(counters.c.name == "case")
    .values(value=counters.c.value + bindparam("how_many"))
    .returning(counters.c.value)
)
_OPEN, _REVISE, _TELL = insert(cases), insert(revisions), insert(events)
_LINK = insert(duplicate_links)
_TOLD = (
    select(
        events.c.subject,
        events.c.case_id,
        events.c.verbatim,
        events.c.onset,
        cases.c.reporter,
        cases.c.system,
        cases.c.batch,
        cases.c.reference,
    )
    .join(cases, cases.c.case_id == events.c.case_id)
    .where(
        events.c.study == bindparam("of_study"),
        events.c.subject.in_(bindparam("of_subjects", expanding=True)),
        events.c.is_nullified.is_(False),
    )
    .order_by(cases.c.number, events.c.event_id)
)

DIRECT = "direct"
"""The channel of what no other system sent."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a revision came: `how` (report, follow_up, answer, moved), when, from which key, in which words."""

    how: str
    recorded_at: datetime
    sent_by: str
    sent: str
    statement: str | None = None


def take_turn(tx: Connection) -> None:
    """Become the one writer until this transaction ends. Comes before anything else is read or written.

    SQLite has one writer anyhow. On PostgreSQL the row lock makes the writers of two processes wait for one another:
    no two receipts for one key, no two halves of a pair of duplicates that miss each other, and no deadlock.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(_TURN)


def next_numbers(tx: Connection, how_many: int) -> list[tuple[int, str]]:
    """The next case numbers, each with its case's id: `TOC-0031`. In the turn, so none is given twice or left out."""
    last = int(tx.execute(_NEXT, {"how_many": how_many}).scalar_one())
    return [(number, f"TOC-{number:04d}") for number in range(last - how_many + 1, last + 1)]


def open_case(rows: Rows, number: int, body: ReportReceivedV1) -> None:
    """The case's own row, from its first revision."""
    rows.add(_OPEN, {"number": number, "received_at": body.received_at, **_state(body)})


def keep_revision(rows: Rows, body: ReportReceivedV1, text: str, provenance: Provenance) -> None:
    """One revision, and the newest state of its case and events. `text` is the snapshot as it is kept and said."""
    if body.revision > 1:
        rows.write()  # The case may be among what waits.
        rows.tx.execute(update(cases).where(cases.c.case_id == body.case_id).values(_state(body)))
        rows.tx.execute(delete(events).where(events.c.case_id == body.case_id))
    rows.add(
        _REVISE,
        {
            "case_id": body.case_id,
            "revision": body.revision,
            "how": provenance.how,
            "received_at": body.received_at,
            "recorded_at": provenance.recorded_at,
            "sent_by": provenance.sent_by,
            "statement": provenance.statement,
            "sent": provenance.sent,
            "body": text,
        },
    )
    for kept in body.events:
        rows.add(_TELL, _event(body, kept))


def _state(body: ReportReceivedV1) -> dict[str, Any]:
    source = body.facts.source
    return {
        "case_id": body.case_id,
        "study": body.study,
        "site": body.site,
        "subject": body.subject,
        "kind": body.facts.kind.value,
        "revision": body.revision,
        "is_nullified": body.is_nullified,
        "is_complete": not body.missing,
        "revised_at": body.received_at,
        "system": source.system if source else None,
        "batch": source.batch if source else None,
        "reference": source.reference if source else None,
        "reporter": who_reports(body.facts),
    }


def _event(body: ReportReceivedV1, kept: KeptEvent) -> dict[str, Any]:
    return {
        "event_id": kept.event_id,
        "case_id": body.case_id,
        "study": body.study,
        "subject": body.subject,
        "verbatim": kept.facts.verbatim,
        "onset": kept.facts.onset,
        "is_nullified": kept.facts.nullified or body.is_nullified,
    }


def who_reports(facts: ReportFacts) -> str | None:
    """The reporter as far as likely duplicates tell people apart: the name, else the contact. A role is no person."""
    return (facts.reporter.name or facts.reporter.contact) if facts.reporter else None


def find(tx: Connection, case_id: str, reach: Reach) -> Row[Any] | None:
    """The case if it is within reach; else None, as if it were not there."""
    return tx.execute(reach.within(select(cases).where(cases.c.case_id == case_id), cases)).one_or_none()


def bodies_of(tx: Connection, case_id: str) -> list[ReportReceivedV1]:
    """Every revision as it was said, oldest first."""
    query = select(revisions.c.body).where(revisions.c.case_id == case_id).order_by(revisions.c.revision)
    return [ReportReceivedV1.model_validate_json(text) for text in tx.scalars(query)]


def told_of(body: ReportReceivedV1, only: Sequence[str] | None = None) -> list[Told]:
    """The events of a report as likely duplicates are looked for; `only` these numbers, or all."""
    source = body.facts.source
    return [
        Told(
            body.case_id,
            kept.facts.verbatim,
            kept.facts.onset,
            who_reports(body.facts),
            source.system if source else DIRECT,
            source.batch if source else None,
            source.reference if source else None,
        )
        for kept in body.events
        if not kept.facts.nullified and (only is None or kept.event_id in only)
    ]


def told_of_subjects(tx: Connection, study: str, subjects: Iterable[str]) -> dict[str, list[Told]]:
    """What is known of each of these subjects, by case, found by the index on study and subject."""
    found: dict[str, list[Told]] = {subject: [] for subject in subjects}
    for subject, case_id, verbatim, onset, reporter, system, batch, reference in tx.execute(
        _TOLD, {"of_study": study, "of_subjects": list(found)}
    ):
        found[subject].append(Told(case_id, verbatim, onset, reporter, system or DIRECT, batch, reference))
    return found


def link(rows: Rows, body: ReportReceivedV1, found: Iterable[DuplicateLink]) -> None:
    """Keep each new link, open until a person decides."""
    for other in found:
        rows.add(
            _LINK,
            {
                "link_id": link_id(body.case_id, other.case_id),
                "case_id": body.case_id,
                "other_case_id": other.case_id,
                "revision": body.revision,
                "reasons": other.reasons,
                "found_at": body.received_at,
                "status": "open",
            },
        )


def link_id(case_id: str, other: str) -> str:
    """The id of a link, which a person's decision names. `case_id` is the case with which it was found."""
    return str(identity("duplicate", case_id, other))


def links_of(tx: Connection, case_id: str) -> list[DuplicateLink]:
    """The cases that this one is linked to, whichever came first."""
    link = duplicate_links.c
    ours = select(link.link_id, link.other_case_id, link.reasons).where(link.case_id == case_id)
    theirs = select(link.link_id, link.case_id, link.reasons).where(link.other_case_id == case_id)
    found = [*tx.execute(ours), *tx.execute(theirs)]
    return sorted(
        (DuplicateLink(id=row[0], case_id=row[1], reasons=row[2]) for row in found), key=lambda one: one.case_id
    )


def decide_link(tx: Connection, of: str, status: str) -> tuple[str, str] | None:
    """A person decided a pair: its two cases, the one with which it was found first; None where it is not known."""
    decided = update(duplicate_links).where(duplicate_links.c.link_id == of).values(status=status)
    row = tx.execute(decided.returning(duplicate_links.c.case_id, duplicate_links.c.other_case_id)).one_or_none()
    return None if row is None else (row.case_id, row.other_case_id)
