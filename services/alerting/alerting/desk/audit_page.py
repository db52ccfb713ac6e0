"""The page `/desk/audit`: who did what, when and why, newest first; as files; and whether the chain is whole.

Reading it stands in it: one line for whoever opens it with a filter, once in a while, and one for each file.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from alerting.desk import audit_files, audit_view
from alerting.desk.asked import Asked
from alerting.desk.audit_check import Checker
from alerting.desk.audit_view import Filter
from alerting.desk.dose_times import Times
from alerting.parts import ALL_STUDIES, NAME, Parts
from tocsin.errors import Forbidden, Refused, Wrong
from tocsin.store import audit
from tocsin.web.identity import Person
from tocsin.web.pages import NOT_FROM_HERE, Form, Pages, is_from_here
from tocsin.web.places import AUDIT

HERE: Final = AUDIT.path
NOTED_FOR: Final = timedelta(minutes=10)
"""How long somebody reads on, page by page, under one line of the trail."""
_MOST_NOTED: Final = 1000
_KINDS: Final = {"csv": ("text/csv", "csv"), "jsonl": ("application/jsonl", "jsonl")}


def add(routes: APIRouter, parts: Parts, pages: Pages) -> None:
    """The routes."""
    asked = Asked(routes, pages, AUDIT)
    page = AuditPage(parts, pages, asked)
    asked.get(HERE, page.show)
    asked.get(f"{HERE}/export.csv", page.as_csv)
    asked.get(f"{HERE}/export.jsonl", page.as_json)
    asked.post(f"{HERE}/verify", HERE, AUDIT.roles, page.verify)


class AuditPage:
    """Answers the trail of this service."""

    def __init__(self, parts: Parts, pages: Pages, asked: Asked) -> None:
        self._parts = parts
        self._pages = pages
        self._asked = asked
        self._checker = Checker(parts.store, parts.now)
        self._noted: OrderedDict[tuple[str, str, Filter], datetime] = OrderedDict()

    def show(self, request: Request, who: Person) -> Response:
        """A hundred lines that the filter selects."""
        found = audit_view.filter_of(request.query_params)
        times = Times(self._pages.zone, self._parts.now())
        rows: list[Any] = []
        refusal, older = None, None
        with self._parts.store.reading() as tx:
            newest = audit_view.newest(tx)
            try:
                before = _before(request.query_params.get("before", ""))
                rows, older = audit_view.page(tx, audit_view.wanted(found, times), before)
            except Refused as why:
                refusal = why
        if refusal is None:
            self._note(who, found)
        query = found.query()
        return self._pages.html(
            "audit.html", 422 if refusal else 200, title="Audit trail", who=who, place=AUDIT, chosen=found,
            lines=[audit_view.line(row, times) for row in rows], newest=newest, refusal=refusal,
            studies=[*sorted(self._parts.studies), ALL_STUDIES],
            zone_of_page=times.zone.key, query=f"?{urlencode(query)}" if query else "",
            older=f"?{urlencode({**query, 'before': older})}" if older else "",
            is_first="before" not in request.query_params, checked=self._checker.last,
            is_reading=self._checker.is_reading, service=NAME,
            checked_at=times.moment(self._checker.last.at.isoformat()) if self._checker.last else "",
        )  # fmt: skip

    def verify(self, request: Request, who: Person, form: Form) -> Response:
        """Read the whole chain; the page says what was found, or that it is still being read."""
        self._checker.check()
        return self._asked.to(HERE)

    def as_csv(self, request: Request, who: Person) -> Response:
        """What the filter selects, for a spreadsheet."""
        return self._file(request, who, "csv")

    def as_json(self, request: Request, who: Person) -> Response:
        """What the filter selects, for a program."""
        return self._file(request, who, "jsonl")

    def _file(self, request: Request, who: Person, kind: str) -> Response:
        if not is_from_here(request):
            raise Forbidden(NOT_FROM_HERE)
        found, now = audit_view.filter_of(request.query_params), self._parts.now()
        conditions = audit_view.wanted(found, Times(self._pages.zone, now))
        with self._parts.store.reading() as tx:
            last = audit_view.newest(tx)
        with self._parts.store.transaction() as tx:
            after = {"as": kind, "up_to": last, **found.query()}
            audit.append(tx, at=now, who=who.name, did="audit trail exported", about="audit trail", after=after)
        rows = audit_view.selected(self._parts.store, conditions, last)
        lines = audit_files.csv_lines(rows) if kind == "csv" else audit_files.json_lines(rows)
        media, ending = _KINDS[kind]
        name = f"tocsin-audit-{NAME}-{now:%Y-%m-%d}.{ending}"
        disposition = {"content-disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(
            audit_files.in_pieces(lines), media_type=f"{media}; charset=utf-8", headers=disposition
        )

    def _note(self, who: Person, found: Filter) -> None:
        """That somebody reads, once for each filter and a while: not a line for each page that is turned."""
        now, key = self._parts.now(), (who.name, who.session, found)
        noted = self._noted.get(key)
        if noted is not None and timedelta(0) <= now - noted < NOTED_FOR:
            return
        with self._parts.store.transaction() as tx:
            audit.append(
                tx, at=now, who=who.name, did="audit trail read", about="audit trail", after=found.query() or None
            )
        self._noted[key] = now
        self._noted.move_to_end(key)
        while len(self._noted) > _MOST_NOTED:
            self._noted.popitem(last=False)


def _before(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise Refused("this page cannot be", [Wrong("/before", f"{text!r} is no number of a line", "a number")])
    return int(text)
