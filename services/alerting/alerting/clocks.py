"""The regulatory clocks that are kept: what the book of rules says of them, with a line of history for each change.

`tocsin.domain.lives` follows every clock of a case through everything known; this brings the rows to what it says, in
the transaction of the fact that changed it, and tells the audit trail who changed what and why. No row is ever deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from alerting import clock_notices, overdue
from alerting.delivery.bell import Due
from alerting.parts import NAME
from alerting.tables import clock_history, clocks
from tocsin.domain.assess import Concern
from tocsin.domain.clock_life import ClockKey, ClockLife, Status
from tocsin.domain.clocks import ClockRule, Duty
from tocsin.domain.notices import is_told
from tocsin.domain.protocol import Protocol
from tocsin.messages.envelope import identity
from tocsin.store import audit

RUNNING, MET, LATE, CANCELLED, SUPERSEDED = (status.value for status in Status)

_FACTS = ("day_zero", "due_on", "due_at", "reasons", "is_provisional", "clause", "recipient", "confidence")
_STATE = ("status", "superseded_by", "in_question", "questions", "is_open", "known_at", "started_at")

# Made once: these run for every message, and making a statement costs as much as running it.
_C = clocks.c
_OF_CASE = select(clocks).where(_C.case_id == bindparam("case_id"))
_NEW, _NEW_HISTORY = insert(clocks), insert(clock_history)
_THIS = update(clocks).where(_C.id == bindparam("of_id"))
_REFRESH = _THIS.values({name: bindparam(name) for name in (*_FACTS, *_STATE)})
_SUPERSEDE = _THIS.values(status=SUPERSEDED, superseded_by=bindparam("superseded_by"), is_open=False, in_question=False)
_QUESTION = _THIS.values(in_question=True, questions=bindparam("questions"))


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands after keeping: the soonest clock that the sponsor owes, and the clocks a person must look at.

    `explained`: why each report runs that is owed to an authority, in one sentence, by event.
    """

    soonest: Due | None
    concerns: tuple[Concern, ...]
    explained: Mapping[str | None, tuple[str, ...]]


@dataclass(slots=True)
class _Change:
    clock_id: UUID
    status: str
    what: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str


def keep(
    tx: Connection, protocol: Protocol, case_id: str, found: Sequence[ClockLife], *, is_new_case: bool, why: str,
    at: datetime, by: str = NAME,
) -> Kept:  # fmt: skip
    """Bring the kept clocks of a case to what everything known says now. `why` says what changed, `by` who did."""
    rules = {rule.id: rule for rule in protocol.clock_rules}
    there: dict[UUID, Row[Any]] = {}
    if not is_new_case:
        there = {row.id: row for row in tx.execute(_OF_CASE, {"case_id": case_id})}
    if not found and not there:
        return Kept(None, (), {})
    lives = {clock_id(case_id, life.key, life.duty): life for life in found}
    changes: list[_Change] = []
    new, refreshed = [], []
    for one, life in lives.items():
        if one in there:
            wanted, changed = _refresh(there[one], life, case_id, why)
            refreshed += wanted
            changes += changed
        else:
            new.append(_row(one, case_id, protocol.id, life, at))
            changes += _begun(one, life, why)
    # Each row may name another of the same insert as its successor, so that no order of rows is needed.
    if new:
        tx.execute(_NEW, new)
    if refreshed:
        tx.execute(_REFRESH, refreshed)
    concerns = []
    for row in there.values():
        if row.id not in lives and row.is_open:
            change, concern = _unsupported(tx, row, lives, rules, why)
            changes += change
            concerns += concern
    _write(tx, protocol.id, changes, at, by)
    _tell(tx, protocol.id, case_id, lives, there, changes, at)
    return Kept(_soonest(lives, rules), tuple(concerns), _explained(found, rules))


def clock_id(case_id: str, key: ClockKey, duty: Duty) -> UUID:
    """The id of a clock: the same facts give the same one, in every process and on a rebuild."""
    if duty is Duty.SITE_REPORT:
        # Once a case, with the status it had at receipt (readings.md, clocks 1).
        return identity("clock", case_id, "", key.rule, "once")
    return identity("clock", case_id, key.event_id or "", key.rule, key.known_at.isoformat())


def _row(one: UUID, case_id: str, study: str, life: ClockLife, at: datetime) -> dict[str, Any]:
    return {
        "id": one, "case_id": case_id, "event_id": life.clock.event_id, "study": study, "rule": life.clock.rule,
        "started_at": life.clock.started_at, "kept_at": at, **_facts(life), **_state(life, case_id),
    }  # fmt: skip


def _facts(life: ClockLife) -> dict[str, Any]:
    return {name: getattr(life.clock, name) for name in _FACTS} | {"reasons": list(life.clock.reasons)}


def _state(life: ClockLife, case_id: str) -> dict[str, Any]:
    after = life.superseded_by
    return {
        "status": life.status.value,
        "superseded_by": None if after is None else clock_id(case_id, after, life.duty),
        "in_question": bool(life.questions),
        "questions": list(life.questions),
        "is_open": life.is_open,
        "known_at": life.known_at,
        "started_at": life.clock.started_at,
    }


def _begun(one: UUID, life: ClockLife, why: str) -> list[_Change]:
    """It started; and where more than its start was known already, what became of it."""
    changes = [_Change(one, RUNNING, "started", None, _json(_facts(life)), why)]
    if life.duty is Duty.SITE_REPORT:
        changes = [_Change(one, life.status.value, _WORDS[life.status.value], None, _json(_facts(life)),
                           f"{why}: {life.because}")]  # fmt: skip
    elif life.status is not Status.RUNNING:
        changes.append(_Change(one, life.status.value, _WORDS[life.status.value], None, None, life.because))
    elif life.questions:
        changes.append(_Change(one, RUNNING, "in question", None, None, "; ".join(life.questions)))
    return changes


_WORDS = {RUNNING: "runs again", MET: "met", LATE: "late", CANCELLED: "cancelled", SUPERSEDED: "superseded"}


def _refresh(
    row: Row[Any], life: ClockLife, case_id: str, why: str
) -> tuple[list[dict[str, Any]], list[_Change]]:  # fmt: skip
    """The same clock, of which something may have changed: its facts, its status, whether it is in question.

    Answers what its row is to be, where it is not that yet, and what has changed.
    """
    if life.duty is Duty.SITE_REPORT:
        return [], []
    facts, state = _facts(life), _state(life, case_id)
    wanted = {**facts, **state}
    differs = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if not differs:
        return [], []
    old = {name: getattr(row, name) for name in differs if name in facts}
    changes = []
    if old:
        changed = _json({name: facts[name] for name in old})
        changes.append(_Change(row.id, row.status, "changed", _json(old), changed, why))
    if "status" in differs or ("is_open" in differs and life.is_open):
        moved = {name: differs[name] for name in ("superseded_by",) if differs.get(name) is not None}
        what = _WORDS[life.status.value] if "status" in differs else "open again"
        changes.append(
            _Change(row.id, life.status.value, what, {"status": row.status}, _json(moved) or None,
                    f"{why}: {life.because}")
        )  # fmt: skip
    if differs.get("in_question") is True:
        changes.append(_Change(row.id, life.status.value, "in question", None, None, "; ".join(life.questions)))
    elif differs.get("in_question") is False and life.is_open:
        changes.append(_Change(row.id, life.status.value, "supported by the facts again", None, None, why))
    return [{"of_id": row.id, **wanted}], changes


def _unsupported(
    tx: Connection, row: Row[Any], lives: Mapping[UUID, ClockLife], rules: Mapping[str, ClockRule], why: str
) -> tuple[list[_Change], list[Concern]]:
    """A clock that ran by what was known then, and of which an earlier fact that came later knows nothing.

    It gives way to the same rule's clock of the same event, else to one that stands for the same duty to the same
    recipient and is no longer: a report that was sent before is entered, and what followed is owed by another rule.
    Where there is none a person looks at it.
    """
    same = [one for one, life in lives.items() if (life.clock.event_id, life.clock.rule) == (row.event_id, row.rule)]
    same = same or [one for one, life in lives.items() if _stands_for(life, row, rules.get(row.rule))]
    if same:
        moved = min(same, key=lambda one: (lives[one].clock.due_at, str(one)))
        tx.execute(_SUPERSEDE, {"of_id": row.id, "superseded_by": moved})
        then = {"superseded_by": str(moved), "started_at": lives[moved].clock.started_at.isoformat()}
        return [_Change(row.id, SUPERSEDED, "superseded", {"status": row.status}, then, why)], []
    reason = f"{row.rule} runs, and what is known now gives it no start: a person decides"
    concern = Concern(
        f"{row.event_id or row.case_id}:clock_in_question:{row.rule}", "clock_in_question", "review", row.event_id,
        (reason,), False,
    )  # fmt: skip
    if row.in_question:
        return [], [concern]
    tx.execute(_QUESTION, {"of_id": row.id, "questions": [reason]})
    return [_Change(row.id, row.status, "in question", None, None, why)], [concern]


def _stands_for(life: ClockLife, row: Row[Any], rule: ClockRule | None) -> bool:
    """Whether this clock asks for at least what that one did, of the same event, and neither gave way nor ended."""
    if rule is None or rule.days is None or life.days is None or life.status in (Status.SUPERSEDED, Status.CANCELLED):
        return False
    is_same = (life.clock.event_id, life.clock.recipient, life.duty) == (row.event_id, row.recipient, rule.duty)
    return is_same and life.days <= rule.days


def _tell(
    tx: Connection, study: str, case_id: str, lives: Mapping[UUID, ClockLife], there: Mapping[UUID, Row[Any]],
    changes: Sequence[_Change], at: datetime,
) -> None:  # fmt: skip
    """Set the timers of what is open, and end the ringing of what is not."""
    clock_notices.keep(tx, study, case_id, list(lives.values()))
    for one, life in lives.items():
        if one in there and life.is_open and not there[one].is_open:
            clock_notices.reopened(tx, study, case_id, life)
    if there and changes:
        owed = {life.clock.due_at for life in lives.values() if life.is_open and is_told(life)}
        overdue.settle(tx, study, case_id, owed, at)


def _write(tx: Connection, study: str, changes: Sequence[_Change], at: datetime, by: str) -> None:
    if not changes:
        return
    tx.execute(
        _NEW_HISTORY,
        [
            {"clock_id": c.clock_id, "at": at, "status": c.status, "what": c.what, "before": c.before,
             "after": c.after, "reason": c.reason}
            for c in changes
        ],
    )  # fmt: skip
    for c in changes:
        audit.append(
            tx, at=at, who=by, did=f"clock {c.what}", about=f"clock {c.clock_id}", study=study, before=c.before,
            after=c.after, reason=c.reason,
        )  # fmt: skip


def _json(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as history keeps them: dates, instants and ids as text."""
    return {
        name: value if isinstance(value, str | bool | int | list | None) else
        value.isoformat() if hasattr(value, "isoformat") else str(value)
        for name, value in facts.items()
    }  # fmt: skip


def _soonest(lives: Mapping[UUID, ClockLife], rules: Mapping[str, ClockRule]) -> Due | None:
    """The soonest clock that is open and is the sponsor's."""
    owed = [life.clock for life in lives.values() if life.is_open and life.duty is not Duty.SITE_REPORT]
    clock = min(owed, key=lambda c: (c.due_at, c.rule), default=None)
    if clock is None:
        return None
    return Due(_words(rules.get(clock.rule)), clock.is_provisional, clock.due_on, clock.due_at)


def _explained(found: Sequence[ClockLife], rules: Mapping[str, ClockRule]) -> Mapping[str | None, tuple[str, ...]]:
    """Why this clock? Copies and completed reports run for the same reasons and stand on the desk."""
    said: dict[str | None, tuple[str, ...]] = {}
    for life in sorted(found, key=lambda one: (one.clock.due_at, one.clock.rule)):
        rule, clock = rules.get(life.clock.rule), life.clock
        is_own = life.duty is Duty.REPORT or (life.duty is Duty.FOLLOW_UP and rule is not None and rule.follows is None)
        if life.is_open and is_own:
            why = f"why {clock.rule} to {clock.recipient}, due {clock.due_on}: {'; '.join(clock.reasons)}"
            said[clock.event_id] = (*said.get(clock.event_id, ()), f"{clock.event_id}: {why}")
    return said


def _words(rule: ClockRule | None) -> str:
    if rule is not None and rule.days is not None:
        return f"{rule.days}-day clock"
    if rule is not None and rule.hours is not None:
        return f"{rule.hours}-hour clock"
    return "clock"
