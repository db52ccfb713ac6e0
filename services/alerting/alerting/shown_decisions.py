"""What people send when they decide by signature, and what they are shown: models and examples for /openapi.json."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from alerting.assessments import DecisionName
from alerting.duplicates import Verdict
from alerting.shown import CLOCKS, ClockShown
from alerting.shown_answers import ANSWERED_GRADE, AnsweredGradeShown
from alerting.shown_courses import COURSE, CourseShown
from alerting.shown_deeds import EventId, Name, Sent, When, Words
from alerting.signing import SignatureFacts
from tocsin.domain.words import Agent, Criterion, Relation


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
    answered_grade: AnsweredGradeShown | None = Field(
        description="what the site's answers leave of the grade; null where no code is a term of the study's CTCAE"
    )
    courses: list[CourseShown] = Field(description="how the grade went, on each scale on which anybody grades it")


class AssessmentShown(BaseModel):
    """Everything decided about a case, and each of its events as it is judged now."""

    case_id: str
    study: str
    revision: int
    decisions: list[DecisionShown]
    events: list[JudgedShown]
    assumptions: list[str]


class DuplicateFacts(Sent):
    """What a person decides about two cases that may tell of the same."""

    decision: Verdict
    keep: Name | None = Field(None, description="the case that stays; default the one that was received first")
    reason: Words
    signature: SignatureFacts


class DuplicateShown(BaseModel):
    """Two cases that may tell of the same, why, and what was decided."""

    duplicate_id: str
    study: str
    case_id: str
    other_case_id: str
    reasons: list[str]
    found_at: str
    status: Literal["open", "duplicate", "distinct"]
    kept_case_id: str | None
    decided_at: str | None
    decided_by: str | None
    reason: str | None


class DuplicatesShown(BaseModel):
    duplicates: list[DuplicateShown]


class DuplicateDecided(DuplicateShown):
    """What was decided about a pair. `decision`: about the case that goes. `overrides`: what carries day zero over."""

    state: Literal["in_force", "awaiting_second_signature"]
    decision: DecisionShown | None
    overrides: list[DecisionShown]
    next: str | None
    clocks: list[ClockShown] = Field(description="of both cases, as they stand now")


_CLOCK: dict[str, Any] = CLOCKS["clocks"][0]
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
            "answered_grade": ANSWERED_GRADE,
            "courses": [COURSE],
        }
    ],
    "assumptions": ["ASSUMED RULES, not approved by the sponsor"],
}
IS_DUPLICATE = {
    "decision": "duplicate",
    "keep": "TOC-0031",
    "reason": "the same admission, told by the nurse and by the investigator",
    "signature": _SIGNATURE,
}
IS_DISTINCT = {
    "decision": "distinct",
    "reason": "two falls, on Monday and on Tuesday",
    "signature": {**_SIGNATURE, "meaning": "review"},
}
_PAIR = {
    "duplicate_id": "7e1b0c4a-5d2f-5a6b-9c8d-1f3e5a7b9d02",
    "study": "NCT06223646",
    "case_id": "TOC-0032",
    "other_case_id": "TOC-0031",
    "reasons": ["the same subject", "the same words", "onsets 2026-05-13 and 2026-05-13", "another person"],
    "found_at": "2026-05-14T05:10:00Z",
    "status": "open",
    "kept_case_id": None,
    "decided_at": None,
    "decided_by": None,
    "reason": None,
}
DUPLICATES = {"duplicates": [_PAIR]}
_OF_THE_PAIR = {
    **_DECISION,
    "case_id": "TOC-0032",
    "decision": "duplicate",
    "events": [],
    "causality": [],
    "expectedness": None,
    "other_case": "TOC-0031",
    "reason": IS_DUPLICATE["reason"],
    "effects": [{"text": "CN_SUSAR_7D is cancelled", "refused": False}],
}
DUPLICATE_DECIDED = {
    **_PAIR,
    "status": "duplicate",
    "kept_case_id": "TOC-0031",
    "decided_at": "2026-05-14T09:00:00Z",
    "decided_by": "lin",
    "reason": IS_DUPLICATE["reason"],
    "state": "in_force",
    "decision": _OF_THE_PAIR,
    "overrides": [],
    "next": None,
    "clocks": [_CLOCK],
}
DUPLICATE_WAITS = {
    **_PAIR,
    "state": "awaiting_second_signature",
    "decision": {**_OF_THE_PAIR, "state": "awaiting_second_signature", "signed_at": None, "needs": 2},
    "overrides": [],
    "next": "another person signs at POST /v1/assessments/TOC-0032/0c8d2f54-9a1e-5b7c-8f3a-6d2e4b1a9c70/signatures; "
    "until then nothing has changed and the clocks run",
    "clocks": [_CLOCK],
}
