"""Messages in: the events of a report are coded or held for a person, what was observed of a subject is graded.

Time is the message's own, so that a rebuild gives the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from meddra_coder import casebook, chart, recoding, regrading, review_queue
from meddra_coder.coder import default_coder
from meddra_coder.coders import Coders
from meddra_coder.coding import code_event
from tocsin.domain.protocol import Protocol
from tocsin.errors import Poison
from tocsin.messages.bodies import DoseRecordedV1, ObservationsRecordedV1, ReportReceivedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.messages.heartbeat import is_heartbeat


@dataclass(frozen=True, slots=True)
class Parts:
    """What the handlers work with. Each study says by which edition of CTCAE its values are graded."""

    coders: Coders
    studies: Mapping[str, Protocol]

    def study(self, study_id: str) -> Protocol:
        """The protocol of a study. Poison when it is not served here: waiting would not help."""
        protocol = self.studies.get(study_id)
        if protocol is None:
            known = ", ".join(sorted(self.studies)) or "none"
            raise Poison(f"study {study_id!r} is not served here; served are {known}")
        return protocol


def on_report_received(envelope: Envelope[ReportReceivedV1], tx: Connection, parts: Parts) -> None:
    """Code every event of the revision, or keep what a person decided of the same words in the revision before.

    The events of a nullified case are coded as well, and wait for nobody.
    """
    body = envelope.body
    revision = casebook.Revision(body.case_id, body.revision, body.study)
    if is_heartbeat(body.study):
        _answer_heartbeat(envelope, tx, revision)
        return
    coder = parts.coders.of(tx, body.study)
    counting = [kept for kept in body.events if not kept.facts.nullified]
    coded = [casebook.coded_event(kept, code_event(kept.facts.verbatim, coder)) for kept in counting]
    events = [recoding.as_decided_before(tx, revision, event, coder) for event in coded]
    version = coder.version
    decision = identity("coded", body.case_id, str(body.revision), version)
    at = envelope.recorded_at
    casebook.keep_revision(tx, revision, body, review_queue.how_serious(body))
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


def _answer_heartbeat(envelope: Envelope[ReportReceivedV1], tx: Connection, revision: casebook.Revision) -> None:
    """Coded as any report is, and said; nothing of it is kept, and nobody is asked."""
    coder, at = default_coder(), envelope.recorded_at
    events = [casebook.coded_event(kept, code_event(kept.facts.verbatim, coder)) for kept in envelope.body.events]
    casebook.say(
        tx, revision, events, decision=identity("coded", revision.case_id), dictionary=coder.version, occurred_at=at,
        recorded_at=at, by=casebook.SOURCE,
    )  # fmt: skip


def on_observations_recorded(envelope: Envelope[ObservationsRecordedV1], tx: Connection, parts: Parts) -> None:
    """Grade what was observed, and again whatever it corrects or is the baseline of."""
    body = envelope.body
    protocol = parts.study(body.study)
    analytes, kinds = chart.touched(tx, body.study, body.subject, chart.keep(tx, body))
    regrading.regrade(
        tx, protocol, body.site, body.subject, analytes, kinds, record_id=body.record_id, at=envelope.recorded_at
    )


def on_dose_recorded(envelope: Envelope[DoseRecordedV1], tx: Connection, parts: Parts) -> None:
    """An infusion says what was before it, so everything that is known of the subject is graded again."""
    body = envelope.body
    protocol = parts.study(body.study)
    if not chart.keep_infusion(tx, body) or body.subject is None:
        return
    analytes, kinds = chart.everything(tx, body.study, body.subject)
    regrading.regrade(
        tx,
        protocol,
        body.site,
        body.subject,
        analytes,
        kinds,
        record_id=body.record_id,
        at=envelope.recorded_at,
        afresh=True,
    )
