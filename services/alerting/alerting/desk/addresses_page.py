"""The page `/desk/on-call/addresses`: every address that is rung, whether it works, a trial; and the webhooks."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from alerting import contacts, webhooks
from alerting.api import MAY_RETRY
from alerting.delivery.ledger import MAIL, WEBHOOK, To
from alerting.desk.asked import Asked
from alerting.desk.dose_times import Times
from alerting.desk.role_words import role as in_words
from alerting.parts import ALL_STUDIES, Parts
from alerting.routing import EVERY_ROLE, PERSONAL
from tocsin.domain.words import Role
from tocsin.errors import NotFound, Refused
from tocsin.web.identity import Person
from tocsin.web.pages import Form, Pages
from tocsin.web.places import ON_CALL

HERE: Final = f"{ON_CALL.path}/addresses"
HEARS: Final = {
    EVERY_ROLE: "every alarm, beside the people",
    PERSONAL: "what rings the person of a call plan who names it",
    webhooks.HEARTBEAT: "each heartbeat, to ring from outside when none comes",
}
_SAID: Final = {
    "tried": "A trial is on its way. Load this page again to see what became of it.",
    "disabled": "The webhook is disabled: nothing more is sent there.",
    "enabled": "The webhook is enabled. What was given up meanwhile is not sent by itself: see Deliveries.",
}


def add(routes: APIRouter, parts: Parts, pages: Pages) -> None:
    """The routes."""
    asked = Asked(routes, pages, ON_CALL)
    page = AddressesPage(parts, pages, asked)
    asked.get(HERE, page.show)
    asked.post(f"{HERE}/trials", HERE, MAY_RETRY, page.fire)


class AddressesPage:
    """Answers the addresses."""

    def __init__(self, parts: Parts, pages: Pages, asked: Asked) -> None:
        self._parts = parts
        self._pages = pages
        self._asked = asked

    def show(
        self, request: Request, who: Person, status: int = 200, *, typed: Form | None = None,
        refusal: Refused | None = None,
    ) -> Response:  # fmt: skip
        """Every address once, the webhooks, and the form of a new one with what was typed where that was refused."""
        parts, now = self._parts, self._parts.now()
        with parts.store.reading() as tx:
            listed = contacts.listed(tx, parts.studies, now)
            hooks = webhooks.listed(tx)
        is_admin = Role.ADMINISTRATOR in who.roles
        times = Times(self._pages.zone, now)
        hears = {**HEARS, **{role.value: f"what rings the {in_words(role)}" for role in Role if role != Role.SITE}}
        return self._pages.html(
            "addresses.html", status, title="Addresses", who=who, place=ON_CALL, tab="addresses", study="",
            contacts=listed, hooks=hooks, times=times, now=now, hears=hears, heading=heading(listed),
            studies=[*sorted(parts.studies), ALL_STUDIES], may_try=bool(who.roles & set(MAY_RETRY)),
            is_admin=is_admin, typed=typed, refusal=refusal,
            said=_SAID.get(request.query_params.get("said", ""), ""),
        )  # fmt: skip

    def fire(self, request: Request, who: Person, form: Form) -> Response:
        """Send a trial to one address."""
        channel = form.get("channel")
        if channel not in (MAIL, WEBHOOK):
            raise NotFound("nobody here is reached so")
        try:
            with self._parts.store.transaction() as tx:
                contacts.fire(tx, self._parts, To(channel, form.get("address")), who.name, self._parts.now())
        except Refused as refusal:
            return self.show(request, who, refusal.status, refusal=refusal)
        return self._asked.to(HERE, "tried")


def heading(listed: list[contacts.Contact]) -> str:
    """Which of the addresses did not take what was sent last, as a sentence."""
    on = [one for one in listed if one.is_enabled]
    failed = sum(one.last is not None and one.last["state"] == "dead" for one in on)
    never = sum(one.last is None for one in on)
    if failed:
        return f"{failed} of {len(on)} addresses did not take what was sent last."
    if never:
        return f"{never} of {len(on)} addresses {'was' if never == 1 else 'were'} never tried."
    return f"{len(on)} addresses are rung; none failed the last time."
