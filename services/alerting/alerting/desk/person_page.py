"""One person as an administrator sees them: other roles, a new password, lifting a lock, ending sessions, closing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from alerting import accounts, sessions
from alerting.desk import people_page
from alerting.desk.asked import Asked
from alerting.desk.dose_times import Times
from alerting.desk.role_words import role as in_words
from alerting.parts import Parts
from tocsin.errors import Conflict, NotFound, Refused, Wrong
from tocsin.web.identity import Person
from tocsin.web.pages import Form, Pages
from tocsin.web.places import PEOPLE

HERE: Final = f"{PEOPLE.path}/one"
_SAID: Final = {
    "added": "Added. They may sign in now.",
    "roles": "The roles are others now. Every session of this person has ended.",
    "password": "The password is another now. Every session of this person has ended, and no lock stands.",
    "unlocked": "The lock is lifted.",
    "ended": "Every session of this person has ended.",
}
_LONGEST_REASON: Final = 2000


def add(routes: APIRouter, parts: Parts, pages: Pages) -> None:
    """The routes."""
    asked = Asked(routes, pages, PEOPLE)
    page = PersonPage(parts, pages, asked)
    asked.get(HERE, page.open)
    for name, deed in (
        ("roles", page.roles), ("password", page.password), ("unlock", page.unlock), ("sessions", page.sessions),
        ("close", page.close),
    ):  # fmt: skip
        asked.post(f"{PEOPLE.path}/{name}", PEOPLE.path, PEOPLE.roles, deed)


class PersonPage:
    """Answers the page of each person."""

    def __init__(self, parts: Parts, pages: Pages, asked: Asked) -> None:
        self._parts = parts
        self._pages = pages
        self._asked = asked

    def open(self, request: Request, who: Person) -> Response:
        """The page of the person whom the address names."""
        return self.show(request, who, request.query_params.get("name", ""))

    def show(
        self, request: Request, who: Person, name: str, status: int = 200, *, typed: Form | None = None,
        refusal: Refused | None = None,
    ) -> Response:  # fmt: skip
        """The account, its sessions, and what can be done. NotFound where nobody is called so."""
        parts = self._parts
        with parts.store.reading() as tx:
            known = next((one for one in accounts.known(tx) if one.name == accounts.key(name)), None)
            if known is None:
                raise NotFound("nobody here is called so")
            stand = sessions.standing(tx, parts.wall(), known.name)
        times = Times(self._pages.zone, parts.now())
        facts = people_page.facts_of(known)
        if typed is not None and "of_roles" in typed:
            facts = {"role": set(typed.many("role")), "site": typed.get("site")}
        return self._pages.html(
            "person.html", status, title=known.name, who=who, place=PEOPLE,
            person=people_page.account(known, parts, self._pages.zone, len(stand)),
            changed=times.moment(known.changed_at.isoformat()), facts=facts, roles=people_page.ROLES,
            does=people_page.DOES, in_words=in_words, sites=people_page.sites_of(parts.studies),
            stand=[(times.moment(one.begun_at.isoformat()), times.moment(one.until.isoformat())) for one in stand],
            refusal=refusal, reason=typed.get("reason") if typed else "", least=accounts.LEAST_LENGTH,
            said=_SAID.get(request.query_params.get("said", ""), ""),
        )  # fmt: skip

    def roles(self, request: Request, who: Person, form: Form) -> Response:
        """Other roles, or another site."""

        def change(tx: Connection, name: str, now: datetime) -> None:
            of = people_page.site_of(form, self._parts.studies)
            accounts.change(tx, name, form.many("role"), now, who=who.name, of=of)

        return self._do(request, who, form, change, "roles")

    def password(self, request: Request, who: Person, form: Form) -> Response:
        """A new password; it lifts a lock, and opens a closed account again."""
        made: list[str] = []

        def reset(tx: Connection, name: str, now: datetime) -> None:
            password, is_ours = people_page.password_of(form)
            accounts.reset(tx, name, password, now, who=who.name)
            made.extend([password] if is_ours else [])

        answer = self._do(request, who, form, reset, "password")
        return people_page.told_once(self._pages, who, accounts.key(form.get("name")), made[0]) if made else answer

    def unlock(self, request: Request, who: Person, form: Form) -> Response:
        """Too many wrong passwords are forgotten."""

        def unlock(tx: Connection, name: str, now: datetime) -> None:
            accounts.unlock(tx, name, now, who=who.name)

        return self._do(request, who, form, unlock, "unlocked")

    def sessions(self, request: Request, who: Person, form: Form) -> Response:
        """Signed out everywhere."""

        def end(tx: Connection, name: str, now: datetime) -> None:
            if name not in accounts.names(tx):
                raise Conflict("nobody who may sign in is called so")
            sessions.sign_out(tx, name, now, who=who.name)

        return self._do(request, who, form, end, "ended")

    def close(self, request: Request, who: Person, form: Form) -> Response:
        """Nobody signs in by it any more."""

        def close(tx: Connection, name: str, now: datetime) -> None:
            reason = form.get("reason")
            if not 0 < len(reason) <= _LONGEST_REASON:
                said = f"a reason of 1 to {_LONGEST_REASON} characters"
                raise Refused("an account is closed with a reason", [Wrong("/reason", "is missing or too long", said)])
            accounts.close(tx, name, now, who=who.name, reason=reason)

        return self._do(request, who, form, close, "closed", to=PEOPLE.path)

    def _do(
        self, request: Request, who: Person, form: Form, deed: Callable[[Connection, str, datetime], None], said: str,
        to: str = HERE,
    ) -> Response:  # fmt: skip
        name = accounts.key(form.get("name"))
        try:
            with self._parts.store.transaction() as tx:
                deed(tx, name, self._parts.now())
        except NotFound:
            raise
        except Refused as refusal:
            return self.show(request, who, name, refusal.status, typed=form, refusal=refusal)
        return self._asked.to(to, said, name=name if to == HERE else "")
