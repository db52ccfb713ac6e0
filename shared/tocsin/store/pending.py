"""What one open transaction has promised: messages and audit entries to write at its end, listeners to call after it.

It travels with the `Connection` object of one transaction and dies with it. A savepoint that is rolled back takes its
own messages and entries along: a work that failed must leave no line saying that it was done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event

OPTION = "tocsin_pending"


@dataclass(frozen=True, slots=True)
class Entry:
    """One audit line as it will be hashed: every value is already the text that will be kept."""

    at: str
    who: str
    did: str
    about: str
    study: str | None
    before: str | None
    after: str | None
    reason: str | None


@dataclass(slots=True)
class Pending:
    """The promises of one transaction. `marks` holds, per open savepoint, how many entries there were before it.

    `said`: rows for the outbox, in the order in which they were put. None of them is from before an open savepoint.
    """

    entries: list[Entry] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    announced: set[str] = field(default_factory=set)
    marks: dict[str, int] = field(default_factory=dict)
    savepoints: int = 0


def pending_of(tx: Connection) -> Pending:
    """The promises of this transaction. RuntimeError when `tx` does not come from `Store.transaction()`."""
    if (pending := _of(tx)) is None:
        raise RuntimeError("this connection is not a Store.transaction(): nothing may be promised on it")
    return pending


def announce(tx: Connection, what: str) -> None:
    """After COMMIT, call the listeners that were given to `Store.after_commit(what, …)`. Once per transaction."""
    pending_of(tx).announced.add(what)


def follow_savepoints(engine: Engine, write: Callable[[Connection], None]) -> None:
    """Make this engine's savepoints take their own promises along when they are rolled back.

    `write` writes what was said before a savepoint, so that it stays if that is rolled back.
    """

    def opened(tx: Connection, name: str | None) -> None:
        if (pending := _of(tx)) is not None:
            write(tx)
            # SQLAlchemy calls this before it has numbered the savepoint; a Connection numbers from 1. Were that to
            # change, the look-ups below would fail aloud.
            pending.savepoints += 1
            pending.marks[name or f"sa_savepoint_{pending.savepoints}"] = len(pending.entries)

    def rolled_back(tx: Connection, name: str, context: object) -> None:
        if (pending := _of(tx)) is not None:
            del pending.entries[pending.marks.pop(name) :]
            pending.said.clear()

    def released(tx: Connection, name: str, context: object) -> None:
        if (pending := _of(tx)) is not None:
            write(tx)
            pending.marks.pop(name)

    event.listen(engine, "savepoint", opened)
    event.listen(engine, "rollback_savepoint", rolled_back)
    event.listen(engine, "release_savepoint", released)


def _of(tx: Connection) -> Pending | None:
    pending = tx.get_execution_options().get(OPTION)
    return pending if isinstance(pending, Pending) else None
