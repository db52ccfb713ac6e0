"""`/report/new` and `/report/drafts/{draft}`: a first report, from the first word to its receipt."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import JSONResponse, RedirectResponse, Response

from ae_intake import cases, taking
from ae_intake.desk import choices, drafts, language, sayings
from ae_intake.desk.drafts import Mark, Overtaken, SentAlready, TooMany
from ae_intake.desk.language import moment, named
from ae_intake.desk.sayings import Told
from ae_intake.desk.sending import send
from ae_intake.desk.typed import Typed, Values, first_report, values_of
from ae_intake.desk.visit import Desk, Visit, new_uuid, posted, uuid_of
from tocsin.errors import Away, Conflict, NotFound, Refused
from tocsin.web.pages import Form

PATH = "/report/new"


def add(routes: APIRouter, desk: Desk) -> None:
    """The routes."""
    page = ReportPage(desk)

    @routes.get("/report/report.js", include_in_schema=False)
    def script() -> Response:
        return Response(desk.pages.file("report.js"), media_type="text/javascript; charset=utf-8")

    @routes.get(PATH, include_in_schema=False)
    def new(request: Request) -> Response:
        return desk.open(request, lambda visit: page.show(visit, Mark(new_uuid(), 0, new_uuid()), {}))

    @routes.get("/report/drafts/{draft_id}", include_in_schema=False)
    def go_on(draft_id: str, request: Request) -> Response:
        return desk.open(request, lambda visit: page.draft(visit, draft_id))

    @routes.post(PATH, include_in_schema=False)
    async def take(request: Request) -> Response:
        def handle(form: Form) -> Response:
            if form.get("do") == "autosave":
                return page.autosave(request, form)
            return desk.take(request, form, page.take, page.again)

        return await posted(desk, request, handle)

    @routes.post("/report/drafts/{draft_id}/delete", include_in_schema=False)
    async def throw_away(draft_id: str, request: Request) -> Response:
        delete, again = partial(page.throw_away, draft_id), partial(page.draft_again, draft_id)
        return await posted(desk, request, lambda form: desk.take(request, form, delete, again))


class ReportPage:
    """Shows the form, keeps drafts, sends reports."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def show(
        self, visit: Visit, mark: Mark, values: Values, status: int = 200, *, said: str = "",
        told: list[Told] | None = None, saved: str = "", **more: Any,
    ) -> Response:  # fmt: skip
        """The form with what was typed, and what is wrong with it."""
        return self._desk.page(
            visit, "report.html", status, title=visit.w["report_title"], mark=mark, said=said, saved=saved,
            **{"overtaken": None, "sent_as": None, **more}, **choices.fields(visit, values, told or (), may_add=True),
        )  # fmt: skip

    def draft(self, visit: Visit, draft_id: str, status: int = 200, said: str = "") -> Response:
        """A draft of the site, to go on with."""
        with self._desk.parts.store.reading() as tx:
            found = drafts.find(tx, visit.sender, uuid_of(draft_id))
        if found is None:
            raise NotFound("there is no such draft")
        saved = visit.w["saved_by"].format(who=found.saved_by, at=moment(found.saved_at, visit.site.zone, visit.lang))
        mark = Mark(found.draft_id, found.version, new_uuid())
        return self.show(visit, mark, found.values, status, said=said, saved=saved)

    def draft_again(self, draft_id: str, visit: Visit, _: Form, status: int, said: str) -> Response:
        """The draft as it is kept, which was not thrown away."""
        return self.draft(visit, draft_id, status, said)

    def again(self, visit: Visit, form: Form, status: int, said: str) -> Response:
        """The form anew."""
        return self.show(visit, mark_of(form), values_of(form), status, said=said)

    def take(self, visit: Visit, form: Form) -> Response:
        """Save, send, or show in the other language."""
        mark, values = mark_of(form), values_of(form)
        if (lang := named(form.get("lang"))) is not None:
            answer = self.show(replace(visit, lang=lang), mark, values)
            language.keep(answer, lang)
            return answer
        try:
            return self._send(visit, mark, values) if form.get("do") == "send" else self._save(visit, mark, values)
        except Overtaken as found:
            overtaken = {"said": _overtaken(found, visit), "version": found.version}
            return self.show(visit, mark, values, found.status, overtaken=overtaken)
        except SentAlready as found:
            return self.show(visit, mark, values, found.status, sent_as=found.case_id)
        except TooMany as found:
            return self.show(visit, mark, values, found.status, said=visit.w["too_many_drafts"].format(n=drafts.MOST))

    def autosave(self, request: Request, form: Form) -> Response:
        """What the script of the page is answered: the new version, or a status that it has words for."""
        answer: list[tuple[int, dict[str, Any]]] = []

        def take(visit: Visit, form: Form) -> Response:
            values = values_of(form)
            version = self._keep(visit, mark_of(form), values) if _says_anything(values) else 0
            now = self._desk.parts.now().astimezone(visit.site.zone)
            answer.append((200, {"version": version, "at": f"{now:%H:%M}"}))
            return Response()

        def again(_: Visit, __: Form, status: int, ___: str) -> Response:
            return Response(status_code=status)

        try:
            got = self._desk.take(request, form, take, again)
        except (Conflict, Away) as refusal:
            return JSONResponse({}, 409 if isinstance(refusal, Conflict) else 503)
        status, said = answer[0] if answer else (got.status_code, {})
        return JSONResponse(said, status)

    def throw_away(self, draft_id: str, visit: Visit, form: Form) -> Response:
        """The draft goes, unless somebody else changed it since."""
        mark = mark_of(form, uuid_of(draft_id))
        with self._desk.parts.store.reading() as tx:
            if drafts.find(tx, visit.sender, mark.draft_id) is None:
                raise NotFound("there is no such draft")

        def work(tx: Connection) -> None:
            cases.take_turn(tx)
            drafts.check(tx, visit.sender, mark)
            drafts.throw_away(tx, visit.sender, mark.draft_id)

        try:
            self._desk.write(work)
        except Overtaken as found:
            return self.draft(visit, draft_id, found.status, _overtaken(found, visit))
        return RedirectResponse(f"{self._desk.pages.base}/report", 303)

    def _save(self, visit: Visit, mark: Mark, values: Values) -> Response:
        if not _says_anything(values):
            return self.show(visit, mark, values, 422, said=visit.w["nothing_typed"])
        self._keep(visit, mark, values)
        return RedirectResponse(f"{self._desk.pages.base}/report/drafts/{mark.draft_id}", 303)

    def _keep(self, visit: Visit, mark: Mark, values: Values) -> int:
        at = self._desk.parts.now()

        def work(tx: Connection) -> int:
            cases.take_turn(tx)
            return drafts.save(tx, visit.sender, mark, values, at)

        return self._desk.write(work)

    def _send(self, visit: Visit, mark: Mark, values: Values) -> Response:
        typed = first_report(values)
        if typed.is_empty:
            return self.show(visit, mark, values, 422, said=visit.w["nothing_typed"])
        try:
            receipt = send(
                self._desk, visit, "report", typed.facts, partial(taking.a_report, visit.sender, visit.protocol),
                key=mark.key, path=PATH, before=lambda tx: _unless_overtaken(tx, visit, mark),
                after=lambda tx: drafts.throw_away(tx, visit.sender, mark.draft_id),
            )  # fmt: skip
        except (Overtaken, NotFound):
            raise
        except Conflict:
            with self._desk.parts.store.reading() as tx:
                raise SentAlready(drafts.sent_as(tx, visit.sender, mark) or "") from None
        except Refused as refusal:
            return self.show(visit, mark, values, refusal.status, told=told_of(refusal, typed, visit))
        return RedirectResponse(f"{self._desk.pages.base}/report/receipts/{receipt['case_id']}", 303)


def mark_of(form: Form, draft_id: str | None = None) -> Mark:
    """Which draft a form is of. NotFound when it was made by no page of ours.

    `over`: the version that somebody saw and chose to replace.
    """
    version, over = form.get("version"), form.get("over")
    number = over if over.isdecimal() else version if version.isdecimal() else "0"
    return Mark(draft_id or uuid_of(form.get("draft")), int(number[:9]), form.get("page")[:36])


def told_of(refusal: Refused, typed: Typed, visit: Visit) -> list[Told]:
    """Each wrong place at its field, in the language of the page."""
    example = sayings.example_of(visit.protocol.subject_pattern, visit.site.id)
    return [
        Told(typed.field_of(wrong.pointer), sayings.refusal(wrong, visit.w, example=example))
        for wrong in refusal.wrong
    ] or [Told("", sayings.Said(visit.w["wrong_other"], refusal.title))]  # fmt: skip


def _overtaken(found: Overtaken, visit: Visit) -> str:
    if found.at is None:
        return visit.w["overtaken_gone"]
    return visit.w["overtaken"].format(who=found.by, at=moment(found.at, visit.site.zone, visit.lang))


def _unless_overtaken(tx: Connection, visit: Visit, mark: Mark) -> None:
    drafts.check(tx, visit.sender, mark)


def _says_anything(values: Values) -> bool:
    return bool(set(values) - {"kind"})
