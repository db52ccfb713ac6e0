"""The page `/desk/dose`: may the next subject be infused, and at what dose? With its stamp, its script and the packet.

Reading only. Without a login it shows the sign-in form and no more. An open page asks for the stamp
several times a second and fetches itself anew when that differs; without its script it is a page that one reloads.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import JSONResponse, Response

from alerting import board_json, dlt_board, packet, packet_api, trial_api
from alerting.board import MOST
from alerting.desk import dose_stamp, dose_view
from alerting.desk.dose_times import Times
from alerting.parts import Parts
from tocsin.domain.protocol import Protocol
from tocsin.errors import Refused
from tocsin.web.identity import Person
from tocsin.web.pages import Pages
from tocsin.web.places import DOSE, READERS

HERE: Final = DOSE.path


def add(routes: APIRouter, parts: Parts, pages: Pages) -> None:
    """The routes of the dose page."""
    page = DosePage(parts, pages)

    @routes.get(HERE, include_in_schema=False)
    def open_dose_board(request: Request, study: str | None = None, what_if: bool = True) -> Response:
        return page.board(request, study, with_what_if=what_if)

    @routes.get(f"{HERE}/stamp", include_in_schema=False)
    def dose_stamp_now(request: Request, study: str | None = None) -> Response:
        return page.stamp(pages.who(request), study)

    @routes.get(f"{HERE}/packet", include_in_schema=False)
    def dose_packet(request: Request, study: str | None = None) -> Response:
        return page.packet(request, study)

    @routes.get("/desk/dose.js", include_in_schema=False)
    def script() -> Response:
        return Response(pages.file("dose.js"), media_type="text/javascript; charset=utf-8")

    @routes.get("/desk/dose.css", include_in_schema=False)
    def style() -> Response:
        return Response(pages.file("dose.css"), media_type="text/css; charset=utf-8")


def may_see(who: Person | None) -> bool:
    """Whether this person may see the dose board."""
    return who is not None and DOSE.is_for(who.roles)


class DosePage:
    """Answers the dose page of each study."""

    def __init__(self, parts: Parts, pages: Pages) -> None:
        self._parts = parts
        self._pages = pages
        self._answers: dict[str, tuple[str, list[dict[str, Any]]]] = {}

    def board(self, request: Request, study: str | None, *, with_what_if: bool = True) -> Response:
        """The page; the sign-in form for whoever may not see it; the studies, where several have doses.

        What the board would say otherwise takes a hundred times as long as the board: an open page asks for it last.
        """
        who = self._pages.who(request)
        if not may_see(who):
            return self._sign_in(request, who)
        try:
            protocol = trial_api.study_of(self._parts, study)
        except Refused as refusal:
            return self._which(who, refusal)
        now = self._parts.now()
        with self._parts.store.reading() as tx:
            stamp = dose_stamp.stamp(tx, protocol, now)
            board = self._whole(tx, protocol, now, stamp if with_what_if else None)
            judged = self._judged(tx, protocol, board)
        times = Times(protocol.receiver_zone, now)
        return self._pages.html(
            "dose.html",
            title="Dose board",
            who=who,
            place=DOSE,
            stamp=stamp,
            study=protocol.id,
            study_title=protocol.title,
            query=self._query(study),
            times=times,
            zone_of_study=protocol.receiver_zone.key,
            may_print=who is not None and bool(who.roles & READERS),
            **dose_view.view(board, judged, protocol, times),
        )

    def _whole(self, tx: Connection, protocol: Protocol, now: datetime, stamp: str | None) -> dict[str, Any]:
        """The board; with its what-if where a stamp is given, worked out once for each. Without, `what_if` is None."""
        kept = self._answers.get(protocol.id)
        is_known = kept is not None and kept[0] == stamp
        found = board_json.whole(tx, self._parts, protocol, now, with_what_if=stamp is not None and not is_known)
        if stamp is None:
            return {**found, "what_if": None}
        if kept is not None and is_known:
            return {**found, "what_if": kept[1]}
        self._answers[protocol.id] = (stamp, found["what_if"])
        return found

    def _judged(self, tx: Connection, protocol: Protocol, board: dict[str, Any]) -> list[dict[str, Any]]:
        """Every verdict of the study: subject by subject, so that no limit of a list leaves one out."""
        names = [one["subject"] for one in board["subjects"]]
        found = [dlt_board.like(tx, self._parts, study=protocol.id, subject=name, limit=MOST) for name in names]
        return [one for ones in found for one in ones]

    def stamp(self, who: Person | None, study: str | None) -> Response:
        """The stamp, and what the clock says; 401 when the login has ended."""
        if not may_see(who):
            return JSONResponse({"stamp": None, "at": None}, 401)
        protocol = trial_api.study_of(self._parts, study)
        now = self._parts.now()
        with self._parts.store.reading() as tx:
            found = dose_stamp.stamp(tx, protocol, now)
        return JSONResponse({"stamp": found, "at": Times(protocol.receiver_zone, now).clock})

    def packet(self, request: Request, study: str | None) -> Response:
        """The dose-review packet of this moment, as a file to keep; the same as by the API."""
        who = self._pages.who(request)
        if who is None or not who.roles & READERS:
            return self._sign_in(request, who)
        protocol = trial_api.study_of(self._parts, study)
        with self._parts.store.reading() as tx:
            made = packet.packet(tx, self._parts, protocol)
        return packet_api.as_file(made)

    def _sign_in(self, request: Request, who: Person | None) -> Response:
        said = "" if who is None else "Your roles do not let you see the dose board."
        return self._pages.sign_in_first(request, said, title="Dose board")

    def _which(self, who: Person | None, refusal: Refused) -> Response:
        studies: list[Protocol] = [one for one in self._parts.studies.values() if one.levels]
        links = [(one.id, one.title, f"{HERE}{self._query(one.id)}") for one in studies]
        return self._pages.html(
            "dose_which.html", refusal.status, title="Which study?", who=who, links=links, what="dose board"
        )

    def _query(self, study: str | None) -> str:
        return f"?{urlencode({'study': study})}" if study is not None else ""
