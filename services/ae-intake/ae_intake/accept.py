"""Accepting: a report becomes a case, a follow-up its next revision, both whole, in one transaction with the message.

What can be decided without the database is decided before the writer's turn (`prepare_report`); `keep_reports` and
`keep_follow_up` run inside it. Nothing here commits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ae_intake import asking, cases
from ae_intake.attribution import Place, wrong_in_report
from ae_intake.cases import Provenance
from ae_intake.contradictions import contradictions
from ae_intake.duplicates import Told
from ae_intake.judge import Judgement, judge, leaves_to_ask
from ae_intake.keeping import Sender, duplicates_of, keep_body, links_to, receipt
from ae_intake.moving import move
from ae_intake.orders import is_nullified_by, revived, wrong_orders
from ae_intake.questions import questions
from ae_intake.receipts import Receipt
from ae_intake.revise import event_id, first_revision, revise
from ae_intake.rows import Rows
from ae_intake.taken_back import taken_back
from tocsin.domain.assess import missing_elements
from tocsin.errors import Refused
from tocsin.messages.bodies import Contradiction, KeptEvent, ReportReceivedV1
from tocsin.messages.facts import FollowUpFacts, ReportFacts
from tocsin.messages.translate import report_of

_DRAFT = "TOC-?"
"""What a report is called until it has its number: the number is given inside the transaction."""


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
    report = report_of(body)
    body = body.model_copy(update={"missing": list(missing_elements(report))})
    return Prepared(place, body, judge([body], place.protocol, [report]), sender)


def keep_reports(rows: Rows, reports: Sequence[Prepared]) -> list[Receipt]:
    """Give each its number, keep it, ask what is to be asked, and say it. Their rows wait in `rows`.

    Each sees those before it as if they had been kept long ago.
    """
    told = _told_before(rows.tx, reports)
    subjects = Counter((prepared.body.study, prepared.body.subject) for prepared in reports)
    receipts = []
    for prepared, (number, case_id) in zip(reports, cases.next_numbers(rows.tx, len(reports)), strict=True):
        draft, sender = prepared.body, prepared.sender
        body = draft.model_copy(
            update={
                "case_id": case_id,
                "events": [
                    KeptEvent(event_id=event_id(case_id, n), facts=kept.facts) for n, kept in enumerate(draft.events, 1)
                ],
                "possible_duplicates": [],
            }
        )
        if body.subject is not None:
            others = told[body.study, body.subject]
            if found := links_to(others, body, prepared.place):
                body = body.model_copy(update={"possible_duplicates": found})
            if subjects[body.study, body.subject] > 1:
                others += cases.told_of(body)
        cases.open_case(rows, number, body)
        provenance = Provenance("report", sender.at, sender.key_id, sender.raw)
        judgement = prepared.judgement.numbered(_DRAFT, case_id)
        asked = keep_body(rows, body, provenance, questions(body, judgement.serious), sender)
        receipts.append(receipt(rows.tx, body, asked, judgement, prepared.place.protocol))
    return receipts


def keep_report(tx: Connection, prepared: Prepared) -> Receipt:
    """As `keep_reports`, for one alone: kept when this returns."""
    rows = Rows(tx)
    [answer] = keep_reports(rows, [prepared])
    rows.write()
    return answer


def _told_before(tx: Connection, reports: Sequence[Prepared]) -> dict[tuple[str, str], list[Told]]:
    """What other cases tell of the subjects of these reports."""
    subjects: dict[str, set[str]] = {}
    for body in (prepared.body for prepared in reports):
        if body.subject is not None:
            subjects.setdefault(body.study, set()).add(body.subject)
    return {
        (study, subject): told
        for study, of_study in subjects.items()
        for subject, told in cases.told_of_subjects(tx, study, of_study).items()
    }


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
    wrong = [*wrong_orders(facts, before, place, may_cross_sites), *wrong_in_report(place, facts)]
    if wrong:
        raise Refused("the follow-up cannot be understood or attributed", wrong)
    revised = revise(case_id, before.facts, before.events, facts)
    told = contradictions(revised.facts, place.site.zone, sender.at, [kept.event_id for kept in revised.events])
    is_nullified = is_nullified_by(before, facts)
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
        contradictions=[
            *revived(before, facts, is_nullified),
            *revised.differing,
            *taken_back(earlier, revised.events),
            *told,
        ],
    )
    body = body.model_copy(update={"missing": list(missing_elements(report_of(body)))})
    if body.subject is not None and not body.is_nullified:
        fresh = None if before.subject is None else revised.added
        known = {one.case_id for one in cases.links_of(tx, case_id)}
        found = [one for one in duplicates_of(tx, body, place, fresh) if one.case_id not in known]
        body = body.model_copy(update={"possible_duplicates": found})
    if statement is not None:
        body = body.model_copy(update={"statement": statement})
    if answers is not None:
        asking.answered(tx, answers, sender.at, sender.key_id, body.revision)
    judgement = judge([*earlier, body], place.protocol)
    if body.is_nullified or not leaves_to_ask([*earlier, body]):
        asking.settle_follow_ups(tx, body, sender.at)
    rows = Rows(tx)
    asked = keep_body(
        rows,
        body,
        Provenance(how, sender.at, sender.key_id, sender.raw, statement),
        questions(body, judgement.serious, revised.differing),
        sender,
        before=before,
    )
    rows.write()
    answer = receipt(tx, body, asked, judgement, place.protocol)
    if facts.right_subject is None:
        return answer
    return answer.model_copy(update={"moved_to": move(tx, earlier, body, facts, place, sender)})


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
