"""A browser without a browser: somebody signed in at the desk of a ward, who opens pages and sends their forms."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser

import httpx
from fastapi import FastAPI

from alerting import accounts, api
from alerting.desk import routes as desk
from tests.alerting.desk import KEY, PASSWORD
from tests.alerting.ward import Ward
from tocsin.settings import Settings
from tocsin.web.app import Service, house
from tocsin.web.identity import Person, sign_person
from tocsin.web.pages import COOKIE

_served: dict[int, tuple[Ward, object, FastAPI]] = {}


def served(ward: Ward) -> FastAPI:
    """The pages of a ward; made once while it serves the same studies, as making them takes longer than asking."""
    kept = _served.get(id(ward))
    if kept is None or kept[0] is not ward or kept[1] is not ward.studies:
        settings = Settings(data=ward.folder, signing_key=KEY.decode())
        routes = api.router(ward.parts, settings)
        desk.add(routes, ward.parts, settings)
        app = house([Service("alerting", routes)], now=lambda: ward.wall_at, signing_key=KEY)
        _served.clear()
        kept = _served[id(ward)] = (ward, ward.studies, app)
    return kept[2]


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def words(html: str) -> str:
    """The words of a page, without its tags."""
    parser = _Text()
    parser.feed(html)
    return " ".join(" ".join(parser.said).split())


def heading(answer: httpx.Response) -> str:
    """The one heading of a page."""
    (found,) = re.findall(r"<h1[^>]*>(.*?)</h1>", answer.text, re.DOTALL)
    return words(str(found))


def panel(answer: httpx.Response, name: str) -> str:
    """The words of the card that is labelled so."""
    pattern = rf'<section class="[^"]*" aria-labelledby="{name}".*?</section>'
    (part,) = re.findall(pattern, answer.text, re.DOTALL)
    return words(str(part))


def forms(answer: httpx.Response, action: str) -> list[dict[str, str]]:
    """The hidden fields of every form on a page that posts to this address."""
    pattern = rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>'
    hidden = r'<input type="hidden" name="([^"]+)" value="([^"]*)">'
    return [dict(re.findall(hidden, part)) for part in re.findall(pattern, answer.text, re.DOTALL)]


@dataclass
class Visitor:
    """Somebody with these roles at one browser. `session`: which of their logins it is; `of`: study and site."""

    ward: Ward
    name: str
    roles: Sequence[str]
    session: str = ""
    of: tuple[str, str] | tuple[None, None] = (None, None)
    _made: bool = field(default=False)

    def signs(self) -> Visitor:
        """Give them an account, so that their password fits."""
        if not self._made:
            with self.ward.store.transaction() as tx:
                accounts.add(tx, self.name, PASSWORD, self.roles, self.ward.at)
            self._made = True
        return self

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", path)

    def opens(self, path: str) -> httpx.Response:
        """A page that must open."""
        answer = self.get(path)
        assert answer.status_code == 200, (answer.status_code, words(answer.text)[:500])
        return answer

    def sends(
        self, page: str, action: str, fields: Mapping[str, str | Sequence[str]], *, which: int = 0
    ) -> httpx.Response:  # fmt: skip
        """Fill in the form of a page that posts to `action`, and send it."""
        hidden = forms(self.opens(page), action)[which]
        return self.ask("POST", action, {**hidden, **fields})

    def ask(
        self, method: str, path: str, data: Mapping[str, str | Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:  # fmt: skip
        async def asked() -> httpx.Response:
            app = served(self.ward)
            study, site = self.of
            person = Person(self.name, frozenset(self.roles), study, site, self.session)
            token = sign_person(person, KEY, self.ward.wall_at, timedelta(hours=8))
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://tocsin.test",
                cookies={COOKIE: token} if self.roles else {}, headers=dict(headers or {}),
            )  # fmt: skip
            async with client:
                return await client.request(method, path, data=dict(data) if data is not None else None)

        return asyncio.run(asked())


def lin(ward: Ward) -> Visitor:
    """The safety physician."""
    return Visitor(ward, "lin", ["safety_physician"])
