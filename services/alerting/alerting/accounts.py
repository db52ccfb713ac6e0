"""The people who may sign in: names, roles, passwords as argon2id. Tokens are signed by `tocsin.web.identity`.

A wrong name, a wrong password and too many tries are told in the same words and take the same time, so that trying
tells nobody who has an account here.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from alerting import sessions
from alerting.tables import accounts
from tocsin.domain.words import Role
from tocsin.errors import Conflict, NotFound, Refused, Unauthorised, Wrong
from tocsin.store import audit
from tocsin.store.engine import Store
from tocsin.web.identity import Person

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST_LENGTH = 12
FREE_TRIES = 5
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
_REFUSAL = "this name and this password do not fit, or there were too many tries: wait a while and try again"


@dataclass(frozen=True, slots=True)
class Of:
    """The one site whose reports somebody sends and sees."""

    study: str
    site: str


@dataclass(frozen=True, slots=True)
class Known:
    """An account without its password."""

    name: str
    roles: frozenset[str]
    of: Of | None
    added_at: datetime
    changed_at: datetime
    locked_until: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Account:
    name: str
    roles: frozenset[str]
    password: str
    failures: int
    locked_until: datetime | None
    study: str | None
    site: str | None
    closed_at: datetime | None

    @property
    def of(self) -> Of | None:
        return Of(self.study, self.site) if self.study and self.site else None


def add(
    tx: Connection, name: str, password: str, roles: Collection[str], at: datetime, *, who: str = "command line",
    of: Of | None = None,
) -> None:  # fmt: skip
    """Add a person. Raises Refused naming the wrong role or what the password lacks, Conflict if the name is taken.

    `of`: the site of somebody with the role site, who has no other role.
    """
    _check(roles, of)
    _check_password(password)
    if not name.strip():
        raise Refused("this person cannot be added", [Wrong("/name", "the name is empty", "a name")])
    if _find(tx, name) is not None:
        raise Conflict(f"{name} has an account already; `tocsin users reset` gives it a new password")
    row = {
        "name": key(name), "roles": sorted(roles), "password": _hasher().hash(password), "added_at": at,
        "changed_at": at, "failures": 0, "study": of.study if of else None, "site": of.site if of else None,
    }  # fmt: skip
    tx.execute(insert(accounts), row)
    audit.append(tx, at=at, who=who, did="person added", about=f"person {key(name)}", after=_said(roles, of))


def change(
    tx: Connection, name: str, roles: Collection[str], at: datetime, *, who: str, of: Of | None = None
) -> None:  # fmt: skip
    """Other roles, or another site; the sessions end. NotFound, Refused, Conflict for the last administrator."""
    _one_at_a_time(tx)
    found = _must_find(tx, name)
    _check(roles, of)
    if frozenset(roles) == found.roles and of == found.of:
        return
    if Role.ADMINISTRATOR not in roles:
        _keep_an_administrator(tx, found)
    values = {"roles": sorted(roles), "study": of.study if of else None, "site": of.site if of else None}
    tx.execute(update(accounts).where(accounts.c.name == found.name).values(**values, changed_at=at))
    sessions.end_all(tx, found.name, at, because="other roles")
    audit.append(
        tx, at=at, who=who, did="person changed", about=f"person {found.name}",
        before=_said(found.roles, found.of), after=_said(roles, of),
    )  # fmt: skip


def close(tx: Connection, name: str, at: datetime, *, who: str, reason: str) -> None:
    """Nobody signs in by this account any more; what they did stays theirs. Raises NotFound, Conflict."""
    _one_at_a_time(tx)
    found = _must_find(tx, name)
    if found.closed_at is not None:
        raise Conflict(f"the account of {found.name} is closed already")
    _keep_an_administrator(tx, found)
    tx.execute(update(accounts).where(accounts.c.name == found.name).values(closed_at=at, changed_at=at))
    sessions.end_all(tx, found.name, at, because="account closed")
    audit.append(tx, at=at, who=who, did="account closed", about=f"person {found.name}", reason=reason)


def _one_at_a_time(tx: Connection) -> None:
    """Wait for whoever changes accounts: two administrators who close each other at once must not both be gone."""
    tx.execute(select(accounts.c.name).order_by(accounts.c.name).with_for_update()).all()


def _keep_an_administrator(tx: Connection, losing: _Account) -> None:
    """Conflict when this is the last one who could let anybody in again."""
    others = [
        one for one in known(tx)
        if Role.ADMINISTRATOR in one.roles and one.closed_at is None and one.name != losing.name
    ]  # fmt: skip
    if Role.ADMINISTRATOR in losing.roles and losing.closed_at is None and not others:
        raise Conflict(f"{losing.name} is the last administrator: add another first")


def reset(
    tx: Connection, name: str, password: str, at: datetime, *, roles: Collection[str] | None = None,
    who: str = "command line",
) -> None:  # fmt: skip
    """A new password, no lock, open again, and other roles if given. Raises NotFound, or Refused for either."""
    found = _must_find(tx, name)
    kept = found.roles if roles is None else frozenset(roles)
    _check(kept, found.of)
    _check_password(password)
    tx.execute(
        update(accounts)
        .where(accounts.c.name == found.name)
        .values(password=_hasher().hash(password), roles=sorted(kept), changed_at=at, failures=0, locked_until=None,
                closed_at=None)
    )  # fmt: skip
    sessions.end_all(tx, found.name, at, because="another password")
    audit.append(
        tx, at=at, who=who, did="password reset", about=f"person {found.name}", before={"roles": sorted(found.roles)},
        after={"roles": sorted(kept)},
    )  # fmt: skip


def change_own_password(tx: Connection, name: str, password: str, at: datetime, *, session: UUID | None) -> None:
    """Another password for somebody who just proved the earlier one; all sessions but this one end. Raises Refused."""
    found = _must_find(tx, name)
    _check_password(password)
    tx.execute(
        update(accounts).where(accounts.c.name == found.name).values(password=_hasher().hash(password), changed_at=at)
    )
    sessions.end_all(tx, found.name, at, because="another password", but=session)
    audit.append(tx, at=at, who=found.name, did="password changed", about=f"person {found.name}")


def unlock(tx: Connection, name: str, at: datetime, *, who: str) -> None:
    """The tries begin anew. Raises NotFound, or Conflict where no try failed."""
    found = _must_find(tx, name)
    if not found.failures and found.locked_until is None:
        raise Conflict(f"the account of {found.name} is not locked")
    tx.execute(update(accounts).where(accounts.c.name == found.name).values(failures=0, locked_until=None))
    audit.append(
        tx, at=at, who=who, did="account unlocked", about=f"person {found.name}", before={"failures": found.failures}
    )


def names(tx: Connection) -> list[str]:
    """Who has an account that is not closed."""
    return list(tx.scalars(select(accounts.c.name).where(accounts.c.closed_at.is_(None)).order_by(accounts.c.name)))


def known(tx: Connection) -> list[Known]:
    """Every account, by name, closed ones too."""
    a = accounts.c
    rows = tx.execute(
        select(a.name, a.roles, a.study, a.site, a.added_at, a.changed_at, a.locked_until, a.closed_at).order_by(a.name)
    )
    return [
        Known(row.name, frozenset(row.roles), Of(row.study, row.site) if row.study and row.site else None,
              row.added_at, row.changed_at, row.locked_until, row.closed_at)
        for row in rows
    ]  # fmt: skip


def roles_of(tx: Connection) -> dict[str, frozenset[str]]:
    """The roles of everybody who can sign in, by name as it is kept."""
    return {one.name: one.roles for one in known(tx) if one.closed_at is None}


def sign_in(store: Store, name: str, password: str, at: datetime, *, wall: datetime | None = None) -> Person:
    """The person, if name and password fit; Unauthorised otherwise, always in the same words.

    `at` is for the audit. `wall` is the machine's time where that is another (a rehearsal): locks run out by it.
    """
    person = _tried(store, name, password, at, wall, who="somebody", did="sign-in refused")
    if person is None:
        raise Unauthorised(_REFUSAL)
    with store.transaction() as tx:
        audit.append(tx, at=at, who=person.name, did="signed in", about=f"person {person.name}")
    return person


def sign_in_by_provider(store: Store, name: str, at: datetime) -> Person:
    """The person whom an identity provider named, if the account is open; Unauthorised otherwise."""
    with store.transaction() as tx:
        found = _find(tx, name)
        if found is None or found.closed_at is not None:
            about = f"person {found.name}" if found is not None else "a name without an account"
            audit.append(tx, at=at, who="somebody", did="sign-in refused", about=about, reason="by identity provider")
        else:
            about = f"person {found.name}"
            audit.append(tx, at=at, who=found.name, did="signed in", about=about, reason="by identity provider")
    if found is None or found.closed_at is not None:
        raise Unauthorised("the identity provider knows you, but you have no account here: ask an administrator")
    return Person(found.name, found.roles, found.study, found.site)


def verify(store: Store, name: str, password: str, at: datetime, *, wall: datetime | None = None) -> Person | None:
    """Whether this is the password of somebody who is signed in and now signs: the person as the account is now.

    None when it does not fit, counted towards the same lock as a sign-in: else a stolen token would be a way to try
    passwords without end.
    """
    return _tried(store, name, password, at, wall, who=key(name), did="signature refused")


def _tried(
    store: Store, name: str, password: str, at: datetime, wall: datetime | None, *, who: str, did: str
) -> Person | None:
    """The person, if name and password fit and no lock stands. The password is hashed outside of any transaction:

    it takes long on purpose.
    """
    real = at if wall is None else wall
    with store.reading() as connection:
        found = _find(connection, name)
    fits = _verify(found.password if found is not None else _nobody(), password)
    if found is not None and found.locked_until is not None and real < found.locked_until:
        fits = False
    if found is not None and found.closed_at is not None:
        fits = False
    if found is None or not fits:
        with store.transaction() as tx:
            _failed(tx, name, at, real, who, did)
        return None
    if found.failures or found.locked_until is not None:
        with store.transaction() as tx:
            tx.execute(update(accounts).where(accounts.c.name == found.name).values(failures=0, locked_until=None))
    return Person(found.name, found.roles, found.study, found.site)


def _failed(tx: Connection, name: str, at: datetime, real: datetime, who: str, did: str) -> None:
    """Count it, and lock for longer each time. A try while locked lengthens nothing: a stranger could lock for ever."""
    found = _find(tx, name, for_update=True)
    about = f"person {found.name}" if found is not None else "a name without an account"
    audit.append(tx, at=at, who=who, did=did, about=about)
    if found is None or (found.locked_until is not None and real < found.locked_until):
        return
    failures = found.failures + 1
    wait = FIRST_WAIT * 2 ** min(failures - FREE_TRIES, 10) if failures >= FREE_TRIES else None
    until = real + min(wait, LONGEST_WAIT) if wait is not None else None
    tx.execute(update(accounts).where(accounts.c.name == found.name).values(failures=failures, locked_until=until))


def _find(tx: Connection, name: str, *, for_update: bool = False) -> _Account | None:
    a = accounts.c
    query = select(
        a.name, a.roles, a.password, a.failures, a.locked_until, a.study, a.site, a.closed_at
    ).where(a.name == key(name))  # fmt: skip
    row = tx.execute(query.with_for_update() if for_update else query).one_or_none()
    if row is None:
        return None
    return _Account(
        row.name, frozenset(row.roles), row.password, row.failures, row.locked_until, row.study, row.site,
        row.closed_at,
    )  # fmt: skip


def _must_find(tx: Connection, name: str) -> _Account:
    found = _find(tx, name, for_update=True)
    if found is None:
        raise NotFound(f"{name} has no account here")
    return found


def key(name: str) -> str:
    """A name as it is kept: the case of its letters and the blanks about it make no other person."""
    return " ".join(name.split()).casefold()


def _said(roles: Collection[str], of: Of | None) -> dict[str, object]:
    return {"roles": sorted(roles), **({"study": of.study, "site": of.site} if of else {})}


def _check(roles: Collection[str], of: Of | None) -> None:
    known_roles = [role.value for role in Role]
    wrong = [
        Wrong("/roles", f"no person has the role {role!r}", ", ".join(known_roles))
        for role in roles
        if role not in known_roles
    ]
    if not roles:
        wrong.append(Wrong("/roles", "no role is given", ", ".join(known_roles)))
    if Role.SITE in roles and len(set(roles)) > 1:
        wrong.append(Wrong("/roles", "a person of a site is nothing else here", "site alone"))
    if Role.SITE in roles and of is None:
        wrong.append(Wrong("/site", "is missing", "a person of a site names a study and one of its sites"))
    if Role.SITE not in roles and of is not None:
        wrong.append(Wrong("/site", "is only for the role site", "no site"))
    _refuse(wrong)


def _check_password(password: str) -> None:
    if len(password) < LEAST_LENGTH:
        _refuse([Wrong("/password", "the password is too short", f"at least {LEAST_LENGTH} characters")])


def _refuse(wrong: list[Wrong]) -> None:
    if wrong:
        raise Refused("this account cannot be kept: " + "; ".join(w.problem for w in wrong), wrong)


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # late: start-up time

    return PasswordHasher()


@cache
def _nobody() -> str:
    """A hash that no password fits: what an unknown name is tried against, so that it takes as long."""
    return _hasher().hash(secrets.token_urlsafe(32))


def _verify(kept: str, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
