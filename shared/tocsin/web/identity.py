"""Who asks: a machine with a site key, or a person with a short-lived signed token. `Authorization: Bearer …`.

Site keys are random, so their SHA-256 is enough to keep; they live in ae-intake's tables, and the service that holds
them lends the house its look-up. Accounts and passwords live in alerting, which signs the tokens that all verify.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from tocsin.errors import Forbidden, Unauthorised
from tocsin.now import Now
from tocsin.web.limits import limits_of

KEY_PREFIX = "tocsin_site_"
TOKEN_PREFIX = "tocsin_login_"  # noqa: S105  the name of a kind, not a secret
_KEY = re.compile(rf"{KEY_PREFIX}[A-Za-z0-9_-]{{43}}")


@dataclass(frozen=True, slots=True)
class Machine:
    """A system that posts for one site of one study; `site` None for all sites of it (a sponsor's feed)."""

    key_id: str
    study: str
    site: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who logged in, with the roles they had then. Whoever is of a site reads and writes for that site only.

    `session`: which login this is; empty for a token that no session stands behind.
    """

    name: str
    roles: frozenset[str]
    study: str | None = None
    site: str | None = None
    session: str = ""


class Machines(Protocol):
    """Where machines are found by the hash of their key."""

    def remembered(self, key_hash: str) -> Machine | None:
        """The machine if it was found a moment ago. Answers at once, without the database."""

    def find(self, key_hash: str) -> Machine | None:
        """The machine, None when the key is unknown or revoked. May wait for the database."""


class Logins(Protocol):
    """Where it is known whether a login still counts: of the service that keeps the accounts."""

    def still_counts(self, person: Person) -> bool:
        """Whether the session has not been ended and the account is as it was. May wait for the database."""


@dataclass(frozen=True, slots=True)
class Identity:
    """How this house tells who asks. `machines` is None where no keys are kept, `logins` where no accounts are:

    there a login counts until it runs out.
    """

    now: Now
    machines: Machines | None = None
    signing_key: bytes | None = None
    logins: Logins | None = None


def new_key() -> str:
    """A new site key: 256 bits, shown once, kept as `hash_of`."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def hash_of(key: str) -> str:
    """What is kept of a site key."""
    return hashlib.sha256(key.encode()).hexdigest()


def sign_person(person: Person, key: bytes, now: datetime, ttl: timedelta) -> str:
    """A token that says who this is until `now + ttl`, signed with HMAC-SHA256."""
    until = int((now + ttl).timestamp())
    of = {"study": person.study, "site": person.site, "session": person.session}
    known = {"name": person.name, "roles": sorted(person.roles), "until": until}
    says = json.dumps({**known, **{name: value for name, value in of.items() if value}}, separators=(",", ":"))
    body = _b64(says.encode())
    return f"{TOKEN_PREFIX}{body}.{_b64(_mac(body, key))}"


def read_person(token: str, key: bytes, now: datetime) -> Person:
    """Whom a token names. Unauthorised when it is not ours, altered, or has run out."""
    body, _, signature = token.removeprefix(TOKEN_PREFIX).partition(".")
    try:
        is_ours = token.startswith(TOKEN_PREFIX) and hmac.compare_digest(_unb64(signature), _mac(body, key))
        if not is_ours:
            raise Unauthorised("this login is not known")
        says = json.loads(_unb64(body))
        until = datetime.fromtimestamp(says["until"], UTC)
        person = Person(
            str(says["name"]), frozenset(says["roles"]), says.get("study"), says.get("site"), says.get("session", "")
        )
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise Unauthorised("this login is not known") from None
    if now >= until:
        raise Unauthorised("this login has run out: log in again")
    return person


bearer = HTTPBearer(auto_error=False, description="A site key (`tocsin keys add`) or a login (`POST /v1/sessions`).")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


async def machine(request: Request, given: Bearer = None) -> Machine:
    """The machine that asks; Unauthorised when its key is unknown, revoked or missing."""
    found = await _machine(request, _text(given))
    if found is None:
        raise Unauthorised("this key is not known, or was revoked: ask for one with `tocsin keys add`")
    return found


async def person(request: Request, given: Bearer = None) -> Person:
    """The person who asks; Unauthorised without a good login."""
    identity: Identity = request.app.state.identity
    if identity.signing_key is None:
        raise Unauthorised("nobody can log in here: no signing key is set")
    found = await run_in_threadpool(whoever, identity, _text(given))
    request.scope["state"]["who"] = found.name
    limits_of(request).count_login(request, login_of(found))
    return found


def whoever(identity: Identity, token: str) -> Person:
    """Whom a token names, if it still counts; Unauthorised. May wait for the database."""
    if not identity.signing_key:
        raise Unauthorised("nobody can log in here: no signing key is set")
    found = read_person(token, identity.signing_key, identity.now())
    if found.session and identity.logins is not None and not identity.logins.still_counts(found):
        raise Unauthorised("this login has ended: log in again")
    return found


def login_of(who: Person) -> str:
    """What a login is counted by: the session, or the name where no session stands behind it."""
    return who.session or who.name


async def anybody(request: Request, given: Bearer = None) -> Machine | Person:
    """Whoever asks, machine or person."""
    if _text(given).startswith(TOKEN_PREFIX):
        return await person(request, given)
    return await machine(request, given)


def must_hold(who: Person, roles: Iterable[str]) -> None:
    """Forbidden, naming the roles, unless the person holds one of them."""
    wanted = sorted(roles)
    if who.roles.isdisjoint(wanted):
        raise Forbidden(f"this needs the role {' or '.join(wanted)}")


def requires(*roles: str) -> Any:
    """A dependency: the person who asks, if they hold one of the roles; else Forbidden, naming the roles."""

    async def holds(who: Annotated[Person, Depends(person)]) -> Person:
        must_hold(who, roles)
        return who

    return Depends(holds)


def _text(given: HTTPAuthorizationCredentials | None) -> str:
    if given is None or not given.credentials:
        raise Unauthorised("who are you? Send Authorization: Bearer with a site key or a login")
    return given.credentials


async def _machine(request: Request, key: str) -> Machine | None:
    identity: Identity = request.app.state.identity
    if identity.machines is None or not _KEY.fullmatch(key):
        return None
    key_hash = hash_of(key)
    found = identity.machines.remembered(key_hash) or await run_in_threadpool(identity.machines.find, key_hash)
    if found is not None:
        request.scope["state"]["who"] = found.key_id
        limits_of(request).count_key(request, found.key_id)
    return found


def _mac(body: str, key: bytes) -> bytes:
    return hmac.digest(key, f"{TOKEN_PREFIX}{body}".encode(), "sha256")


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
