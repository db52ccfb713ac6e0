"""What a site is asked about grades: once, settled by what it tells or corrects, and anew when it comes back.

Each question is a deed on the log, so that a rebuild knows what was asked. What there is to ask is found by `values`
and `answered_grades`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from alerting import decisions
from alerting.parts import NAME, Parts
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import Scale
from tocsin.messages.bodies import DecisionRecordedV1, QueryRaisedV1, ReportReceivedV1
from tocsin.messages.envelope import Envelope, identity
from tocsin.store import outbox

TOPIC: Final = "queries.raised.v1"
ASKED: Final = "value_asked"
SETTLED: Final = "question_settled"
_TOGETHER: Final = "values"
"""The questions about grades of one site go out in one letter, as those of an import do."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask a site. Two that share a key are the same question; a key about an event begins with its id."""

    keys: frozenset[str]
    case_id: str | None
    site: str
    about: str
    text: str


def ask(
    tx: Connection, parts: Parts, protocol: Protocol, about: str, questions: Sequence[Question], at: datetime, *,
    undecided: Collection[str] = (),
) -> None:  # fmt: skip
    """Of one matter: ask what is not asked yet, settle what is nothing to ask any more; what comes back is asked anew.

    `about` names the matter, and `questions` are all that there is to ask of it now; of the events in `undecided` it is
    not known yet. On a rebuild nothing is asked: what was asked and settled is on the log.
    """
    if parts.is_rebuilding:
        return
    asked = [deed for deed in decisions.about(tx, about) if deed.what == ASKED]
    waiting = {
        deed.decision_id: deed for deed in asked if not decisions.about(tx, str(deed.detail["query_id"]))
    }  # A deed about the question itself is that it is settled.
    still = frozenset[str]().union(*(question.keys for question in questions))
    for deed_id, deed in list(waiting.items()):
        if not _keys(deed) & still and not {key.partition("|")[0] for key in _keys(deed)} & set(undecided):
            decisions.record(
                tx, what=SETTLED, about=str(deed.detail["query_id"]), parts=(), study=protocol.id,
                case_id=deed.case_id, by=NAME, at=at, reason="told now, or the value or the grade was corrected",
            )  # fmt: skip
            del waiting[deed_id]
    told = frozenset[str]().union(*(_keys(deed) for deed in waiting.values()))
    for question in questions:
        if not question.keys & told:
            before = sum(1 for deed in asked if _keys(deed) & question.keys)
            _say(tx, protocol, about, question, before, at)


def where(latest: ReportReceivedV1, event_id: str, scale: Scale) -> str:
    """The pointer to a grade of an event in the newest report."""
    place = next((n for n, kept in enumerate(latest.events) if kept.event_id == event_id), None)
    return "/events" if place is None else f"/events/{place}/grade/{scale.value}"


def _say(tx: Connection, protocol: Protocol, about: str, question: Question, before: int, at: datetime) -> None:
    query_id = str(identity("query", "value", about, *sorted(question.keys), str(before)))
    is_new = decisions.record(
        tx, what=ASKED, about=about, parts=(query_id,), study=protocol.id, case_id=question.case_id, by=NAME, at=at,
        detail={"query_id": query_id, "keys": sorted(question.keys)},
    )  # fmt: skip
    if not is_new:
        return
    body = QueryRaisedV1(
        query_id=query_id, case_id=question.case_id, study=protocol.id, site=question.site, kind="grade",
        about=question.about, question=question.text, raised_at=at, batch=_TOGETHER,
    )  # fmt: skip
    key = question.case_id or question.site
    outbox.put(tx, Envelope(identity(TOPIC, query_id), TOPIC, key, NAME, protocol.id, at, at, body))


def _keys(deed: DecisionRecordedV1) -> frozenset[str]:
    kept = deed.detail["keys"]
    return frozenset(kept) if isinstance(kept, list) else frozenset()
