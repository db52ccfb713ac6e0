"""Who opens a page of the form, of which site, in which language; and the pages that every refusal becomes.

A person of a site sees that site alone. What is another site's, what never was, and what cannot be a number at all
look the same, to the letter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID, uuid4

from fastapi import Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ae_intake.attribution import study_of
from ae_intake.desk import language
from ae_intake.desk.language import TAGS, WORDS, Lang
from ae_intake.parts import Parts
from ae_intake.reach import Reach, sender_for
from tocsin.domain.protocol import Protocol, Site
from tocsin.errors import Away, Forbidden, NotFound, Refused, Unauthorised
from tocsin.web.identity import Machine, Person
from tocsin.web.pages import NOT_FROM_HERE, Form, Pages, is_from_here, read_form
from tocsin.web.places import KEYS, REPORT, Place

T = TypeVar("T")
MOST_BYTES = 1_000_000
"""A narrative of 20,000 characters has 180,000 bytes in a form, in Chinese."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request by a person of a site."""

    request: Request
    who: Person
    sender: Machine
    protocol: Protocol
    site: Site
    lang: Lang

    @property
    def w(self) -> Mapping[str, str]:
        """The words of the page."""
        return WORDS[self.lang]

    @property
    def reach(self) -> Reach:
        return Reach(self.sender.key_id, self.sender.study, self.sender.site)


Read = Callable[[Visit], Response]
Take = Callable[[Visit, Form], Response]
Again = Callable[[Visit, Form, int, str], Response]
"""The page anew with what was typed: its status, and what is to be said."""


class Desk:
    """Opens the pages and takes the forms."""

    def __init__(self, parts: Parts, pages: Pages) -> None:
        self.parts = parts
        self.pages = pages

    def open(self, request: Request, read: Read) -> Response:
        """A page for reading."""
        lang = language.language_of(request)
        try:
            answer = read(self._visit(request, lang))
        except Refused as refusal:
            answer = self.refused(request, refusal, lang)
        return language.remember(request, answer, lang)

    def take(self, request: Request, form: Form, take: Take, again: Again) -> Response:
        """A form that was posted. Whatever refuses it, `again` shows it with what was typed."""
        lang = language.language_of(request)
        try:
            visit = self._visit(request, lang)
        except Unauthorised:
            return self._signed_out(request, form, lang)
        except Refused as refusal:
            return self.refused(request, refusal, lang)
        try:
            return self._taken(visit, form, take, again)
        except NotFound as refusal:
            return self.refused(request, refusal, lang)

    def refused(self, request: Request, refusal: Refused, lang: Lang) -> Response:
        """A refusal that belongs to no form, as a page."""
        w = WORDS[lang]
        if isinstance(refusal, NotFound):
            return self.html("missing.html", 404, lang, self.pages.who(request), REPORT, title=w["missing_title"])
        if isinstance(refusal, Unauthorised):
            return self.html(
                "sign_in_here.html", 401, lang, None, None, title=w["sign_in"], said=w["sign_in_first"],
                onward=request.scope["path"] if request.method == "GET" else "/",
            )  # fmt: skip
        title, said = w["not_for_you_title"], w["not_for_you"]
        if not isinstance(refusal, Forbidden):
            title, said = w["not_taken_title"], w["not_taken"]
        elif refusal.title == NOT_FROM_HERE:
            title, said = w["not_taken_title"], w["not_ours"]
        return self.html(
            "not_for_you.html", refusal.status, lang, self.pages.who(request), None, title=title, said=said,
            original="" if refusal.title == NOT_FROM_HERE else refusal.title,
        )  # fmt: skip

    def html(
        self, template: str, status: int, lang: Lang, who: Person | None, place: Place | None, **facts: Any
    ) -> Response:
        """A page in a language."""
        facts = {"zone_of_site": None, "site_now": None, **facts}
        return self.pages.html(
            template, status, who=who, place=place, lang=TAGS[lang], w=WORDS[lang],
            other="en" if lang == "zh" else "zh", **facts,
        )  # fmt: skip

    def page(self, visit: Visit, template: str, status: int = 200, **facts: Any) -> Response:
        """A page for a person of a site, with the time there."""
        return self.html(
            template, status, visit.lang, visit.who, REPORT, study=visit.protocol, site=visit.site,
            zone_of_site=visit.site.zone.key, site_now=language.moment(self.parts.now(), visit.site.zone, visit.lang),
            moment=lambda at: language.moment(at, visit.site.zone, visit.lang), **facts,
        )  # fmt: skip

    def administrator(self, request: Request) -> Person:
        """Who may keep the keys; Unauthorised or Forbidden."""
        return self.pages.must_be(request, KEYS)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do the work in the writer's thread; answers after COMMIT."""
        return self.parts.writer.submit(work).result()

    def _taken(self, visit: Visit, form: Form, take: Take, again: Again) -> Response:
        try:
            self.pages.check(visit.request, visit.who, form)
        except Forbidden as refusal:
            if not is_from_here(visit.request):
                return self.refused(visit.request, refusal, visit.lang)
            return again(visit, form, 403, visit.w["not_from_here"])
        try:
            return take(visit, form)
        except Away:
            return again(visit, form, 503, visit.w["away"])

    def _visit(self, request: Request, lang: Lang) -> Visit:
        who = self.pages.must_be(request, REPORT)
        sender = sender_for(who)
        protocol = study_of(sender, self.parts.studies)
        site = protocol.site(sender.site or "")
        if site is None:
            raise Forbidden(f"{sender.site} is no site of study {protocol.id} (any more)")
        return Visit(request, who, sender, protocol, site, lang)

    def _signed_out(self, request: Request, form: Form, lang: Lang) -> Response:
        """What was typed waits on the page until somebody has signed in beside it."""
        if not is_from_here(request):
            return self.refused(request, Forbidden(NOT_FROM_HERE), lang)
        typed = [(name, form.get(name)) for name in form.names() if name != "token"]
        return self.html(
            "signed_out.html", 401, lang, None, None, title=WORDS[lang]["signed_out_title"], typed=typed,
            action=self.pages.base + request.scope["path"],
        )  # fmt: skip


async def posted(desk: Desk, request: Request, handle: Callable[[Form], Response]) -> Response:
    """Read a form as long as a report may be, and answer it."""
    try:
        form = await read_form(request, MOST_BYTES)
    except Refused as refusal:
        return await run_in_threadpool(desk.refused, request, refusal, language.language_of(request))
    return await run_in_threadpool(handle, form)


def uuid_of(text: str) -> str:
    """A UUID as it is kept. NotFound for anything else."""
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFound("there is no such page") from None


def new_uuid() -> str:
    return str(uuid4())
