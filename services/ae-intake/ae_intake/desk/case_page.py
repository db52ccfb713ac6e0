"""`/report/cases/{case}`: what we hold of a case of the site, what is asked of it, its history; and nullifying it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from ae_intake import taking
from ae_intake.desk import choices, held_case, in_words
from ae_intake.desk.held_case import asked_of, history_of
from ae_intake.desk.report_page import told_of
from ae_intake.desk.sayings import Said, Told
from ae_intake.desk.sending import send
from ae_intake.desk.typed import Typed, values_of
from ae_intake.desk.visit import Desk, Visit, new_uuid, posted, uuid_of
from tocsin.errors import Conflict, NotFound, Refused
from tocsin.web.pages import Form


def add(routes: APIRouter, desk: Desk) -> None:
    """The routes."""
    page = CasePage(desk)

    @routes.get("/report/cases/{case_id}", include_in_schema=False)
    def show(case_id: str, request: Request) -> Response:
        return desk.open(request, lambda visit: page.show(case_id, visit))

    @routes.post("/report/cases/{case_id}/nullify", include_in_schema=False)
    async def nullify(case_id: str, request: Request) -> Response:
        take, again = partial(page.nullify, case_id), partial(page.again, case_id)
        return await posted(desk, request, lambda form: desk.take(request, form, take, again))


class CasePage:
    """Shows a case of the site."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def show(
        self, case_id: str, visit: Visit, status: int = 200, *, said: str = "", told: list[Told] | None = None,
        values: Mapping[str, str] | None = None, once: str = "",
    ) -> Response:  # fmt: skip
        """The page; what was typed to nullify is kept with what is wrong with it."""
        held = held_case.read_case(self._desk, visit, case_id)
        with self._desk.parts.store.reading() as tx:
            asked = [asked_of(row, visit) for row in held_case.query_rows(tx, held)]
        subject = held.newest.subject or visit.w["no_subject_yet"]
        return self._desk.page(
            visit, "case.html", status, title=f"{case_id} · {subject}", title_rest=subject, case_id=case_id,
            body=held.newest, asked=asked, history=history_of(held, visit), said=said, values=values or {},
            parts=in_words.parts_of(held.newest, visit.w, visit.protocol.product),
            wrong=choices.by_field(told or [], values or {}, []), once=once or new_uuid(),
            is_nullifying=bool(values or told),
        )  # fmt: skip

    def again(self, case_id: str, visit: Visit, form: Form, status: int, said: str) -> Response:
        """The page anew, with what was typed."""
        return self.show(case_id, visit, status, said=said, values=values_of(form), once=form.get("once"))

    def nullify(self, case_id: str, visit: Visit, form: Form) -> Response:
        """The whole case never was, for a reason. Needs a second word, so that no slip of a thumb does it."""
        values, once = values_of(form), uuid_of(form.get("once"))
        with self._desk.parts.store.reading() as tx:
            held_case.find(tx, visit, case_id)
        facts: dict[str, Any] = {
            "nullify": True,
            **{name: values[name] for name in ("reason", "right_subject") if name in values},
        }
        typed = Typed(facts, ())
        told = [] if values.get("sure") else [Told("sure", Said(visit.w["say_sure"]))]
        if "reason" not in values:
            told.append(Told("reason", Said(visit.w["wrong_reason"])))
        if told:
            return self.show(case_id, visit, 422, told=told, values=values, once=once)

        def before(tx: Connection) -> None:
            held = held_case.find(tx, visit, case_id)
            if str(held.newest.revision) != form.get("revision"):
                raise MovedOn(held.newest.revision)

        try:
            receipt = send(
                self._desk, visit, "follow_up", facts,
                partial(taking.a_follow_up, visit.sender, visit.protocol, case_id), key=f"form-{once}",
                path=f"/report/cases/{case_id}/nullify", before=before,
            )  # fmt: skip
        except NotFound:
            raise
        except MovedOn as found:
            said = visit.w["case_moved_on"].format(n=found.revision)
            return self.show(case_id, visit, 409, said=said, values=values, once=once)
        except Conflict:
            return self.show(case_id, visit, 409, said=visit.w["used_before"], values=values)
        except Refused as refusal:
            told = told_of(refusal, typed, visit)
            return self.show(case_id, visit, refusal.status, told=told, values=values, once=once)
        moved = f"?moved={receipt['moved_to']}" if receipt.get("moved_to") else ""
        return RedirectResponse(f"{self._desk.pages.base}/report/receipts/{case_id}{moved}", 303)


class MovedOn(Conflict):
    """The case has a newer revision than the page was opened with."""

    def __init__(self, revision: int) -> None:
        super().__init__("the case has changed since this page was opened")
        self.revision = revision
