"""What people send and are shown of dose-limiting toxicity: models and examples for /openapi.json."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from alerting.shown_deeds import Name, Sent, Words
from alerting.signing import SignatureFacts
from tocsin.domain.dlt.definition import About
from tocsin.domain.dlt.verdict import State


def _capitals(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class DltDecisionFacts(Sent):
    """That an event is dose-limiting or is not, signed."""

    decision: Annotated[Literal["CONFIRMED", "REJECTED"], BeforeValidator(_capitals)]
    rule_id: Name | None = Field(None, description="by which rule or exclusion; default the one that the verdict names")
    reason: Words
    signature: SignatureFacts


class DltSignatureShown(BaseModel):
    decision: str
    rule_id: str | None
    by: str
    roles: list[str]
    meaning: str
    at: str
    reason: str


class VerdictChangeShown(BaseModel):
    """What the verdict became, when, and what changed it."""

    at: str
    state: State
    rule_id: str | None
    provisional: bool
    reasons: list[str]
    why: str


class VerdictShown(BaseModel):
    """One verdict. `event_id` is none where values show what no report tells of; `key` then says which.

    `provisional`: a fact is missing and was taken at its worst. `due_at`: when the limit is passed if nothing changes.
    `by_rule`: what the rules alone say, where a person signed.
    """

    dlt_id: str
    study: str
    subject: str
    case_id: str | None
    event_id: str | None
    key: str
    about: About
    verbatim: str | None
    state: State
    rule_id: str | None
    provisional: bool
    reasons: list[str]
    window_day: int | None
    grade: int | None
    due_at: str | None
    strict_limit_at: str | None
    strict_limit_passed: bool
    for_committee: list[str]
    would_change: list[str]
    asks: list[str]
    by_rule: State | None
    signatures: list[DltSignatureShown]
    history: list[VerdictChangeShown]
    assumptions: list[str]


class VerdictsShown(BaseModel):
    verdicts: list[VerdictShown]


_REASONS = [
    "DLT-03: cytokine release syndrome grade 3, not grade 2 or less within 168 hours",
    "it is CRS",
    "grade 3 (CTCAE 3, ASTCT 3)",
    "grade 3 or more since 2026-05-14 08:00: 168 h are over on 2026-05-21 08:00",
    "onset 2026-05-13T20:00 is inside the window of 28 days from 2026-05-11T10:00 (study day 2)",
    "investigator judges it related",
]
VERDICT: dict[str, Any] = {
    "dlt_id": "4b6f4a0e-0d0f-5a55-9a0c-0f6f0f6f1a2b",
    "study": "NCT06223646",
    "subject": "S01-003",
    "case_id": "TOC-0031",
    "event_id": "TOC-0031-E1",
    "key": "TOC-0031-E1",
    "about": "event",
    "verbatim": "Cytokine release syndrome",
    "state": "PENDING_DURATION",
    "rule_id": "DLT-03",
    "provisional": False,
    "reasons": _REASONS,
    "window_day": 2,
    "grade": 3,
    "due_at": "2026-05-21T00:00:01Z",
    "strict_limit_at": "2026-05-17T00:00:01Z",
    "strict_limit_passed": False,
    "for_committee": [],
    "would_change": ["it fell below grade 3 within 168 h: NOT_DLT by DLT-03"],
    "asks": [],
    "by_rule": None,
    "signatures": [],
    "history": [
        {
            "at": "2026-05-14T01:05:00Z", "state": "PENDING_DURATION", "rule_id": "DLT-03", "provisional": False,
            "reasons": _REASONS, "why": "revision 1 received",
        }
    ],
    "assumptions": ["ASSUMED RULES, not approved by the sponsor: DLT definition dlt-default-0.1"],
}  # fmt: skip
CONFIRMED: dict[str, Any] = {
    **VERDICT,
    "state": "CONFIRMED",
    "by_rule": "PENDING_DURATION",
    "due_at": None,
    "strict_limit_at": None,
    "would_change": ["a person signs otherwise"],
    "reasons": ["signed CONFIRMED by lin: the course was reviewed", *_REASONS],
    "signatures": [
        {
            "decision": "CONFIRMED", "rule_id": "DLT-03", "by": "lin", "roles": ["safety_physician"],
            "meaning": "responsibility", "at": "2026-05-15T02:00:00Z", "reason": "the course was reviewed",
        }
    ],
}  # fmt: skip
VERDICTS = {"verdicts": [VERDICT]}
DECISION = {
    "decision": "CONFIRMED",
    "reason": "the course was reviewed",
    "signature": {"password": "a long and private sentence", "meaning": "responsibility"},
}
REJECTION = {
    "decision": "REJECTED",
    "rule_id": "EX-09",
    "reason": "the committee finds progression to be the cause",
    "signature": {"password": "a long and private sentence", "meaning": "approval"},
}
