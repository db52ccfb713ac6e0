"""The page `/coding`: which term is right? The queue, the chosen event, and what a person does about it.

Opening it changes nothing. Each action is a form of its own address, with its token; after it the page leads on to the
next event and says what happened by a code. What is refused is shown with what is allowed, and what was typed stays.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response

from meddra_coder import review_queue, site_questions, tally
from meddra_coder.api import Parts
from meddra_coder.desk import coding_view, coding_words
from meddra_coder.desk.coding_asked import Asked, Typed
from meddra_coder.desk.coding_deeds import DEEDS, Deed, Done
from meddra_coder.desk.coding_view import Chosen, May
from tocsin.errors import Refused, Unauthorised
from tocsin.web.identity import Person, must_hold
from tocsin.web.pages import Form, Pages, read_form
from tocsin.web.places import CASES, CODING

HERE: Final = CODING.path
MOST: Final = 200
"""How many events the queue shows."""


def add(routes: APIRouter, parts: Parts, pages: Pages, degraded: Callable[[], list[str]]) -> None:
    """The routes of the page. `degraded`: what keeps the coder from coding now."""
    page = CodingPage(parts, pages, degraded)

    @routes.get(HERE, include_in_schema=False)
    def open_coding(
        request: Request, event: str = "", q: str = "", study: str = "", said: str = "", of: str = "", word: str = "",
        proof: str = "",
    ) -> Response:  # fmt: skip
        return page.open(request, Asked(event, q.strip()[:200], study, said, of, word, proof))

    @routes.get(f"{HERE}/now", include_in_schema=False)
    def coding_now(request: Request) -> Response:
        return page.now(request)

    @routes.get(f"{HERE}/coding.js", include_in_schema=False)
    def coding_script() -> Response:
        return Response(pages.file("coding.js"), media_type="text/javascript; charset=utf-8")

    for name, deed in DEEDS.items():
        address = f"{HERE}/{name}"
        routes.add_api_route(
            address, _taker(page, deed), methods=["POST"], include_in_schema=False, name=f"coding_{name}"
        )  # fmt: skip
        # Where a form was refused the browser stands at its address: who opens that again gets the page.
        routes.add_api_route(address, _back(pages), methods=["GET"], include_in_schema=False, name=f"open_{name}")


def _taker(page: CodingPage, deed: Deed) -> Callable[[Request], Any]:
    async def take(request: Request) -> Response:
        return await page.take(request, deed)

    return take


def _back(pages: Pages) -> Callable[[], Response]:
    def back() -> Response:
        return RedirectResponse(pages.base + HERE, 303)

    return back


class CodingPage:
    """Answers the page and its forms."""

    def __init__(self, parts: Parts, pages: Pages, degraded: Callable[[], list[str]]) -> None:
        self._parts = parts
        self._pages = pages
        self._degraded = degraded

    def open(self, request: Request, asked: Asked) -> Response:
        """The page, for who may read the codings."""
        try:
            who = self._pages.must_be(request, CODING)
        except Refused as refusal:
            return self._pages.refused(request, refusal)
        return self._show(who, asked, Typed())

    def now(self, request: Request) -> Response:
        """How long the queue is, for a board that is open."""
        try:
            self._pages.must_be(request, CODING)
        except Refused as refusal:
            return JSONResponse({"title": refusal.title}, refusal.status)
        with self._parts.store.reading() as tx:
            found = review_queue.length(tx)
        oldest = "none" if found.oldest_at is None else coding_words.age(self._parts.now() - found.oldest_at)
        return JSONResponse(
            {"to_review": found.to_review, "second_person": found.second_person, "oldest": oldest}
        )  # fmt: skip

    async def take(self, request: Request, deed: Deed) -> Response:
        """Do what a form asks, and go on to the next event; or show the page again with what is wrong."""
        try:
            form = await read_form(request)
        except Refused as refusal:
            return await run_in_threadpool(self._pages.refused, request, refusal)
        begun = await run_in_threadpool(self._begin, request, form, deed)
        if isinstance(begun, Response):
            return begun
        who, before = begun
        try:
            work = deed.read(form, self._parts, who.name, self._parts.now())
            done = await asyncio.wrap_future(self._parts.writer.submit(work))
        except Refused as refusal:
            request.scope.setdefault("state", {})["problem"] = refusal.kind
            asked = Asked(form.get("event"), form.get("q")[:200], form.get("study"))
            return await run_in_threadpool(self._show, who, asked, Typed(deed.name, form, refusal))
        return RedirectResponse(self._after(form, done, before, who), 303)

    def _begin(self, request: Request, form: Form, deed: Deed) -> tuple[Person, list[str]] | Response:
        """Who does it, and the queue before it; or why not."""
        try:
            who = self._pages.must_be(request, CODING)
            self._pages.check(request, who, form)
            must_hold(who, deed.roles)
        except Unauthorised:
            onward = f"{HERE}?{urlencode({'event': form.get('event')})}"
            said = "Sign in first. Nothing was changed."
            return self._pages.html("sign_in.html", 401, who=None, title="Sign in", said=said, onward=onward)
        except Refused as refusal:
            return self._pages.refused(request, refusal)
        with self._parts.store.reading() as tx:
            return who, review_queue.order(tx, self._study(form.get("study")))

    def _after(self, form: Form, done: Done, before: list[str], who: Person) -> str:
        """The page of the event that came next in the queue, with the code of what was done and its proof."""
        own = form.get("event")
        place = before.index(own) if own in before else -1
        onward = [own] if done.stays else [*before[place + 1 :], *before[: max(place, 0)]]
        told = Asked(said=done.said, of=done.event, word=done.synonym)
        query = {"event": onward[0] if onward else "", "study": form.get("study"), "said": told.said, "of": told.of}
        query |= {"word": told.word, "proof": self._pages.token(told.claim, who)}
        return f"{self._pages.base}{HERE}?{urlencode({name: value for name, value in query.items() if value})}"

    def _show(self, who: Person, asked: Asked, typed: Typed) -> Response:
        study, now = self._study(asked.study), self._parts.now()
        with self._parts.store.reading() as tx:
            queue = review_queue.queue(tx, self._parts.coders, study, MOST)
            ids = [one.event_id for one in queue.codings]
            shown = self._chosen(tx, asked.event, asked.q)
            is_gone = bool(asked.event) and shown is None
            if shown is None and ids:
                shown = self._chosen(tx, ids[0], asked.q)
            numbers = tally.of_study(tx, study)
            asked_of = site_questions.of_events(tx, [one.case_id for one in queue.codings])
            said = self._said(tx, asked, who)
            lately = coding_view.lately(tx, study)
            synonyms = coding_view.proposed_synonyms(tx, self._parts.coders, self._parts.studies, study)
        place = ids.index(shown.id) if shown is not None and shown.id in ids else None
        refusal, may = typed.refusal, May.of(who)
        takes = shown.takes(may) if shown is not None else frozenset[str]()
        return self._pages.html(
            "coding.html",
            refusal.status if refusal is not None else 200,
            who=who,
            place=CODING,
            title=coding_words.heading(queue.total),
            below=coding_words.below(numbers, queue.total),
            numbers=numbers,
            newest=self._moment(numbers.newest_at) if numbers.newest_at else "",
            checked=self._moment(now),
            queue=queue,
            asked_of=asked_of,
            chosen=shown,
            is_gone=is_gone,
            previous=ids[place - 1] if place else None,
            next=ids[0 if place is None else place + 1] if ids and (place is None or place + 1 < len(ids)) else None,
            lately=lately,
            mine=next((one for one in lately if one.by == who.name), None),
            synonyms=synonyms,
            said=said,
            degraded=self._degraded(),
            may=may,
            takes=takes,
            waits_since=queue.codings[place].waiting_since if place is not None else None,
            typed_texts=[] if typed.deed in takes else typed.texts(),
            may_open_case=CASES.is_for(who.roles),
            asked=asked,
            study=study,
            studies=sorted(self._parts.studies),
            typed=typed,
            refusal=refusal,
            wrongs=coding_words.wrongs(refusal) if refusal is not None else [],
            marked=coding_words.marked(refusal),
            with_keys=coding_view.WITH_KEYS,
            serious=coding_words.SERIOUS,
            age=lambda at: coding_words.age(now - at),
            moment=self._moment,
            why=coding_words.why,
            link=lambda event="", **more: self._link(study, event, **more),
        )

    def _chosen(self, tx: Any, event: str, q: str) -> Chosen | None:
        return coding_view.chosen(tx, self._parts.coders, self._parts.studies, event, q) if event else None

    def _said(self, tx: Any, asked: Asked, who: Person) -> str:
        """What this person did, in the words of its code and of what is kept now; nothing without its proof."""
        words = coding_words.SAID.get(asked.said, "")
        if not words or not hmac.compare_digest(asked.proof.encode(), self._pages.token(asked.claim, who).encode()):
            return ""
        about = self._chosen(tx, asked.of, "")
        if about is None:
            return words if "{" not in words else ""
        term = about.event.term or "no term"
        said = words.format(event=about.id, term=term, site=f"Site {about.came.site}")
        return said + coding_words.SYNONYM.get(asked.word, "")

    def _link(self, study: str | None, event: str, **more: str) -> str:
        query: Mapping[str, str] = {"event": event, "study": study or "", **more}
        kept = urlencode({name: value for name, value in query.items() if value})
        return f"{self._pages.base}{HERE}{'?' + kept if kept else ''}"

    def _study(self, study: str) -> str | None:
        return study if study in self._parts.studies else None

    def _moment(self, at: datetime) -> str:
        """In the zone that the frame names."""
        return coding_words.moment(at, self._pages.zone)
