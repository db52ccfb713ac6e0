"""Pages as HTML, in the frame that all three services share: who is signed in, forms that are ours, refusals in words.

Opening a page changes nothing. What changes something is a form that is posted, with a token that only this person's
page, in this session, for this address holds; a browser that says that the form stood elsewhere is refused as well.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from fastapi import Request
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from tocsin.domain.protocol import Protocol
from tocsin.errors import Forbidden, Refused, Unauthorised
from tocsin.now import Now
from tocsin.settings import Settings
from tocsin.web import look, places
from tocsin.web.arriving import arriving
from tocsin.web.direction import set_apart, shown
from tocsin.web.identity import Identity, Person, login_of, whoever
from tocsin.web.limits import limits_of
from tocsin.web.look import words
from tocsin.web.places import Place

if TYPE_CHECKING:
    from jinja2 import Environment

COOKIE = "tocsin_login"
MOST_BYTES = 100_000
MOST_FIELDS = 1000
NOT_FROM_HERE = "This form was not from this page. Nothing was changed: open the page again, and send it from there."


class Form:
    """What a form sent: the last value of each name, or all of them."""

    def __init__(self, sent: list[tuple[str, str]]) -> None:
        self._sent = sent
        self._last = dict(sent)

    def get(self, name: str, default: str = "") -> str:
        """The last value, without blanks about it."""
        return self._last.get(name, default).strip()

    def raw(self, name: str) -> str:
        """The last value as it was sent: a password may end in a blank."""
        return self._last.get(name, "")

    def many(self, name: str) -> list[str]:
        """Every value, in order."""
        return [value for key, value in self._sent if key == name]

    def __contains__(self, name: str) -> bool:
        return name in self._last

    def names(self) -> list[str]:
        return list(self._last)


async def read_form(request: Request, most: int = MOST_BYTES) -> Form:
    """A form as it was posted. Refused when it is larger than `most` bytes, cannot be read, or comes too slowly."""
    size, parts = 0, []
    async for part in arriving(request):
        size += len(part)
        if size > most:
            raise Refused(f"this form is too large: at most {most} bytes")
        parts.append(part)
    try:
        return Form(parse_qsl(b"".join(parts).decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise Refused("this form cannot be read") from None


class Warming:
    """A worker that is done once the templates are compiled; a page that is asked for earlier waits for its own."""

    name = "desk pages"

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def run(self, stop: threading.Event) -> None:
        self._pages.warm()


class Pages:
    """Renders the pages of one service. `package`: whose `templates` folder holds them."""

    def __init__(
        self, package: str, settings: Settings, studies: Mapping[str, Protocol], now: Now, *,
        is_rehearsal: bool = False,
    ) -> None:  # fmt: skip
        # A proxy may serve this house under a path of its own.
        self.base = urlsplit(settings.public_url).path.rstrip("/")
        self._package = package
        self._studies = studies
        self._now = now
        self._is_rehearsal = is_rehearsal
        self._key = settings.signing_key.get_secret_value().encode()
        self._provider = urlsplit(settings.oidc_issuer).hostname if settings.oidc_issuer else None
        self._has_doses = any(protocol.levels for protocol in studies.values())
        first = leading(studies)
        self.zone = first.receiver_zone if first is not None else ZoneInfo("UTC")
        """In which the frame, and every page that is of no single study, tells the time."""
        self._trial = {"id": first.id, "title": first.title} if first is not None and len(studies) == 1 else None

    def who(self, request: Request) -> Person | None:
        """The person who signed in on this browser; None without a good login. May wait for the database.

        TooMany when this login opens pages too fast.
        """
        token = request.cookies.get(COOKIE)
        identity: Identity = request.app.state.identity
        if not token or not identity.signing_key:
            return None
        try:
            found = whoever(identity, token)
        except Unauthorised:
            return None
        state = request.scope.setdefault("state", {})
        state["who"] = found.name
        if not state.get("counted"):  # A page may ask more than once who is there.
            state["counted"] = True
            limits_of(request).count_login(request, login_of(found))
        return found

    def must_be(self, request: Request, place: Place) -> Person:
        """The person, if the place is for them; Unauthorised or Forbidden."""
        who = self.who(request)
        if who is None:
            raise Unauthorised("Sign in first")
        if not place.is_for(who.roles):
            raise Forbidden(f"{place.english} is for the role {' or '.join(sorted(place.roles))}")
        return who

    def refused(self, request: Request, refusal: Refused, *, title: str = "", lang: str = "en") -> Response:
        """A refusal as a page: the sign-in form when nobody is signed in, else what is wrong and where."""
        said = sentence(refusal.title)
        request.scope.setdefault("state", {})["problem"] = refusal.kind
        if isinstance(refusal, Unauthorised):
            return self.sign_in_first(request, said, lang=lang)
        return self.html(
            "refused.html", refusal.status, who=self.who(request), lang=lang, said=said, wrong=refusal.wrong,
            title=title or ("Not for you" if isinstance(refusal, Forbidden) else "Nothing was changed"),
            back=self.base + ("/" if isinstance(refusal, Forbidden) else request.scope["path"]),
        )  # fmt: skip

    def sign_in_first(self, request: Request, said: str = "", *, title: str = "", lang: str = "en") -> Response:
        """The sign-in form (401), which leads back to where somebody wanted to go."""
        query = f"?{request.url.query}" if request.url.query else ""
        onward = request.scope["path"] + query if request.method in ("GET", "HEAD") else request.scope["path"]
        title = title or words.of(lang)["sign_in"]
        return self.html("sign_in.html", 401, who=None, title=title, said=said, onward=onward, lang=lang)

    def check(self, request: Request, who: Person, form: Form, *, action: str | None = None) -> None:
        """Forbidden unless the form stood on this person's own page for this address, or for `action`."""
        expected = self.token(action or request.scope["path"], who)
        sent = form.raw("token")
        if not self._key or not is_from_here(request) or not hmac.compare_digest(sent.encode(), expected.encode()):
            raise Forbidden(NOT_FROM_HERE)

    def token(self, action: str, who: Person | None) -> str:
        """What only a page made for this person, in this session, with a form for this address holds."""
        if who is None:
            return ""
        return hmac.digest(self._key, f"form\x1f{action}\x1f{who.name}\x1f{who.session}".encode(), "sha256").hex()

    def html(
        self, template: str, status: int = 200, *, who: Person | None, place: Place | None = None, lang: str = "en",
        **facts: Any,
    ) -> Response:  # fmt: skip
        """A page from its template, in the frame of all pages."""
        now: datetime = self._now()
        at = now.astimezone(self.zone)

        def form_token(action: str) -> Markup:
            return Markup('<input type="hidden" name="token" value="{}">').format(self.token(action, who))

        text = _templates(self._package).get_template(template).render(
            base=self.base, look_version=look.version(), lang=lang, words=words.of(lang), who=who, here=place,
            places=self._places(who), form_token=form_token, trial=self._trial, zone=self.zone.key,
            at=f"{at:%a} {at.day} {at:%b}, {at:%H:%M}", at_iso=at.isoformat(timespec="minutes"),
            provider=self._provider,
            rehearsal=f"{now:%a %d %b %Y, %H:%M} (UTC)" if self._is_rehearsal else None, **facts,
        )  # fmt: skip
        return HTMLResponse(shown(text), status)

    def warm(self) -> None:
        """Read and compile every template of the service, so that nobody's first page waits for it."""
        compile_templates(self._package)

    def file(self, name: str) -> str:
        """The text of a file beside the service's templates."""
        return _file(self._package, name)

    def _places(self, who: Person | None) -> list[Place]:
        if who is None:
            return []
        return [
            place
            for place in places.PLACES
            if place.is_for(who.roles) and (self._has_doses or place not in (places.DOSE, places.TOXICITY))
        ]


def leading(studies: Mapping[str, Protocol]) -> Protocol | None:
    """The study in whose zone a page of several tells the time: the first that looks for a dose, else the first."""
    return next((one for one in studies.values() if one.levels), next(iter(studies.values()), None))


def sentence(said: str) -> str:
    """A refusal's few words as a sentence on a page."""
    return said[:1].upper() + said[1:] + ("" if said.endswith((".", "。")) else ".")


def is_from_here(request: Request) -> bool:
    """Whether the browser says that the form stood on one of our own pages. Without a word the token decides."""
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def compile_templates(package: str) -> None:
    """Read and compile every template of a package, once in a process."""
    found = _templates(package)
    for name in found.list_templates(filter_func=lambda name: name.endswith(".html")):
        found.get_template(name)


@cache
def _templates(package: str) -> Environment:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined  # late: start-up time

    loader = ChoiceLoader([PackageLoader(package), PackageLoader("tocsin.web.look", ".")])
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        finalize=set_apart,
    )  # fmt: skip


@cache
def _file(package: str, name: str) -> str:
    from importlib.resources import files

    return (files(package) / "templates" / name).read_text("utf-8")
