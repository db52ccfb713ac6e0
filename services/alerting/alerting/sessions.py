"""Logins that stand: one row each, so that signing out, other roles or a closed account end them at once.

A token says which session it is of, and every service verifies it by its signature. Whether the session still counts
is known where its row is: in this service, and in a house that it shares with the others.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection, insert, select, update

from alerting.tables import accounts, sessions
from tocsin.store import audit
from tocsin.store.engine import Store
from tocsin.store.pending import announce
from tocsin.web.identity import Person

LAST = timedelta(hours=8)
REMEMBERED_S = 1.0
"""How long a session is believed without looking again: one that another process ended is refused by then."""
ENDED = "sessions ended"
"""What a transaction announces that ended some: this process believes none without looking again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A login that stands, by the machine's time."""

    id: UUID
    account: str
    begun_at: datetime
    until: datetime


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
        announce(tx, ENDED)
        audit.append(tx, at=at, who=who, did="session ended", about=f"person {who}", reason=because)
    return bool(changed)


def end_all(tx: Connection, name: str, at: datetime, *, because: str, but: UUID | None = None) -> int:
    """End every session of an account, `but` one: somebody's roles, site or password are others now, or none."""
    its = sessions.c
    mine = (its.account == name, its.ended_at.is_(None), *((its.id != but,) if but is not None else ()))
    announce(tx, ENDED)
    return tx.execute(update(sessions).where(*mine).values(ended_at=at, ended_because=because)).rowcount


def sign_out(tx: Connection, name: str, at: datetime, *, who: str, but: UUID | None = None) -> int:
    """End somebody's sessions because a person asked for it, and say so in the trail; answers how many."""
    ended = end_all(tx, name, at, because=f"ended by {who}", but=but)
    after = {"ended": ended, "kept_one": but is not None}
    audit.append(tx, at=at, who=who, did="sessions ended", about=f"person {name}", after=after)
    return ended


def standing(tx: Connection, wall: datetime, name: str | None = None) -> list[Standing]:
    """The sessions that count at this moment, newest first; of one account, or of all."""
    its = sessions.c
    query = (
        select(its.id, its.account, its.begun_at, its.until)
        .join(accounts, accounts.c.name == its.account)
        .where(its.ended_at.is_(None), its.until > wall, accounts.c.closed_at.is_(None))
    )
    if name is not None:
        query = query.where(its.account == name)
    return [Standing(*row) for row in tx.execute(query.order_by(its.begun_at.desc(), its.id))]


class Logins:
    """Whether a login still counts. A good one is remembered for a moment; one that has ended never is."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._good: dict[str, float] = {}
        self._endings = 0
        store.after_commit(ENDED, self._forget)

    def still_counts(self, person: Person) -> bool:
        """See tocsin.web.identity.Logins."""
        if time.monotonic() - self._good.get(person.session, float("-inf")) < REMEMBERED_S:
            return True
        looked_at, endings = time.monotonic(), self._endings
        if not self._is_good(person):
            self._good.pop(person.session, None)
            return False
        if len(self._good) > 10_000:
            self._good.clear()
        good = self._good
        good[person.session] = looked_at
        if endings != self._endings:  # One ended while we looked: perhaps this.
            good.pop(person.session, None)
        return True

    def _forget(self) -> None:
        self._endings += 1
        self._good.clear()

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
