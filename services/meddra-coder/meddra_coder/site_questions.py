"""What a person asks a site of an event: said on the log, kept here, answered at intake like every other question.

An event is coded by what its site says of it. Where that is two events, or too little, nobody here makes it up: the
site is asked, and its answer is a revision that is coded anew. The event goes on waiting meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Connection, insert, select

from meddra_coder import casebook, decision_log, recoding, tables
from tocsin.errors import Conflict, Wrong
from tocsin.messages.bodies import DecisionRecordedV1, QueryRaisedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.store import outbox

TOPIC: Final = "queries.raised.v1"
KIND: Final = "coding"
LONGEST: Final = 1000

Part = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


class SiteQuestionFacts(BaseModel):
    """What is asked of the site that sent an event: a question, or to report its parts as events of their own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_id: Annotated[str, Field(min_length=1, max_length=60)]
    question: Annotated[str | None, Field(min_length=1, max_length=LONGEST, pattern=r"\S")] = None
    parts: Annotated[
        list[Part] | None,
        Field(min_length=2, max_length=10, description="the events that the words seem to tell of, in words"),
    ] = None
    revision: Annotated[
        int | None, Field(ge=1, description="the revision that was looked at; refused when there is a newer one")
    ] = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if (self.question is None) == (self.parts is None):
            raise ValueError("either question is given, or parts")
        return self


class SiteQuestion(BaseModel):
    """A question to a site, as it stands at `GET /v1/queries`. `about`: a JSON Pointer into the report."""

    query_id: UUID
    case_id: str
    revision: int
    event_id: str
    study: str
    site: str
    about: str
    question: str
    by: str
    at: datetime


def ask(tx: Connection, case_id: str, facts: SiteQuestionFacts, *, by: str, at: datetime) -> SiteQuestion:
    """Raise the question. The same of the same revision is raised once, whoever asks.

    Conflict where the revision is older than the newest, or the event does not count any more.
    """
    stands = recoding.standing(tx, case_id, facts.event_id)
    of, event = stands.revision, stands.event
    if facts.revision is not None:
        recoding.must_be_newest(facts.revision, of)
    came = casebook.sent(tx, of)
    if not came.counts(event.event_id):
        nullified = f"{case_id} is nullified: nothing of it waits for an answer"
        raise Conflict("the case is nullified", [Wrong("/event_id", nullified, "an event that counts")])
    if came.site is None:
        allowed = "the next revision of the case, or `tocsin rebuild coder` first"
        raise Conflict(
            f"it is not known here which site sent {case_id}",
            [Wrong("/event_id", f"revision {of.revision} came before that was kept", allowed)],
        )
    text = facts.question.strip() if facts.question is not None else asking_to_split(event.verbatim, facts.parts or ())
    query_id = identity("coder asked", case_id, str(of.revision), event.event_id, text)
    known = tx.execute(select(tables.site_questions).where(tables.site_questions.c.query_id == query_id)).one_or_none()
    if known is not None:
        return _of(known)
    # Events are never taken out of a report, so the number of an event is its place.
    about = f"/events/{casebook.number_of(event.event_id) - 1}/verbatim"
    asked = SiteQuestion(
        query_id=query_id, case_id=case_id, revision=of.revision, event_id=event.event_id, study=of.study,
        site=came.site, about=about, question=text, by=by, at=at,
    )  # fmt: skip
    _keep(tx, asked)
    _say(tx, asked)
    detail: decision_log.Detail = {
        "query_id": str(query_id), "revision": of.revision, "site": came.site, "about": about,
        "parts": None if facts.parts is None else list(facts.parts),
    }  # fmt: skip
    decided = decision_log.Decided(
        query_id, decision_log.ASKED, event.event_id, of.study, by, at, text, detail, case_id
    )  # fmt: skip
    after = {"event_id": event.event_id, "query_id": str(query_id), "site": came.site}
    decision_log.record(tx, decided, did="asked a site about an event", after=after)
    return asked


def of_events(tx: Connection, cases: Sequence[str]) -> dict[tuple[str, str], list[SiteQuestion]]:
    """What was asked about the events of these cases, by case and event, the newest first."""
    its = tables.site_questions.c
    query = select(tables.site_questions).where(its.case_id.in_(list(cases)))
    found: dict[tuple[str, str], list[SiteQuestion]] = {}
    for row in tx.execute(query.order_by(its.at.desc(), its.query_id)):
        found.setdefault((row.case_id, row.event_id), []).append(_of(row))
    return found


def asking_to_split(verbatim: str, parts: Sequence[str]) -> str:
    """The question that asks a site to report several events where it wrote one line."""
    listed = "; ".join(f"{n}. {part.strip()}" for n, part in enumerate(parts, 1))
    return (
        f"You wrote “{verbatim.strip()}”. This seems to tell of {len(parts)} events: {listed}. If so, please send a "
        "follow-up that reports each as an event of its own, and keeps one of them in this line. If it is one event, "
        "please say which."
    )


def rebuild(tx: Connection, body: DecisionRecordedV1) -> None:
    """Keep what the log says was asked."""
    detail = body.detail
    _keep(
        tx,
        SiteQuestion(
            query_id=UUID(str(detail["query_id"])), case_id=str(body.case_id), revision=int(str(detail["revision"])),
            event_id=body.about, study=body.study, site=str(detail["site"]), about=str(detail["about"]),
            question=body.reason or "", by=body.by, at=body.at,
        ),
    )  # fmt: skip


def _say(tx: Connection, asked: SiteQuestion) -> None:
    query_id = str(asked.query_id)
    body = QueryRaisedV1(
        query_id=query_id, case_id=asked.case_id, study=asked.study, site=asked.site, kind=KIND, about=asked.about,
        question=asked.question, raised_at=asked.at,
    )  # fmt: skip
    made = identity(TOPIC, query_id)
    outbox.put(
        tx, Envelope(made, TOPIC, asked.case_id, casebook.SOURCE, asked.study, asked.at, asked.at, body)
    )  # fmt: skip


def _keep(tx: Connection, asked: SiteQuestion) -> None:
    tx.execute(insert(tables.site_questions).values(asked.model_dump()))


def _of(row: Any) -> SiteQuestion:
    return SiteQuestion(**row._mapping)
