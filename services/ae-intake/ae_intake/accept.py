"""Accepting: a report becomes a case, a follow-up its next revision, both whole, in one transaction with the message.

What can be decided without the database is decided before the writer's turn (`prepare_report`); `keep_report` and
`keep_follow_up` run inside it. Nothing here commits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ae_intake import asking, cases
from ae_intake.attribution import Place, site_of_subject, wrong_in_report, wrong_subject
from ae_intake.cases import Provenance
from ae_intake.contradictions import contradictions
from ae_intake.duplicates import most_likely
from ae_intake.judge import Judgement, judge, started
from ae_intake.questions import Question, missing, questions
from ae_intake.receipts import AskedQuery, MissingElement, Receipt
from ae_intake.revise import event_id, first_revision, revise, says_facts
from tocsin.domain.assess import missing_elements
from tocsin.domain.protocol import Protocol
from tocsin.errors import Refused, Wrong
from tocsin.messages.bodies import Contradiction, DuplicateLink, KeptEvent, ReportReceivedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.messages.facts import FollowUpFacts, ReportFacts
from tocsin.messages.topics import INTAKE
from tocsin.messages.translate import report_of
from tocsin.store import audit, outbox

TOPIC = "reports.received.v1"
_DRAFT = "TOC-?"
"""What a report is called until it has its number: the number is given inside the transaction."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, and when it reached us. `traceparent` as sent, for the message."""

    key_id: str
    at: datetime
    raw: str
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A first report, judged, waiting for its number."""

    place: Place
    body: ReportReceivedV1
    judgement: Judgement
    sender: Sender


def prepare_report(facts: ReportFacts, place: Place, sender: Sender) -> Prepared:
    """Judge a first report. Refused, with pointers, when it cannot be attributed to a subject or a calendar."""
    wrong = wrong_in_report(place, facts)
    if wrong:
        raise Refused("the report cannot be understood or attributed", wrong)
    told = contradictions(facts, place.site.zone, sender.at)
    # A first report cannot take an event back. A death must not get lost by a tick in the wrong box.
    events, unasked = _stand(first_revision(facts, _DRAFT))
    body = ReportReceivedV1(
        case_id=_DRAFT,
        revision=1,
        study=place.protocol.id,
        site=place.site.id,
        subject=facts.subject,
        received_at=sender.at,
        facts=facts,
        events=list(events),
        is_nullified=False,
        contradictions=[*unasked, *told],
    )
    body = body.model_copy(update={"missing": list(missing_elements(report_of(body)))})
    return Prepared(place, body, judge([body], place.protocol), sender)


def keep_report(tx: Connection, prepared: Prepared, last_number: int) -> Receipt:
    """Give it its number, keep it, ask what is to be asked, and say it."""
    number, case_id = cases.next_number(tx, last_number)
    draft = prepared.body
    body = draft.model_copy(
        update={
            "case_id": case_id,
            "events": [
                kept.model_copy(update={"event_id": event_id(case_id, n)}) for n, kept in enumerate(draft.events, 1)
            ],
        }
    )
    body = body.model_copy(update={"possible_duplicates": _duplicates(tx, body, prepared.place)})
    cases.open_case(tx, number, body)
    provenance = Provenance("report", prepared.sender.at, prepared.sender.key_id, prepared.sender.raw)
    keep_body(tx, body, provenance, questions(body), prepared.sender)
    return receipt(tx, body, prepared.judgement.numbered(_DRAFT, case_id), prepared.place.protocol)


def keep_follow_up(
    tx: Connection,
    case_id: str,
    place: Place,
    facts: FollowUpFacts,
    sender: Sender,
    *,
    how: str = "follow_up",
    statement: str | None = None,
    answers: str | None = None,
    may_cross_sites: bool = False,
) -> Receipt:
    """The next revision. Refused, with pointers, when it belongs to another subject or cannot be understood."""
    earlier = cases.bodies_of(tx, case_id)
    before = earlier[-1]
    wrong = [*_wrong_orders(facts, before, place, may_cross_sites), *wrong_in_report(place, facts)]
    if wrong:
        raise Refused("the follow-up cannot be understood or attributed", wrong)
    revised = revise(case_id, before.facts, before.events, facts)
    if len(revised.events) > 50:
        problem = f"would give the case {len(revised.events)} events"
        raise Refused("a case holds at most 50 events", [Wrong("/events", problem, "at most 50; send another report")])
    told = contradictions(revised.facts, place.site.zone, sender.at, [kept.event_id for kept in revised.events])
    is_nullified = _is_nullified(before, facts)
    body = ReportReceivedV1(
        case_id=case_id,
        revision=before.revision + 1,
        study=before.study,
        site=before.site,
        subject=revised.facts.subject,
        received_at=sender.at,
        facts=revised.facts,
        events=list(revised.events),
        is_nullified=is_nullified,
        reason=facts.reason,
        contradictions=[*_revived(before, facts, is_nullified), *revised.differing, *told],
    )
    body = body.model_copy(update={"missing": list(missing_elements(report_of(body)))})
    if body.subject is not None and not body.is_nullified:
        fresh = None if before.subject is None else revised.added
        known = {one.case_id for one in cases.links_of(tx, case_id)}
        found = [one for one in _duplicates(tx, body, place, fresh) if one.case_id not in known]
        body = body.model_copy(update={"possible_duplicates": found})
    if answers is not None:
        asking.answered(tx, answers, sender.at, sender.key_id, body.revision)
    keep_body(
        tx,
        body,
        Provenance(how, sender.at, sender.key_id, sender.raw, statement),
        questions(body, revised.differing),
        sender,
        before=before,
    )
    answer = receipt(tx, body, judge([*earlier, body], place.protocol), place.protocol)
    if facts.right_subject is None:
        return answer
    return answer.model_copy(update={"moved_to": _move(tx, earlier, body, facts, place, sender)})


def keep_body(
    tx: Connection,
    body: ReportReceivedV1,
    provenance: Provenance,
    asked: Sequence[Question],
    sender: Sender,
    before: ReportReceivedV1 | None = None,
) -> None:
    """One revision with all that goes with it: rows, links, queries, audit, message."""
    kept = cases.keep_revision(tx, body, provenance)
    cases.link(tx, body, body.possible_duplicates)
    asking.ask(tx, body, asked, provenance.recorded_at)
    audit.append(
        tx,
        at=provenance.recorded_at,
        who=provenance.sent_by,
        did=f"{provenance.how.replace('_', '-')} {'nullified the case' if body.is_nullified else 'accepted'}",
        about=f"case {body.case_id}",
        study=body.study,
        before=None if before is None else {"revision": before.revision},
        # The chain seals the revision's row too: whoever alters one no longer matches this hash.
        after={"revision": body.revision, "body_sha256": hashlib.sha256(kept.encode()).hexdigest()},
        reason=body.reason,
    )
    outbox.put(
        tx,
        Envelope(
            id=identity(TOPIC, body.case_id, str(body.revision)),
            type=TOPIC,
            key=body.case_id,
            source=INTAKE,
            study=body.study,
            occurred_at=body.received_at,
            recorded_at=provenance.recorded_at,
            body=body,
            traceparent=sender.traceparent,
        ),
    )


def receipt(tx: Connection, body: ReportReceivedV1, judgement: Judgement, protocol: Protocol) -> Receipt:
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
        queries=[
            AskedQuery(query_id=row.query_id, kind=row.kind, about=row.about, question=row.question)
            for row in asking.open_of(tx, body.case_id)
        ],
        day_zero=list(judgement.days),
        clocks=[started(clock, protocol) for clock in judgement.clocks],
        assumptions=list(protocol.assumptions),
    )


def _duplicates(
    tx: Connection, body: ReportReceivedV1, place: Place, only: Sequence[str] | None = None
) -> list[DuplicateLink]:
    """The cases of the same subject that may tell of the same events; `only` looks from these events."""
    if body.subject is None:
        return []
    others = cases.others_told(tx, body.study, body.subject, but=body.case_id)
    found = most_likely(cases.told_of(body, only), others, place.site.zone)
    return [DuplicateLink(case_id=case_id, reasons=why) for case_id, why in found.items()]


def _stand(events: Sequence[KeptEvent]) -> tuple[tuple[KeptEvent, ...], list[Contradiction]]:
    """The events of a first report, none of them nullified: what was never told cannot be taken back."""
    stand, told = [], []
    for n, kept in enumerate(events):
        if kept.facts.nullified:
            problem = "nullified in the first report of it"
            told.append(Contradiction(pointer=f"/events/{n}/nullified", problem=problem, read_as="it stands"))
            kept = kept.model_copy(update={"facts": kept.facts.model_copy(update={"nullified": False})})
        stand.append(kept)
    return tuple(stand), told


def _is_nullified(before: ReportReceivedV1, facts: FollowUpFacts) -> bool:
    """A nullified case stays so until it is said not to be, or until news of it come: those are not for nothing."""
    if facts.nullify or not before.is_nullified:
        return facts.nullify
    return "nullify" not in facts.model_fields_set and not says_facts(facts)


def _revived(before: ReportReceivedV1, facts: FollowUpFacts, is_nullified: bool) -> list[Contradiction]:
    if not before.is_nullified or is_nullified or "nullify" in facts.model_fields_set:
        return []
    return [Contradiction(pointer="", problem="news of a case that was nullified", read_as="the case stands again")]


def _wrong_orders(facts: FollowUpFacts, before: ReportReceivedV1, place: Place, may_cross_sites: bool) -> list[Wrong]:
    """What a follow-up asks to be done that cannot be done to this case."""
    wrong = []
    if facts.subject is not None and before.subject not in (None, facts.subject):
        allowed = f"{before.subject}; a wrong subject is put right with nullify, reason and right_subject"
        wrong.append(Wrong("/subject", "is not the subject of this case", allowed))
    nullifies = facts.nullify or any(event.nullified for event in facts.events)
    if nullifies and facts.reason is None:
        wrong.append(Wrong("/reason", "is missing: to nullify needs a reason", "text, 1 to 1000 characters"))
    if facts.right_subject is not None:
        if not facts.nullify:
            wrong.append(Wrong("/right_subject", "without nullify", "only with nullify true and a reason"))
        if facts.right_subject == before.subject:
            wrong.append(Wrong("/right_subject", "is the subject that the case names already", "another subject"))
        there = site_of_subject(place.protocol, facts.right_subject) if may_cross_sites else None
        right = place if there is None else Place(place.protocol, there)
        wrong += wrong_subject(right, facts.right_subject, "/right_subject")
    return wrong


def _move(
    tx: Connection,
    earlier: Sequence[ReportReceivedV1],
    nullified: ReportReceivedV1,
    facts: FollowUpFacts,
    place: Place,
    sender: Sender,
) -> str:
    """Open the right subject's case with the whole history of the wrong one; answers its number.

    Each revision keeps the time at which it was received, so the right subject's case keeps the day zero of the first
    report (readings.md, clocks 4). When it was written down under this number is `recorded_at`.
    """
    assert facts.right_subject is not None
    there = site_of_subject(place.protocol, facts.right_subject)
    right = place if there is None else Place(place.protocol, there)
    number, case_id = cases.next_number(tx, cases.take_turn(tx))
    history = [*earlier, *([nullified] if says_facts(facts) else [])]
    last = len(history) - 1
    before = None
    for n, old in enumerate(history):
        body = old.model_copy(
            update={
                "case_id": case_id,
                "revision": n + 1,
                "site": right.site.id,
                "subject": facts.right_subject,
                "facts": old.facts.model_copy(update={"subject": facts.right_subject, "site": right.site.id}),
                "events": [
                    kept.model_copy(update={"event_id": event_id(case_id, place)})
                    for place, kept in enumerate(old.events, 1)
                ],
                "is_nullified": False,
                "reason": f"moved from {old.case_id}, which named the wrong subject: {facts.reason}",
                "possible_duplicates": [],
            }
        )
        body = body.model_copy(update={"missing": list(missing_elements(report_of(body)))})
        if n == last:
            body = body.model_copy(update={"possible_duplicates": _duplicates(tx, body, right)})
        if n == 0:
            cases.open_case(tx, number, body)
        provenance = Provenance("moved", sender.at, sender.key_id, sender.raw)
        keep_body(tx, body, provenance, questions(body) if n == last else [], sender, before=before)
        before = body
    return case_id
