"""The codings of a case: keeping them, finding those that count, and saying them to the others.

Each coding that becomes known is said as one `events.coded.v1` with every event of the revision: a full snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select

from meddra_coder import tables
from meddra_coder.coding import Coding
from tocsin.domain.known import Known
from tocsin.messages.bodies import (
    CandidateTerm,
    CodedEvent,
    EventPart,
    EventsCodedV1,
    KeptEvent,
    ReportReceivedV1,
    ToldBeside,
)
from tocsin.messages.envelope import Envelope, identity
from tocsin.store import outbox

SOURCE = "meddra-coder"
TOPIC = "events.coded.v1"


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a case that the coder has seen."""

    case_id: str
    revision: int
    study: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What is kept of a revision beside its codings. `site` and `subject` are None from before they were kept.

    `serious` is yes, no or unknown for each event that counts; None from before that was kept.
    """

    received_at: datetime
    site: str | None
    subject: str | None
    serious: Mapping[str, str] | None

    def counts(self, event_id: str) -> bool:
        """Whether the event is none of a nullified case; true where that is not known."""
        return self.serious is None or event_id in self.serious


def sent(tx: Connection, of: Revision) -> Sent:
    """How this revision came."""
    its = tables.revisions.c
    row = tx.execute(
        select(its.received_at, its.site, its.subject, its.serious).where(
            its.case_id == of.case_id, its.revision == of.revision
        )
    ).one()
    return Sent(row.received_at, row.site, row.subject, row.serious)


def keep_revision(tx: Connection, of: Revision, body: ReportReceivedV1, serious: Mapping[str, Known]) -> None:
    """Remember that this revision was seen, whose it is, and which of its events are serious."""
    tx.execute(
        insert(tables.revisions).values(
            case_id=of.case_id,
            revision=of.revision,
            study=of.study,
            received_at=body.received_at,
            site=body.site,
            subject=body.subject,
            serious={event_id: known.value for event_id, known in serious.items()},
        )
    )


def latest_revision(tx: Connection, case_id: str) -> Revision | None:
    """The newest revision seen of a case; None when the coder has not seen it."""
    row = tx.execute(
        select(tables.revisions)
        .where(tables.revisions.c.case_id == case_id)
        .order_by(tables.revisions.c.revision.desc())
        .limit(1)
    ).first()
    return None if row is None else Revision(row.case_id, row.revision, row.study)


def coded_event(kept: KeptEvent, coding: Coding) -> CodedEvent:
    """What is said of one event: the machine's coding, and the site's grades carried on unchanged."""
    grade = kept.facts.grade
    stated = {} if grade is None else {"ctcae": grade.ctcae, "astct": grade.astct}
    grades = {scale: value for scale, value in stated.items() if value is not None}
    return _said(kept.event_id, kept.facts.verbatim, grades, coding)


def with_coding(event: CodedEvent, coding: Coding) -> CodedEvent:
    """The same event with another coding by the machine."""
    return _said(event.event_id, event.verbatim, event.grades, coding)


def _said(event_id: str, verbatim: str, grades: dict[str, int], coding: Coding) -> CodedEvent:
    return CodedEvent(
        event_id=event_id,
        verbatim=verbatim,
        status=coding.status.value,
        llt_code=coding.llt_code,
        term=coding.term,
        soc=coding.soc,
        method=coding.method.value,
        confidence=coding.confidence,
        reasons=list(coding.reasons),
        candidates=[
            CandidateTerm(code=c.code, term=c.term, soc=c.soc, score=c.score, why=c.why) for c in coding.candidates
        ],
        grades=grades,
        path=list(coding.path),
        smqs=list(coding.smqs),
        told=[ToldBeside(kind=one.kind, words=one.words) for one in coding.told],
        split=[EventPart(words=words, code=code) for words, code in coding.split],
        dictionary=coding.dictionary_version,
        synonyms=coding.synonyms,
    )


def keep(
    tx: Connection,
    of: Revision,
    events: Sequence[CodedEvent],
    *,
    decision: UUID,
    dictionary: str,
    at: datetime,
    by: str,
) -> None:
    """Add these codings, all by one decision."""
    if not events:
        return
    tx.execute(
        insert(tables.codings),
        [
            {
                "decision_id": decision,
                "case_id": of.case_id,
                "revision": of.revision,
                "event_id": event.event_id,
                "study": of.study,
                "verbatim": event.verbatim,
                "status": event.status,
                "llt_code": event.llt_code,
                "term": event.term,
                "soc": event.soc,
                "method": event.method,
                "confidence": event.confidence,
                "reasons": event.reasons,
                "candidates": [c.model_dump() for c in event.candidates],
                "grades": event.grades,
                "path": event.path,
                "smqs": event.smqs,
                "told": [one.model_dump() for one in event.told],
                "split": [one.model_dump() for one in event.split],
                "synonyms": event.synonyms,
                "dictionary": dictionary,
                "coded_at": at,
                "coded_by": by,
            }
            for event in events
        ],
    )


def counting(tx: Connection, case_id: str, revision: int) -> list[CodedEvent]:
    """The coding that counts of every event of a revision: the newest row of each, in order of the events."""
    newest = {row.event_id: event_of(row) for row in history(tx, case_id, revision)}
    return [newest[event_id] for event_id in sorted(newest, key=lambda one: (number_of(one), one))]


def history(tx: Connection, case_id: str, revision: int | None = None) -> Sequence[Any]:
    """Every row of a case, or of one revision, oldest first."""
    query = select(tables.codings).where(tables.codings.c.case_id == case_id)
    if revision is not None:
        query = query.where(tables.codings.c.revision == revision)
    return tx.execute(query.order_by(tables.codings.c.seq)).all()


def newest_before(tx: Connection, of: Revision, event_id: str) -> Any | None:
    """The coding that counted of an event in the newest revision before this one that has it."""
    its = tables.codings.c
    query = select(tables.codings).where(
        its.case_id == of.case_id, its.event_id == event_id, its.revision < of.revision
    )
    return tx.execute(query.order_by(its.revision.desc(), its.seq.desc()).limit(1)).one_or_none()


def event_of(row: Any) -> CodedEvent:
    """A row as it is said."""
    return CodedEvent(
        event_id=row.event_id,
        verbatim=row.verbatim,
        status=row.status,
        llt_code=row.llt_code,
        term=row.term,
        soc=row.soc,
        method=row.method,
        confidence=row.confidence,
        reasons=row.reasons,
        candidates=[CandidateTerm(**c) for c in row.candidates],
        grades=row.grades,
        path=row.path or [],
        smqs=row.smqs or [],
        told=[ToldBeside(**one) for one in row.told or []],
        split=[EventPart(**one) for one in row.split or []],
        dictionary=row.dictionary,
        synonyms=row.synonyms,
    )


def say(
    tx: Connection,
    of: Revision,
    events: Iterable[CodedEvent],
    *,
    decision: UUID,
    dictionary: str,
    occurred_at: datetime,
    recorded_at: datetime,
    by: str,
) -> None:
    """Put the codings of a revision into the outbox. The id follows from the decision, so a rebuild says the same."""
    outbox.put(
        tx,
        Envelope(
            id=identity(TOPIC, str(decision)),
            type=TOPIC,
            key=of.case_id,
            source=SOURCE,
            study=of.study,
            occurred_at=occurred_at,
            recorded_at=recorded_at,
            body=EventsCodedV1(
                case_id=of.case_id,
                revision=of.revision,
                study=of.study,
                dictionary=dictionary,
                coded_at=occurred_at,
                coder=by,
                events=list(events),
            ),
        ),
    )


def number_of(event_id: str) -> int:
    """Which event of its report this is, from 1; 0 where the id does not say."""
    tail = event_id.rpartition("-E")[2]
    return int(tail) if tail.isdecimal() else 0
