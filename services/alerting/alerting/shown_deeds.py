"""What people send when they act on clocks, and what they are shown: models and examples for /openapi.json."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from alerting.assessments import DecisionName
from alerting.shown import CLOCKS, ClockShown
from alerting.signing import SignatureFacts
from alerting.submission_answers import Outcome
from tocsin.domain.submissions import SubmissionKind
from tocsin.domain.words import Agent, Criterion, Relation

When = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
EventId = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class Sent(BaseModel):
    """The base of what people send: closed, frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SubmissionFacts(Sent):
    """A report that was sent, or a copy of it."""

    at: When = Field(description="when it was sent: an exact time; without an offset it is read in the receiver's zone")
    kind: SubmissionKind
    reference: Name = Field(description="what the other side, or your gateway, knows it by")
    recipient: Name | None = Field(None, description="default the clock's own; of copies, one of those who get one")
    events: list[EventId] | None = Field(
        None, min_length=1, max_length=50, description="every event of the case that it tells of; default the clock's"
    )


class AcknowledgementFacts(Sent):
    """What the other side said to a submission."""

    at: When = Field(description="when it was said: an exact time; without an offset it is read in the receiver's zone")
    outcome: Outcome
    reference: Name | None = None
    reason: Words | None = Field(None, description="why it was rejected, in the other side's words; needed then")
    signed_by: Name | None = Field(None, description="who signed for a copy")


class SponsorOpinion(Sent):
    """The sponsor's own judgement of one agent. The investigator's stands beside it and is never changed by it."""

    agent: Agent
    relation: Relation
    party: Literal["sponsor"] = "sponsor"


class DecisionFacts(Sent):
    """A decision about a case, signed. `decision` may be left out where only one can be meant."""

    decision: DecisionName | None = None
    events: list[EventId] | None = Field(None, min_length=1, max_length=50, description="default every event")
    causality: list[SponsorOpinion] | None = Field(None, min_length=1, max_length=7)
    expectedness: Literal["expected", "unexpected"] | None = None
    seriousness: list[Criterion] | None = Field(None, min_length=1, max_length=6)
    aware_at: When | None = Field(
        None, description="of an awareness_override: when the sponsor knew in truth; an exact time"
    )
    revision: int | None = Field(None, ge=1, description="of an awareness_override or significant: which report")
    reason: Words
    signature: SignatureFacts


class SecondSignatureFacts(Sent):
    """The signature of another person under a decision that waits for it."""

    signature: SignatureFacts


class SignatureShown(BaseModel):
    """A signature: the printed name, the roles held, the meaning, the instant."""

    by: str
    roles: list[str]
    meaning: str
    at: str


class EffectShown(BaseModel):
    """What a decision does to a clock. `refused`: the rules do not bear it there."""

    text: str
    refused: bool


class OpinionShown(BaseModel):
    agent: Agent
    relation: Relation


class DecisionShown(BaseModel):
    """One decision. It counts from `signed_at`, when the last of `needs` signatures stood under it."""

    decision_id: str
    case_id: str
    decision: str
    state: Literal["in_force", "awaiting_second_signature"]
    events: list[str] = Field(description="empty: every event of the case")
    causality: list[OpinionShown]
    expectedness: Literal["expected", "unexpected"] | None
    seriousness: list[Criterion]
    aware_at: str | None
    revision: int | None
    other_case: str | None
    reason: str
    asked_at: str
    signed_at: str | None
    needs: int
    signatures: list[SignatureShown]
    effects: list[EffectShown]


class QuestionShown(BaseModel):
    clock_id: str
    rule: str
    event_id: str | None
    questions: list[str]


class DecidedShown(DecisionShown):
    """A decision that was signed just now, the clocks of its case as they stand, and what is to be done next."""

    in_question: list[QuestionShown]
    next: str | None
    clocks: list[ClockShown]


class FindingShown(BaseModel):
    value: bool
    provisional: bool
    reasons: list[str]


class JudgedShown(BaseModel):
    """One event as it is judged now, with what each party thinks of each agent."""

    event_id: str
    serious: FindingShown
    fatal: FindingShown
    life_threatening: FindingShown
    suspected: FindingShown
    unexpected: FindingShown
    susar: bool
    rsi_version: str
    opinions: dict[str, list[OpinionShown]]


class AssessmentShown(BaseModel):
    """Everything decided about a case, and each of its events as it is judged now."""

    case_id: str
    study: str
    revision: int
    decisions: list[DecisionShown]
    events: list[JudgedShown]
    assumptions: list[str]


class AcknowledgementShown(BaseModel):
    outcome: Outcome
    at: str
    reference: str | None
    reason: str | None
    signed_by: str | None
    entered_by: str
    entered_at: str


class SubmissionShown(BaseModel):
    """One submission. `version` is the newest revision of the case when it was sent."""

    submission_id: str
    clock_id: str
    at: str
    kind: SubmissionKind
    recipient: str
    reference: str
    events: list[str]
    version: int
    entered_by: str
    entered_at: str
    acknowledgement: AcknowledgementShown | None


class CopyShown(BaseModel):
    """One of those who get a copy, and how far it has come."""

    recipient: str
    kind: str
    site: str | None
    submission_id: str | None
    version: int | None
    sent_at: str | None
    reference: str | None
    acknowledged_at: str | None
    signed_by: str | None
    outstanding: bool


class WholeClock(ClockShown):
    """One clock whole. `duty`: what it is kept by; null where nothing known now starts it."""

    duty: str | None
    outstanding: list[str] = Field(description="of copies, who has not been sent one")
    submissions: list[SubmissionShown]
    distribution: list[CopyShown]


class MetShown(BaseModel):
    clock_id: str
    rule: str
    event_id: str | None
    status: str
    recipient: str


class SentTo(BaseModel):
    submission_id: str
    recipient: str


class EnteredShown(BaseModel):
    """A submission that was kept. `submission_id` names all of `submissions`; each can be answered by itself."""

    submission_id: str
    clock_id: str
    submissions: list[SentTo]
    met: list[MetShown] = Field(description="the clocks on which nothing is owed any more, by this")
    outstanding: list[str]
    clock: WholeClock


class SubmissionsShown(BaseModel):
    submissions: list[SubmissionShown]


class AnsweredShown(BaseModel):
    """An answer that was kept, and how the clock stands now."""

    submission_id: str
    submissions: list[SubmissionShown]
    clock: WholeClock


_CLOCK: dict[str, Any] = CLOCKS["clocks"][0]
_SUBMISSION_ID = "4d6f0a52-31c8-5c0e-9d0f-3b1c7a1de0aa"

SUBMISSION = {"at": "2026-05-20T16:30+08:00", "kind": "initial", "reference": "CDE-2026-004711"}
COPY = {
    "at": "2026-05-20T17:00", "kind": "initial", "recipient": _CLOCK["recipient"], "reference": "letter 12 of 20 May",
}  # fmt: skip
ACCEPTED_ANSWER = {"at": "2026-05-20T16:41+08:00", "outcome": "accepted", "reference": "ACK-20260520-1"}
REJECTED_ANSWER = {
    "at": "2026-05-20T16:41+08:00", "outcome": "rejected", "reference": "ACK-20260520-1",
    "reason": "N.2.r.3: the receiver is not known",
}  # fmt: skip
SUBMISSION_SHOWN = {
    "submission_id": _SUBMISSION_ID,
    "clock_id": _CLOCK["clock_id"],
    "at": "2026-05-20T08:30:00Z",
    "kind": "initial",
    "recipient": "CDE",
    "reference": "CDE-2026-004711",
    "events": ["TOC-0031-E1"],
    "version": 2,
    "entered_by": "wang",
    "entered_at": "2026-05-20T08:32:10Z",
    "acknowledgement": {
        "outcome": "accepted",
        "at": "2026-05-20T08:41:00Z",
        "reference": "ACK-20260520-1",
        "reason": None,
        "signed_by": None,
        "entered_by": "wang",
        "entered_at": "2026-05-20T08:45:00Z",
    },
}
WHOLE_CLOCK = {
    **_CLOCK,
    "status": "MET",
    "open": False,
    "duty": "report",
    "outstanding": [],
    "submissions": [SUBMISSION_SHOWN],
    "distribution": [],
}
ENTERED = {
    "submission_id": _SUBMISSION_ID,
    "clock_id": _CLOCK["clock_id"],
    "submissions": [{"submission_id": _SUBMISSION_ID, "recipient": "CDE"}],
    "met": [
        {"clock_id": _CLOCK["clock_id"], "rule": "CN_SUSAR_7D", "event_id": "TOC-0031-E1", "status": "MET",
         "recipient": "CDE"}
    ],
    "outstanding": [],
    "clock": WHOLE_CLOCK,
}  # fmt: skip
SUBMISSIONS = {"submissions": [SUBMISSION_SHOWN]}
ANSWERED = {"submission_id": _SUBMISSION_ID, "submissions": [SUBMISSION_SHOWN], "clock": WHOLE_CLOCK}

_SIGNATURE = {"password": "a long and private sentence", "meaning": "medical review"}
REVIEW = {
    "decision": "medical_review",
    "events": ["TOC-0031-E1"],
    "causality": [{"agent": "product", "relation": "possible"}, {"agent": "lymphodepletion", "relation": "unlikely"}],
    "expectedness": "unexpected",
    "reason": "onset two days after infusion; no other cause found",
    "signature": _SIGNATURE,
}
OVERRIDE = {
    "aware_at": "2026-05-13T15:20+08:00",
    "revision": 1,
    "reason": "the site told the monitor by telephone; contact report 17",
    "signature": {**_SIGNATURE, "meaning": "approval"},
}
SECOND_SIGNATURE = {"signature": {**_SIGNATURE, "meaning": "second approval"}}
_DECISION = {
    "decision_id": "0c8d2f54-9a1e-5b7c-8f3a-6d2e4b1a9c70",
    "case_id": "TOC-0031",
    "decision": "medical_review",
    "state": "in_force",
    "events": ["TOC-0031-E1"],
    "causality": [
        {"agent": "product", "relation": "possible"}, {"agent": "lymphodepletion", "relation": "unlikely"},
    ],
    "expectedness": "unexpected",
    "seriousness": [],
    "aware_at": None,
    "revision": None,
    "other_case": None,
    "reason": "onset two days after infusion; no other cause found",
    "asked_at": "2026-05-14T09:00:00Z",
    "signed_at": "2026-05-14T09:00:00Z",
    "needs": 1,
    "signatures": [
        {"by": "lin", "roles": ["safety_physician"], "meaning": "medical review", "at": "2026-05-14T09:00:00Z"}
    ],
    "effects": [],
}  # fmt: skip
DECIDED = {**_DECISION, "in_question": [], "next": None, "clocks": [_CLOCK]}
WAITING = {
    **DECIDED,
    "decision": "downgrade",
    "state": "awaiting_second_signature",
    "signed_at": None,
    "needs": 2,
    "next": "another person signs at POST /v1/assessments/TOC-0031/0c8d2f54-9a1e-5b7c-8f3a-6d2e4b1a9c70/signatures; "
    "until then nothing has changed and the clocks run",
}
_FINDING = {"value": True, "provisional": False, "reasons": ["criterion: life-threatening"]}
ASSESSMENT = {
    "case_id": "TOC-0031",
    "study": "NCT06223646",
    "revision": 2,
    "decisions": [_DECISION],
    "events": [
        {
            "event_id": "TOC-0031-E1",
            "serious": _FINDING,
            "fatal": {"value": False, "provisional": False, "reasons": ["no word of a death"]},
            "life_threatening": _FINDING,
            "suspected": {"value": True, "provisional": False, "reasons": ["investigator judges it related"]},
            "unexpected": {"value": True, "provisional": False, "reasons": ["signed as unexpected by lin"]},
            "susar": True,
            "rsi_version": "none",
            "opinions": {
                "investigator": [{"agent": "product", "relation": "related"}],
                "sponsor": [{"agent": "product", "relation": "possible"}],
            },
        }
    ],
    "assumptions": ["ASSUMED RULES, not approved by the sponsor"],
}
