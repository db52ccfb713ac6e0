"""A coder's decision: a person picks the term for one event, with a reason.

The decision is a row of its own beside the machine's coding, and the whole revision is said again with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from meddra_coder import casebook
from meddra_coder.coders import Coders
from meddra_coder.dictionary import Dictionary, DictionaryTerm, Kind
from tocsin.errors import NotFound, Refused, Wrong
from tocsin.messages.bodies import CodedEvent, DecisionRecordedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.store import audit, outbox

TOPIC = "decisions.recorded.v1"


class CodingDecision(BaseModel):
    """Which term one event is, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_id: Annotated[str, Field(min_length=1, max_length=60)]
    llt_code: Annotated[
        str, Field(pattern=r"^[0-9]{8}$", description="a code of the dictionary the case was coded with")
    ]
    reason: Annotated[str, Field(min_length=1, max_length=1000)]


def decide(
    tx: Connection, case_id: str, decision: CodingDecision, *, coders: Coders, by: str, at: datetime
) -> CodedEvent:
    """Keep the decision and say the revision again. The same decision by the same person is kept once."""
    revision = casebook.latest_revision(tx, case_id)
    events = casebook.counting(tx, case_id, revision.revision) if revision is not None else []
    before = next((e for e in events if e.event_id == decision.event_id), None)
    if revision is None or not events:
        raise NotFound(f"the coder holds no case {case_id}")
    if before is None:
        held = ", ".join(e.event_id for e in events)
        raise Refused("no such event", [Wrong("/event_id", f"{decision.event_id} is not an event of {case_id}", held)])
    dictionary = coders.of(tx, revision.study).dictionary
    after = _chosen(before, _term(decision.llt_code, dictionary), decision.reason, by, dictionary.version)
    if after == before:
        return before
    number = str(len(casebook.history(tx, case_id, revision.revision)))
    made = identity("coder decided", case_id, str(revision.revision), decision.event_id, decision.llt_code, by, number)
    casebook.keep(tx, revision, [after], decision=made, dictionary=dictionary.version, at=at, by=by)
    casebook.say(
        tx,
        revision,
        [after if e.event_id == after.event_id else e for e in events],
        decision=made,
        dictionary=dictionary.version,
        occurred_at=at,
        recorded_at=at,
        by=by,
    )
    outbox.put(
        tx,
        Envelope(
            id=identity(TOPIC, str(made)),
            type=TOPIC,
            key=case_id,
            source=casebook.SOURCE,
            study=revision.study,
            occurred_at=at,
            recorded_at=at,
            body=DecisionRecordedV1(
                decision_id=str(made),
                case_id=case_id,
                study=revision.study,
                what="event coded by a person",
                by=by,
                at=at,
                about=decision.event_id,
                reason=decision.reason,
                detail={"llt_code": after.llt_code, "before": before.llt_code, "revision": revision.revision},
            ),
        ),
    )
    audit.append(
        tx,
        at=at,
        who=by,
        did="coded an event",
        about=f"case {case_id}",
        study=revision.study,
        before={"event_id": before.event_id, "llt_code": before.llt_code, "status": before.status},
        after={"event_id": after.event_id, "llt_code": after.llt_code, "status": after.status},
        reason=decision.reason,
    )
    return after


def _term(code: str, dictionary: Dictionary) -> DictionaryTerm:
    term = dictionary.coded(code)
    if term is None:
        raise Refused(
            "no such term",
            [Wrong("/llt_code", f"{code} is not in {dictionary.version}", "a code that GET /v1/terms?q= finds")],
        )
    if term.kind is Kind.OTHER_SPECIFY:
        raise Refused(
            "not a lowest level term",
            [Wrong("/llt_code", f'{code} is the class of "{term.name}", not a term', "the code of a term")],
        )
    return term


def _chosen(before: CodedEvent, term: DictionaryTerm, reason: str, by: str, version: str) -> CodedEvent:
    return before.model_copy(
        update={
            "status": "corrected",
            "llt_code": term.code,
            "term": term.name,
            "soc": term.soc,
            "path": list(term.path),
            "smqs": list(term.smqs),
            "dictionary": version,
            "method": "person",
            "confidence": None,
            "reasons": [f"{by}: {reason}"],
        }
    )
