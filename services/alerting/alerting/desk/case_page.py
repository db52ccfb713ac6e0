"""The page of one case, `/desk/cases/{case}`: what happened, why this clock, what do I sign? And the list of cases."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from alerting import deeds_api
from alerting.desk import case_deeds, case_facts, case_view, cases_list, drafts
from alerting.desk.case_deeds import CaseDeeds
from alerting.desk.dose_times import Times
from alerting.desk.ringing_rows import Rails
from alerting.parts import Parts
from tocsin.errors import Conflict, Forbidden, NotFound, Refused
from tocsin.web.identity import Person
from tocsin.web.pages import Form, Pages, read_form, sentence
from tocsin.web.places import CASES

_CASE: Final = re.compile(r"TOC-\d{4,9}")
DONE: Final[Mapping[str, str]] = {
    case_deeds.ASSESS: "Signed. What it does stands under the decisions.",
    case_deeds.DRAFT: "The draft is kept. Only you see it, and no rule reads it.",
    case_deeds.SECOND: "Signed as the second person: the decision is in force.",
    case_deeds.DLT: "Signed. The dose board counts it from now on.",
    case_deeds.SENT: "Recorded as sent.",
    case_deeds.ANSWERED: "What the other side said is recorded.",
    case_deeds.PAIR: "Signed. What it does stands under the decisions.",
}  # fmt: skip


def add(routes: APIRouter, parts: Parts, pages: Pages) -> None:
    """The routes."""
    page = CasePage(parts, pages)

    @routes.get(CASES.path, include_in_schema=False)
    def list_cases(request: Request, q: str = "", before: str = "") -> Response:
        try:
            who = pages.must_be(request, CASES)
        except Refused as refusal:
            return pages.refused(request, refusal, title="Cases")
        return page.list(who, q, before)

    @routes.get(f"{CASES.path}/{{case_id}}", include_in_schema=False)
    def open_case(case_id: str, request: Request, done: str = "") -> Response:
        try:
            return page.show(case_id, pages.must_be(request, CASES), done=DONE.get(done, ""))
        except Refused as refusal:
            return pages.refused(request, refusal, title="No such case" if isinstance(refusal, NotFound) else "")

    @routes.post(f"{CASES.path}/{{case_id}}/{{what}}", include_in_schema=False)
    async def act(case_id: str, what: str, request: Request) -> Response:
        try:
            form = await read_form(request)
            return await run_in_threadpool(page.act, case_id, what, request, form)
        except Refused as refusal:
            return await run_in_threadpool(pages.refused, request, refusal)


class CasePage:
    """Answers the page of each case, and the list of them."""

    def __init__(self, parts: Parts, pages: Pages) -> None:
        self._parts = parts
        self._pages = pages
        self._deeds = CaseDeeds(parts)

    def list(self, who: Person, words: str, before: str) -> Response:
        """The cases, newest first: those whose number or subject is as asked for."""
        with self._parts.store.reading() as tx:
            found = cases_list.listed(tx, words.strip(), before)
        return self._pages.html(
            "cases.html", who=who, title="Cases", place=CASES, words_asked=words, found=found,
            rows=cases_list.rows(found, self._parts, self._pages.zone),
        )  # fmt: skip

    def show(
        self, case_id: str, who: Person, *, done: str = "", refusal: Refused | None = None,
        form: Form | None = None, what: str = "",
    ) -> Response:  # fmt: skip
        """The page; after a refusal with what was typed, but for the password."""
        if not _CASE.fullmatch(case_id):
            raise NotFound("there is no such case")
        with self._parts.store.reading() as tx:
            facts = case_facts.read(tx, self._parts, case_id)
            times = Times(facts.protocol.receiver_zone, self._parts.now())
            rails = Rails(tx, self._parts, times).of(case_view.open_alerts(facts))
            kept = drafts.load(tx, who.name, case_deeds.about(case_id))
        typed: dict[str, Any] = dict(kept[0]) if kept is not None else {}
        if form is not None and what in (case_deeds.ASSESS, case_deeds.DRAFT):
            typed = case_deeds.drafted(form)
        return self._pages.html(
            "case.html",
            refusal.status if refusal is not None else 200,
            who=who,
            title=case_id,
            place=CASES,
            done=done,
            refusal=sentence(refusal.title) if refusal is not None else None,
            wrong=refusal.wrong if refusal is not None else (),
            what=what,
            typed=typed,
            sent_again={name: form.get(name) for name in form.names() if name != "password"}
            if form is not None
            else {},
            drafted_at=times.near(kept[1]) if kept is not None else None,
            zone_of_study=times.zone.key,
            at_now=f"{times.now.astimezone(times.zone):%Y-%m-%dT%H:%M}",
            may_submit=bool(who.roles & {*deeds_api.MAY_SUBMIT}),
            **case_view.view(facts, who, times, rails),
        )

    def act(self, case_id: str, what: str, request: Request, form: Form) -> Response:
        """Do what a form asks for, then show the page anew."""
        who = self._pages.must_be(request, CASES)
        if not _CASE.fullmatch(case_id):
            raise NotFound("there is no such case")
        try:
            self._pages.check(request, who, form, action=_action(case_id, what))
            done = self._deeds.do(what, case_id, form, who)
        except (Conflict, Forbidden, NotFound, Refused) as refusal:
            return self.show(case_id, who, refusal=refusal, form=form, what=what)
        return RedirectResponse(f"{self._pages.base}{CASES.path}/{case_id}?done={done}", 303)


def _action(case_id: str, what: str) -> str:
    """The address for which the token of a form was made: a draft is saved by the form that signs."""
    return f"{CASES.path}/{case_id}/{case_deeds.ASSESS if what == case_deeds.DRAFT else what}"
