"""The dose board as plain JSON values: for the API, the packet and the desk. Reading only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from alerting import kept_verdicts, subject_facts, trial, trial_facts
from alerting.instants import text
from alerting.parts import Parts
from tocsin.domain.board.board import Board, board
from tocsin.domain.board.decision import LevelDecision
from tocsin.domain.board.follow_up import Calendar
from tocsin.domain.board.holds import Hold
from tocsin.domain.board.levels import LevelCount
from tocsin.domain.board.phase_2a import Look
from tocsin.domain.board.standing import Standing
from tocsin.domain.board.what_if import WhatIf, what_if
from tocsin.domain.dlt.verdict import Verdict
from tocsin.domain.escalation.table import Table
from tocsin.domain.protocol import Protocol


def whole(
    tx: Connection, parts: Parts, protocol: Protocol, as_of: datetime, *, with_what_if: bool = True
) -> dict[str, Any]:  # fmt: skip
    """The board of a study as it stands, and what it would say otherwise."""
    known = trial_facts.of_study(tx, protocol)
    found = board(protocol, known.subjects, known.trial, as_of)
    judged = {one.id: one.verdicts for one in known.subjects}
    answers = _what_if(tx, protocol, known, as_of) if with_what_if else ()
    return {**shown(found, judged), "what_if": [answer(one) for one in answers]}


def _what_if(
    tx: Connection, protocol: Protocol, known: trial_facts.Known, as_of: datetime
) -> tuple[WhatIf, ...]:  # fmt: skip
    whole = {}
    for one in known.subjects:
        facts = subject_facts.subject_of(tx, protocol, one.id) if one.open_verdicts else None
        if facts is not None:
            whole[one.id] = kept_verdicts.with_decisions(tx, protocol.id, facts.subject)
    return what_if(protocol, known.subjects, whole, known.trial, as_of)


def standing_of(tx: Connection, parts: Parts, subject_id: str) -> dict[str, Any] | None:
    """Where a subject stands in the study that knows it; None where no study with dose levels does.

    `unread_values`: what was measured and no rule could read, with the reason: nothing is left out in silence.
    """
    for protocol in parts.studies.values():
        if not protocol.levels:
            continue
        known = trial_facts.of_study(tx, protocol)
        own = next((one for one in known.subjects if one.id == subject_id), None)
        if own is None:
            continue
        found = board(protocol, known.subjects, known.trial, parts.now())
        standing = found.subject(subject_id)
        calendar = next((one for one in found.follow_up if one.subject == subject_id), None)
        if standing is not None:
            facts = subject_facts.subject_of(tx, protocol, subject_id)
            unread = [] if facts is None else list(facts.unread)
            shown_so = subject(standing, calendar, own.verdicts, dict(found.given_against))
            return {**shown_so, "unread_values": unread}
    return None


def shown(found: Board, judged: Mapping[str, Iterable[Verdict]]) -> dict[str, Any]:
    """The board in words and numbers. `judged`: the verdicts of each subject."""
    of_subjects = {one.subject: one for one in found.subjects}
    calendars = {one.subject: one for one in found.follow_up}
    return {
        "study": found.study,
        "as_of": text(found.as_of),
        "today": found.today.isoformat(),
        "design": found.design.value,
        "parameters": dict(found.parameters),
        "assumptions": list(found.assumptions),
        "enrolled": found.enrolled,
        "planned": found.planned,
        "next": {
            "current_level": found.next.current, "level": found.next.level, "places": found.next.places,
            "may_be_infused": found.next.may_be_infused, "held_by": list(found.next.held_by),
            "earliest_on": _day(found.next.earliest_on), "reasons": list(found.next.reasons),
        },
        "levels": [_level(count, found.decision(count.level), found) for count in found.levels],
        "subjects": [
            subject(one, calendars.get(one.subject), judged.get(one.subject, ()), dict(found.given_against))
            for one in of_subjects.values()
        ],
        "unplaced": list(found.unplaced),
        "holds": [hold(one, found) for one in found.holds],
        "mtd": {"level": found.mtd.level, "reasons": list(found.mtd.reasons)},
        "phase_2a": {
            "may_be_proposed": found.proposal.may_be_made, "level": found.proposal.level,
            "reasons": list(found.proposal.reasons), "waits_for": list(found.proposal.waits_for),
            "signed_level": found.expansion.level, "subjects": list(found.expansion.subjects),
            "monitored": [_look(one) for one in found.expansion.looks],
            "not_monitored": list(found.expansion.reasons),
        },
    }  # fmt: skip


def _level(count: LevelCount, decision: LevelDecision, found: Board) -> dict[str, Any]:
    return {
        "level": count.level, "label": count.label, "evaluable": count.evaluable, "dlt": len(count.dlt),
        "dlt_subjects": list(count.dlt), "dlt_confirmed": list(count.confirmed), "pending": list(count.pending),
        "enrolled": list(count.enrolled), "replaced": list(count.replaced), "outside_plan": list(count.outside),
        "waits_for": list(count.waits_for), "earliest_on": _day(count.earliest_on), "exceeded": count.is_exceeded,
        "decision": decision.word, "action": decision.action, "reasons": list(decision.reasons),
        "goes_to": decision.goes_to, "needs_review": decision.needs_review,
        "reviewed": [{"by": list(one.by), "at": text(one.at), "reason": one.reason} for one in decision.reviewed],
        "parameters": dict(decision.parameters),
        "table": None if decision.table is None else table(decision.table),
        "is_current": found.next.current == count.level,
    }  # fmt: skip


def table(one: Table) -> dict[str, Any]:
    """A decision table, and the row and column where one stands."""
    here = None if one.here is None else {"row": one.here[0], "column": one.here[1]}
    return {
        "title": one.title, "columns": list(one.columns), "rows": [list(row) for row in one.rows], "here": here,
        "parameters": dict(one.parameters),
    }  # fmt: skip


def subject(
    one: Standing, calendar: Calendar | None, judged: Iterable[Verdict], against: Mapping[str, tuple[Hold, ...]]
) -> dict[str, Any]:  # fmt: skip
    """Where one subject stands, with its verdicts and its calendar."""
    window = None if one.window is None else {"from": text(one.window.earliest), "until": text(one.window.latest)}
    return {
        "subject": one.subject, "site": one.site, "level": one.level, "status": one.status.value,
        "reasons": list(one.reasons), "waits_for": list(one.waits_for), "earliest_on": _day(one.earliest_on),
        "infused_at": None if one.started is None else text(one.started.earliest), "window": window,
        "window_day": one.window_day, "dose": one.dosed.value, "dlt_confirmed": one.is_confirmed,
        "for_committee": list(one.for_committee), "asks": list(one.asks),
        "verdicts": [
            {"key": v.key, "event_id": v.event_id, "state": v.state.value, "rule_id": v.rule_id,
             "provisional": v.is_provisional, "due_at": None if v.due_at is None else text(v.due_at),
             "reasons": list(v.reasons)}
            for v in judged
        ],
        "infused_against": [held.key for held in against.get(one.subject, ())],
        "follow_up": None if calendar is None else follow_up(calendar),
    }  # fmt: skip


def follow_up(calendar: Calendar) -> dict[str, Any]:
    """The visits of one subject."""
    return {
        "infused_on": _day(calendar.infused_on), "last_contact": _day(calendar.last_contact),
        "ended": calendar.ended, "reasons": list(calendar.reasons),
        "next_due_on": None if calendar.next is None else _day(calendar.next.due_on),
        "visits": [
            {"month": v.month, "due_on": _day(v.due_on), "opens_on": _day(v.opens_on),
             "closes_on": _day(v.closes_on), "state": v.state.value, "seen_on": _day(v.seen_on)}
            for v in calendar.visits
        ],
    }  # fmt: skip


def hold(one: Hold, found: Board) -> dict[str, Any]:
    """One hold, with who has confirmed it and who lifted it."""
    lifted = one.lifted
    return {
        "hold_id": str(trial.hold_id(found.study, one.key)), "key": one.key, "kind": one.kind.value,
        "level": one.level, "stops": list(one.levels) or "all", "reasons": list(one.reasons),
        "since": text(one.since), "stands": one.stands(found.as_of, found.today), "closing": one.is_closing,
        "ends_on": _day(one.ends_on), "decide_by": None if one.decide_by is None else text(one.decide_by),
        "asked_for": one.is_asked_for,
        "lifted": None if lifted is None else {"by": list(lifted.by), "at": text(lifted.at), "reason": lifted.reason},
        "confirmations": [
            {"party": c.party, "confirmed_at": None if c.at is None else text(c.at), "by": c.by}
            for c in one.confirmations
        ],
    }  # fmt: skip


def _look(one: Look) -> dict[str, Any]:
    return {
        "name": one.name, "rate": one.rate, "decision": one.decision.decision, "action": one.decision.next_action,
        "reasons": list(one.decision.reasons), "unknown": list(one.unknown), "table": table(one.table),
    }  # fmt: skip


def answer(one: WhatIf) -> dict[str, Any]:
    """What the board would say if one open event were otherwise."""
    return {
        "key": one.key, "subject": one.subject, "level": one.level, "change": one.change, "at": text(one.at),
        "state": one.after.state.value, "rule_id": one.after.rule_id, "reasons": list(one.after.reasons),
        "decision_before": one.decision_before, "decision_after": one.decision_after,
        "next_before": one.next_before, "next_after": one.next_after, "changes_the_board": one.changes_the_board,
    }  # fmt: skip


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
