"""A report of the wrong subject, put under the right one: a case of its own, with the whole history."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from ae_intake import cases
from ae_intake.attribution import Place, site_of_subject
from ae_intake.cases import Provenance
from ae_intake.judge import judge
from ae_intake.keeping import Sender, duplicates_of, keep_body
from ae_intake.questions import questions
from ae_intake.revise import event_id, says_facts
from ae_intake.rows import Rows
from tocsin.domain.assess import missing_elements
from tocsin.messages.bodies import ReportReceivedV1
from tocsin.messages.facts import FollowUpFacts
from tocsin.messages.translate import report_of


def move(
    tx: Connection,
    earlier: Sequence[ReportReceivedV1],
    nullified: ReportReceivedV1,
    facts: FollowUpFacts,
    place: Place,
    sender: Sender,
) -> str:
    """Open the right subject's case with the whole history of the wrong one; answers its number.

    Each revision keeps the time at which it was received, so the right subject's case keeps the day zero of the first
    report (readings.md, clocks 4), unless the study counts from the correction. When it was written down under this
    number is `recorded_at`.
    """
    assert facts.right_subject is not None
    there = site_of_subject(place.protocol, facts.right_subject)
    right = place if there is None else Place(place.protocol, there)
    keeps_day_zero = place.protocol.clock_settings.wrong_subject_keeps_day_zero
    [(number, case_id)] = cases.next_numbers(tx, 1)
    rows = Rows(tx)
    history = [*earlier, *([nullified] if says_facts(facts) else [])]
    last = len(history) - 1
    moved: list[ReportReceivedV1] = []
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
                "received_at": old.received_at if keeps_day_zero else sender.at,
                "reason": f"moved from {old.case_id}, which named the wrong subject: {facts.reason}",
                "possible_duplicates": [],
            }
        )
        body = body.model_copy(update={"missing": list(missing_elements(report_of(body)))})
        if n == last:
            body = body.model_copy(update={"possible_duplicates": duplicates_of(tx, body, right)})
        if n == 0:
            cases.open_case(rows, number, body)
        moved.append(body)
        asked = questions(body, judge(moved, right.protocol).serious) if n == last else []
        keep_body(rows, body, Provenance("moved", sender.at, sender.key_id, sender.raw), asked, sender, before=before)
        before = body
    rows.write()
    return case_id
