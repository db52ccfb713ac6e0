"""Dose records: kept; a product event rings, a dose far from plan warns, an infusion opens the DLT window."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from sqlalchemy import Connection

from alerting import alerts
from alerting.parts import Parts
from alerting.tables import doses
from tocsin.domain.protocol import Protocol
from tocsin.messages.bodies import DoseRecordedV1
from tocsin.messages.facts import InfusionFacts, ProductEventFacts
from tocsin.store.insert import insert_unless_there


def keep(tx: Connection, body: DoseRecordedV1) -> bool:
    """Keep a record; False when it is known."""
    row = {
        "record_id": body.record_id, "study": body.study, "site": body.site, "subject": body.subject,
        "kind": body.facts.kind, "received_at": body.received_at,
        "body": body.model_dump(mode="json", by_alias=True, exclude_unset=True),
    }  # fmt: skip
    return tx.execute(insert_unless_there(doses, tx.dialect.name), row).rowcount == 1


def ring(tx: Connection, parts: Parts, protocol: Protocol, body: DoseRecordedV1, at: datetime) -> UUID | None:
    """Raise what the record itself rings for; the page, where it pages."""
    who = body.subject or "no subject named"
    if isinstance(body.facts, ProductEventFacts):
        reasons = [f"product event of {who}: {body.facts.what.replace('_', ' ')}, found {body.facts.found_at}"]
        if body.facts.description:
            reasons.append(f"the site says: {body.facts.description}")
        page = alerts.Alert(
            f"dose|{body.record_id}|product_event", protocol.id, "product_event", "page", tuple(reasons),
            assumptions=protocol.assumptions,
        )  # fmt: skip
        alerts.raise_one(tx, parts, page, at)
        return page.id
    if isinstance(body.facts, InfusionFacts) and (said := _deviation(body.facts, protocol)) is not None:
        alerts.raise_one(
            tx, parts,
            alerts.Alert(f"dose|{body.record_id}|dose_deviation", protocol.id, "dose_deviation", "warn",
                         (f"infusion of {who}: {said}",), assumptions=protocol.assumptions),
            at,
        )  # fmt: skip
    return None


def _deviation(facts: InfusionFacts, protocol: Protocol) -> str | None:
    """What was given and planned, where that is outside what counts as planned (readings.md, DLT 2)."""
    if facts.planned is None or facts.given is None:
        return None
    # Exact: 0.8 has no exact float, and a dose on the limit is within it.
    planned, given = Decimal(str(facts.planned)), Decimal(str(facts.given))
    if protocol.dose.evaluable_from <= Fraction(given) / Fraction(planned) <= protocol.dose.evaluable_to:
        return None
    unit = f" {facts.unit}" if facts.unit else ""
    return f"given {facts.given:g}{unit}, planned {facts.planned:g}{unit}: {given / planned:.0%} of plan"
