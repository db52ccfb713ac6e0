"""A coder's decision that waits for a second person, and that person's answer.

Nothing is coded by a proposal. Another person approves it, and the term counts; or refuses it, and all stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, func, insert, select, update

from meddra_coder import casebook, decision_log, recoding, tables
from meddra_coder.coders import Coders
from meddra_coder.dictionary import DictionaryTerm
from meddra_coder.recoding import Standing
from tocsin.errors import Conflict, Forbidden, NotFound, Wrong
from tocsin.messages.bodies import CodedEvent, DecisionRecordedV1
from tocsin.messages.envelope import identity

PROPOSED: Final = "proposed"
APPROVED: Final = "approved"
REFUSED: Final = "refused"


class SecondAnswerFacts(BaseModel):
    """What a second person says of a proposal, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    approve: bool
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]


class CodingProposal(BaseModel):
    """A term that somebody proposed for an event. `state`: proposed, approved or refused; `second`: who said so."""

    decision_id: UUID
    case_id: str
    revision: int
    event_id: str
    study: str
    llt_code: str
    by: str
    at: datetime
    reason: str
    state: str
    second: str | None
    second_at: datetime | None
    second_reason: str | None


class AnsweredProposal(BaseModel):
    """A proposal with its answer, and the event as it is coded now."""

    proposal: CodingProposal
    event: CodedEvent | None = Field(description="null where the event is not in the newest revision any more")


def propose(
    tx: Connection, stands: Standing, term: DictionaryTerm, reason: str, by: str, at: datetime
) -> CodingProposal:
    """Keep a proposal. The same person proposing the same again gets the one that waits; anything else has to wait."""
    of, event_id = stands.revision, stands.event.event_id
    waiting = open_of(tx, [of.case_id]).get((of.case_id, of.revision, event_id))
    if waiting is not None:
        if (waiting.by, waiting.llt_code) == (by, term.code):
            return waiting
        raise Conflict(
            f"{event_id} has a proposal already: {waiting.llt_code}, by {waiting.by}",
            [Wrong("/event_id", f"proposal {waiting.decision_id} waits for a second person", "first an answer to it")],
        )
    its = tables.proposals.c
    number = tx.scalar(select(func.count()).select_from(tables.proposals).where(its.case_id == of.case_id)) or 0
    made = identity("coding proposed", of.case_id, str(of.revision), event_id, term.code, by, str(number))
    detail: decision_log.Detail = {
        "llt_code": term.code, "before": stands.event.llt_code, "revision": of.revision,
    }  # fmt: skip
    decided = decision_log.Decided(
        made, decision_log.PROPOSED, event_id, of.study, by, at, reason, detail, of.case_id
    )  # fmt: skip
    _keep(tx, made, of.case_id, of.revision, event_id, of.study, term.code, by, at, reason)
    decision_log.record(
        tx, decided, did="proposed a coding", before=recoding.shown(stands.event),
        after={"event_id": event_id, "llt_code": term.code, "status": PROPOSED},
    )  # fmt: skip
    return _of(_row(tx, of.case_id, made))


def answer(
    tx: Connection, case_id: str, decision_id: UUID, facts: SecondAnswerFacts, *, coders: Coders, by: str, at: datetime
) -> AnsweredProposal:
    """Apply or refuse a proposal. Forbidden for who proposed it; Conflict where it cannot be answered any more."""
    proposal = _of(_row(tx, case_id, decision_id))
    if proposal.state != PROPOSED:
        raise Conflict(f"this proposal was {proposal.state} already, by {proposal.second}")
    if proposal.by == by:
        raise Forbidden(f"{by} proposed this: another person has to answer")
    made = identity("proposal answered", str(decision_id))
    state = APPROVED if facts.approve else REFUSED
    detail: decision_log.Detail = {
        "llt_code": proposal.llt_code,
        "revision": proposal.revision,
        "proposal": str(decision_id),
    }
    what = decision_log.APPROVED if facts.approve else decision_log.REFUSED
    decided = decision_log.Decided(
        made, what, proposal.event_id, proposal.study, by, at, facts.reason, detail, case_id
    )  # fmt: skip
    event: CodedEvent | None
    if facts.approve:
        before, event = _apply(tx, proposal, facts, made, coders, by, at)
        decision_log.record(
            tx, decided, did="approved a proposed coding", before=recoding.shown(before), after=recoding.shown(event)
        )
    else:
        event = _counting(tx, case_id, proposal.event_id)
        decision_log.record(
            tx, decided, did="refused a proposed coding",
            before={"event_id": proposal.event_id, "llt_code": proposal.llt_code, "status": PROPOSED},
            after={"event_id": proposal.event_id, "llt_code": proposal.llt_code, "status": REFUSED},
        )  # fmt: skip
    _keep_answer(tx, decision_id, state, by, at, facts.reason)
    return AnsweredProposal(proposal=_of(_row(tx, case_id, decision_id)), event=event)


def open_of(tx: Connection, cases: Iterable[str]) -> dict[tuple[str, int, str], CodingProposal]:
    """The proposals of these cases that wait, by case, revision and event."""
    its = tables.proposals.c
    query = select(tables.proposals).where(its.case_id.in_(list(cases)), its.state == PROPOSED)
    return {(row.case_id, row.revision, row.event_id): _of(row) for row in tx.execute(query.order_by(its.at))}


def rebuild(tx: Connection, body: DecisionRecordedV1) -> None:
    """Keep what the log says of a proposal: that it was made, or what was answered."""
    detail = body.detail
    if body.what == decision_log.PROPOSED:
        revision, code = int(str(detail["revision"])), str(detail["llt_code"])
        _keep(
            tx, UUID(body.decision_id), str(body.case_id), revision, body.about, body.study, code, body.by, body.at,
            body.reason or "",
        )  # fmt: skip
    elif body.what in (decision_log.APPROVED, decision_log.REFUSED):
        state = APPROVED if body.what == decision_log.APPROVED else REFUSED
        _keep_answer(tx, UUID(str(detail["proposal"])), state, body.by, body.at, body.reason or "")


def _apply(
    tx: Connection,
    proposal: CodingProposal,
    facts: SecondAnswerFacts,
    made: UUID,
    coders: Coders,
    by: str,
    at: datetime,
) -> tuple[CodedEvent, CodedEvent]:
    """The event before and after: coded as was proposed, where nothing came between."""
    newest = casebook.latest_revision(tx, proposal.case_id)
    if newest is not None and newest.revision != proposal.revision:
        raise Conflict(
            f"{proposal.case_id} is at revision {newest.revision} now",
            [Wrong("/approve", f"the proposal is on revision {proposal.revision}", "false, and a new decision")],
        )
    stands = recoding.standing(tx, proposal.case_id, proposal.event_id)
    _, row = stands.of_event[-1]
    if row.coded_at > proposal.at:
        raise Conflict(
            f"{proposal.event_id} was coded anew by {row.coded_by} since this was proposed",
            [Wrong("/approve", "the proposal is older than the coding that counts", "false, and a new decision")],
        )
    dictionary = coders.of(tx, proposal.study).dictionary
    reasons = [f"{proposal.by}: {proposal.reason}", f"approved by {by}: {facts.reason}"]
    after = recoding.chosen(
        stands.event, recoding.term_of(proposal.llt_code, dictionary), reasons, dictionary.version
    )  # fmt: skip
    recoding.put(tx, stands, after, decision=made, at=at, by=proposal.by)
    return stands.event, after


def _counting(tx: Connection, case_id: str, event_id: str) -> CodedEvent | None:
    newest = casebook.latest_revision(tx, case_id)
    events = casebook.counting(tx, case_id, newest.revision) if newest is not None else []
    return next((event for event in events if event.event_id == event_id), None)


def _keep(
    tx: Connection, decision_id: UUID, case_id: str, revision: int, event_id: str, study: str, code: str, by: str,
    at: datetime, reason: str,
) -> None:  # fmt: skip
    tx.execute(
        insert(tables.proposals).values(
            decision_id=decision_id, case_id=case_id, revision=revision, event_id=event_id, study=study,
            llt_code=code, by=by, at=at, reason=reason, state=PROPOSED,
        )
    )  # fmt: skip


def _keep_answer(tx: Connection, decision_id: UUID, state: str, by: str, at: datetime, reason: str) -> None:
    its = tables.proposals
    values = {"state": state, "second": by, "second_at": at, "second_reason": reason}
    tx.execute(update(its).where(its.c.decision_id == decision_id).values(values))


def _row(tx: Connection, case_id: str, decision_id: UUID) -> Any:
    its = tables.proposals.c
    query = select(tables.proposals).where(its.decision_id == decision_id, its.case_id == case_id)
    row = tx.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"{case_id} has no proposal {decision_id}")
    return row


def _of(row: Any) -> CodingProposal:
    return CodingProposal(**row._mapping)
