"""Messages in: load, decide, keep. Nothing here commits or sends, and no order of arrival is relied upon.

The time of what follows is the message's own `recorded_at`, so that a rebuild from the log gives the same tables.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from alerting import (
    answered_grades,
    answers,
    cases,
    clock_notices,
    decisions,
    dlt_signed,
    doses,
    duplicates,
    grades,
    heartbeats,
    hold_parties,
    holds_signed,
    limits,
    queries,
    reconciliation,
    ringing,
    signed_decisions,
    so_far,
    submission_answers,
    submissions,
    timers,
    trial,
    values,
    verdicts,
)
from alerting.judge import judge, urgency
from alerting.parts import NAME, Parts
from alerting.tables import observations
from tocsin.domain.assess import Assessment
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import ReportKind
from tocsin.messages.bodies import (
    DecisionRecordedV1,
    DoseRecordedV1,
    EventsCodedV1,
    GradesDerivedV1,
    ObservationsRecordedV1,
    QueryRaisedV1,
    ReportReceivedV1,
)
from tocsin.messages.envelope import Envelope
from tocsin.messages.heartbeat import is_heartbeat
from tocsin.store.insert import insert_unless_there


def on_report_received(envelope: Envelope[ReportReceivedV1], tx: Connection, parts: Parts) -> None:
    """A new case or a new revision: judged at once by its own words, before and whether or not anybody codes it."""
    body, at = envelope.body, envelope.recorded_at
    if is_heartbeat(body.study):
        heartbeats.arrived(tx, parts, heartbeats.REPORT, body.case_id)
        return
    protocol = parts.study(body.study)
    cases.lock_study(tx, body.study)
    known = cases.load(tx, body.case_id)
    is_new_case = not known.reports
    if not cases.keep_report(tx, known, body, envelope.id):
        return
    duplicates.keep(tx, body, at)
    why = f"revision {body.revision} received"
    # What the report says by itself comes first even when its coding was quicker on the way: whether an alarm rings
    # and a clock starts, and with which history, must not depend on which topic was read first.
    newest = max(known.codings, default=0)
    found = so_far.of(tx, known, is_new=is_new_case, with_grades=True)
    assert found is not None  # its report was kept just now
    assessment = judge(tx, parts, protocol, found, why=why, at=at, is_new_case=is_new_case, coded_before=body.revision)
    if newest >= body.revision:
        assessment = judge(tx, parts, protocol, found, why=_coded(known.codings[newest]), at=at)
    _watch_coding(tx, body, protocol, assessment)
    values.look(tx, parts, protocol, body.subject, body.site, at, known=found)
    answered_grades.look(tx, parts, protocol, found, at)
    trial.follow_case(tx, parts, protocol, found, at, why=why)
    if body.facts.kind is ReportKind.PRODUCT_EVENT:
        trial.look(tx, parts, protocol, at, case_id=body.case_id)


def on_events_coded(envelope: Envelope[EventsCodedV1], tx: Connection, parts: Parts) -> None:
    """A coding refines the same case."""
    body, at = envelope.body, envelope.recorded_at
    if is_heartbeat(body.study):
        heartbeats.arrived(tx, parts, heartbeats.CODING, body.case_id)
        return
    protocol = parts.study(body.study)
    cases.lock_study(tx, body.study)
    known = cases.load(tx, body.case_id)
    if not cases.keep_coding(tx, known, body, envelope.id):
        return
    found = so_far.of(tx, known, with_grades=True)
    if found is None:
        return  # It waits for its report.
    why = _coded(body)
    judge(tx, parts, protocol, found, why=why, at=at)
    values.look(tx, parts, protocol, found.subject, found.latest.site, at, known=found)
    answered_grades.look(tx, parts, protocol, found, at)
    trial.follow_case(tx, parts, protocol, found, at, why=why)


def on_dose_recorded(envelope: Envelope[DoseRecordedV1], tx: Connection, parts: Parts) -> None:
    """An infusion moves the DLT window of the subject's cases; a product event rings by itself."""
    body, at = envelope.body, envelope.recorded_at
    protocol = parts.study(body.study)
    cases.lock_study(tx, body.study)
    if not doses.keep(tx, body):
        return
    rung = doses.ring(tx, parts, protocol, body, at)
    if body.facts.kind == "infusion" and body.subject is not None:
        for case_id in cases.of_subject(tx, body.study, body.subject):
            found = so_far.of(tx, cases.load(tx, case_id))
            if found is not None:
                judge(tx, parts, protocol, found, why="an infusion was recorded", at=at)
    verdicts.look(tx, parts, protocol, body.subject, at, why=f"{body.facts.kind} was recorded")
    trial.look(tx, parts, protocol, at, rung=rung)


def on_observations_recorded(envelope: Envelope[ObservationsRecordedV1], tx: Connection, parts: Parts) -> None:
    """Kept, and held against the definition of dose-limiting toxicity. They are graded by the coder."""
    body = envelope.body
    protocol = parts.study(body.study)
    cases.lock_study(tx, body.study)
    row = {
        "record_id": body.record_id, "study": body.study, "subject": body.subject, "received_at": body.received_at,
        "body": body.model_dump(mode="json", by_alias=True, exclude_unset=True),
    }  # fmt: skip
    if tx.execute(insert_unless_there(observations, tx.dialect.name), row).rowcount:
        trial.follow(tx, parts, protocol, [body.subject], envelope.recorded_at, why="an observation was recorded")


def on_grades_derived(envelope: Envelope[GradesDerivedV1], tx: Connection, parts: Parts) -> None:
    """What was observed was graded: compared with what the site reported, asked about, and rung for."""
    body = envelope.body
    protocol = parts.study(body.study)
    cases.lock_study(tx, body.study)
    if grades.keep(tx, body):
        values.look(tx, parts, protocol, body.subject, body.site, envelope.recorded_at)
        trial.follow(tx, parts, protocol, [body.subject], envelope.recorded_at, why="observations were graded")


def on_query_raised(envelope: Envelope[QueryRaisedV1], tx: Connection, parts: Parts) -> None:
    """Somebody asks a site something: its contact gets a letter that says so."""
    parts.study(envelope.body.study)
    queries.gather(tx, envelope.body, envelope.recorded_at)


def on_decision_recorded(envelope: Envelope[DecisionRecordedV1], tx: Connection, parts: Parts) -> None:
    """Our own deeds come back and are known; on a rebuild they are news. Deeds of others about cases come later."""
    body = envelope.body
    if envelope.source != NAME or not decisions.keep(tx, body):
        return
    if body.what == decisions.FIRED:
        clock_notices.restore(tx, parts, body)
        limits.restore(tx, parts, body)
        hold_parties.restore(tx, parts, body)
    if body.what in answers.OF_ALERTS:
        alert = ringing.load(tx, UUID(body.about))
        if alert is not None:
            answers.apply(tx, parts, alert, body)
    if body.what == decisions.SUBMITTED:
        submissions.restore(tx, parts, body)
    elif body.what == decisions.ANSWERED:
        submission_answers.restore(tx, parts, body)
    elif body.what == decisions.SIGNED:
        signed_decisions.restore(tx, parts, body)
    elif body.what == decisions.DUPLICATE:
        duplicates.restore(tx, body)
    elif body.what == verdicts.CHANGED:
        verdicts.catch_up(tx, parts, body)
        verdicts.restore(tx, parts, body)
    elif body.what == dlt_signed.DECIDED:
        dlt_signed.restore(tx, parts, body)
    elif body.what in (trial.RAISED, trial.AGAINST, trial.OVERDUE):
        trial.restore(tx, parts, body)
    elif body.what == holds_signed.DONE:
        holds_signed.restore(tx, parts, body)
    elif body.what == reconciliation.RECONCILED:
        reconciliation.restore(tx, parts, body)


def _coded(body: EventsCodedV1) -> str:
    return f"revision {body.revision} coded by {body.coder}"


def _watch_coding(tx: Connection, body: ReportReceivedV1, protocol: Protocol, assessment: Assessment) -> None:
    """Ring by itself if this revision is still uncoded after the study's time. Serious cases are looked at first."""
    if body.is_nullified or not body.events:
        return
    timers.begin(
        tx, timers.UNCODED, f"{body.case_id}|{body.revision}", study=body.study,
        due_at=body.received_at + protocol.uncoded_after, urgency=urgency(assessment),
    )  # fmt: skip
