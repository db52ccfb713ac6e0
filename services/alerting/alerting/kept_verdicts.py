"""Verdicts on dose-limiting toxicity as they are kept: rows read back, with what people signed of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, or_, select

from alerting.tables import dlt_decisions
from tocsin.domain.dlt.definition import About
from tocsin.domain.dlt.subject import Decided, Subject
from tocsin.domain.dlt.verdict import State, Verdict

# Made once: these run for every message, and making a statement costs as much as running it.
_D = dlt_decisions.c
_OF_NO_EVENT = and_(_D.study == bindparam("of_study"), _D.subject == bindparam("of_subject"), _D.event_id.is_(None))
_DECIDED = (
    select(dlt_decisions)
    .where(or_(_D.event_id.in_(bindparam("of_events", expanding=True)), _OF_NO_EVENT))
    .order_by(_D.at, _D.id)
)


def as_json(verdict: Verdict) -> dict[str, Any]:
    """What of a verdict stands in no column of its own."""
    return {
        "about": verdict.about.value,
        "reasons": list(verdict.reasons),
        "grade": verdict.grade,
        "study_day": verdict.study_day,
        "due_at": _text(verdict.due_at),
        "strict_at": _text(verdict.strict_at),
        "is_strict_passed": verdict.is_strict_passed,
        "for_committee": list(verdict.for_committee),
        "would_change": list(verdict.would_change),
        "asks": list(verdict.asks),
        "by_rule": None if verdict.by_rule is None else verdict.by_rule.value,
    }


def of_row(row: Row[Any]) -> Verdict:
    """The verdict that a row keeps."""
    body = row.body
    return Verdict(
        state=State(row.state), rule_id=row.rule_id, reasons=tuple(body["reasons"]), is_provisional=row.is_provisional,
        key=row.key, about=About(body["about"]), case_id=row.case_id, event_id=row.event_id, grade=body["grade"],
        study_day=body["study_day"], due_at=_moment(body["due_at"]), strict_at=_moment(body["strict_at"]),
        is_strict_passed=body["is_strict_passed"], for_committee=tuple(body["for_committee"]),
        would_change=tuple(body["would_change"]), asks=tuple(body["asks"]),
        by_rule=None if body["by_rule"] is None else State(body["by_rule"]),
    )  # fmt: skip


def with_decisions(tx: Connection, study: str, subject: Subject) -> Subject:
    """A subject with what people signed of its verdicts."""
    return replace(subject, decided=_decided(tx, study, subject))


def _decided(tx: Connection, study: str, subject: Subject) -> tuple[Decided, ...]:
    """What people signed of the events of a subject, wherever they stood then, and of what was measured in it."""
    events = [one.event.event_id for one in subject.events]
    rows = tx.execute(_DECIDED, {"of_study": study, "of_subject": subject.id, "of_events": events})
    return tuple(Decided(r.key, State(r.decision), r.rule_id, (r.by,), r.at, r.reason) for r in rows)


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
