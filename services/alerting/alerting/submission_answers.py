"""What the other side said to a submission: an authority's acknowledgement, or a recipient's receipt of a copy.

A rejection reopens what the submission had met, and rings (readings.md, clocks 6), also when it comes after a first
acceptance: a gateway takes a file that the authority then refuses. It is the last word on a submission: a report that
was rejected is sent again, and that is another submission.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, or_, select, update

from alerting import alerts, decisions
from alerting.delivery.bell import Due
from alerting.judge import judge_again
from alerting.moments import moment
from alerting.parts import Parts
from alerting.standing import Standing, standing_of, words
from alerting.tables import submissions
from tocsin.errors import Conflict, NotFound, Refused, Wrong
from tocsin.messages.bodies import DecisionRecordedV1
from tocsin.messages.envelope import identity
from tocsin.store import audit

ACCEPTED, REJECTED = "accepted", "rejected"
Outcome = Literal["accepted", "rejected"]


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as a person states it. `signed_by`: who signed for it at the other side."""

    at: str
    outcome: Outcome
    reference: str | None = None
    reason: str | None = None
    signed_by: str | None = None


def identity_of(clock_id: UUID, sent_at: datetime, kind: str, recipient: str, reference: str) -> UUID:
    """The id of a submission: by the minute in which it was sent, so that the same one told again is the same."""
    minute = sent_at.replace(second=0, microsecond=0).isoformat()
    return identity("submission", str(clock_id), minute, kind, recipient.casefold(), reference)


def of_group(tx: Connection, clock_id: UUID, group: UUID, own: str) -> tuple[Row[Any], ...]:
    """The rows of a submission by its id: one, or one for each who was sent it at once (`own`: all of them)."""
    query = select(submissions).where(submissions.c.clock_id == clock_id).order_by(submissions.c.recipient)
    return tuple(
        row
        for row in tx.execute(query)
        if group in (row.id, identity_of(clock_id, row.sent_at, row.kind, own, row.reference))
    )


def answer(
    tx: Connection, parts: Parts, clock: Row[Any], stands: Standing, submission_id: UUID, said: Said, by: str,
    now: datetime,
) -> tuple[Row[Any], ...]:  # fmt: skip
    """Keep what the other side said, and judge the case again where it refused. The same once more changes nothing.

    Raises NotFound; Refused for a time that cannot be, or a rejection without its reason; Conflict when it was
    answered otherwise, unless what was accepted is rejected now.
    """
    rows = of_group(tx, clock.id, submission_id, clock.recipient)
    if not rows:
        raise NotFound("there is no such submission at this clock")
    if said.outcome == REJECTED and said.reason is None:
        raise Refused(
            "a rejection needs its reason",
            [Wrong("/reason", "is missing", "text: why the other side refused it, in its words")],
        )
    told = moment(said.at, stands.protocol.receiver_zone, "/at", now)
    at = told.from_on(max(row.sent_at for row in rows))
    if at is None:
        sent = max(row.sent_at for row in rows).astimezone(stands.protocol.receiver_zone)
        allowed = f"{sent.isoformat(timespec='seconds')} or later"
        raise Refused("nobody answers before", [Wrong("/at", f"{said.at} is before it was sent", allowed)])
    wanted = _facts(said, at)
    open_rows = [row for row in rows if row.answer is None or _is_taken_back(row, said.outcome)]
    for row in rows:
        if row not in open_rows and not _is_same(row, wanted):
            raise Conflict(
                f"{row.reference} to {row.recipient} was answered already: {row.answer}. What is sent again after a "
                "rejection is another submission; nothing was changed"
            )
    if open_rows:
        _keep_all(tx, parts, clock, stands, submission_id, open_rows, wanted, by, now)
    return of_group(tx, clock.id, submission_id, clock.recipient)


def restore(tx: Connection, parts: Parts, deed: DecisionRecordedV1) -> None:
    """An answer as the log tells it, on a rebuild. One whose submission was not read yet waits for it."""
    said = deed.detail
    assert deed.case_id is not None
    changed = tx.execute(
        update(submissions)
        .where(submissions.c.id == UUID(deed.about), _is_open_to(str(said["answer"])))
        .values(
            answer=said["answer"], answered_at=datetime.fromisoformat(str(said["answered_at"])),
            answer_reference=said["answer_reference"], answer_reason=said["answer_reason"],
            signed_by=said["signed_by"], answer_entered_by=deed.by, answer_entered_at=deed.at,
        )
    )  # fmt: skip
    if not changed.rowcount or said["answer"] != REJECTED:
        return
    judge_again(tx, parts, deed.study, deed.case_id, why=str(deed.reason), at=deed.at, by=deed.by)
    due = said["due_clock"] and Due.of(
        {"clock": said["due_clock"], "is_provisional": said["due_provisional"], "on": said["due_on"],
         "at": said["due_at"]}
    )  # fmt: skip
    reasons = said["alert_reasons"]
    assert isinstance(reasons, list)
    _ring(tx, parts, str(said["alert_key"]), deed, int(str(said["revision"])), reasons, due or None)


def _facts(said: Said, at: datetime) -> dict[str, Any]:
    return {
        "answer": said.outcome, "answered_at": at, "answer_reference": said.reference, "answer_reason": said.reason,
        "signed_by": said.signed_by,
    }  # fmt: skip


def _is_same(row: Row[Any], wanted: Mapping[str, Any]) -> bool:
    return all(getattr(row, name) == value for name, value in wanted.items())


def _is_taken_back(row: Row[Any], outcome: str) -> bool:
    return bool(row.answer == ACCEPTED and outcome == REJECTED)


def _is_open_to(outcome: str) -> ColumnElement[bool]:
    """Whether this answer may stand in the row: in whatever order two are read, the rejection stays."""
    unanswered = submissions.c.answer.is_(None)
    return or_(unanswered, submissions.c.answer == ACCEPTED) if outcome == REJECTED else unanswered


def _keep_all(
    tx: Connection, parts: Parts, clock: Row[Any], stands: Standing, submission_id: UUID, rows: Sequence[Row[Any]],
    wanted: Mapping[str, Any], by: str, now: datetime,
) -> None:  # fmt: skip
    tx.execute(
        update(submissions)
        .where(submissions.c.id.in_([row.id for row in rows]))
        .values(**wanted, answer_entered_by=by, answer_entered_at=now)
    )
    names = ", ".join(row.recipient for row in rows)
    why = f"{names} {wanted['answer']} {rows[0].reference}"
    if wanted["answer"] == REJECTED:
        why += f": {wanted['answer_reason']}"
        judge_again(tx, parts, clock.study, clock.case_id, why=why, at=now, by=by)
    said = {**wanted, "answered_at": wanted["answered_at"].isoformat()}
    key = f"submission_rejected|{submission_id}"
    after = standing_of(tx, parts, clock.study, clock.case_id)
    reasons, due = _what_rings(stands, after, {str(row.id) for row in rows}, why)
    for row in rows:
        audit.append(
            tx, at=now, who=by, did=f"submission {wanted['answer']}", about=f"submission {row.id}", study=clock.study,
            before={"answer": row.answer}, after=said, reason=why,
        )  # fmt: skip
        decisions.record(
            tx, what=decisions.ANSWERED, about=str(row.id), parts=() if row.answer is None else (REJECTED,),
            study=clock.study, case_id=clock.case_id, by=by, at=now, reason=why, detail={
                **said, "alert_key": key, "alert_reasons": reasons, "revision": stands.now.revision,
                "due_clock": due.clock if due else None, "due_provisional": due.is_provisional if due else None,
                "due_on": due.on.isoformat() if due else None, "due_at": due.at.isoformat() if due else None,
            },
        )  # fmt: skip
    if wanted["answer"] == REJECTED:
        deeds = decisions.about(tx, str(rows[0].id))
        deed = next(one for one in deeds if one.detail.get("answer") == REJECTED)
        _ring(tx, parts, key, deed, stands.now.revision, reasons, due)


def _what_rings(before: Standing, after: Standing, ids: set[str], why: str) -> tuple[list[str], Due | None]:
    """What a physician must read: who refused what, and which clocks are open again until when."""
    met = {key for key, life in before.lives().items() if ids & set(life.submissions)}
    again = [life for key, life in after.lives().items() if key in met and life.is_open]
    reasons = [why]
    for life in sorted(again, key=lambda one: (one.clock.due_at, one.clock.rule)):
        what = "open again, late already" if life.status.value == "LATE" else "runs again"
        event = f"{life.clock.event_id}: " if life.clock.event_id else ""
        reasons.append(f"{event}{life.clock.rule} {what}: due {life.clock.due_on.isoformat()}, by {life.clock.clause}")
    if not again:
        reasons.append("every clock that it counted for stands by another submission")
    soonest = min(again, key=lambda one: one.clock.due_at, default=None)
    if soonest is None:
        return reasons, None
    clock = soonest.clock
    return reasons, Due(words(soonest), clock.is_provisional, clock.due_on, clock.due_at)


def _ring(
    tx: Connection, parts: Parts, key: str, deed: DecisionRecordedV1, revision: int, reasons: list[str],
    due: Due | None,
) -> None:  # fmt: skip
    protocol = parts.study(deed.study)
    alerts.raise_one(
        tx,
        parts,
        alerts.Alert(
            key=key, study=deed.study, kind="submission_rejected", level="page", reasons=tuple(reasons),
            case_id=deed.case_id, revision=revision, assumptions=protocol.assumptions, due=due,
        ),
        deed.at,
    )  # fmt: skip
