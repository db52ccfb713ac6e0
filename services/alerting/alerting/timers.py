"""What time owes, as rows: found by "due and not done", so that a service that slept a week misses none.

A timer is fired in one transaction with what it does: `fire` is a conditional UPDATE, and of several processes one
gets it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Integer, bindparam, insert, select, update

from alerting.tables import timers
from tocsin.messages.envelope import identity
from tocsin.store.insert import insert_or_change, insert_unless_there

ALARM, UNCODED, LETTER, CLOCK, DLT, TRIAL, HOLD = "alarm", "uncoded", "letter", "clock", "dlt", "trial", "hold"

# Made once: these run for every message, and making a statement costs as much as running it.
_T = timers.c
_MOVED = ("due_at", "urgency", "done_at", "outcome")
_BEGIN = insert(timers)
_STOP = (
    update(timers)
    .where(_T.id == bindparam("of_id"), _T.done_at.is_(None))
    .values(done_at=bindparam("done_at"), outcome=bindparam("outcome"))
)
_FIRE = _STOP.where(_T.due_at == bindparam("of_due_at"))
_LOCK = select(_T.id).where(_T.id == bindparam("of_id")).with_for_update()
_DUE = (
    select(_T.id, _T.kind, _T.about, _T.study, _T.due_at, _T.urgency)
    .where(_T.kind == bindparam("of_kind"), _T.done_at.is_(None), _T.due_at <= bindparam("now"))
    .order_by(_T.urgency, _T.due_at)
    .limit(bindparam("most", type_=Integer))
)
_NEXT = select(_T.due_at).where(_T.done_at.is_(None)).order_by(_T.due_at).limit(1)


@dataclass(frozen=True, slots=True)
class Timer:
    """One thing owed. `about` names it for whoever does it."""

    id: UUID
    kind: str
    about: str
    study: str
    due_at: datetime
    urgency: int = 0


def timer_id(kind: str, about: str) -> UUID:
    """One timer for each thing: setting it again moves it."""
    return identity("timer", kind, about)


def begin(tx: Connection, kind: str, about: str, *, study: str, due_at: datetime, urgency: int) -> None:
    """Set a timer that was never set before."""
    tx.execute(
        _BEGIN,
        {"id": timer_id(kind, about), "kind": kind, "about": about, "study": study, "due_at": due_at,
         "urgency": urgency},
    )  # fmt: skip


def begin_once(tx: Connection, kind: str, about: str, *, study: str, due_at: datetime, urgency: int) -> None:
    """Set a timer unless it was set before: one that fired stays fired."""
    begin_all_once(tx, kind, study, [(about, due_at, urgency)])


def begin_all_once(tx: Connection, kind: str, study: str, found: Sequence[tuple[str, datetime, int]]) -> None:
    """The same for many of a kind (about, due, urgency), in one statement."""
    rows = [
        {"id": timer_id(kind, about), "kind": kind, "about": about, "study": study, "due_at": due_at,
         "urgency": urgency}
        for about, due_at, urgency in found
    ]  # fmt: skip
    if rows:
        tx.execute(insert_unless_there(timers, tx.dialect.name), rows)


def move(tx: Connection, kind: str, about: str, *, study: str, due_at: datetime, urgency: int) -> None:
    """Set a timer to this instant, whatever it was set to before."""
    tx.execute(
        insert_or_change(timers, tx.dialect.name, *_MOVED),
        {"id": timer_id(kind, about), "kind": kind, "about": about, "study": study, "due_at": due_at,
         "urgency": urgency, "done_at": None, "outcome": None},
    )  # fmt: skip


def due(tx: Connection, kind: str, now: datetime, most: int) -> list[Timer]:
    """What is due and not done, most urgent first."""
    rows = tx.execute(_DUE, {"of_kind": kind, "now": now, "most": most})
    return [Timer(*row) for row in rows]


def next_due(tx: Connection) -> datetime | None:
    """When the next timer of any kind is due; in the past when one is due and not done."""
    return tx.scalars(_NEXT).one_or_none()


def fire(tx: Connection, timer: Timer, at: datetime, outcome: str) -> bool:
    """Take this timer; False when another process did, or somebody moved it meanwhile."""
    told = {"of_id": timer.id, "of_due_at": timer.due_at, "done_at": at, "outcome": outcome}
    fired = tx.execute(_FIRE, told)
    return fired.rowcount == 1


def lock(tx: Connection, kind: str, about: str) -> None:
    """Let nobody else fire or move this timer until the transaction ends."""
    tx.execute(_LOCK, {"of_id": timer_id(kind, about)})


def stop(tx: Connection, kind: str, about: str, at: datetime, outcome: str) -> None:
    """It is not owed any more."""
    tx.execute(_STOP, {"of_id": timer_id(kind, about), "done_at": at, "outcome": outcome})
