"""Signing in and out, the door to the desk, and the mailbox page."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from alerting import api, sessions
from alerting.parts import Parts
from tocsin.errors import Forbidden, Refused, Unauthorised
from tocsin.settings import Settings
from tocsin.web.pages import COOKIE, Form, Pages, is_from_here, read_form
from tocsin.web.places import READERS, first_of


def add(routes: APIRouter, parts: Parts, pages: Pages, settings: Settings) -> None:
    """The routes."""
    door = Door(parts, pages, settings)

    @routes.get("/", include_in_schema=False)
    def arrive(request: Request) -> Response:
        return door.arrive(request)

    @routes.get("/sign-in", include_in_schema=False)
    def sign_in_page(request: Request, next: str = "/") -> Response:  # noqa: A002  the name in the address
        return door.page(request, next)

    @routes.post("/sign-in", include_in_schema=False)
    async def sign_in(request: Request) -> Response:
        try:
            form = await read_form(request, 10_000)
        except Refused as refusal:
            return pages.refused(request, refusal)
        return await run_in_threadpool(door.sign_in, request, form)

    @routes.post("/sign-out", include_in_schema=False)
    async def sign_out(request: Request) -> Response:
        form = await read_form(request, 10_000)
        return await run_in_threadpool(door.sign_out, request, form)

    @routes.get("/mailbox", include_in_schema=False)
    def open_mailbox(request: Request) -> Response:
        return door.mailbox(request)


class Door:
    """Lets people in and out."""

    def __init__(self, parts: Parts, pages: Pages, settings: Settings) -> None:
        self._parts = parts
        self._pages = pages
        self._settings = settings

    def arrive(self, request: Request) -> Response:
        """The first page that is for this person; the sign-in form for a stranger."""
        who = self._pages.who(request)
        if who is None:
            return self.page(request, "/")
        place = first_of(who.roles)
        if place is None:
            return self._pages.refused(request, Forbidden("your roles have no page here"))
        return RedirectResponse(self._pages.base + place.path, 303)

    def page(self, request: Request, onward: str, said: str = "", status: int = 200) -> Response:
        """The sign-in form."""
        return self._pages.html(
            "sign_in.html", status, who=None, title="Sign in", said=said, onward=_here(onward),
        )  # fmt: skip

    def sign_in(self, request: Request, form: Form) -> Response:
        """Sign in and go on to the page."""
        onward = _here(form.get("next"))
        if not is_from_here(request):
            return self.page(request, onward, "Sign in on this page.", 403)
        try:
            session = api.new_session(self._parts, self._settings, form.get("name"), form.raw("password"))
        except Unauthorised as refusal:
            return self.page(request, onward, refusal.title[:1].upper() + refusal.title[1:] + ".", refusal.status)
        answer = RedirectResponse(self._pages.base + quote(onward, safe="/-?=&%"), 303)
        answer.set_cookie(
            COOKIE, session["token"], max_age=int(sessions.LAST.total_seconds()), httponly=True, samesite="lax",
            secure=self._settings.public_url.startswith("https://"),
        )  # fmt: skip
        return answer

    def sign_out(self, request: Request, form: Form) -> Response:
        """End the session, here and in every copy of its token."""
        who = self._pages.who(request)
        if who is not None:
            try:
                self._pages.check(request, who, form)
            except Forbidden as refusal:
                return self._pages.refused(request, refusal)
            if who.session:
                with self._parts.store.transaction() as tx:
                    sessions.end(tx, UUID(who.session), self._parts.now(), who=who.name)
        answer = RedirectResponse(f"{self._pages.base}/sign-in", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return answer

    def mailbox(self, request: Request) -> Response:
        """The mails that were written because no mail server is set."""
        who = self._pages.who(request)
        if who is None or not who.roles & READERS:
            said = "" if who is None else "Your roles do not let you read the mailbox."
            return self._pages.sign_in_first(request, said, title="Mailbox")
        return self._pages.html(
            "mailbox.html", title="Mailbox", who=who, mails=api.mails(self._settings),
            has_server=self._settings.smtp_url is not None,
        )  # fmt: skip


def _here(onward: str) -> str:
    """An address on this house; the door for any other."""
    return onward if onward.startswith("/") and not onward.startswith(("//", "/\\")) else "/"
