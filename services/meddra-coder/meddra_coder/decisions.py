"""A coder's decision: a person picks the term for one event, with a reason, or takes the newest such decision back.

The decision is a row of its own beside the machine's coding, and the whole revision is said again with it. Where the
study asks for a second person it is a proposal until then; see `proposals`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Connection

from meddra_coder import casebook, decision_log, proposals, recoding, synonym_book
from meddra_coder.coders import Coders
from meddra_coder.proposals import CodingProposal
from meddra_coder.recoding import Standing
from tocsin.domain.protocol import Protocol
from tocsin.errors import Conflict, Wrong
from tocsin.messages.bodies import CodedEvent
from tocsin.messages.envelope import identity


class CodingDecision(BaseModel):
    """Which term one event is, and why; or, with `undo`, that the newest decision of a person on it is taken back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_id: Annotated[str, Field(min_length=1, max_length=60)]
    llt_code: Annotated[
        str | None,
        Field(pattern=r"^[0-9]{8}$", description="a code of the dictionary that the study is coded with"),
    ] = None
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]
    undo: bool = Field(False, description="the coding before counts again; no code is given then")
    synonym: Literal["study", "global"] | None = Field(
        None, description="the phrase means this term from now on, in the study or in all"
    )
    synonym_phrase: Annotated[
        str | None,
        Field(min_length=1, max_length=synonym_book.LONGEST, description="default: the event without what is beside"),
    ] = None
    revision: Annotated[
        int | None, Field(ge=1, description="the revision that was looked at; refused when there is a newer one")
    ] = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if self.undo == (self.llt_code is not None):
            raise ValueError("either llt_code is given, or undo is true")
        if self.undo and self.synonym is not None:
            raise ValueError("a synonym is withdrawn for itself, at /v1/synonyms/withdrawals")
        if self.synonym_phrase is not None and self.synonym is None:
            raise ValueError("with synonym_phrase, synonym says where it holds: study or global")
        return self


def decide(
    tx: Connection,
    case_id: str,
    decision: CodingDecision,
    *,
    coders: Coders,
    studies: Mapping[str, Protocol],
    by: str,
    at: datetime,
) -> CodedEvent | CodingProposal:
    """Keep the decision and say the revision again, or keep the proposal. The same by the same person is kept once."""
    stands = recoding.standing(tx, case_id, decision.event_id)
    if decision.revision is not None:
        recoding.must_be_newest(decision.revision, stands.revision)
    if decision.llt_code is None:
        return _undo(tx, stands, decision.reason, by, at)
    study = stands.revision.study
    coder = coders.of(tx, study)
    term = recoding.term_of(decision.llt_code, coder.dictionary)
    after = recoding.chosen(stands.event, term, [f"{by}: {decision.reason}"], coder.version)
    if decision.synonym is not None:
        facts = synonym_book.SynonymFacts(
            phrase=decision.synonym_phrase or synonym_book.phrase_of(stands.event),
            llt_code=decision.llt_code,
            scope=decision.synonym,
            study=study,
            reason=decision.reason,
        )
        synonym_book.put(tx, facts, coder=coder, studies=studies, by=by, at=at)
    if after == stands.event:
        return after
    if study in studies and studies[study].coding.second_person:
        return proposals.propose(tx, stands, term, decision.reason, by, at)
    number = str(len(stands.rows))
    revision = stands.revision.revision
    made = identity("coder decided", case_id, str(revision), decision.event_id, decision.llt_code, by, number)
    recoding.put(tx, stands, after, decision=made, at=at, by=by)
    detail = {"llt_code": after.llt_code, "before": stands.event.llt_code, "revision": revision}
    _record(tx, stands, after, decision_log.CODED, "coded an event", made, decision.reason, by, at, detail)
    return after


def can_be_undone(stands: Standing) -> bool:
    """Whether the newest coding of the event is a person's decision, made in this revision, that is no undo itself."""
    *before, (place, newest) = stands.of_event
    return bool(before) and newest.method == recoding.PERSON and newest.decision_id != _undo_id(newest, place)


def _undo(tx: Connection, stands: Standing, reason: str, by: str, at: datetime) -> CodedEvent:
    """The coding before the newest decision of a person counts again, as a new row."""
    event_id = stands.event.event_id
    *before, (place, newest) = stands.of_event
    if newest.decision_id == _undo_id(newest, place):
        raise Conflict(
            "the newest decision on this event is an undo",
            [Wrong("/undo", f"{newest.coded_by} undid the decision before already", "a decision with an llt_code")],
        )
    if newest.method != recoding.PERSON or not before:
        raise Conflict(
            "there is nothing to undo",
            [Wrong("/undo", f"no person has coded {event_id} in this revision", "the undo of a person's decision")],
        )
    last = casebook.event_of(before[-1][1])
    after = last.model_copy(update={"reasons": [*last.reasons, f"{by} undid the coding as {newest.term}: {reason}"]})
    revision = stands.revision
    made = _undo_of(revision.case_id, revision.revision, event_id, by, len(stands.rows))
    recoding.put(tx, stands, after, decision=made, at=at, by=by)
    detail = {
        "llt_code": after.llt_code,
        "before": newest.llt_code,
        "revision": revision.revision,
        "undone": str(newest.decision_id),
    }
    _record(tx, stands, after, decision_log.UNDONE, "undid a coding", made, reason, by, at, detail)
    return after


def _undo_id(row: Any, place: int) -> UUID:
    """The decision that this row would have if it were an undo."""
    return _undo_of(row.case_id, row.revision, row.event_id, row.coded_by, place)


def _undo_of(case_id: str, revision: int, event_id: str, by: str, place: int) -> UUID:
    return identity("coder undid", case_id, str(revision), event_id, by, str(place))


def _record(
    tx: Connection, stands: Standing, after: CodedEvent, what: str, did: str, made: UUID, reason: str, by: str,
    at: datetime, detail: decision_log.Detail,
) -> None:  # fmt: skip
    of = stands.revision
    decided = decision_log.Decided(made, what, after.event_id, of.study, by, at, reason, detail, of.case_id)
    decision_log.record(tx, decided, did=did, before=recoding.shown(stands.event), after=recoding.shown(after))
