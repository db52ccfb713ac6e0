"""What the API shows, as models: for /openapi.json, with an example for every call."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class SignIn(BaseModel):
    """Who asks for a session."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=1000)


class Session(BaseModel):
    """A short-lived token, for `Authorization: Bearer`."""

    token: str
    expires_at: str
    name: str
    roles: list[str]


class NoticeShown(BaseModel):
    """One notice on one channel. `role` was to be rung; `rung_role` was, where nobody is reachable as `role`."""

    notice_id: str
    step: int
    role: str
    rung_role: str | None
    at: str
    reason: str
    cause: str = Field(description="policy, assigned (handed over) or reminder (acknowledged, and nothing was done)")
    people: list[str] = Field(description="who was rung by it, where a call plan names people")
    everyone: bool = Field(description="everybody whom it rang must acknowledge")
    channel: str | None
    address: str | None
    outcome: str
    attempts: int


class AnswerShown(BaseModel):
    by: str
    at: str
    roles: list[str]


class HandedOverShown(BaseModel):
    to: str
    by: str
    at: str
    reason: str


class AlertShown(BaseModel):
    """One alert: what rings, why, on which assumptions, who was told and who answered."""

    alert_id: str
    case_id: str | None
    revision: int | None
    study: str
    kind: str
    level: str
    state: str
    roles: list[str]
    raised_at: str
    reasons: list[str]
    assumptions: list[str]
    provisional: bool
    due: dict[str, Any] | None
    reached_nobody_since: str | None
    acknowledged_at: str | None
    acknowledged_by: str | None
    closed_at: str | None = Field(description="when somebody closed it, or nothing was owed on it any more")
    closed_by: str | None
    closed_because: str | None = Field(description="what the person said who closed it; none where it ended by itself")
    acknowledgements: list[AnswerShown]
    waits_for: list[str] = Field(description="who must acknowledge, too, where everyone on a step must")
    handed_over: list[HandedOverShown] = Field(description="to whom, the last has it")
    notices: list[NoticeShown]


class AlertsShown(BaseModel):
    alerts: list[AlertShown]


class AcknowledgedShown(BaseModel):
    """Who was first. Acknowledging again, or after another, changes nothing and is recorded."""

    alert_id: str
    state: str
    acknowledged_by: str
    acknowledged_at: str
    you_were_first: bool
    waits_for: list[str] = Field(description="who must acknowledge, too, before the ringing stops")


class ClockChange(BaseModel):
    status: str
    at: str
    what: str
    reason: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class ClockShown(BaseModel):
    """One regulatory clock, with the rule and the clause it follows from."""

    clock_id: str
    case_id: str
    event_id: str | None
    study: str
    rule: str
    clause: str
    recipient: str
    day_zero: str
    due_on: str
    due_at: str
    status: str
    superseded_by: str | None
    open: bool
    in_question: bool
    questions: list[str]
    known_at: str | None
    provisional: bool
    confidence: str
    reasons: list[str]
    status_history: list[ClockChange] = Field(description="each status it had, and why it came to have it")
    changes: list[ClockChange] = Field(description="every change, of its facts too, with the old and the new ones")


class ClocksShown(BaseModel):
    clocks: list[ClockShown]


class AttemptShown(BaseModel):
    number: int
    begun_at: str
    ended_at: str | None
    outcome: str
    why: str | None
    took_ms: int | None


class DeliveryShown(BaseModel):
    """One notice to one address, with every try."""

    delivery_id: str
    notice_id: str
    alert_id: str | None
    channel: str
    address: str
    state: str
    created_at: str
    next_attempt_at: str | None
    ended_at: str | None
    why: str | None
    attempts: list[AttemptShown]


class DeliveriesShown(BaseModel):
    deliveries: list[DeliveryShown]


class SubjectShown(BaseModel):
    """A subject's doses and events as the site reported them, and where it stands on the dose board.

    `standing` is as in `GET /v1/dose-board`; none where the study looks for no dose.
    """

    subject: str
    doses: list[dict[str, Any]]
    events: list[dict[str, Any]]
    standing: dict[str, Any] | None


class MailShown(BaseModel):
    name: str
    sent_at: str
    to: str
    subject: str
    message_id: str
    text: str


class MailboxShown(BaseModel):
    mails: list[MailShown]


_ALERT_ID = "6a3c1f0e-7b1d-5f0e-9c55-0d4b8f6c2a11"
_WHY = "TOC-0031-E1: potential DLT: DLT-02: cytokine release syndrome grade 4"

SIGN_IN = {"name": "lin", "password": "a long and private sentence"}
SESSION = {
    "token": "tocsin_login_…",
    "expires_at": "2026-05-14T10:08:00Z",
    "name": "lin",
    "roles": ["safety_physician"],
}
ALERTS = {
    "alerts": [
        {
            "alert_id": _ALERT_ID,
            "case_id": "TOC-0031",
            "revision": 1,
            "study": "NCT06223646",
            "kind": "potential_dlt",
            "level": "page",
            "state": "open",
            "roles": [],
            "raised_at": "2026-05-13T18:08:00Z",
            "reasons": [_WHY],
            "assumptions": ["ASSUMED RULES, not approved by the sponsor"],
            "provisional": True,
            "due": {"clock": "7-day clock", "is_provisional": True, "on": "2026-05-21", "at": "2026-05-21T15:59:59Z"},
            "reached_nobody_since": None,
            "acknowledged_at": None,
            "acknowledged_by": None,
            "closed_at": None,
            "closed_by": None,
            "closed_because": None,
            "acknowledgements": [],
            "waits_for": [],
            "handed_over": [],
            "notices": [
                {
                    "notice_id": "0f9e3b52-5d3c-5a7e-8f0e-3f3e1f0d7c21",
                    "step": 0,
                    "role": "safety_physician",
                    "rung_role": "safety_physician",
                    "at": "2026-05-13T18:08:00Z",
                    "reason": "rung at once",
                    "cause": "policy",
                    "people": [],
                    "everyone": False,
                    "channel": "mail",
                    "address": "safety-physician@sponsor.invalid",
                    "outcome": "delivered",
                    "attempts": 1,
                }
            ],
        }
    ]
}
ACKNOWLEDGED = {
    "alert_id": _ALERT_ID,
    "state": "acknowledged",
    "acknowledged_by": "lin",
    "acknowledged_at": "2026-05-13T18:15:08Z",
    "you_were_first": True,
    "waits_for": [],
}
CLOCKS = {
    "clocks": [
        {
            "clock_id": "b3d1a5c4-1f3e-5b0a-9a77-4f3b0a1c9d20",
            "case_id": "TOC-0031",
            "event_id": "TOC-0031-E1",
            "study": "NCT06223646",
            "rule": "CN_SUSAR_7D",
            "clause": "CDE safety data rapid reporting standard (2018)",
            "recipient": "CDE",
            "day_zero": "2026-05-14",
            "due_on": "2026-05-21",
            "due_at": "2026-05-21T15:59:59Z",
            "status": "RUNNING",
            "superseded_by": None,
            "open": True,
            "in_question": False,
            "questions": [],
            "known_at": "2026-05-13T18:08:00Z",
            "provisional": True,
            "confidence": "high",
            "reasons": ["criterion: life-threatening", "not coded yet: taken as unexpected"],
            "status_history": [
                {
                    "status": "RUNNING",
                    "at": "2026-05-13T18:08:00Z",
                    "what": "started",
                    "reason": "revision 1 received",
                    "before": None,
                    "after": {"due_on": "2026-05-21"},
                }
            ],
            "changes": [
                {
                    "status": "RUNNING",
                    "at": "2026-05-13T18:08:00Z",
                    "what": "started",
                    "reason": "revision 1 received",
                    "before": None,
                    "after": {"due_on": "2026-05-21"},
                }
            ],
        }
    ]
}
DELIVERIES = {
    "deliveries": [
        {
            "delivery_id": "9b2f6e0c-3c1a-5d8e-8a53-0d7f1b2c3e44",
            "notice_id": "0f9e3b52-5d3c-5a7e-8f0e-3f3e1f0d7c21",
            "alert_id": _ALERT_ID,
            "channel": "mail",
            "address": "safety-physician@sponsor.invalid",
            "state": "delivered",
            "created_at": "2026-05-13T18:08:00Z",
            "next_attempt_at": None,
            "ended_at": "2026-05-13T18:08:01Z",
            "why": "taken by mail.sponsor.invalid:587",
            "attempts": [
                {
                    "number": 1,
                    "begun_at": "2026-05-13T18:08:00Z",
                    "ended_at": "2026-05-13T18:08:01Z",
                    "outcome": "delivered",
                    "why": "taken by mail.sponsor.invalid:587",
                    "took_ms": 412,
                }
            ],
        }
    ]
}
SUBJECT = {
    "subject": "S01-003",
    "doses": [{"kind": "infusion", "subject": "S01-003", "level": "DL2", "started_at": "2026-05-08T10:20+08:00"}],
    "events": [{"case_id": "TOC-0031", "event_id": "TOC-0031-E1", "facts": {"verbatim": "CRS", "onset": "2026-05-13"}}],
    "standing": {
        "subject": "S01-003", "site": "S01", "level": "DL2", "status": "pending",
        "reasons": ["day 28 is not complete"], "waits_for": ["day 28 is not complete"], "earliest_on": "2026-06-05",
        "infused_at": "2026-05-08T02:20:00Z", "window_day": 12,
        "window": {"from": "2026-05-08T02:20:00Z", "until": "2026-06-05T15:59:59Z"},
        "unread_values": ["Platelets 40 of 2026-05-09T06:00: its unit cannot be converted"],
    },
}  # fmt: skip
MAILBOX = {
    "mails": [
        {
            "name": "20260513T180800.000000Z-9b2f6e0c.eml",
            "sent_at": "2026-05-13T18:08:00Z",
            "to": "safety-physician@sponsor.invalid",
            "subject": "[Tocsin] TOC-0031: potential DLT, 7-day clock",
            "message_id": "<0f9e3b52-5d3c-5a7e-8f0e-3f3e1f0d7c21@localhost>",
            "text": "TOC-0031 is ringing you.",
        }
    ]
}
