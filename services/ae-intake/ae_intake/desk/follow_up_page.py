"""`/report/cases/{case}/follow-up`: the form filled with the case as it stands; what is changed on it is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from ae_intake import taking
from ae_intake.desk import choices, held_case, language
from ae_intake.desk.case_page import MovedOn
from ae_intake.desk.changes import changes, says_nothing
from ae_intake.desk.filled import filled, pages_of
from ae_intake.desk.held_case import Held
from ae_intake.desk.language import named
from ae_intake.desk.report_page import told_of
from ae_intake.desk.sayings import Told
from ae_intake.desk.sending import send
from ae_intake.desk.typed import Values, values_of
from ae_intake.desk.visit import Desk, Visit, new_uuid, posted, uuid_of
from tocsin.errors import Conflict, NotFound, Refused
from tocsin.web.pages import Form


def add(routes: APIRouter, desk: Desk) -> None:
    """The routes."""
    page = FollowUpPage(desk)

    @routes.get("/report/cases/{case_id}/follow-up", include_in_schema=False)
    def open_form(case_id: str, request: Request) -> Response:
        return desk.open(request, lambda visit: page.open(case_id, visit))

    @routes.post("/report/cases/{case_id}/follow-up", include_in_schema=False)
    async def take(case_id: str, request: Request) -> Response:
        send, again = partial(page.take, case_id), partial(page.again, case_id)
        return await posted(desk, request, lambda form: desk.take(request, form, send, again))


@dataclass(frozen=True, slots=True)
class Opened:
    """A form as it was opened: on which revision, which page of its events, under which key."""

    held: Held
    revision: int
    events_page: int
    once: str
    values: Values


class FollowUpPage:
    """Shows the form and sends what was changed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def open(self, case_id: str, visit: Visit) -> Response:
        """The form, filled with the newest revision."""
        held = held_case.read_case(self._desk, visit, case_id)
        page = _number(visit.request.query_params.get("events", ""), pages_of(held.newest.events))
        values = filled(held.newest, visit.protocol.product, page)
        return self._show(visit, Opened(held, held.newest.revision, page, new_uuid(), values))

    def again(self, case_id: str, visit: Visit, form: Form, status: int, said: str) -> Response:
        """The form anew, with what was typed."""
        return self._show(visit, self._opened(case_id, visit, form), status, said=said)

    def take(self, case_id: str, visit: Visit, form: Form) -> Response:
        """Send what differs from the revision that the form was opened with, or show it in the other language."""
        opened = self._opened(case_id, visit, form)
        if (lang := named(form.get("lang"))) is not None:
            answer = self._show(replace(visit, lang=lang), opened)
            language.keep(answer, lang)
            return answer
        if form.get("do") == "look":
            return self._show(visit, opened)
        return self._send(visit, opened, form.get("over"))

    def _send(self, visit: Visit, opened: Opened, over: str) -> Response:
        held, case_id = opened.held, opened.held.case_id
        typed = changes(
            opened.values, held.bodies[opened.revision - 1], visit.protocol.product, opened.events_page
        )  # fmt: skip
        if says_nothing(typed):
            return self._show(visit, opened, 422, said=visit.w["nothing_changed"])
        seen = int(over) if over.isdecimal() and len(over) < 9 else opened.revision

        def before(tx: Connection) -> None:
            newest = held_case.find(tx, visit, case_id).newest.revision
            if newest != seen:
                raise MovedOn(newest)

        try:
            send(
                self._desk, visit, "follow_up", typed.facts,
                partial(taking.a_follow_up, visit.sender, visit.protocol, case_id), key=f"form-{opened.once}",
                path=f"/report/cases/{case_id}/follow-up", before=before,
            )  # fmt: skip
        except NotFound:
            raise
        except MovedOn as found:
            return self._show(visit, opened, found.status, overtaken=found.revision)
        except Conflict as found:
            return self._show(visit, opened, found.status, said=visit.w["used_before"])
        except Refused as refusal:
            return self._show(visit, opened, refusal.status, told=told_of(refusal, typed, visit))
        return RedirectResponse(f"{self._desk.pages.base}/report/receipts/{case_id}", 303)

    def _opened(self, case_id: str, visit: Visit, form: Form) -> Opened:
        with self._desk.parts.store.reading() as tx:
            held = held_case.find(tx, visit, case_id)
        revision = _number(form.get("revision"), len(held.bodies))
        page = _number(form.get("events_page"), pages_of(held.bodies[revision - 1].events))
        return Opened(held, revision, page, uuid_of(form.get("once")), values_of(form))

    def _show(
        self, visit: Visit, opened: Opened, status: int = 200, *, said: str = "", told: list[Told] | None = None,
        overtaken: int = 0,
    ) -> Response:  # fmt: skip
        held = opened.held
        pages = pages_of(held.bodies[opened.revision - 1].events)
        return self._desk.page(
            visit, "follow_up.html", status, title=visit.w["follow_up_title"].format(case=held.case_id),
            case_id=held.case_id, revision=opened.revision, once=opened.once, events_page=opened.events_page,
            events_pages=pages, said=said, overtaken=overtaken,
            **choices.fields(visit, opened.values, told or (), has_spare=opened.events_page == pages),
        )  # fmt: skip


def _number(text: str, most: int) -> int:
    """A number from 1 to `most`; the last of them for anything else."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else most
    return number if 1 <= number <= most else most
