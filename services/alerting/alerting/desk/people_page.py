"""The page `/desk/people`: who may sign in, as what, and who is signed in; and letting somebody in.

One person's own page with what an administrator does there is `person_page`; each person's page of their own `me_page`.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from alerting import accounts, sessions
from alerting.accounts import Known, Of
from alerting.desk.asked import Asked
from alerting.desk.dose_times import Times
from alerting.desk.role_words import role as in_words
from alerting.parts import Parts
from tocsin.domain.protocol import Protocol
from tocsin.domain.words import Role
from tocsin.errors import Refused, Wrong
from tocsin.web.identity import Person
from tocsin.web.pages import Form, Pages
from tocsin.web.places import PEOPLE

HERE: Final = PEOPLE.path
ROLES: Final = tuple(Role)
DOES: Final = {
    Role.SITE: "reports for one site, and sees that site's reports",
    Role.SAFETY_PHYSICIAN: "is rung first, assesses and signs",
    Role.SECOND_PHYSICIAN: "is rung next, gives the second signature",
    Role.MEDICAL_DIRECTOR: "is rung when nobody answers, plans who is on call, reads the audit trail",
    Role.MEDICAL_REVIEWER: "reads, reviews the coding",
    Role.SAFETY_TEAM: "records what was sent, plans who is on call, tries deliveries again",
    Role.CODER: "codes events",
    Role.COMMITTEE: "reads, signs decisions on doses",
    Role.CELL_LAB: "sees the dose board, confirms holds",
    Role.AUDITOR: "reads everything and the audit trail, changes nothing",
    Role.ADMINISTRATOR: "lets people in, plans who is on call, keeps webhooks and keys",
}
_SAID: Final = {"closed": "The account is closed. Every session of it has ended; what the person did stays theirs."}
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Account:
    """A line of the list. `state`: open, locked or closed."""

    name: str
    roles: tuple[str, ...]
    of: str
    added: str
    state: str
    when: str
    sessions: int


def add(routes: APIRouter, parts: Parts, pages: Pages) -> None:
    """The routes."""
    asked = Asked(routes, pages, PEOPLE)
    page = PeoplePage(parts, pages, asked)
    asked.get(HERE, page.show)
    asked.post(f"{HERE}/add", HERE, PEOPLE.roles, page.add)


class PeoplePage:
    """Answers the list of people."""

    def __init__(self, parts: Parts, pages: Pages, asked: Asked) -> None:
        self._parts = parts
        self._pages = pages
        self._asked = asked

    def show(
        self, request: Request, who: Person, status: int = 200, *, typed: Form | None = None,
        refusal: Refused | None = None,
    ) -> Response:  # fmt: skip
        """The list, and the form to add somebody; with what was typed where that was refused."""
        with self._parts.store.reading() as tx:
            listed = accounts_of(tx, self._parts, self._pages.zone)
        counts = {state: sum(one.state == state for one in listed) for state in ("open", "locked", "closed")}
        return self._pages.html(
            "people.html", status, title="People", who=who, place=PEOPLE, people=listed, counts=counts,
            signed_in=sum(one.sessions > 0 for one in listed), roles=ROLES, does=DOES, in_words=in_words,
            sites=sites_of(self._parts.studies), typed=typed, chosen=set(typed.many("role")) if typed else set(),
            refusal=refusal, least=accounts.LEAST_LENGTH, said=_SAID.get(request.query_params.get("said", ""), ""),
        )  # fmt: skip

    def add(self, request: Request, who: Person, form: Form) -> Response:
        """A new account; a password that was made here is shown on the answer, and nowhere again."""
        try:
            password, is_ours = password_of(form)
            of = site_of(form, self._parts.studies)
            with self._parts.store.transaction() as tx:
                accounts.add(
                    tx, form.get("name"), password, form.many("role"), self._parts.now(), who=who.name, of=of
                )  # fmt: skip
        except Refused as refusal:
            return self.show(request, who, refusal.status, typed=form, refusal=refusal)
        name = accounts.key(form.get("name"))
        return told_once(self._pages, who, name, password) if is_ours else self._to(name)

    def _to(self, name: str) -> Response:
        return self._asked.to(f"{HERE}/one", "added", name=name)


def accounts_of(tx: Connection, parts: Parts, zone: ZoneInfo) -> list[Account]:
    """Everybody, those who may sign in before those who may not."""
    stand = [one.account for one in sessions.standing(tx, parts.wall())]
    found = [account(one, parts, zone, stand.count(one.name)) for one in accounts.known(tx)]
    return sorted(found, key=lambda one: (one.state == "closed", one.name))


def account(known: Known, parts: Parts, zone: ZoneInfo, standing: int) -> Account:
    """An account in words."""
    times = Times(zone, parts.now())
    state, at = "open", None
    if known.closed_at is not None:
        state, at = "closed", known.closed_at
    elif known.locked_until is not None and known.locked_until > parts.wall():
        state, at = "locked", known.locked_until
    of = f"{known.of.study}, {known.of.site}" if known.of else ""
    when = times.moment(at.isoformat()) if at else ""
    added = times.moment(known.added_at.isoformat())
    return Account(known.name, tuple(sorted(known.roles)), of, added, state, when, standing)


def told_once(pages: Pages, who: Person, name: str, password: str) -> Response:
    """The page with a password that was made here. It is kept nowhere as it is, so it is shown this once."""
    return pages.html(
        "told_once.html", title=f"A password for {name}", who=who, place=PEOPLE, secret=password,
        of=f"the password of {name}", back=HERE, back_words="People",
        then="Give it to them by another way than their mail. They change it on the page behind their name.",
    )  # fmt: skip


def password_of(form: Form) -> tuple[str, bool]:
    """The password of a form, and whether it was made here. Refused when the two that were typed differ."""
    if form.get("make") == "yes":
        return new_password(), True
    if form.raw("password") != form.raw("again"):
        raise Refused("the two passwords differ", [Wrong("/again", "is not the same as the first", "the same twice")])
    return form.raw("password"), False


def new_password() -> str:
    """Twenty letters and digits that nobody mistakes for each other: 99 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(5))


def sites_of(studies: Mapping[str, Protocol]) -> dict[str, str]:
    """Every site of every study file: what a form sends for it, and its words."""
    return {
        f"{study}|{site.id}": f"{study}, {site.id}: {site.name}"
        for study, protocol in sorted(studies.items())
        for site in protocol.sites
    }


def site_of(form: Form, studies: Mapping[str, Protocol]) -> Of | None:
    """The site of a form; None where none was chosen. Refused where no study file has it."""
    chosen = form.get("site")
    if not chosen:
        return None
    if chosen not in sites_of(studies):
        raise Refused("this account cannot be kept", [Wrong("/site", "no study file has this site", "one of the list")])
    study, _, site = chosen.partition("|")
    return Of(study, site)


def facts_of(known: Known) -> dict[str, Any]:
    """What the form of one account begins with."""
    return {"role": set(known.roles), "site": f"{known.of.study}|{known.of.site}" if known.of else ""}
