"""The page behind a mail's link, `/a/{alert}`: what rings, whether it is mine, and acknowledging it.

Opening it changes nothing: acknowledging is a form that is posted. Without a login it shows what the mail showed, no
more. Signed in, it says why, and leads to the case.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from alerting import answers, api, board, kinds
from alerting.alarm import OPEN
from alerting.delivery.bell import Due, case_number
from alerting.delivery.letter import due_words
from alerting.desk.dose_times import Times
from alerting.desk.now import RINGING_LEVELS
from alerting.desk.ringing_rows import Rails, Stop
from alerting.parts import Parts
from tocsin.errors import Forbidden, Refused
from tocsin.web.identity import Person
from tocsin.web.pages import Form, Pages, read_form
from tocsin.web.places import CASES

_BACK = re.compile(r"/desk(?:/cases/TOC-\d{4,9})?")
"""Where an acknowledgement may lead back to: the board, or the case."""


def add(routes: APIRouter, parts: Parts, pages: Pages) -> None:
    """The routes."""
    page = AlertPage(parts, pages)

    @routes.get("/a/{alert_id}", include_in_schema=False)
    def open_alert(alert_id: str, request: Request) -> Response:
        return page.show(alert_id, pages.who(request))

    @routes.post("/a/{alert_id}", include_in_schema=False)
    async def acknowledge(alert_id: str, request: Request) -> Response:
        try:
            form = await read_form(request, 10_000)
        except Refused as refusal:
            return pages.refused(request, refusal)
        return await run_in_threadpool(page.acknowledge, alert_id, request, form)


class AlertPage:
    """Answers the page of each alert."""

    def __init__(self, parts: Parts, pages: Pages) -> None:
        self._parts = parts
        self._pages = pages

    def show(self, alert_id: str, who: Person | None, status: int = 200, said: str = "") -> Response:
        """The page of one alert. An id that is not one looks like an alert that is not there."""
        found = self._find(alert_id)
        if found is None:
            return self._pages.html("missing.html", 404, title="No such alarm", who=who)
        may_read = who is not None and bool(who.roles & {*api.MAY_ANSWER})
        protocol = self._parts.studies.get(found["study"])
        zone = protocol.receiver_zone if protocol else ZoneInfo("UTC")
        due = Due.of(found["due"]) if found["due"] else None
        words = kinds.words(found["kind"])
        case_id = case_number(found["case_id"])
        times = Times(zone, self._parts.now())
        return self._pages.html(
            "alert.html",
            status,
            title=f"{case_id}: {words}" if case_id else words,
            who=who,
            said=said,
            alert={**found, "reasons": times.sentences(found["reasons"])},
            rail=self._rail(found, times) if may_read and found["state"] == OPEN else [],
            case_id=case_id,
            words_of_kind=words,
            clock=due.clock if due else None,
            provisional=due.is_provisional if due else False,
            due=due_words(due, zone) if due else None,
            raised=_moment(found["raised_at"], zone),
            acknowledged=_moment(found["acknowledged_at"], zone) if found["acknowledged_at"] else None,
            closed=_moment(found["closed_at"], zone) if found["closed_at"] else None,
            zone_of_study=zone.key,
            may_read=may_read,
            may_open=who is not None and CASES.is_for(who.roles),
            has_answered=who is not None and who.name in [one["by"] for one in found["acknowledgements"]],
            may_acknowledge=who is not None and answers.may_acknowledge(found["level"], found["roles"], who.roles),
            is_ringing=found["level"] in RINGING_LEVELS,
            onward=f"/a/{found['alert_id']}",
        )

    def acknowledge(self, alert_id: str, request: Request, form: Form) -> Response:
        """Acknowledge by the page's form, then show the page anew."""
        who = self._pages.who(request)
        if who is None:
            return self.show(alert_id, None, 401, "Sign in first. Nothing was acknowledged.")
        try:
            self._pages.check(request, who, form)
        except Forbidden:
            return self.show(alert_id, who, 403, "This form was not from this page. Nothing was acknowledged.")
        if self._find(alert_id) is None:
            return self.show(alert_id, who)
        try:
            api.answer(self._parts, UUID(alert_id), who)
        except Refused as refusal:
            return self.show(alert_id, who, refusal.status, f"Nothing was acknowledged: {refusal.title}.")
        onward = form.get("back") if _BACK.fullmatch(form.get("back")) else f"/a/{alert_id}"
        return RedirectResponse(self._pages.base + onward, 303)

    def _rail(self, found: dict[str, Any], times: Times) -> list[Stop]:
        """Who is being rung, and who is next and when."""
        with self._parts.store.reading() as tx:
            (rail,) = Rails(tx, self._parts, times).of([found])
        return [stop for stop in rail if stop.state != "done"]

    def _find(self, alert_id: str) -> dict[str, Any] | None:
        try:
            wanted = UUID(alert_id)
        except ValueError:
            return None
        with self._parts.store.reading() as tx:
            found = board.alerts_like(tx, alert_id=wanted)
        return found[0] if found else None


def _moment(text: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(text).astimezone(zone):%a %d %b %Y, %H:%M}"
