"""What an administrator does to webhooks on the page of addresses: add, disable, enable, exchange the secret."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from alerting import webhooks
from alerting.desk.addresses_page import HERE, AddressesPage
from alerting.desk.asked import Asked
from alerting.parts import ALL_STUDIES, Parts
from tocsin.domain.words import Role
from tocsin.errors import Conflict, NotFound, Refused, Wrong
from tocsin.web.identity import Person
from tocsin.web.pages import Form, Pages
from tocsin.web.places import ON_CALL

ROLES = frozenset({Role.ADMINISTRATOR})


def add(routes: APIRouter, parts: Parts, pages: Pages) -> None:
    """The routes."""
    asked = Asked(routes, pages, ON_CALL)
    deeds = WebhookDeeds(parts, pages, asked)
    for name, deed in (
        ("add", deeds.add), ("disable", deeds.disable), ("enable", deeds.enable), ("rotate", deeds.rotate),
    ):  # fmt: skip
        asked.post(f"{ON_CALL.path}/webhooks/{name}", HERE, ROLES, deed)


class WebhookDeeds:
    """Does them, each in one transaction."""

    def __init__(self, parts: Parts, pages: Pages, asked: Asked) -> None:
        self._parts = parts
        self._pages = pages
        self._asked = asked
        self._page = AddressesPage(parts, pages, asked)

    def add(self, request: Request, who: Person, form: Form) -> Response:
        """A new receiver; its secret is on the answer, and nowhere again. Conflict for one that is there."""
        study, role, url = form.get("study"), form.get("role"), form.get("url")

        def add(tx: Connection) -> str:
            if study != ALL_STUDIES and study not in self._parts.studies:
                allowed = ", ".join([*sorted(self._parts.studies), ALL_STUDIES])
                raise Refused("this webhook cannot be added", [Wrong("/study", f"no study {study!r}", allowed)])
            # Sending the form again, as a browser does when the answer is loaded anew, must not ring twice.
            same = [one for one in webhooks.listed(tx) if (one.study, one.role, one.url) == (study, role, url)]
            if any(one.disabled_at is None for one in same):
                raise Conflict("this receiver is there already; a lost secret is exchanged")
            return webhooks.add(tx, study, role, url, self._parts.now(), who=who.name)

        return self._with_secret(request, who, form, add)

    def rotate(self, request: Request, who: Person, form: Form) -> Response:
        """Another secret. The earlier signs for a day as well, unless it was stolen."""
        is_stolen = form.get("stolen") == "yes"

        def rotate(tx: Connection) -> str:
            both = timedelta(0) if is_stolen else webhooks.BOTH_SIGN
            return webhooks.rotate(tx, _hook(form), self._parts.now(), who=who.name, both_sign=both)

        return self._with_secret(request, who, form, rotate)

    def disable(self, request: Request, who: Person, form: Form) -> Response:
        """Send nothing more there."""
        reason = form.get("reason")
        if not 0 < len(reason) <= 2000:
            wrong = Wrong("/reason", "is missing or too long", "1 to 2000 characters")
            refusal = Refused("a webhook is disabled with a reason", [wrong])
            return self._page.show(request, who, refusal.status, typed=form, refusal=refusal)
        with self._parts.store.transaction() as tx:
            webhooks.disable(tx, _hook(form), reason, self._parts.now(), who=who.name)
        return self._asked.to(HERE, "disabled")

    def enable(self, request: Request, who: Person, form: Form) -> Response:
        """Send there again."""
        with self._parts.store.transaction() as tx:
            webhooks.enable(tx, _hook(form), self._parts.now(), who=who.name)
        return self._asked.to(HERE, "enabled")

    def _with_secret(
        self, request: Request, who: Person, form: Form, deed: Callable[[Connection], str]
    ) -> Response:  # fmt: skip
        try:
            with self._parts.store.transaction() as tx:
                secret = deed(tx)
        except NotFound:
            raise
        except Refused as refusal:
            return self._page.show(request, who, refusal.status, typed=form, refusal=refusal)
        return self._pages.html(
            "told_once.html", title="The secret of the webhook", who=who, place=ON_CALL, secret=secret,
            of="the secret of the webhook", back=HERE, back_words="the addresses",
            then="The receiver checks with it that a message is ours. Give it to whoever runs the receiver.",
        )  # fmt: skip


def _hook(form: Form) -> UUID:
    try:
        return UUID(form.get("webhook"))
    except ValueError:
        raise NotFound("there is no such webhook") from None
