"""`/report/queries/{query}`: what is asked of the site, and its answer, which is the next revision of the case."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from ae_intake import taking
from ae_intake.desk import held_case
from ae_intake.desk.held_case import Asked, asked_of
from ae_intake.desk.sayings import Said, example_of, refusal
from ae_intake.desk.sending import send
from ae_intake.desk.typed import values_of, whole_date, whole_time
from ae_intake.desk.visit import Desk, Visit, posted, uuid_of
from tocsin.errors import Conflict, NotFound, Refused
from tocsin.web.pages import Form


def add(routes: APIRouter, desk: Desk) -> None:
    """The routes."""
    page = QueryPage(desk)

    @routes.get("/report/queries/{query_id}", include_in_schema=False)
    def show(query_id: str, request: Request) -> Response:
        return desk.open(request, lambda visit: page.show(query_id, visit))

    @routes.post("/report/queries/{query_id}", include_in_schema=False)
    async def answer(query_id: str, request: Request) -> Response:
        take, again = partial(page.answer, query_id), partial(page.again, query_id)
        return await posted(desk, request, lambda form: desk.take(request, form, take, again))


class QueryPage:
    """Shows a query and takes its answer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def show(
        self, query_id: str, visit: Visit, status: int = 200, *, said: str = "", typed: Mapping[str, str] | None = None,
        wrong: list[Said] | None = None, once: str = "",
    ) -> Response:  # fmt: skip
        """The query with its form; without one once it is answered."""
        with self._desk.parts.store.reading() as tx:
            row = held_case.find_query(tx, visit, query_id)
        one, title = asked_of(row, visit, typed, once), visit.w.get(f"query_{row.kind}", visit.w["query_title"])
        return self._desk.page(
            visit, "query.html", status, title=title, one=one, done=row.status != "open",
            said=said, wrong={"": wrong} if wrong else {},
        )  # fmt: skip

    def again(self, query_id: str, visit: Visit, form: Form, status: int, said: str) -> Response:
        """The query anew, with what was typed."""
        return self.show(query_id, visit, status, said=said, typed=values_of(form), once=form.get("once"))

    def answer(self, query_id: str, visit: Visit, form: Form) -> Response:
        """Keep the answer."""
        values, once = values_of(form), uuid_of(form.get("once"))
        with self._desk.parts.store.reading() as tx:
            row = held_case.find_query(tx, visit, query_id)
        facts = _answer(asked_of(row, visit), values)
        if not facts:
            return self.show(query_id, visit, 422, said=visit.w["answer_empty"], typed=values, once=once)
        try:
            send(
                self._desk, visit, "answer", facts,
                partial(taking.an_answer, visit.sender, visit.protocol, query_id), key=f"form-{once}",
                path=f"/report/queries/{query_id}", before=lambda _: None,
            )  # fmt: skip
        except NotFound:
            raise
        except Conflict:
            return self.show(query_id, visit, 409, said=visit.w["used_before"], typed=values)
        except Refused as found:
            wrong = [refusal(one, visit.w, example=_example(visit)) for one in found.wrong]
            wrong = wrong or [Said(visit.w["wrong_other"], found.title)]
            return self.show(query_id, visit, found.status, wrong=wrong, typed=values, once=once)
        onward = f"/report/receipts/{row.case_id}" if row.case_id else "/report"
        return RedirectResponse(self._desk.pages.base + onward, 303)


def _answer(asked: Asked, values: Mapping[str, str]) -> dict[str, Any]:
    """The answer as a system would post it; empty when nothing was said."""
    facts: dict[str, Any] = {}
    if asked.takes == "moment":
        day, hour = whole_date(values.get("value_date", "")), whole_time(values.get("value_time", ""))
        if day or hour:
            facts["value"] = f"{day}T{hour}" if hour else day
    elif asked.takes == "yes_no":
        if values.get("value") in ("yes", "no"):
            facts["value"] = values["value"] == "yes"
    elif asked.takes == "text" and "value" in values:
        facts["value"] = {"name": values["value"]} if asked.about == "/reporter" else values["value"]
    if "statement" in values:
        facts["statement"] = values["statement"]
    return facts


def _example(visit: Visit) -> str:
    return example_of(visit.protocol.subject_pattern, visit.site.id)
