"""`/report/keys`: which keys let a site's system post, making one (shown once), and revoking one for a reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from ae_intake import keys
from ae_intake.desk import language
from ae_intake.desk.language import WORDS, Lang, language_of
from ae_intake.desk.sayings import Said
from ae_intake.desk.visit import Desk, posted
from tocsin.errors import Away, Forbidden, NotFound, Refused, Unauthorised
from tocsin.web.identity import Person
from tocsin.web.pages import Form
from tocsin.web.places import KEYS

PATH = "/report/keys"
ALL = "*"


def add(routes: APIRouter, desk: Desk) -> None:
    """The routes."""
    page = KeysPage(desk)

    @routes.get(PATH, include_in_schema=False)
    def show(request: Request) -> Response:
        return page.open(request)

    @routes.post(PATH, include_in_schema=False)
    async def make(request: Request) -> Response:
        return await posted(desk, request, lambda form: page.take(request, form, page.make))

    @routes.post(PATH + "/{key_id}/revoke", include_in_schema=False)
    async def revoke(key_id: str, request: Request) -> Response:
        return await posted(desk, request, lambda form: page.take(request, form, partial(page.revoke, key_id)))


class KeysPage:
    """Keeps the keys of the sites."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def open(self, request: Request) -> Response:
        """The list."""
        lang = language_of(request)
        try:
            answer = self._show(self._desk.administrator(request), lang)
        except Refused as refusal:
            answer = self._desk.refused(request, refusal, lang)
        return language.remember(request, answer, lang)

    def take(self, request: Request, form: Form, work: Any) -> Response:
        """A form that was posted by an administrator."""
        lang = language_of(request)
        values = {name: form.get(name) for name in ("of", "reason")}
        try:
            who = self._desk.administrator(request)
            self._desk.pages.check(request, who, form)
        except (Unauthorised, Forbidden) as refusal:
            return self._desk.refused(request, refusal, lang)
        try:
            answer: Response = work(who, lang, values)
        except Away:
            return self._show(who, lang, 503, said=WORDS[lang]["away"], values=values)
        return answer

    def make(self, who: Person, lang: Lang, values: Mapping[str, str]) -> Response:
        """A new key, shown on this answer and never again."""
        study, _, site = values["of"].partition("|")
        protocol = self._desk.parts.studies.get(study)
        if protocol is None or (site != ALL and protocol.site(site) is None):
            wrong = {"of": [Said(WORDS[lang]["wrong_choice"])]}
            return self._show(who, lang, 422, wrong=wrong, values=values)
        at = self._desk.parts.now()
        key = self._desk.write(
            lambda tx: keys.create_key(tx, study, None if site == ALL else site, at, by=who.name)
        )  # fmt: skip
        whose = self._whose(study, None if site == ALL else site, WORDS[lang])
        return self._show(who, lang, new_key=key, new_whose=whose)

    def revoke(self, key_id: str, who: Person, lang: Lang, values: Mapping[str, str]) -> Response:
        """Refuse a key from now on."""
        reason = values["reason"]
        if not 0 < len(reason) <= 1000:
            wrong = {
                f"reason-{key_id}": [Said(WORDS[lang]["wrong_long" if reason else "wrong_reason"].format(most=1000))]
            }
            return self._show(who, lang, 422, wrong=wrong, values=values, revoking=key_id)
        at = self._desk.parts.now()

        def work(tx: Connection) -> None:
            keys.revoke_key(tx, key_id, at, by=who.name, reason=reason)

        try:
            self._desk.write(work)
        except NotFound:
            return self._show(who, lang, 404, said=WORDS[lang]["key_gone"], values=values)
        return RedirectResponse(self._desk.pages.base + PATH, 303)

    def _show(self, who: Person, lang: Lang, status: int = 200, **more: Any) -> Response:
        w = WORDS[lang]
        with self._desk.parts.store.reading() as tx:
            known = keys.known_keys(tx)
        lines = [
            {
                "key_id": one.key_id, "whose": self._whose(one.study, one.site, w),
                "created": self._at(one.created_at, one.study, lang),
                "revoked": self._at(one.revoked_at, one.study, lang) if one.revoked_at else "",
            }
            for one in known
        ]  # fmt: skip
        facts: dict[str, Any] = {
            "said": "", "wrong": {}, "values": {}, "new_key": "", "new_whose": "", "revoking": "", **more,
        }  # fmt: skip
        return self._desk.html(
            "keys.html", status, lang, who, KEYS, title=w["keys_title"], choices=self._choices(w),
            valid=[one for one in lines if not one["revoked"]], revoked=[one for one in lines if one["revoked"]],
            **facts,
        )  # fmt: skip

    def _choices(self, w: Mapping[str, str]) -> list[tuple[str, str]]:
        return [
            (f"{protocol.id}|{site or ALL}", self._whose(protocol.id, site, w))
            for protocol in self._desk.parts.studies.values()
            for site in [*(one.id for one in protocol.sites), None]
        ]

    def _whose(self, study: str, site: str | None, w: Mapping[str, str]) -> str:
        if site is None:
            return f"{study} · {w['key_all_sites']}"
        protocol = self._desk.parts.studies.get(study)
        found = protocol.site(site) if protocol else None
        return f"{study} · {site}" + (f" {found.name}" if found else "")

    def _at(self, at: datetime, study: str, lang: Lang) -> str:
        protocol = self._desk.parts.studies.get(study)
        return language.moment(at, protocol.receiver_zone if protocol else ZoneInfo("UTC"), lang)
