"""The pages: the one behind a mail's link (`/a/{alert}`), the mailbox, and signing in for them.

Opening a page changes nothing: acknowledging is a form that is posted, with a token that only this person's page of
this alert holds. Without a login a page shows what the mail showed, no more.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alerting import answers, api, board, dose_page, kinds
from alerting.delivery.bell import Due, case_number
from alerting.delivery.letter import due_words
from alerting.parts import Parts
from tocsin.errors import Forbidden, Refused, Unauthorised
from tocsin.settings import Settings
from tocsin.web.identity import Person, read_person

if TYPE_CHECKING:
    from jinja2 import Environment

COOKIE = "tocsin_login"
MOST_BYTES = 10_000


def add(routes: APIRouter, parts: Parts, settings: Settings) -> None:
    """The routes of the pages."""
    pages = Pages(parts, settings)
    dose_page.add(routes, parts, pages)

    @routes.get("/a/{alert_id}", include_in_schema=False)
    def open_alert(alert_id: str, request: Request) -> Response:
        return pages.alert(alert_id, pages.who(request))

    @routes.post("/a/{alert_id}", include_in_schema=False)
    async def acknowledge(alert_id: str, request: Request) -> Response:
        form = await _form(request)
        return await run_in_threadpool(pages.acknowledge, alert_id, pages.who(request), request, form)

    @routes.post("/sign-in", include_in_schema=False)
    async def sign_in(request: Request) -> Response:
        form = await _form(request)
        return await run_in_threadpool(pages.sign_in, request, form)

    @routes.get("/mailbox", include_in_schema=False)
    def open_mailbox(request: Request) -> Response:
        return pages.mailbox(pages.who(request))

    @routes.get("/icon.svg", include_in_schema=False)
    def icon() -> Response:
        return Response(_file("icon.svg"), media_type="image/svg+xml", headers={"cache-control": "max-age=86400"})

    @routes.get("/alerting.css", include_in_schema=False)
    def style() -> Response:
        return Response(_file("page.css"), media_type="text/css; charset=utf-8")


class Pages:
    """Answers each page as HTML."""

    def __init__(self, parts: Parts, settings: Settings) -> None:
        # A proxy may serve this house under a path of its own.
        self._base = urlsplit(settings.public_url).path.rstrip("/")
        self._parts = parts
        self._settings = settings
        self._key = settings.signing_key.get_secret_value().encode()
        self._has_doses = any(protocol.levels for protocol in parts.studies.values())

    def who(self, request: Request) -> Person | None:
        """The person who signed in on this browser; None without a good login."""
        token = request.cookies.get(COOKIE)
        if not token or not self._key:
            return None
        try:
            found = read_person(token, self._key, self._parts.wall())
        except Unauthorised:
            return None
        request.scope.setdefault("state", {})["who"] = found.name
        return found

    def alert(self, alert_id: str, who: Person | None, status: int = 200, said: str = "") -> Response:
        """The page of one alert. An id that is not one looks like an alert that is not there."""
        found = self._find(alert_id)
        if found is None:
            return self.html("missing.html", 404, title="No such alarm", who=who)
        may_read = who is not None and bool(who.roles & {*api.MAY_ANSWER})
        protocol = self._parts.studies.get(found["study"])
        zone = protocol.receiver_zone if protocol else ZoneInfo("UTC")
        due = Due.of(found["due"]) if found["due"] else None
        words = kinds.words(found["kind"])
        case_id = case_number(found["case_id"])
        return self.html(
            "alert.html",
            status,
            title=f"{case_id}: {words}" if case_id else words,
            who=who,
            said=said,
            alert=found,
            case_id=case_id,
            words=words,
            clock=due.clock if due else None,
            provisional=due.is_provisional if due else False,
            due=due_words(due, zone) if due else None,
            raised=_moment(found["raised_at"], zone),
            acknowledged=_moment(found["acknowledged_at"], zone) if found["acknowledged_at"] else None,
            closed=_moment(found["closed_at"], zone) if found["closed_at"] else None,
            zone=zone.key,
            may_read=may_read,
            has_answered=who is not None and who.name in [one["by"] for one in found["acknowledgements"]],
            may_acknowledge=who is not None and answers.may_acknowledge(found["level"], found["roles"], who.roles),
            token=self._token(alert_id, who),
            here=f"/a/{found['alert_id']}",
        )

    def acknowledge(self, alert_id: str, who: Person | None, request: Request, form: dict[str, str]) -> Response:
        """Acknowledge by the page's form, then show the page anew."""
        if who is None:
            return self.alert(alert_id, None, 401, "Sign in first. Nothing was acknowledged.")
        expected = self._token(alert_id, who)
        if not _is_from_here(request) or not hmac.compare_digest(form.get("token", ""), expected):
            return self.alert(alert_id, who, 403, "This form was not from this page. Nothing was acknowledged.")
        if self._find(alert_id) is None:
            return self.alert(alert_id, who)
        try:
            api.answer(self._parts, UUID(alert_id), who)
        except Forbidden as refusal:
            return self.alert(alert_id, who, 403, f"Nothing was acknowledged: {refusal.title}.")
        return RedirectResponse(f"{self._base}/a/{alert_id}", 303)

    def sign_in(self, request: Request, form: dict[str, str]) -> Response:
        """Sign in and go back to the page."""
        onward = form.get("next", "")
        if not onward.startswith("/") or onward.startswith(("//", "/\\")):
            onward = "/mailbox"
        if not _is_from_here(request):
            return self.html("sign_in.html", 403, title="Sign in", who=None, here=onward, said="Sign in on this page.")
        try:
            session = api.new_session(self._parts, self._settings, form.get("name", ""), form.get("password", ""))
        except Refused as refusal:
            said = refusal.title[:1].upper() + refusal.title[1:] + "."
            return self.html("sign_in.html", refusal.status, title="Sign in", who=None, here=onward, said=said)
        answer = RedirectResponse(self._base + quote(onward, safe="/-?=&%"), 303)
        answer.set_cookie(
            COOKIE,
            session["token"],
            max_age=int(api.SESSION_LASTS.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=self._settings.public_url.startswith("https://"),
        )
        return answer

    def mailbox(self, who: Person | None) -> Response:
        """The mails that were written because no mail server is set."""
        if who is None or not who.roles & {*api.MAY_READ}:
            said = "" if who is None else "Your roles do not let you read the mailbox."
            return self.html("sign_in.html", 401, title="Mailbox", who=None, here="/mailbox", said=said)
        has_server = self._settings.smtp_url is not None
        return self.html(
            "mailbox.html", title="Mailbox", who=who, mails=api.mails(self._settings), has_server=has_server
        )

    def html(self, template: str, status: int = 200, *, who: Person | None, **facts: Any) -> Response:
        """A page from its template, in the frame of all pages."""
        rehearsal = f"{self._parts.now():%a %d %b %Y, %H:%M} (UTC)" if self._parts.is_rehearsal else None
        may_see_dose = self._has_doses and dose_page.may_see(who)
        found = _templates().get_template(template)
        text = found.render(base=self._base, rehearsal=rehearsal, who=who, may_see_dose=may_see_dose, **facts)
        return HTMLResponse(text, status)

    def file(self, name: str) -> str:
        """The text of a file beside the templates."""
        return _file(name)

    def _find(self, alert_id: str) -> dict[str, Any] | None:
        try:
            wanted = UUID(alert_id)
        except ValueError:
            return None
        with self._parts.store.reading() as tx:
            found = board.alerts_like(tx, alert_id=wanted)
        return found[0] if found else None

    def _token(self, alert_id: str, who: Person | None) -> str:
        """What only a page made for this person and this alert holds."""
        if who is None:
            return ""
        return hmac.digest(self._key, f"acknowledge\x1f{alert_id}\x1f{who.name}".encode(), "sha256").hex()


def _is_from_here(request: Request) -> bool:
    """Whether the browser says that the form stood on one of our own pages. Without a word the token decides."""
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


async def _form(request: Request) -> dict[str, str]:
    size, parts = 0, []
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise Refused("this form is too large")
        parts.append(part)
    try:
        read = parse_qs(b"".join(parts).decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise Refused("this form cannot be read") from None
    return {name: values[-1] for name, values in read.items()}


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # late: start-up time

    return Environment(loader=PackageLoader("alerting"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)


@cache
def _file(name: str) -> str:
    return (files("alerting") / "templates" / name).read_text("utf-8")


def _moment(text: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(text).astimezone(zone):%a %d %b %Y, %H:%M}"
