"""The regulatory clocks that are kept: started, moved when facts move them, questioned, and closed by people only.

`tocsin.domain.clocks` says which clocks the facts start; this keeps them, with a line of history for each change. A
clock that the facts no longer support goes on running and is put before a person (readings.md, clocks; rules.md 1.4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from alerting.delivery.bell import Due
from alerting.parts import NAME
from alerting.tables import clock_history, clocks
from tocsin.domain.assess import Concern
from tocsin.domain.clocks import Clock, ClockRule, Trigger
from tocsin.domain.protocol import Protocol
from tocsin.messages.envelope import identity
from tocsin.store import audit

RUNNING, MET, LATE, CANCELLED, SUPERSEDED = "RUNNING", "MET", "LATE", "CANCELLED", "SUPERSEDED"

_OF_CASE = select(clocks).where(clocks.c.case_id == bindparam("case_id"))
_FACTS = ("day_zero", "due_on", "due_at", "reasons", "is_provisional", "clause", "recipient", "confidence")


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands after keeping: the soonest clock that the sponsor owes, and the clocks a person must look at."""

    soonest: Due | None
    concerns: tuple[Concern, ...]


@dataclass(slots=True)
class _Change:
    clock_id: UUID
    status: str
    what: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str


def keep(
    tx: Connection, protocol: Protocol, case_id: str, found: Sequence[Clock], *, is_new_case: bool,
    first_received_at: datetime, why: str, at: datetime,
) -> Kept:  # fmt: skip
    """Bring the kept clocks of a case to what its facts start now. `why` says what changed the facts."""
    rules = {rule.id: rule for rule in protocol.clock_rules}
    there: dict[UUID, Row[Any]] = {}
    if not is_new_case:
        there = {row.id: row for row in tx.execute(_OF_CASE, {"case_id": case_id})}
    if not found and not there:
        return Kept(None, ())
    started = {_id(case_id, clock, rules): clock for clock in found}
    changes: list[_Change] = []
    new = []
    for clock_id, clock in started.items():
        if clock_id in there:
            changes += _refresh(tx, there[clock_id], clock, rules, why)
        else:
            begun = _row(clock_id, case_id, protocol.id, clock, rules, first_received_at, at)
            new.append(begun)
            changes.append(_Change(clock_id, begun["status"], "started", None, _json(_facts(clock)), why))
    if new:
        tx.execute(insert(clocks), new)
    concerns = []
    for row in there.values():
        if row.status == RUNNING and row.id not in started:
            change, concern = _unsupported(tx, row, started, why)
            changes += change
            concerns += concern
    _write(tx, protocol.id, changes, at)
    return Kept(_soonest(started, there, rules), tuple(concerns))


def _id(case_id: str, clock: Clock, rules: Mapping[str, ClockRule]) -> UUID:
    if _is_sites_own(clock.rule, rules):
        # Once a case, with the status it had at receipt (readings.md, clocks 1).
        return identity("clock", case_id, "", clock.rule, "once")
    return identity("clock", case_id, clock.event_id or "", clock.rule, clock.started_at.isoformat())


def _is_sites_own(rule: str, rules: Mapping[str, ClockRule]) -> bool:
    return rule in rules and rules[rule].trigger is Trigger.SITE_AWARE


def _row(
    clock_id: UUID, case_id: str, study: str, clock: Clock, rules: Mapping[str, ClockRule], received_at: datetime,
    at: datetime,
) -> dict[str, Any]:  # fmt: skip
    status = RUNNING
    if _is_sites_own(clock.rule, rules):
        status = MET if received_at <= clock.due_at else LATE
    return {
        "id": clock_id, "case_id": case_id, "event_id": clock.event_id, "study": study, "rule": clock.rule,
        "started_at": clock.started_at, "status": status, "superseded_by": None, "in_question": False, "kept_at": at,
        **_facts(clock),
    }  # fmt: skip


def _facts(clock: Clock) -> dict[str, Any]:
    return {name: getattr(clock, name) for name in _FACTS} | {"reasons": list(clock.reasons)}


def _refresh(tx: Connection, row: Row[Any], clock: Clock, rules: Mapping[str, ClockRule], why: str) -> list[_Change]:
    """The same clock, whose facts may have changed; one that was superseded may be the right one after all."""
    if _is_sites_own(clock.rule, rules) or row.status not in (RUNNING, SUPERSEDED):
        return []
    facts = _facts(clock)
    old = {name: value for name, value in row._mapping.items() if name in facts and value != facts[name]}
    if not old and row.status == RUNNING and not row.in_question:
        return []
    tx.execute(
        update(clocks)
        .where(clocks.c.id == row.id)
        .values(status=RUNNING, superseded_by=None, in_question=False, **{name: facts[name] for name in old})
    )
    changed = {name: facts[name] for name in old}
    if row.status == SUPERSEDED:
        return [_Change(row.id, RUNNING, "runs again", _json(old), _json(changed), why)]
    what = "changed" if old else "supported by the facts again"
    return [_Change(row.id, RUNNING, what, _json(old), _json(changed), why)]


def _unsupported(
    tx: Connection, row: Row[Any], started: Mapping[UUID, Clock], why: str
) -> tuple[list[_Change], list[Concern]]:
    """A running clock that the facts do not start now: it moved, or a person must look at it."""
    moved = next((i for i, c in started.items() if (c.event_id, c.rule) == (row.event_id, row.rule)), None)
    if moved is not None:
        tx.execute(update(clocks).where(clocks.c.id == row.id).values(status=SUPERSEDED, superseded_by=moved))
        then = {"superseded_by": str(moved), "started_at": started[moved].started_at.isoformat()}
        before = {"started_at": row.started_at.isoformat()}
        return [_Change(row.id, SUPERSEDED, "superseded", before, then, why)], []
    concern = Concern(
        key=f"{row.event_id or row.case_id}:clock_in_question:{row.rule}",
        kind="clock_in_question",
        level="review",
        event_id=row.event_id,
        reasons=(f"{row.rule} runs, and the facts as known now would not start it: a person decides",),
        is_provisional=False,
    )
    if row.in_question:
        return [], [concern]
    tx.execute(update(clocks).where(clocks.c.id == row.id).values(in_question=True))
    return [_Change(row.id, RUNNING, "in question", None, None, why)], [concern]


def _write(tx: Connection, study: str, changes: Sequence[_Change], at: datetime) -> None:
    if not changes:
        return
    tx.execute(
        insert(clock_history),
        [
            {"clock_id": c.clock_id, "at": at, "status": c.status, "what": c.what, "before": c.before,
             "after": c.after, "reason": c.reason}
            for c in changes
        ],
    )  # fmt: skip
    for c in changes:
        audit.append(
            tx, at=at, who=NAME, did=f"clock {c.what}", about=f"clock {c.clock_id}", study=study, before=c.before,
            after=c.after, reason=c.reason,
        )  # fmt: skip


def _json(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as history keeps them: dates, instants and ids as text."""
    return {
        name: value if isinstance(value, str | bool | int | list | None) else
        value.isoformat() if hasattr(value, "isoformat") else str(value)
        for name, value in facts.items()
    }  # fmt: skip


def _soonest(
    started: Mapping[UUID, Clock], there: Mapping[UUID, Row[Any]], rules: Mapping[str, ClockRule]
) -> Due | None:
    """The soonest clock that runs and is the sponsor's. What a person closed is closed."""
    running = [c for i, c in started.items() if i not in there or there[i].status in (RUNNING, SUPERSEDED)]
    owed = [c for c in running if not _is_sites_own(c.rule, rules)]
    clock = min(owed, key=lambda c: (c.due_at, c.rule), default=None)
    if clock is None:
        return None
    return Due(_words(rules.get(clock.rule)), clock.is_provisional, clock.due_on, clock.due_at)


def _words(rule: ClockRule | None) -> str:
    if rule is not None and rule.days is not None:
        return f"{rule.days}-day clock"
    if rule is not None and rule.hours is not None:
        return f"{rule.hours}-hour clock"
    return "clock"
