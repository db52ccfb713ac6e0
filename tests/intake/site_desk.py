"""The form as a test reads and fills it: a person of a site with a browser that keeps its cookies, and no script."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
from sqlalchemy import func, select

from ae_intake import tables
from tests.intake.at_site import Site
from tests.support.houses import SIGNING_KEY, STUDY, House
from tocsin.web.identity import Person, sign_person
from tocsin.web.pages import COOKIE


class _Fields(HTMLParser):
    """Every form of a page with the fields that a browser would send, and the words of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.said: list[str] = []
        self._area = self._choice = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.forms.append((given.get("action", ""), {}))
        elif not self.forms:
            return
        elif tag == "input" and name:
            if given.get("type") not in ("radio", "checkbox") or "checked" in given:
                self.forms[-1][1][name] = given.get("value", "")
        elif tag == "textarea":
            self._area = name
            self.forms[-1][1][name] = ""
        elif tag == "select":
            self._choice = name
        elif tag == "option" and self._choice:
            is_first = self._choice not in self.forms[-1][1]
            if is_first or "selected" in given:
                self.forms[-1][1][self._choice] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._choice = ""

    def handle_data(self, data: str) -> None:
        self.said.append(data)
        if self._area:
            self.forms[-1][1][self._area] += data


def words(answer: httpx.Response) -> str:
    """The words of a page, without its tags."""
    parser = _Fields()
    parser.feed(answer.text)
    return " ".join(" ".join(parser.said).split())


def fields(answer: httpx.Response, action: str) -> dict[str, str]:
    """What stands in the fields of the form for this address."""
    parser = _Fields()
    parser.feed(answer.text)
    (found,) = [values for to, values in parser.forms if to == action]
    return {name: value.removeprefix("\n") for name, value in found.items()}


def heading(answer: httpx.Response) -> str:
    (said,) = re.findall(r"<h1[^>]*>(.*?)</h1>", answer.text, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", said)).strip()


def wrong_at(answer: httpx.Response) -> dict[str, str]:
    """What is said at each field that is wrong."""
    found = re.findall(r'<p class="wrong" id="w-([a-z0-9_-]+?)\d">(.*?)</p>', answer.text, re.DOTALL)
    return {name: html.unescape(re.sub(r"<[^>]+>", "", said)).strip() for name, said in found}


@dataclass
class Nurse:
    """Somebody at a browser who signed in. `lang`: what the browser prefers."""

    house: House
    name: str = "nurse wang"
    study: str | None = STUDY
    site: str | None = "S01"
    roles: frozenset[str] = frozenset({"site"})
    lang: str = "en"
    session: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        person = Person(self.name, self.roles, self.study, self.site, self.session)
        token = sign_person(person, SIGNING_KEY, self.house.now(), timedelta(hours=8))
        cookies = {COOKIE: token, **self.cookies}
        headers = {
            "accept-language": self.lang,
            "cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            **how.pop("headers", {}),
        }
        answer = self.house.ask(method, path, headers=headers, **how)
        self.cookies |= {name: value for name, value in answer.cookies.items() if value}
        self.house._client.cookies.clear()
        return answer

    def get(self, path: str, **how: Any) -> httpx.Response:
        return self.ask("GET", path, **how)

    def fill(self, page: httpx.Response, action: str, /, **typed: str | None) -> dict[str, str]:
        """The form of a page with what is typed into it; `__` in a name stands for `-`, None empties a field."""
        found = fields(page, action)
        for name, value in typed.items():
            key = name.replace("__", "-")
            if value is None:
                found.pop(key, None)
            else:
                found[key] = value
        return found

    def post(self, path: str, data: dict[str, str], **how: Any) -> httpx.Response:
        return self.ask("POST", path, data=data, **how)

    def send(self, page: httpx.Response, action: str, /, **typed: str | None) -> httpx.Response:
        """Fill a page's form and send it."""
        return self.post(action, self.fill(page, action, **typed))

    def new(self, do: str = "send", **typed: str | None) -> httpx.Response:
        """A new report, filled in and sent or saved."""
        said: dict[str, str | None] = {**A_REPORT, **typed, "do": do}
        return self.send(self.get("/report/new"), "/report/new", **said)

    def sent(self, **typed: str | None) -> str:
        """A report that is kept; its case number."""
        return case_of(self.new("send", **typed))


A_REPORT: dict[str, str | None] = {
    "subject": "S01-001",
    "e0__verbatim": "felt faint in the corridor",
    "e0__onset_date": "2026-03-01",
    "e0__serious_hospitalisation": "yes",
    "e0__outcome": "not_recovered",
    "e0__aware_date": "2026-03-02",
    "e0__aware_time": "08:30",
    "reporter_name": "Dr Li Example",
    "product_is": "KQ-2003",
}
"""What a nurse fills in, and the page in which only these are filled in is sent."""


def case_of(answer: httpx.Response) -> str:
    """The case that an answer leads to."""
    assert answer.status_code == 303, words(answer)
    found = re.search(r"TOC-\d{4}", answer.headers["location"])
    assert found is not None, answer.headers["location"]
    return found[0]


def one_event(site: Site, case_id: str) -> dict[str, Any]:
    (event,) = site.case(case_id)["facts"]["events"]
    found: dict[str, Any] = event
    return found


def cases(site: Site) -> int:
    with site.store.reading() as tx:
        number: int = tx.execute(select(func.count()).select_from(tables.cases)).scalar_one()
        return number
