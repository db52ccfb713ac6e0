"""What was sent to an authority, or as a copy: entered by a person, and kept by what it meets.

Which clocks it meets the book of rules says (`tocsin.domain.chain`); one that would meet nothing is refused with the
reason, so that nobody believes in a clock that still runs. What the other side answers is in `submission_answers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from alerting import cases, decisions, submission_answers
from alerting.judge import judge_again
from alerting.moments import moment
from alerting.parts import Parts
from alerting.standing import Standing, standing_of
from alerting.tables import clocks, submissions
from tocsin.domain.clock_life import ClockLife, Status
from tocsin.domain.clocks import Duty
from tocsin.domain.signed import Deed
from tocsin.domain.submissions import Submission, SubmissionKind
from tocsin.errors import Conflict, NotFound, Refused, Wrong
from tocsin.messages.bodies import DecisionRecordedV1
from tocsin.store import audit
from tocsin.store.insert import insert_unless_there

_GONE = (Status.SUPERSEDED, Status.CANCELLED)


@dataclass(frozen=True, slots=True)
class Said:
    """A submission as a person states it. `at` as written; `recipient` and `events` None: the clock's own."""

    at: str
    kind: SubmissionKind
    reference: str
    recipient: str | None = None
    events: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """What was kept. `id` names all of `rows`: one row for each who was sent it."""

    id: UUID
    clock_id: UUID
    rows: tuple[Row[Any], ...]
    met: tuple[tuple[UUID, ClockLife], ...]
    outstanding: tuple[str, ...]


def enter(tx: Connection, parts: Parts, clock_id: UUID, said: Said, by: str, now: datetime) -> Entered:
    """Keep a submission and judge the case again. The very same once more changes nothing.

    Raises NotFound; Refused for a wrong time, recipient or event; Conflict when it would meet no clock.
    """
    row, stands = find_clock(tx, parts, clock_id)
    life = stands.lives().get(clock_id)
    if life is not None and life.duty is Duty.SITE_REPORT:
        raise Conflict(
            "this clock is the site's own: it was met, or missed, by the receipt of its report. Nothing is sent for it"
        )
    told = moment(said.at, stands.protocol.receiver_zone, "/at", now)
    floor = life.clock.started_at if life is not None else row.started_at
    sent_at = told.from_on(floor)
    if sent_at is None:
        began = floor.astimezone(stands.protocol.receiver_zone).isoformat(timespec="seconds")
        raise Refused(
            "this cannot have been sent for this clock",
            [Wrong("/at", f"{said.at} is before the clock started", f"{began} or later")],
        )
    event_ids = _events(said, row, stands)
    names, whole = _recipients(said, row, stands, life)
    group = _identity(clock_id, sent_at, said, whole)
    there = submission_answers.of_group(tx, clock_id, group, row.recipient)
    if any(frozenset(kept.event_ids) != event_ids for kept in there):
        raise Conflict("this submission is kept already, with other events: nothing was changed")
    known = {str(kept.id) for kept in there}
    new = [one for name in names if (one := _submission(clock_id, sent_at, said, name, event_ids, by)).id not in known]
    if there and not new:
        return _answer(stands, clock_id, group, there)
    _refuse_what_meets_nothing(stands, clock_id, life, new, said)
    why = f"{said.kind.value.replace('_', '-')} {said.reference} sent to {whole}"
    for one in new:
        _keep(tx, row, one, stands.revision_at(sent_at), now, why)
    judge_again(tx, parts, row.study, row.case_id, why=why, at=now, by=by)
    kept = submission_answers.of_group(tx, clock_id, group, row.recipient)
    return _answer(standing_of(tx, parts, row.study, row.case_id), clock_id, group, kept)


def find_clock(tx: Connection, parts: Parts, clock_id: UUID) -> tuple[Row[Any], Standing]:
    """The clock's row and its case, with the study locked; NotFound."""
    query = select(clocks).where(clocks.c.id == clock_id)
    row = tx.execute(query).one_or_none()
    if row is None:
        raise NotFound("there is no such clock")
    cases.lock_study(tx, row.study)
    return tx.execute(query).one(), standing_of(tx, parts, row.study, row.case_id)


def restore(tx: Connection, parts: Parts, deed: DecisionRecordedV1) -> None:
    """A submission as the log tells it, on a rebuild; with its answer, if that was read first."""
    said = deed.detail
    assert deed.case_id is not None
    row = {
        "id": UUID(deed.about), "clock_id": UUID(str(said["clock_id"])), "case_id": deed.case_id, "study": deed.study,
        "sent_at": datetime.fromisoformat(str(said["sent_at"])), "kind": said["kind"], "recipient": said["recipient"],
        "reference": said["reference"], "event_ids": said["event_ids"], "revision": said["revision"],
        "entered_by": deed.by, "entered_at": deed.at,
    }  # fmt: skip
    if not tx.execute(insert_unless_there(submissions, tx.dialect.name), row).rowcount:
        return
    judge_again(tx, parts, deed.study, deed.case_id, why=str(deed.reason), at=deed.at, by=deed.by)
    for answer in decisions.about(tx, deed.about):
        if answer.what == decisions.ANSWERED:
            submission_answers.restore(tx, parts, answer)


def _events(said: Said, row: Row[Any], stands: Standing) -> frozenset[str]:
    """Which events it tells of: the clock's own, or those named, all of this case."""
    if said.events is None:
        return frozenset([row.event_id])
    known = stands.event_ids
    wrong = [
        Wrong(f"/events/{n}", f"{event_id!r} is no event of {row.case_id}", ", ".join(known))
        for n, event_id in enumerate(said.events)
        if event_id not in known
    ]
    if row.event_id not in said.events:
        wrong.append(Wrong("/events", f"the clock's own event {row.event_id} is not among them", f"{row.event_id}, …"))
    if wrong:
        raise Refused("these events cannot have been reported for this clock", wrong)
    return frozenset(said.events)


def _recipients(said: Said, row: Row[Any], stands: Standing, life: ClockLife | None) -> tuple[tuple[str, ...], str]:
    """To whom it went, one by one, and as it was said. The clock's own words mean all who are outstanding."""
    own: str = row.recipient
    copies = [one.name for one in stands.protocol.copies_to] if life is not None and life.duty is Duty.COPIES else []
    wanted = own if said.recipient is None else said.recipient.strip()
    if wanted.casefold() == own.casefold():
        return (_outstanding(stands, life, copies) if copies and life is not None else (own,)), own
    found = next((name for name in copies if name.casefold() == wanted.casefold()), None)
    if found is None:
        allowed = ", ".join([own, *copies])
        raise Refused(
            "this clock is not owed to that recipient",
            [Wrong("/recipient", f"{wanted!r} is not who this clock is owed to", allowed)],
        )
    return (found,), found


def _outstanding(stands: Standing, life: ClockLife, copies: Sequence[str]) -> tuple[str, ...]:
    """Who has no copy yet, also of a clock that gave way or was cancelled and may have been met before."""
    if life.status not in _GONE:
        return life.outstanding
    reached = {sent.recipient.casefold() for sent in stands.past.submissions if sent.id in life.submissions}
    return tuple(name for name in copies if name.casefold() not in reached)


def _identity(clock_id: UUID, sent_at: datetime, said: Said, recipient: str) -> UUID:
    return submission_answers.identity_of(clock_id, sent_at, said.kind.value, recipient, said.reference)


def _submission(
    clock_id: UUID, sent_at: datetime, said: Said, recipient: str, event_ids: frozenset[str], by: str
) -> Submission:
    one = _identity(clock_id, sent_at, said, recipient)
    return Submission(str(one), sent_at, said.kind, recipient, event_ids, said.reference, by)


def _refuse_what_meets_nothing(
    stands: Standing, clock_id: UUID, life: ClockLife | None, new: Sequence[Submission], said: Said
) -> None:
    """Conflict, with what to do, unless this counts for the clock it is entered at and undoes no lateness.

    What was sent before a clock gave way or was cancelled had met it by then, whenever somebody enters it: the
    authority has the report, so what came after is owed as after a report (rules.md 1.4).
    """
    if life is None:
        raise Conflict(
            "nothing known now starts this clock: it runs on until a person decides. Sign a medical review, or correct "
            "the study's rules, and enter the submission at the clock that then stands"
        )
    after = stands.lives(stands.after(sent=new))
    ids = {one.id for one in new}
    counts = clock_id in after and bool(ids & set(after[clock_id].submissions))
    if not life.is_open and not (counts and life.status in _GONE):
        raise Conflict(_why_closed(stands, life))
    if not counts:
        raise Conflict(_why_not_met(stands, life, said))
    for other, before in stands.lives().items():
        if before.status is Status.LATE and after[other].status is not Status.LATE:
            raise Conflict(
                f"{before.clock.rule} was late ({before.because}), and late is late for ever: an earlier submission "
                "cannot be entered behind it"
            )


def _why_closed(stands: Standing, life: ClockLife) -> str:
    rule = life.clock.rule
    match life.status:
        case Status.SUPERSEDED:
            found = stands.successor(life)
            where = f" to {found[1].rule}: enter it at /v1/clocks/{found[0]}/submissions" if found else ""
            return f"{rule} gave way{where}. Nothing was kept"
        case Status.CANCELLED:
            return f"{rule} was cancelled ({life.because}): nothing is owed on it. Nothing was kept"
        case _:
            return (
                f"{rule} is met already ({life.because}). New information on what was reported has a clock of its own; "
                "nothing was kept"
            )


def _why_not_met(stands: Standing, life: ClockLife, said: Said) -> str:
    rule, kind = life.clock.rule, said.kind.value.replace("_", "-")
    if life.duty is Duty.REPORT:
        return f"{rule} waits for a first report, and a {kind} does not meet it: its kind is initial. Nothing was kept"
    if said.kind is SubmissionKind.INITIAL:
        return f"{rule} waits for a follow-up: its kind is follow_up, or nullification. Nothing was kept"
    if said.kind is SubmissionKind.FOLLOW_UP and (first := _first_report(stands, life)) is not None:
        return (
            f"the first report ({first.clock.rule}) is not sent yet: enter it, as kind initial, at "
            f"/v1/clocks/{stands.clock(first)}/submissions. Nothing was kept"
        )
    if said.kind is SubmissionKind.FOLLOW_UP and _is_taken_back(stands, life):
        return f"what was reported was taken back: {rule} waits for a nullification, by its kind. Nothing was kept"
    return (
        f"{rule} is met by what is sent after the first report, and completes it: this was not sent after it. "
        "Nothing was kept"
    )


def _is_taken_back(stands: Standing, life: ClockLife) -> bool:
    taken_back = (Deed.NULLIFICATION, Deed.DUPLICATE)
    return any(d.deed in taken_back and d.is_about(life.clock.event_id or "") for d in stands.past.signed)


def _first_report(stands: Standing, life: ClockLife) -> ClockLife | None:
    """The open report that comes before this follow-up."""
    return next(
        (
            other
            for other in stands.now.lives
            if other.is_open and other.duty is Duty.REPORT and other.clock.event_id == life.clock.event_id
            and other.clock.recipient == life.clock.recipient
        ),
        None,
    )  # fmt: skip


def _keep(tx: Connection, clock: Row[Any], one: Submission, revision: int, now: datetime, why: str) -> None:
    facts: dict[str, Any] = {
        "clock_id": str(clock.id), "sent_at": one.sent_at.isoformat(), "kind": one.kind.value,
        "recipient": one.recipient, "reference": one.reference, "event_ids": sorted(one.event_ids),
        "revision": revision,
    }  # fmt: skip
    row = {
        **facts, "id": UUID(one.id), "clock_id": clock.id, "case_id": clock.case_id, "study": clock.study,
        "sent_at": one.sent_at, "entered_by": one.by, "entered_at": now,
    }  # fmt: skip
    tx.execute(insert_unless_there(submissions, tx.dialect.name), row)
    audit.append(
        tx, at=now, who=one.by, did="submission entered", about=f"clock {clock.id}", study=clock.study, after=facts,
        reason=why,
    )  # fmt: skip
    decisions.record(
        tx, what=decisions.SUBMITTED, about=one.id, parts=(), study=clock.study, case_id=clock.case_id, by=one.by,
        at=now, reason=why, detail=facts,
    )  # fmt: skip


def _answer(stands: Standing, clock_id: UUID, group: UUID, rows: Sequence[Row[Any]]) -> Entered:
    lives: Mapping[UUID, ClockLife] = stands.lives()
    ids = {str(row.id) for row in rows}
    met = [(one, life) for one, life in lives.items() if not life.is_open and ids & set(life.submissions)]
    own = lives.get(clock_id)
    return Entered(
        rows[0].id if len(rows) == 1 else group, clock_id, tuple(rows), tuple(met), own.outstanding if own else ()
    )
