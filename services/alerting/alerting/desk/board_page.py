"""The board, `/desk`: what needs me now? And the stream that tells an open board that it changed.

Opening it changes nothing. Each panel is asked for by itself: where one fails the others stand, and the page says which
failed and under which reference the log has it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

import structlog
from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse

from alerting.desk import board_facts, board_health, board_view
from alerting.desk.board_stamp import Stamps
from alerting.desk.dose_times import Times
from alerting.parts import Parts
from tocsin.errors import Away, Refused
from tocsin.settings import Settings
from tocsin.web.identity import Person
from tocsin.web.pages import Pages
from tocsin.web.places import AUDIT, BOARD, CODING, DELIVERIES, KEYS, ON_CALL

log = structlog.get_logger(__name__)
T = TypeVar("T")

LOOK_EVERY_S: Final = 0.5
BEAT_EVERY_S: Final = 4.0
"""How often an open page hears that nothing changed; two that it misses make it say that it is stale."""
STREAM_LASTS_S: Final = 50.0
"""A browser asks again by itself: no proxy need hold a connection for longer, and who signed out is found out."""


def add(
    routes: APIRouter, parts: Parts, pages: Pages, settings: Settings, troubles: Callable[[], Sequence[str]]
) -> None:  # fmt: skip
    """The routes of the board. `troubles`: what `/ready` says is wrong with this service."""
    page = BoardPage(parts, pages, timedelta(minutes=settings.heartbeat_minutes), troubles)

    @routes.get(BOARD.path, include_in_schema=False)
    def open_board(request: Request) -> Response:
        try:
            who = pages.must_be(request, BOARD)
        except Refused as refusal:
            return pages.refused(request, refusal, title="Board")
        return page.show(request, who)

    @routes.get(f"{BOARD.path}/doses", include_in_schema=False)
    def open_doses(request: Request) -> Response:
        try:
            return page.doses(pages.must_be(request, BOARD))
        except Refused as refusal:
            return pages.refused(request, refusal, title="Doses")

    @routes.get(f"{BOARD.path}/stream", include_in_schema=False)
    async def stream(request: Request) -> Response:
        try:
            await run_in_threadpool(pages.must_be, request, BOARD)
        except Refused as refusal:
            return JSONResponse({"title": refusal.title}, refusal.status)
        return StreamingResponse(
            page.told(request), media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    @routes.get(f"{BOARD.path}/board.js", include_in_schema=False)
    def script() -> Response:
        return Response(pages.file("board.js"), media_type="text/javascript; charset=utf-8")


class BoardPage:
    """Answers the board."""

    def __init__(
        self, parts: Parts, pages: Pages, every: timedelta, troubles: Callable[[], Sequence[str]]
    ) -> None:  # fmt: skip
        self._parts = parts
        self._pages = pages
        self._every = every
        self._troubles = troubles
        self._stamps = Stamps(parts)

    def show(self, request: Request, who: Person) -> Response:
        """The page as it is now."""
        parts = self._parts
        failed: dict[str, str] = {}
        reference = str(request.scope["state"].get("request_id", ""))

        def panel(name: str, work: Callable[[Connection], T], otherwise: T) -> T:
            try:
                with parts.store.reading() as tx:
                    return work(tx)
            except Away:
                raise
            except Exception as fault:  # noqa: BLE001  whatever fails in one panel, the alarms must stand
                log.error("panel_failed", panel=name, kind=type(fault).__name__, request=reference)
                failed[name] = reference
                return otherwise

        stamp = self._stamps.now()
        times = self._times()
        troubles = self._troubles()
        none, no_rows = board_view.Counts(0, 0, 0, 0), list[dict[str, Any]]()
        no_signs = list[board_health.Sign]()
        counts = panel("counts", lambda tx: board_view.counted(tx, times), none)
        health = panel("health", lambda tx: board_health.signs(tx, parts, times, self._every, troubles), no_signs)
        quiet_work: dict[str, Any] = {"quiet": [], "number_quiet": 0, "unfinished": [], "uncoded": 0}
        facts: dict[str, Any] = {
            "ringing": panel("ringing", lambda tx: board_view.ringing(tx, parts, who, times), no_rows),
            "clocks": panel("clocks", lambda tx: board_view.running(tx, parts, times), {"number": 0, "rows": []}),
            "verdicts": panel("verdicts", lambda tx: board_view.potential(tx, parts, times), no_rows),
            "work": panel("work", lambda tx: board_view.work(tx, who, times), quiet_work),
            "has_cases": panel("health", board_facts.last_report, None) is not None,
        }
        if failed:
            heading = "This page could not read everything: do not take its silence for calm."
        else:
            heading = board_view.heading(counts, health)
        return self._pages.html(
            "board.html", who=who, title=_title(counts), place=BOARD, heading=heading, failed=failed, health=health,
            below=board_view.below(counts, health), stamp=stamp, seen_at=times.clock, counts=counts,
            is_calm=not failed and board_view.is_calm(counts, health), zone_of_study=times.zone.key,
            places_of=[place for place in (CODING, DELIVERIES, AUDIT, ON_CALL, KEYS) if place.is_for(who.roles)],
            coding=CODING, keys_place=KEYS, on_call=ON_CALL, **facts,
        )  # fmt: skip

    def doses(self, who: Person) -> Response:
        """The cards of the doses, for a board that is open already: alarms come first, and wait for no other panel."""
        times = self._times()
        with self._parts.store.reading() as tx:
            found = board_view.doses(tx, self._parts, times)
        return self._pages.html("board_doses.html", who=who, title="Doses", place=BOARD, doses=found)

    def _times(self) -> Times:
        return Times(self._pages.zone, self._parts.now())

    async def told(self, request: Request) -> AsyncIterator[str]:
        """Server-sent events: `board` with a stamp when it differs, `beat` while nothing does."""
        loop = asyncio.get_running_loop()
        begun = said_at = loop.time()
        last = ""
        yield "retry: 1000\n\n"
        while loop.time() - begun < STREAM_LASTS_S and not request.app.state.is_ending():
            try:
                stamp = await run_in_threadpool(self._stamps.now)
            except Away:
                stamp = last  # nothing is said: the page finds out that it is stale
            else:
                if stamp != last or loop.time() - said_at >= BEAT_EVERY_S:
                    kind = "board" if stamp != last else "beat"
                    yield f"event: {kind}\ndata: {json.dumps({'stamp': stamp})}\n\n"
                    last, said_at = stamp, loop.time()
            await asyncio.sleep(LOOK_EVERY_S)


def _title(counts: board_view.Counts) -> str:
    """What stands in the tab, which is all that is seen of a page behind others."""
    return f"({counts.ringing}) Board" if counts.ringing else "Board"
