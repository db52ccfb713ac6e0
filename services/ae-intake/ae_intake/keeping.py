"""Keeping one revision, with all that goes with it, in the caller's transaction. Nothing here decides or commits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ae_intake import asking, cases
from ae_intake.attribution import Place
from ae_intake.cases import Provenance
from ae_intake.duplicates import Told, most_likely
from ae_intake.judge import Judgement, started
from ae_intake.questions import Question, missing
from ae_intake.receipts import AskedQuery, MissingElement, Receipt
from ae_intake.rows import Rows
from tocsin.domain.protocol import Protocol
from tocsin.messages.bodies import DuplicateLink, ReportReceivedV1
from tocsin.messages.envelope import Envelope, encode, identity, text_of
from tocsin.messages.topics import INTAKE
from tocsin.store import audit, outbox

TOPIC = "reports.received.v1"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, and when it reached us. `traceparent` as sent, for the message."""

    key_id: str
    at: datetime
    raw: str
    traceparent: str | None = None


def keep_body(
    rows: Rows,
    body: ReportReceivedV1,
    provenance: Provenance,
    asked: Sequence[Question],
    sender: Sender,
    before: ReportReceivedV1 | None = None,
) -> list[AskedQuery]:
    """One revision with all that goes with it: rows, links, queries, audit, message. Answers the open queries.

    The caller writes the rows: those of many first reports go together.
    """
    text = text_of(body)
    cases.keep_revision(rows, body, text, provenance)
    cases.link(rows, body, body.possible_duplicates)
    still_open = asking.ask(rows, body, asked, provenance.recorded_at)
    audit.append(
        rows.tx,
        at=provenance.recorded_at,
        who=provenance.sent_by,
        did=f"{provenance.how.replace('_', '-')} {'nullified the case' if body.is_nullified else 'accepted'}",
        about=f"case {body.case_id}",
        study=body.study,
        before=None if before is None else {"revision": before.revision},
        # The chain seals the revision's row too: whoever alters one no longer matches this hash.
        after={"revision": body.revision, "body_sha256": hashlib.sha256(text.encode()).hexdigest()},
        reason=body.reason,
    )
    said = Envelope(
        id=identity(TOPIC, body.case_id, str(body.revision)),
        type=TOPIC,
        key=body.case_id,
        source=INTAKE,
        study=body.study,
        occurred_at=body.received_at,
        recorded_at=provenance.recorded_at,
        body=body,
        traceparent=sender.traceparent,
    )
    outbox.put_record(rows.tx, encode(said, text), message_id=said.id, at=said.recorded_at)
    return still_open


def receipt(
    tx: Connection, body: ReportReceivedV1, asked: list[AskedQuery], judgement: Judgement, protocol: Protocol
) -> Receipt:
    """What is answered for one revision."""
    return Receipt(
        case_id=body.case_id,
        revision=body.revision,
        received_at=body.received_at,
        complete=not body.missing,
        missing=[
            MissingElement(element=one.element, pointer=one.pointer, question=one.question) for one in missing(body)
        ],
        contradictions=list(body.contradictions),
        possible_duplicates=cases.links_of(tx, body.case_id) if body.revision > 1 else list(body.possible_duplicates),
        queries=asked,
        day_zero=list(judgement.days),
        clocks=[started(clock, protocol) for clock in judgement.clocks],
        assumptions=list(protocol.assumptions),
    )


def duplicates_of(
    tx: Connection, body: ReportReceivedV1, place: Place, only: Sequence[str] | None = None
) -> list[DuplicateLink]:
    """The cases of the same subject that may tell of the same events; `only` looks from these events."""
    if body.subject is None:
        return []
    told = cases.told_of_subjects(tx, body.study, [body.subject])[body.subject]
    return links_to([other for other in told if other.case_id != body.case_id], body, place, only)


def links_to(
    others: Sequence[Told], body: ReportReceivedV1, place: Place, only: Sequence[str] | None = None
) -> list[DuplicateLink]:
    """Which of what other cases tell of the same subject may be what this one tells."""
    found = most_likely(cases.told_of(body, only), others, place.site.zone) if others else {}
    return [
        DuplicateLink(id=cases.link_id(body.case_id, case_id), case_id=case_id, reasons=why)
        for case_id, why in found.items()
    ]
