"""The coding page as a test works with it: opened by a person with roles, read in words, its forms sent as they stand.

A form is found by its address, with what stands in it and its token; a test says only what a person would change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

import meddra_coder.app
from meddra_coder.coders import Coders
from meddra_coder.handle import Parts, on_report_received
from tests.coder.conftest import AT, report
from tests.coder.test_handle import said
from tests.support.houses import SIGNING_KEY, STUDY, House, in_process, protocols
from tocsin.domain.protocol import CodingSettings
from tocsin.messages.envelope import Envelope
from tocsin.store.engine import Store, open_store
from tocsin.web.identity import Person, sign_person
from tocsin.web.pages import COOKIE

ODD = "felt funny after lunch"


class _Page(HTMLParser):
    """The words of a page, and each posted form by its address with the values that stand in it."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.forms: dict[str, dict[str, list[str]]] = {}
        self._ids: dict[str, str] = {}
        self._late: list[tuple[str, str, str]] = []
        self._in = ""
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._in = told["action"] if told.get("method") == "post" else ""
            if self._in:
                self.forms.setdefault(self._in, {})
                self._ids[told.get("id", "")] = self._in
        elif tag == "textarea" and self._in:
            self._area = told["name"]
            self._put(self._in, told["name"], "")
        elif tag == "input" and (told.get("type") not in ("radio", "checkbox") or "checked" in told):
            if "form" in told:
                self._late.append((told["form"], told.get("name", ""), told.get("value", "")))
            elif self._in and "name" in told:
                self._put(self._in, told["name"], told.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        self._in = "" if tag == "form" else self._in
        self._area = "" if tag == "textarea" else self._area

    def handle_data(self, data: str) -> None:
        self.said.append(data)
        if self._area:
            self.forms[self._in][self._area][-1] += data

    def close(self) -> None:
        super().close()
        for form, name, value in self._late:
            self._put(self._ids[form], name, value)

    def _put(self, form: str, name: str, value: str) -> None:
        self.forms[form].setdefault(name, []).append(value)


@dataclass
class Seen:
    """An answer, read."""

    answer: httpx.Response
    page: _Page = field(default_factory=_Page)

    def __post_init__(self) -> None:
        self.page.feed(self.answer.text)
        self.page.close()

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.page.said).split())

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def onward(self) -> dict[str, str]:
        """What the address says that a form led on to, without its proof."""
        there = urlsplit(self.answer.headers["location"])
        assert (self.status, there.netloc, there.path) == (303, "", "/coding")
        return {name: values[0] for name, values in parse_qs(there.query).items() if name != "proof"}

    @property
    def actions(self) -> set[str]:
        """The addresses of the forms, without signing out."""
        return {action.rpartition("/")[2] for action in self.page.forms if action.startswith("/coding/")}

    def form(self, deed: str) -> dict[str, list[str]]:
        return self.page.forms[f"/coding/{deed}"]


@dataclass
class Worker:
    """Somebody at the page."""

    house: House
    name: str
    roles: tuple[str, ...]

    @property
    def token(self) -> str:
        who = Person(self.name, frozenset(self.roles))
        return sign_person(who, SIGNING_KEY, self.house.now(), timedelta(hours=8))

    def open(self, **query: str) -> Seen:
        return Seen(self.house.get("/coding", params=query, headers={"Cookie": f"{COOKIE}={self.token}"}))

    def ask(self, path: str) -> httpx.Response:
        """Any other address of the page."""
        return self.house.get(path, headers={"Cookie": f"{COOKIE}={self.token}"})

    def follow(self, done: Seen) -> Seen:
        """Go where a form led on to."""
        there = done.answer.headers["location"]
        return Seen(self.house.get(there, headers={"Cookie": f"{COOKIE}={self.token}"}))

    def post(self, deed: str, fields: Mapping[str, Any], **headers: str) -> Seen:
        sent = {
            "Cookie": f"{COOKIE}={self.token}", "Content-Type": "application/x-www-form-urlencoded", **headers,
        }  # fmt: skip
        return Seen(
            self.house.ask("POST", f"/coding/{deed}", content=urlencode(fields, doseq=True), headers=sent)
        )  # fmt: skip

    def send(self, deed: str, event: str = "", **changed: Any) -> Seen:
        """Open the event, and send one of its forms with what is changed."""
        return self.post(deed, {**self.open(event=event).form(deed), **changed})

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        house = self.house.as_key(self.token)
        return house.get(path) if method == "GET" else house.post(path, body)


@dataclass
class Desk:
    """A running coder, and what came to it."""

    house: House
    store: Store
    parts: Parts

    def receive(self, case_id: str, *events: dict[str, Any], hours: int = 0, **how: Any) -> None:
        at = AT + timedelta(hours=hours)
        with self.store.transaction() as tx:
            on_report_received(report(*events, case_id=case_id, at=at, **how), tx, self.parts)

    def worker(self, name: str = "Lin Wei", *roles: str) -> Worker:
        return Worker(self.house, name, roles or ("coder",))

    def said(self, topic: str) -> list[Envelope[Any]]:
        return [one for one in said(self.store) if one.type == topic]

    def codings(self, case_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.worker().call("GET", f"/v1/codings/{case_id}").json()
        return found


@contextmanager
def coding_desk(folder: Path, *, second_person: bool = False, is_coding: bool = True) -> Iterator[Desk]:
    """A coder in this process; the study asks for a second person or does not. `is_coding`: it reads its messages."""
    served = dict(protocols())
    served[STUDY] = replace(served[STUDY], coding=CodingSettings(second_person=second_person))
    without = ("coder-relay",) if is_coding else ("coder-relay", "meddra-coder")
    with (
        in_process(folder, (meddra_coder.app.build,), served=served, without=without) as house,
        closing(open_store(f"sqlite:///{folder}/coder.db", "coder")) as store,
    ):
        yield Desk(house, store, Parts(Coders(), served))
