"""What people send when they enter submissions, and what they are shown: models and examples for /openapi.json."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from alerting.shown import CLOCKS, ClockShown
from alerting.submission_answers import Outcome
from tocsin.domain.submissions import SubmissionKind

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
    "at": "2026-05-20T17:00", "kind": "initial", "reference": "letter 12 of 20 May",
    "recipient": "investigators, institutions, ethics committees, health authority",
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
