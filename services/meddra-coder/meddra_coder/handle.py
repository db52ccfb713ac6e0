"""Messages in: a report arrives, each of its events is coded or held for a person."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from meddra_coder import casebook
from meddra_coder.coding import code_event
from meddra_coder.dictionary import Dictionary
from tocsin.messages.bodies import ReportReceivedV1
from tocsin.messages.envelope import Envelope, identity


@dataclass(frozen=True, slots=True)
class Parts:
    """What the handlers work with. `dictionary` is by study, as each study pins its own."""

    dictionary: Dictionary


def on_report_received(envelope: Envelope[ReportReceivedV1], tx: Connection, parts: Parts) -> None:
    """Code every event of the revision. Time is the message's own, so that a rebuild gives the same rows."""
    body = envelope.body
    revision = casebook.Revision(body.case_id, body.revision, body.study)
    events = [
        casebook.coded_event(kept, code_event(kept.facts.verbatim, parts.dictionary))
        for kept in body.events
        if not kept.facts.nullified
    ]
    version = parts.dictionary.version
    decision = identity("coded", body.case_id, str(body.revision), version)
    at = envelope.recorded_at
    casebook.keep_revision(tx, revision, body.received_at)
    casebook.keep(tx, revision, events, decision=decision, dictionary=version, at=at, by=casebook.SOURCE)
    casebook.say(
        tx,
        revision,
        events,
        decision=decision,
        dictionary=version,
        occurred_at=at,
        recorded_at=at,
        by=casebook.SOURCE,
    )
