"""How a page of people, settings and records is asked for: who may, whose form it was, and a refusal as a page.

What is shown and done is each page's own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from tocsin.errors import Refused
from tocsin.web.identity import Person, must_hold
from tocsin.web.pages import MOST_BYTES, Form, Pages, read_form
from tocsin.web.places import Place

Show = Callable[[Request, Person], Response]
Deed = Callable[[Request, Person, Form], Response]


@dataclass(frozen=True, slots=True)
class Asked:
    """Adds the routes of one place."""

    routes: APIRouter
    pages: Pages
    place: Place

    def get(self, path: str, show: Show) -> None:
        """A page for whom the place is for."""

        @self.routes.get(path, include_in_schema=False)
        def opened(request: Request) -> Response:
            try:
                return show(request, self.pages.must_be(request, self.place))
            except Refused as refusal:
                return self.pages.refused(request, refusal)

    def post(self, path: str, back: str, roles: Collection[str], deed: Deed, *, most: int = MOST_BYTES) -> None:
        """A deed for these roles. Whoever opens its address, as after signing in, is led `back` to the page."""

        def lead_back() -> Response:
            return RedirectResponse(self.pages.base + back, 303)

        if path != back:
            self.routes.get(path, include_in_schema=False)(lead_back)

        @self.routes.post(path, include_in_schema=False)
        async def posted(request: Request) -> Response:
            try:
                form = await read_form(request, most)
            except Refused as refusal:
                return await run_in_threadpool(self.pages.refused, request, refusal)
            return await run_in_threadpool(done, request, form)

        def done(request: Request, form: Form) -> Response:
            try:
                who = self.pages.must_be(request, self.place)
                must_hold(who, roles)
                self.pages.check(request, who, form)
                return deed(request, who, form)
            except Refused as refusal:
                return self.pages.refused(request, refusal)

    def to(self, path: str, said: str = "", **query: str) -> Response:
        """Back to a page, which says what was done: `said` is the code of a note, never its words."""
        wanted = {name: value for name, value in {**query, "said": said}.items() if value}
        return RedirectResponse(f"{self.pages.base}{path}{'?' if wanted else ''}{urlencode(wanted)}", 303)
