"""Doses and observations: kept as sent, and said on the bus, one message a subject, all of a request or nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert

from ae_intake import tables
from ae_intake.attribution import Place
from ae_intake.keeping import Sender
from ae_intake.receipts import DoseReceipt, ObservationsReceipt, ObservedSubject
from tocsin.messages.bodies import DoseRecordedV1, ObservationsRecordedV1
from tocsin.messages.envelope import Body, Envelope
from tocsin.messages.facts import DoseFacts, Observation
from tocsin.messages.topics import INTAKE
from tocsin.store import audit, outbox

_OBSERVATIONS: TypeAdapter[list[Observation]] = TypeAdapter(list[Observation])


@dataclass(frozen=True, slots=True)
class Seen:
    """The observations of one subject in one request."""

    place: Place
    subject: str
    observations: list[Observation]


def keep_dose(tx: Connection, place: Place, facts: DoseFacts, sender: Sender) -> DoseReceipt:
    """Keep one dose record and say it."""
    record_id = uuid4()
    body = DoseRecordedV1(
        record_id=str(record_id),
        study=place.protocol.id,
        site=place.site.id,
        subject=facts.subject,
        received_at=sender.at,
        facts=facts,
    )
    tx.execute(
        insert(tables.doses),
        {
            "record_id": body.record_id,
            "study": body.study,
            "site": body.site,
            "subject": body.subject,
            "kind": facts.kind,
            "received_at": sender.at,
            "sent_by": sender.key_id,
            "facts": sender.raw,
        },
    )
    after = facts.model_dump(mode="json", exclude_unset=True)
    audit.append(
        tx,
        at=sender.at,
        who=sender.key_id,
        did=f"{facts.kind.replace('_', ' ')} recorded",
        about=f"dose record {body.record_id}",
        study=body.study,
        after=after,
    )
    # A product event may concern no subject: the record itself then orders it.
    _say(tx, "doses.recorded.v1", record_id, facts.subject or body.record_id, body, body.study, sender)
    return DoseReceipt(
        record_id=body.record_id,
        received_at=sender.at,
        study=body.study,
        site=body.site,
        subject=body.subject,
        kind=facts.kind,
    )


def keep_observations(tx: Connection, study: str, seen: list[Seen], sender: Sender) -> ObservationsReceipt:
    """Keep the observations of each subject and say them, one message a subject."""
    records = []
    for one in seen:
        record_id = uuid4()
        body = ObservationsRecordedV1(
            record_id=str(record_id),
            study=study,
            site=one.place.site.id,
            subject=one.subject,
            received_at=sender.at,
            observations=one.observations,
        )
        facts = _OBSERVATIONS.dump_json(one.observations, by_alias=True, exclude_unset=True).decode()
        tx.execute(
            insert(tables.observations),
            {
                "record_id": body.record_id,
                "study": study,
                "site": body.site,
                "subject": one.subject,
                "number": len(one.observations),
                "received_at": sender.at,
                "sent_by": sender.key_id,
                "facts": facts,
            },
        )
        _say(tx, "observations.recorded.v1", record_id, one.subject, body, study, sender)
        records.append(
            ObservedSubject(record_id=body.record_id, subject=one.subject, observations=len(one.observations))
        )
    audit.append(
        tx,
        at=sender.at,
        who=sender.key_id,
        did="observations recorded",
        about=f"observations {records[0].record_id}",
        study=study,
        after=json.loads(TypeAdapter(list[ObservedSubject]).dump_json(records)),
    )
    return ObservationsReceipt(received_at=sender.at, study=study, records=records)


def _say(tx: Connection, topic: str, record_id: UUID, key: str, body: Body, study: str, sender: Sender) -> None:
    outbox.put(
        tx,
        Envelope(
            id=record_id,
            type=topic,
            key=key,
            source=INTAKE,
            study=study,
            occurred_at=sender.at,
            recorded_at=sender.at,
            body=body,
            traceparent=sender.traceparent,
        ),
    )
