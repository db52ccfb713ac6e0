"""What people sent and signed about a case, as the book of rules reads it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from alerting.tables import signed, submissions
from tocsin.domain.case import Opinion
from tocsin.domain.clock_life import NOTHING_YET, Past
from tocsin.domain.known import Known
from tocsin.domain.signed import Deed, Signed
from tocsin.domain.submissions import Submission, SubmissionKind
from tocsin.domain.words import Agent, Criterion, Party, Relation

REJECTED = "rejected"

_SENT = select(submissions).where(submissions.c.case_id.in_(bindparam("of_cases", expanding=True)))
# What still waits for a second person has decided nothing.
_SIGNED = select(signed).where(
    signed.c.case_id.in_(bindparam("of_cases", expanding=True)), signed.c.signed_at.is_not(None)
)


def past_of(tx: Connection, case_id: str) -> Past:
    """Everything that was sent and signed about a case."""
    return past_of_each(tx, [case_id]).get(case_id, NOTHING_YET)


def past_of_each(tx: Connection, case_ids: Iterable[str]) -> dict[str, Past]:
    """The same of many cases; a case about which nothing was sent or signed is not among them."""
    asked = {"of_cases": list(case_ids)}
    if not asked["of_cases"]:
        return {}
    sent: defaultdict[str, list[Submission]] = defaultdict(list)
    decided: defaultdict[str, list[Signed]] = defaultdict(list)
    for row in tx.execute(_SENT, asked):
        sent[row.case_id].append(submission_of(row))
    for row in tx.execute(_SIGNED, asked):
        decided[row.case_id].append(signed_of(row))
    return {one: Past(tuple(sent[one]), tuple(decided[one])) for one in {*sent, *decided}}


def submission_of(row: Row[Any]) -> Submission:
    """One submission; an answer counts only where it is a rejection."""
    is_rejected = row.answer == REJECTED
    return Submission(
        id=str(row.id),
        sent_at=row.sent_at,
        kind=SubmissionKind(row.kind),
        recipient=row.recipient,
        event_ids=frozenset(row.event_ids),
        reference=row.reference,
        by=row.entered_by,
        rejected_at=row.answered_at if is_rejected else None,
        rejected_because=(row.answer_reason or "") if is_rejected else "",
    )


def signed_of(row: Row[Any]) -> Signed:
    """One decision in force. The opinions in it are the sponsor's."""
    body = row.body
    expected = body.get("expected")
    aware_at = body.get("aware_at")
    return Signed(
        id=str(row.id),
        deed=Deed(row.deed),
        signed_at=row.signed_at,
        by=tuple(signature["by"] for signature in row.signatures),
        reason=row.reason,
        event_ids=frozenset(body.get("event_ids") or ()),
        opinions=tuple(
            Opinion(Agent(o["agent"]), Party.SPONSOR, Relation(o["relation"])) for o in body.get("opinions") or ()
        ),
        criteria=frozenset(Criterion(c) for c in body.get("criteria") or ()),
        is_expected=Known.of(expected),
        aware_at=datetime.fromisoformat(aware_at) if aware_at else None,
        revision=body.get("revision"),
        other_case=body.get("other_case"),
        needs=row.needs,
    )
