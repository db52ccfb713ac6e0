"""Signing in and out, the door to the desk, and the mailbox page."""

from __future__ import annotations

import base64
import hmac
import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from alerting import accounts, api, sessions
from alerting.parts import Parts
from tocsin.errors import Forbidden, NotFound, Refused, Unauthorised
from tocsin.settings import Settings
from tocsin.web.limits import limits_of
from tocsin.web.pages import COOKIE, Form, Pages, is_from_here, read_form, sentence
from tocsin.web.places import READERS, first_of
from tocsin.web.problems import TooMany

if TYPE_CHECKING:
    from alerting.oidc import Provider

ASKED: Final = "tocsin_asked"
ASKED_LASTS_S: Final = 600


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

    @routes.get("/sign-in/provider", include_in_schema=False)
    def go_to_provider(request: Request, next: str = "/") -> Response:  # noqa: A002  the name in the address
        return door.go_to_provider(request, next)

    @routes.get("/sign-in/provider/back", include_in_schema=False)
    def come_back(request: Request, code: str = "", state: str = "", error: str = "") -> Response:
        return door.come_back(request, code, state, error)

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
        self._key = settings.signing_key.get_secret_value().encode()

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
            with limits_of(request).sign_in(request):
                session = api.new_session(self._parts, self._settings, form.get("name"), form.raw("password"))
        except (TooMany, Unauthorised) as refusal:
            return self.page(request, onward, sentence(refusal.title), refusal.status)
        return self._let_in(session["token"], onward)

    def go_to_provider(self, request: Request, onward: str) -> Response:
        """Send the browser to the identity provider; what must fit when it comes back stands in a cookie."""
        provider = self._provider()
        if provider is None or not self._key:
            return self._pages.refused(request, NotFound("no identity provider is set here"))
        from alerting.oidc import Asked  # late: it loads cryptography

        asked = Asked.new(_here(onward))
        try:
            address = provider.address(asked)
        except Unauthorised as problem:
            return self.page(request, onward, sentence(problem.title), 502)
        answer = RedirectResponse(address, 303)
        said = _sealed(json.dumps([asked.state, asked.nonce, asked.verifier, asked.onward]), self._key)
        answer.set_cookie(
            ASKED, said, max_age=ASKED_LASTS_S, httponly=True, samesite="lax", path=self._pages.base + "/sign-in",
            secure=self._is_https(),
        )  # fmt: skip
        return answer

    def come_back(self, request: Request, code: str, state: str, error: str) -> Response:
        """The other half: the provider says who it is, and their account says whether they may."""
        provider = self._provider()
        kept = _opened(request.cookies.get(ASKED, ""), self._key) if self._key else None
        if provider is None or kept is None:
            return self.page(request, "/", "This sign-in was not begun here, or took too long: begin again.", 400)
        from alerting.oidc import Asked

        asked = Asked(*json.loads(kept))
        if error or not code or not hmac.compare_digest(state.encode(), asked.state.encode()):
            return self.page(request, asked.onward, "The identity provider did not let you in: begin again.", 401)
        try:
            person = accounts.sign_in_by_provider(
                self._parts.store, provider.name(code, asked), self._parts.now()
            )  # fmt: skip
        except Unauthorised as problem:
            return self.page(request, asked.onward, sentence(problem.title), 401)
        session = api.open_session(self._parts, self._key, person)
        answer = self._let_in(session["token"], asked.onward)
        answer.delete_cookie(ASKED, path=self._pages.base + "/sign-in", httponly=True, samesite="lax")
        return answer

    def _provider(self) -> Provider | None:
        settings = self._settings
        if not settings.oidc_issuer or settings.oidc_secret is None:
            return None
        from alerting.oidc import Provider

        return Provider(
            settings.oidc_issuer, settings.oidc_client_id, settings.oidc_secret.get_secret_value(),
            settings.oidc_claim, f"{settings.public_url}/sign-in/provider/back", self._parts.wall,
        )  # fmt: skip

    def _let_in(self, token: str, onward: str) -> Response:
        answer = RedirectResponse(self._pages.base + quote(onward, safe="/-?=&%"), 303)
        answer.set_cookie(
            COOKIE, token, max_age=int(sessions.LAST.total_seconds()), httponly=True, samesite="lax",
            secure=self._is_https(),
        )  # fmt: skip
        return answer

    def _is_https(self) -> bool:
        return self._settings.public_url.startswith("https://")

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


def _sealed(said: str, key: bytes) -> str:
    """A text that a browser keeps for us, with what shows that it is ours."""
    body = base64.urlsafe_b64encode(said.encode()).decode()
    return f"{body}.{hmac.digest(key, f'asked{body}'.encode(), 'sha256').hex()}"


def _opened(kept: str, key: bytes) -> str | None:
    body, _, seal = kept.partition(".")
    ours = hmac.digest(key, f"asked{body}".encode(), "sha256").hex()
    return base64.urlsafe_b64decode(body).decode() if hmac.compare_digest(seal.encode(), ours.encode()) else None


def _here(onward: str) -> str:
    """An address on this house; the door for any other."""
    return onward if onward.startswith("/") and not onward.startswith(("//", "/\\")) else "/"
