"""Logins that stand: one row each, so that signing out, other roles or a closed account end them at once.

A token says which session it is of, and every service verifies it by its signature. Whether the session still counts
is known where its row is: in this service, and in a house that it shares with the others.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection, insert, select, update

from alerting.tables import accounts, sessions
from tocsin.store import audit
from tocsin.store.engine import Store
from tocsin.web.identity import Person

LAST = timedelta(hours=8)
REMEMBERED_S = 1.0
"""How long a session is believed without looking again: an ended one is refused after this at the latest."""


def begin(tx: Connection, name: str, wall: datetime) -> UUID:
    """A new session of somebody who just signed in, by the machine's time."""
    session_id = uuid4()
    row = {"id": session_id, "account": name, "begun_at": wall, "until": wall + LAST}
    tx.execute(insert(sessions), row)
    return session_id


def end(tx: Connection, session_id: UUID, at: datetime, *, who: str, because: str = "signed out") -> bool:
    """End one session; False when it had ended."""
    changed = tx.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.ended_at.is_(None))
        .values(ended_at=at, ended_because=because)
    ).rowcount
    if changed:
        audit.append(tx, at=at, who=who, did="session ended", about=f"person {who}", reason=because)
    return bool(changed)


def end_all(tx: Connection, name: str, at: datetime, *, because: str) -> int:
    """End every session of an account: somebody's roles, site or password are others now, or none."""
    return tx.execute(
        update(sessions)
        .where(sessions.c.account == name, sessions.c.ended_at.is_(None))
        .values(ended_at=at, ended_because=because)
    ).rowcount


class Logins:
    """Whether a login still counts. A good one is remembered for a moment; one that has ended never is."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._good: dict[str, float] = {}

    def still_counts(self, person: Person) -> bool:
        """See tocsin.web.identity.Logins."""
        if time.monotonic() - self._good.get(person.session, float("-inf")) < REMEMBERED_S:
            return True
        looked_at = time.monotonic()
        if not self._is_good(person):
            self._good.pop(person.session, None)
            return False
        if len(self._good) > 10_000:
            self._good.clear()
        self._good[person.session] = looked_at
        return True

    def _is_good(self, person: Person) -> bool:
        try:
            session_id = UUID(person.session)
        except ValueError:
            return False
        query = (
            select(sessions.c.id)
            .join(accounts, accounts.c.name == sessions.c.account)
            .where(
                sessions.c.id == session_id, sessions.c.account == person.name, sessions.c.ended_at.is_(None),
                accounts.c.closed_at.is_(None),
            )
        )  # fmt: skip
        with self._store.reading() as connection:
            return connection.execute(query).one_or_none() is not None
