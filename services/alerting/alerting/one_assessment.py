"""Decisions about a case as people and programs read them: with every signature, and what each does to the clocks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from alerting import answered_grades, board, courses, signed_decisions
from alerting.instants import text
from alerting.parts import Parts
from alerting.signed_decisions import AWAITING, IN_FORCE
from alerting.standing import Standing, standing_of
from alerting.tables import snapshots
from tocsin.domain.case import Event
from tocsin.domain.clock_life import ClockLife, Effect
from tocsin.domain.judging import reviewed
from tocsin.domain.known import Finding
from tocsin.domain.signed import Deed
from tocsin.domain.words import Agent, Party
from tocsin.errors import NotFound

if TYPE_CHECKING:
    from alerting import duplicates


def effects_of(stands: Standing, row: Row[Any]) -> tuple[Effect, ...]:
    """What a decision in force does to the clocks, against what they would be without it."""
    if row.signed_at is None:
        return ()
    return signed_decisions.effects(stands.without(str(row.id)), stands.now, str(row.id), Deed(row.deed))


def answer(tx: Connection, stands: Standing, row: Row[Any], effects: Collection[Effect]) -> dict[str, Any]:
    """What a person is told after signing."""
    open_questions = {clock_id: life for clock_id, life in stands.lives().items() if life.questions}
    return {
        **shown(row, effects),
        "in_question": _in_question(open_questions),
        "next": _next(row, bool(open_questions)),
        "clocks": board.clocks_like(tx, case_id=stands.case_id),
    }


def of_duplicate(tx: Connection, parts: Parts, done: duplicates.Decided) -> dict[str, Any]:
    """What a person is told after deciding about two cases."""
    row, decision = done.row, done.decision
    effects = done.effects
    if decision is not None and not effects and decision.signed_at is not None:
        effects = effects_of(standing_of(tx, parts, row.study, decision.case_id), decision)
    waits = decision is not None and decision.signed_at is None
    return {
        **shown_pair(row),
        "state": AWAITING if waits else IN_FORCE,
        "decision": None if decision is None else shown(decision, effects),
        "overrides": [
            shown(one, effects_of(standing_of(tx, parts, row.study, one.case_id), one)) for one in done.overrides
        ],
        "next": _next(decision, is_in_question=False) if decision is not None else None,
        "clocks": [
            clock for case_id in sorted((row.case_id, row.other_case_id))
            for clock in board.clocks_like(tx, case_id=case_id)
        ],
    }  # fmt: skip


def shown_pair(row: Row[Any]) -> dict[str, Any]:
    """Two cases that may tell of the same."""
    return {
        "duplicate_id": str(row.id),
        "study": row.study,
        "case_id": row.case_id,
        "other_case_id": row.other_case_id,
        "reasons": row.reasons,
        "found_at": text(row.found_at),
        "status": row.decision or "open",
        "kept_case_id": row.kept_case_id,
        "decided_at": text(row.decided_at),
        "decided_by": row.decided_by,
        "reason": row.why,
    }


def _in_question(found: Mapping[UUID, ClockLife]) -> list[dict[str, Any]]:
    return [
        {"clock_id": str(clock_id), "rule": life.clock.rule, "event_id": life.clock.event_id,
         "questions": list(life.questions)}
        for clock_id, life in found.items()
    ]  # fmt: skip


def shown(row: Row[Any], effects: Collection[Effect]) -> dict[str, Any]:
    """One decision with every signature under it."""
    body = row.body
    expected = {True: "expected", False: "unexpected", None: None}[body["expected"]]
    return {
        "decision_id": str(row.id),
        "case_id": row.case_id,
        "decision": row.deed,
        "state": IN_FORCE if row.signed_at is not None else AWAITING,
        "events": body["event_ids"],
        "causality": body["opinions"],
        "expectedness": expected,
        "seriousness": body["criteria"],
        "aware_at": body["aware_at"] and text(datetime.fromisoformat(body["aware_at"])),
        "revision": body["revision"],
        "other_case": body["other_case"],
        "reason": row.reason,
        "asked_at": text(row.asked_at),
        "signed_at": text(row.signed_at),
        "needs": row.needs,
        "signatures": [
            {"by": s["by"], "roles": s["roles"], "meaning": s["meaning"], "at": text(datetime.fromisoformat(s["at"]))}
            for s in row.signatures
        ],
        "effects": [{"text": effect.text, "refused": effect.is_refused} for effect in effects],
    }


def _next(row: Row[Any], is_in_question: bool) -> str | None:
    if row.signed_at is None:
        return (
            f"another person signs at POST /v1/assessments/{row.case_id}/{row.id}/signatures; until then nothing "
            "has changed and the clocks run"
        )
    if is_in_question:
        return (
            "these clocks run on: a review closes none. Sign a decision downgrade or nullification where the rules "
            "bear it, or send what is owed"
        )
    return None


def whole(tx: Connection, parts: Parts, case_id: str) -> dict[str, Any]:
    """Every decision about a case, and each event as it is judged now; NotFound."""
    study = tx.scalars(select(snapshots.c.study).where(snapshots.c.case_id == case_id).limit(1)).one_or_none()
    if study is None:
        raise NotFound("there is no such case")
    stands = standing_of(tx, parts, study, case_id)
    rows = signed_decisions.of_case(tx, case_id)
    graded = courses.of_case(tx, stands.protocol, stands.case, parts.now())
    return {
        "case_id": case_id,
        "study": study,
        "revision": stands.now.revision,
        "decisions": [shown(row, effects_of(stands, row)) for row in rows],
        "events": [{**event, "courses": graded[event["event_id"]]} for event in _events(stands)],
        "assumptions": list(stands.now.assumptions),
    }


def _events(stands: Standing) -> list[dict[str, Any]]:
    reviews = sorted(
        (d for d in stands.past.signed if d.deed in (Deed.MEDICAL_REVIEW, Deed.DOWNGRADE)),
        key=lambda d: (d.signed_at, d.id),
    )
    found = []
    told = {event.event_id: event for event, _ in stands.case.standing}
    terms = answered_grades.terms(stands.case, stands.protocol)
    for judged in stands.now.events:
        event = reviewed(told[judged.event_id], [r for r in reviews if r.is_about(judged.event_id)])
        found.append(
            {
                "event_id": judged.event_id,
                "serious": _finding(judged.serious),
                "fatal": _finding(judged.fatal),
                "life_threatening": _finding(judged.life_threatening),
                "suspected": _finding(judged.suspected),
                "unexpected": _finding(judged.unexpected),
                "susar": judged.is_susar,
                "rsi_version": judged.rsi_version,
                "opinions": _opinions(event),
                "answered_grade": answered_grades.shown(told[judged.event_id], terms.get(judged.event_id)),
            }
        )
    return found


def _finding(found: Finding) -> dict[str, Any]:
    return {"value": bool(found), "provisional": found.is_provisional, "reasons": list(found.reasons)}


def _opinions(event: Event) -> dict[str, list[dict[str, str]]]:
    """Both parties' opinions, side by side: the sponsor's takes nothing from the investigator's."""
    return {
        party.value: [
            {"agent": agent.value, "relation": relation.value}
            for agent in Agent
            if (relation := event.relation(agent, party)) is not None
        ]
        for party in Party
    }
