"""The page `/desk/me`: what Tocsin knows of whoever looks: name, roles, sessions; another password, signing out."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from alerting import accounts, sessions
from alerting.desk.asked import Asked
from alerting.desk.dose_times import Times
from alerting.desk.people_page import DOES
from alerting.desk.role_words import role as in_words
from alerting.parts import Parts
from tocsin.domain.words import Role
from tocsin.errors import Refused, Wrong
from tocsin.web.identity import Person
from tocsin.web.pages import Form, Pages
from tocsin.web.places import Place

ME: Final = Place("/desk/me", "Your account", "我的账户", frozenset(Role))
"""For everybody who is signed in; it stands beside the name and not among the places."""
_SAID: Final = {
    "password": "Your password is another now. Your other sessions have ended.",
    "ended": "Your other sessions have ended.",
}


def add(routes: APIRouter, parts: Parts, pages: Pages) -> None:
    """The routes."""
    asked = Asked(routes, pages, ME)
    page = MePage(parts, pages, asked)
    asked.get(ME.path, page.show)
    asked.post(f"{ME.path}/password", ME.path, ME.roles, page.password)
    asked.post(f"{ME.path}/sessions", ME.path, ME.roles, page.end_others)


class MePage:
    """Answers everybody's own page."""

    def __init__(self, parts: Parts, pages: Pages, asked: Asked) -> None:
        self._parts = parts
        self._pages = pages
        self._asked = asked

    def show(self, request: Request, who: Person, status: int = 200, *, refusal: Refused | None = None) -> Response:
        """Who one is here."""
        parts = self._parts
        with parts.store.reading() as tx:
            stand = sessions.standing(tx, parts.wall(), who.name)
        times = Times(self._pages.zone, parts.now())
        shown = [
            (times.moment(one.begun_at.isoformat()), times.moment(one.until.isoformat()), str(one.id) == who.session)
            for one in stand
        ]
        return self._pages.html(
            "me.html", status, title=ME.english, who=who, place=None, stand=shown, refusal=refusal,
            roles=[(in_words(role), DOES[Role(role)]) for role in sorted(who.roles) if role in DOES],
            of=f"{who.study}, {who.site}" if who.site else "", least=accounts.LEAST_LENGTH,
            said=_SAID.get(request.query_params.get("said", ""), ""),
        )  # fmt: skip

    def password(self, request: Request, who: Person, form: Form) -> Response:
        """Another password, for whoever knows the one that counts."""
        parts = self._parts
        try:
            if form.raw("password") != form.raw("again"):
                wrong = Wrong("/again", "is not the same as the first", "the same twice")
                raise Refused("the two new passwords differ", [wrong])
            # In a transaction of its own, which counts a wrong one towards the lock.
            if accounts.verify(parts.store, who.name, form.raw("earlier"), parts.now(), wall=parts.wall()) is None:
                wrong = Wrong("/earlier", "does not fit, or there were too many tries", "the password that counts now")
                raise Refused("your password now was not right", [wrong])
            with parts.store.transaction() as tx:
                accounts.change_own_password(
                    tx, who.name, form.raw("password"), parts.now(), session=_session(who)
                )  # fmt: skip
        except Refused as refusal:
            return self.show(request, who, refusal.status, refusal=refusal)
        return self._asked.to(ME.path, "password")

    def end_others(self, request: Request, who: Person, form: Form) -> Response:
        """Signed out on every other device."""
        with self._parts.store.transaction() as tx:
            sessions.sign_out(tx, who.name, self._parts.now(), who=who.name, but=_session(who))
        return self._asked.to(ME.path, "ended")


def _session(who: Person) -> UUID | None:
    return UUID(who.session) if who.session else None
