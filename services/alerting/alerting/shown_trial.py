"""What people send and are shown of the dose board and of holds: models and examples for /openapi.json."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from alerting.shown_deeds import Name, Sent, Words
from alerting.signing import SignatureFacts


class HoldDecisionFacts(Sent):
    """That a hold is lifted, signed. For a review hold this is the committee's signed review."""

    decision: Literal["lifted"] = "lifted"
    reason: Words
    signature: SignatureFacts


class HoldConfirmationFacts(Sent):
    """That a site or the cell lab knows of a hold."""

    party: Name = Field(description="a site's id, or cell_lab")
    told_by: Name | None = Field(
        None, description="who of them said so; needed where somebody else enters it, such as after a telephone call"
    )


class RecommendationFacts(Sent):
    """The dose of phase 2a, signed."""

    study: Name | None = Field(None, description="needed where more than one study is served")
    level: Name
    reason: Words
    signature: SignatureFacts


class TableShown(BaseModel):
    """A decision table; `here` is the row and column that hold now, counted from 0."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    here: dict[str, int] | None
    parameters: dict[str, str]


class LevelShown(BaseModel):
    """One dose level: who counts, who is waited for, and what the design says."""

    level: str
    label: str
    evaluable: int
    dlt: int
    dlt_subjects: list[str]
    dlt_confirmed: list[str]
    pending: list[str]
    enrolled: list[str]
    replaced: list[str]
    outside_plan: list[str]
    waits_for: list[str]
    earliest_on: str | None
    exceeded: bool
    decision: str
    action: str
    reasons: list[str]
    goes_to: str | None
    needs_review: bool
    reviewed: list[dict[str, Any]]
    parameters: dict[str, str]
    table: TableShown | None
    is_current: bool


class NextShown(BaseModel):
    """May the next subject be infused, and at what dose."""

    current_level: str | None
    level: str | None
    places: int
    may_be_infused: bool
    held_by: list[str]
    earliest_on: str | None
    reasons: list[str]


class ConfirmationShown(BaseModel):
    party: str
    confirmed_at: str | None
    by: str | None


class HoldShown(BaseModel):
    """One hold. `stops` names levels, or is "all". `asked_for`: by the facts as they are now."""

    hold_id: str
    key: str
    kind: str
    level: str | None
    stops: list[str] | str
    reasons: list[str]
    since: str
    stands: bool
    closing: bool
    ends_on: str | None
    decide_by: str | None
    asked_for: bool
    lifted: dict[str, Any] | None
    confirmations: list[ConfirmationShown]


class FollowUpShown(BaseModel):
    infused_on: str | None
    last_contact: str | None
    ended: str | None
    reasons: list[str]
    next_due_on: str | None
    visits: list[dict[str, Any]]


class BoardSubjectShown(BaseModel):
    """Where one subject stands, and by which verdicts."""

    subject: str
    site: str
    level: str | None
    status: Literal["enrolled", "pending", "evaluable_without_dlt", "dlt", "not_evaluable"]
    reasons: list[str]
    waits_for: list[str]
    earliest_on: str | None
    infused_at: str | None
    window: dict[str, str] | None
    window_day: int | None
    dose: str
    dlt_confirmed: bool
    for_committee: list[str]
    asks: list[str]
    verdicts: list[dict[str, Any]]
    infused_against: list[str]
    follow_up: FollowUpShown | None


class WhatIfShown(BaseModel):
    """What the board would say if one open event were otherwise."""

    key: str
    subject: str
    level: str | None
    change: str
    at: str
    state: str
    rule_id: str | None
    reasons: list[str]
    decision_before: str | None
    decision_after: str | None
    next_before: str
    next_after: str
    changes_the_board: bool


class BoardShown(BaseModel):
    """The dose board of a study at one moment."""

    study: str
    as_of: str
    today: str
    design: str
    parameters: dict[str, str]
    assumptions: list[str]
    enrolled: int
    planned: int | None
    next: NextShown
    levels: list[LevelShown]
    subjects: list[BoardSubjectShown]
    unplaced: list[str]
    holds: list[HoldShown]
    mtd: dict[str, Any]
    phase_2a: dict[str, Any]
    what_if: list[WhatIfShown]


HOLD: dict[str, Any] = {
    "hold_id": "b0e7a64c-1c55-5a3c-8a43-7c2a9f1d3e10",
    "key": "second_dlt:DL2",
    "kind": "second_dlt",
    "level": "DL2",
    "stops": ["DL2", "DL3"],
    "reasons": [
        "ST-04: 2 subjects with a DLT at DL2: S01-004, S01-005",
        "0 confirmed: enrolment is held",
    ],
    "since": "2026-06-02T03:20:00Z",
    "stands": True,
    "closing": False,
    "ends_on": None,
    "decide_by": None,
    "asked_for": True,
    "lifted": None,
    "confirmations": [
        {"party": "S01", "confirmed_at": "2026-06-02T03:41:00Z", "by": "gao"},
        {"party": "S02", "confirmed_at": None, "by": None},
        {"party": "cell_lab", "confirmed_at": None, "by": None},
    ],
}
LIFTED: dict[str, Any] = {
    **HOLD,
    "stands": False,
    "lifted": {"by": ["chen"], "at": "2026-06-05T08:00:00Z", "reason": "one was rejected after review"},
}
LEVEL: dict[str, Any] = {
    "level": "DL2",
    "label": "2.0 ×10^6 cells/kg",
    "evaluable": 2,
    "dlt": 2,
    "dlt_subjects": ["S01-004", "S01-005"],
    "dlt_confirmed": [],
    "pending": [],
    "enrolled": [],
    "replaced": [],
    "outside_plan": [],
    "waits_for": [],
    "earliest_on": None,
    "exceeded": True,
    "decision": "DE_ESCALATE",
    "action": "next lower dose",
    "reasons": ["2 of 2 evaluable with a DLT"],
    "goes_to": "DL1",
    "needs_review": False,
    "reviewed": [],
    "parameters": {"design": "3+3"},
    "table": None,
    "is_current": False,
}
BOARD: dict[str, Any] = {
    "study": "NCT06223646",
    "as_of": "2026-06-02T03:20:00Z",
    "today": "2026-06-02",
    "design": "3+3",
    "parameters": {"design": "3+3"},
    "assumptions": ["ASSUMED RULES, not approved by the sponsor: DLT definition dlt-default-0.1"],
    "enrolled": 5,
    "planned": 29,
    "next": {
        "current_level": "DL1", "level": "DL1", "places": 3, "may_be_infused": True, "held_by": [],
        "earliest_on": None, "reasons": ["DL1: EXPAND_TO_6: expand to 6"],
    },
    "levels": [LEVEL],
    "subjects": [
        {
            "subject": "S01-005", "site": "S01", "level": "DL2", "status": "dlt",
            "reasons": ["TOC-0031-E1: MET_BY_RULE by DLT-02"], "waits_for": [], "earliest_on": None,
            "infused_at": "2026-05-28T02:00:00Z",
            "window": {"from": "2026-05-28T02:00:00Z", "until": "2026-06-25T15:59:59Z"}, "window_day": 5,
            "dose": "as_planned", "dlt_confirmed": False, "for_committee": [], "asks": [],
            "verdicts": [
                {"key": "TOC-0031-E1", "event_id": "TOC-0031-E1", "state": "MET_BY_RULE", "rule_id": "DLT-02",
                 "provisional": False, "due_at": None,
                 "reasons": ["DLT-02: cytokine release syndrome grade 4"]}
            ],
            "infused_against": [],
            "follow_up": {
                "infused_on": "2026-05-28", "last_contact": "2026-06-02", "ended": None, "reasons": [],
                "next_due_on": "2026-06-28",
                "visits": [{"month": 1, "due_on": "2026-06-28", "opens_on": "2026-05-31", "closes_on": "2026-07-26",
                            "state": "done", "seen_on": "2026-06-02"}],
            },
        }
    ],
    "unplaced": [],
    "holds": [HOLD],
    "mtd": {"level": None, "reasons": ["no level has six evaluable subjects yet"]},
    "phase_2a": {"may_be_proposed": False, "level": None, "reasons": [], "waits_for": [], "signed_level": None,
                 "subjects": [], "monitored": [], "not_monitored": []},
    "what_if": [
        {
            "key": "TOC-0031-E1", "subject": "S01-005", "level": "DL2", "change": "both parties judge it not related",
            "at": "2026-06-02T03:20:00Z", "state": "NOT_DLT", "rule_id": "DLT-02", "reasons": ["DLT-02: …"],
            "decision_before": "DE_ESCALATE: next lower dose", "decision_after": "WAIT: wait for 1 pending",
            "next_before": "next infusion at DL1", "next_after": "next infusion at DL2", "changes_the_board": True,
        }
    ],
}  # fmt: skip
LIFT = {
    "decision": "lifted",
    "reason": "one of the two was rejected after review",
    "signature": {"password": "a long and private sentence", "meaning": "approval"},
}
CONFIRM = {"party": "S01", "told_by": "Dr Gao, by telephone"}
RECOMMEND = {
    "level": "DL2",
    "reason": "the committee's review of phase 1",
    "signature": {"password": "a long and private sentence", "meaning": "approval"},
}
