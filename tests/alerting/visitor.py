"""People at the desk as a test plays them: each signs in on a browser of their own, opens pages, sends their forms."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from alerting import accounts, api, sessions
from alerting.desk import routes as desk
from tests.alerting.desk import KEY, PASSWORD
from tests.alerting.dose_desk import words
from tests.alerting.ward import STUDY, Ward
from tocsin.settings import Settings
from tocsin.web.app import Service, house
from tocsin.web.identity import Person, sign_person
from tocsin.web.pages import COOKIE

__all__ = ["Door", "Visitor", "words"]

Data = dict[str, str] | Sequence[tuple[str, str]]


def served(ward: Ward) -> FastAPI:
    """The pages of a ward, with logins that can be ended."""
    settings = Settings(data=ward.folder, signing_key=KEY.decode())
    routes = api.router(ward.parts, settings)
    desk.add(routes, ward.parts, settings)
    logins = sessions.Logins(ward.store)
    return house([Service("alerting", routes, logins=logins)], now=lambda: ward.wall_at, signing_key=KEY)


@dataclass
class Visitor:
    """Somebody with a browser; signed in once they have a cookie."""

    app: FastAPI
    name: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, data: Data | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:  # fmt: skip
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            content = httpx.QueryParams(data).__str__() if data is not None else None  # type: ignore[arg-type]
            kind = {"content-type": "application/x-www-form-urlencoded"} if data is not None else {}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://tocsin.test", cookies=self.cookies
            ) as client:
                return await client.request(method, path, content=content, headers={**kind, **(headers or {})})

        return asyncio.run(asked())

    def sees(self, path: str) -> str:
        """The words of a page, which must open."""
        return words(self.opened(path))

    def opened(self, path: str) -> httpx.Response:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, (answer.status_code, words(answer))
        return answer

    def token(self, page: str, action: str) -> str:
        """The token of the form for this address on a page."""
        found = re.findall(
            rf'action="{re.escape(action)}"[^>]*>\s*<input type="hidden" name="token" value="(\w+)"',
            self.opened(page).text,
        )
        assert found, f"no form for {action} on {page}"
        return str(found[0])

    def sends(self, page: str, action: str, *data: tuple[str, str], **more: str) -> httpx.Response:
        """A form of a page, filled in."""
        return self.ask("POST", action, [("token", self.token(page, action)), *data, *more.items()])

    def signs_in(self, password: str = PASSWORD) -> Visitor:
        answer = self.ask("POST", "/sign-in", {"name": self.name, "password": password, "next": "/desk/me"})
        assert answer.status_code == 303, words(answer)
        self.cookies = {COOKIE: answer.cookies[COOKIE]}
        return self


@dataclass
class Door:
    """A ward that serves one study, with its pages, and whoever comes."""

    ward: Ward
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        self.ward.studies = {STUDY: self.ward.studies[STUDY]}
        self.app = served(self.ward)

    def stranger(self) -> Visitor:
        return Visitor(self.app)

    def person(self, name: str, *roles: str) -> None:
        with self.ward.store.transaction() as tx:
            accounts.add(tx, name, PASSWORD, roles or [name], self.ward.at)

    def visitor(self, name: str, *roles: str) -> Visitor:
        """A new person, whose name is their role unless roles are given, signed in."""
        self.person(name, *roles)
        return self.again(name)

    def passing(self, role: str) -> Visitor:
        """Somebody with this role, without an account: enough to be let in or refused."""
        token = sign_person(Person(f"the {role}", frozenset({role})), KEY, self.ward.wall_at, timedelta(hours=8))
        return Visitor(self.app, f"the {role}", {COOKIE: token})

    def again(self, name: str) -> Visitor:
        """A person who is known here, on another browser."""
        return Visitor(self.app, name).signs_in()


def refused_to(door: Door, path: str, may: Iterable[str], roles: Iterable[str], **data: Any) -> None:
    """Opening (or, with data, sending to) this address is refused without a login, and to every role but these."""
    method = "POST" if data else "GET"
    assert door.stranger().ask(method, path, data or None).status_code == 401
    for role in roles:
        answer = door.passing(role).ask(method, path, data or None)
        assert answer.status_code == (200 if role in may and not data else 403), (path, role, answer.status_code)


def plain(answer: httpx.Response) -> str:
    """The page with its entities resolved."""
    return html.unescape(answer.text)
