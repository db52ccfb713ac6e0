"""The page `/desk/deliveries`: what was sent to whom and how it went; what was given up, first; trying it again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import QueryParams
from starlette.responses import Response

from alerting import board
from alerting.api import MAY_RETRY
from alerting.delivery import ledger
from alerting.delivery.ledger import DEAD, DELIVERED, MAIL, PENDING, SENDING, WEBHOOK
from alerting.desk import deliveries_view as view
from alerting.desk.asked import Asked
from alerting.desk.dose_times import Times
from alerting.desk.role_words import role as in_words
from alerting.parts import Parts
from tocsin.errors import Conflict, NotFound, Refused, Wrong
from tocsin.store import audit
from tocsin.web.identity import Person
from tocsin.web.pages import Form, Pages
from tocsin.web.places import DELIVERIES

HERE: Final = DELIVERIES.path
PAGE: Final = 100
STATES: Final = {
    DEAD: "given up", PENDING: "waits for its next try", SENDING: "on its way", DELIVERED: "delivered",
}  # fmt: skip
_SAID: Final = {"retried": "It is tried now. Load this page again to see what became of it."}
_FILTERS: Final = ("state", "channel", "address", "case", "since")


def add(routes: APIRouter, parts: Parts, pages: Pages) -> None:
    """The routes."""
    asked = Asked(routes, pages, DELIVERIES)
    page = DeliveriesPage(parts, pages, asked)
    asked.get(HERE, page.show)
    asked.post(f"{HERE}/retry", HERE, MAY_RETRY, page.retry)


class DeliveriesPage:
    """Answers what was sent."""

    def __init__(self, parts: Parts, pages: Pages, asked: Asked) -> None:
        self._parts = parts
        self._pages = pages
        self._asked = asked

    def show(self, request: Request, who: Person) -> Response:
        """What was given up, messages that could not be handled, and the deliveries that the filter selects."""
        query = request.query_params
        times = Times(self._pages.zone, self._parts.now())
        chosen = {name: query.get(name, "").strip() for name in _FILTERS}
        refusal, since, after = None, None, None
        try:
            since, after = _since(chosen["since"], times), _after(query)
        except Refused as why:
            refusal = why
        with self._parts.store.reading() as tx:
            counts = view.counts(tx)
            dead = view.shown(tx, view.given_up(tx))
            letters = view.letters(tx)
            found = board.deliveries_like(
                tx, state=_known(chosen["state"], STATES), channel=_known(chosen["channel"], (MAIL, WEBHOOK)),
                address=chosen["address"] or None, case_id=chosen["case"].upper() or None, since=since, after=after,
                limit=PAGE + 1,
            )  # fmt: skip
            listed = view.shown(tx, found[:PAGE])
        older = ""
        if len(found) > PAGE:
            last = {"at": found[PAGE - 1]["created_at"], "id": found[PAGE - 1]["delivery_id"]}
            older = f"?{urlencode({**{name: value for name, value in chosen.items() if value}, **last})}"
        return self._pages.html(
            "deliveries.html", 422 if refusal else 200, title="Deliveries", who=who, place=DELIVERIES, times=times,
            heading=view.heading(counts), counts=counts, dead=dead, letters=letters, listed=listed, chosen=chosen,
            in_words=in_words, states=STATES, channels=(MAIL, WEBHOOK), older=older, is_first=after is None,
            refusal=refusal, may_retry=bool(who.roles & set(MAY_RETRY)), said=_SAID.get(query.get("said", ""), ""),
        )  # fmt: skip

    def retry(self, request: Request, who: Person, form: Form) -> Response:
        """Try one again at once. Conflict for one that has arrived, or is on its way."""
        try:
            delivery_id = UUID(form.get("delivery"))
        except ValueError:
            raise NotFound("there is no such delivery") from None
        now = self._parts.now()
        with self._parts.store.transaction() as tx:
            if not ledger.retry(tx, delivery_id, now):
                raise Conflict("there is no such delivery that waits or was given up")
            audit.append(tx, at=now, who=who.name, did="delivery retried", about=f"delivery {delivery_id}")
        return self._asked.to(HERE, "retried")


def _known(text: str, allowed: object) -> str | None:
    """A choice of the list; anything else chooses nothing."""
    return text if text in allowed else None  # type: ignore[operator]


def _since(text: str, times: Times) -> datetime | None:
    try:
        return times.start_of(text) if text else None
    except (ValueError, OverflowError):
        raise Refused("this filter cannot be", [Wrong("/since", f"{text!r} is no date", "2026-05-14")]) from None


def _after(query: QueryParams) -> tuple[datetime, UUID] | None:
    if "at" not in query or "id" not in query:
        return None
    try:
        return datetime.fromisoformat(query["at"]).astimezone(UTC), UUID(query["id"])
    except (ValueError, OverflowError):
        raise Refused("this page cannot be", [Wrong("", "the link to it is broken", "a link of the page")]) from None
