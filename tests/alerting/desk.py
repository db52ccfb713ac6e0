"""The desk of a ward: its calls over HTTP, in process, by people of each role, at the time the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from alerting import accounts, api, deeds_api
from alerting.tables import metadata
from tests.alerting.ward import STUDY, Ward
from tocsin.bus.port import Received
from tocsin.domain.protocol import ClockSettings, CopyRecipient, CopyTo, Protocol
from tocsin.messages.envelope import Envelope
from tocsin.messages.reading import decode
from tocsin.settings import Settings
from tocsin.store.tables import audit, ledger, outbox
from tocsin.web.app import Service, house
from tocsin.web.identity import Person, sign_person

KEY = b"a signing key that is long enough for this"
PASSWORD = "a long and private sentence"
MEANING = "approval"

COPIES = (
    CopyRecipient("Dr Gao, S01", CopyTo.INVESTIGATOR, "S01"),
    CopyRecipient("Ethics committee of S01", CopyTo.ETHICS_COMMITTEE, "S01"),
    CopyRecipient("Provincial health commission", CopyTo.HEALTH_AUTHORITY),
)
ALL_COPIES = "investigators, institutions, ethics committees, health authority"


def with_copies(protocol: Protocol, *copies: CopyRecipient) -> Protocol:
    """The same study, with these who get copies."""
    return replace(protocol, copies_to=copies or COPIES)


def with_settings(protocol: Protocol, **settings: Any) -> Protocol:
    """The same study, with other clock settings."""
    return replace(protocol, clock_settings=ClockSettings(**settings))


@dataclass
class Desk:
    """People asking a ward over HTTP."""

    ward: Ward
    _tokens: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)
    _people: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._app = self._built()

    def _built(self) -> FastAPI:
        routes = api.router(self.ward.parts, Settings(data=self.ward.folder, signing_key=KEY.decode()))
        deeds_api.add(routes, self.ward.parts)
        return house([Service("alerting", routes)], now=lambda: self.ward.wall_at, signing_key=KEY)

    def ask(
        self, method: str, path: str, body: Any = None, *, by: str | None = "safety_physician",
        roles: Sequence[str] | None = None,
    ) -> httpx.Response:  # fmt: skip
        """One request by a person whose name is their role, or who has these roles."""

        async def asked() -> httpx.Response:
            headers = {"authorization": f"Bearer {self._token(by, roles)}"} if by else {}
            more = {"json": body} if body is not None else {}
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(self._app), base_url="http://tocsin.test"
            ) as client:
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(asked())

    def get(self, path: str, **how: Any) -> Any:
        answer = self.ask("GET", path, **how)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any, *, status: int = 201, **how: Any) -> Any:
        """What is answered, which must have this status."""
        answer = self.ask("POST", path, body, **how)
        assert answer.status_code == status, answer.text
        return answer.json()

    def person(self, name: str, *roles: str) -> None:
        """An account, so that this person can sign."""
        if name not in self._people:
            with self.ward.store.transaction() as tx:
                of = accounts.Of(STUDY, "S01") if name == "site" and not roles else None
                accounts.add(tx, name, PASSWORD, roles or [name], self.ward.at, of=of)
            self._people.add(name)

    def clock(self, rule: str, case: str = "TOC-0031", event: int = 1, **like: Any) -> dict[str, Any]:
        """The only clock of this rule that fits."""
        found = [
            c for c in self.ward.clocks(case_id=case)
            if c["rule"] == rule and c["event_id"] == f"{case}-E{event}"
            and all(c[name] == value for name, value in like.items())
        ]  # fmt: skip
        assert len(found) == 1, [(c["rule"], c["status"], c["event_id"]) for c in self.ward.clocks(case_id=case)]
        return found[0]

    def statuses(self, case: str = "TOC-0031") -> dict[str, str]:
        """Status by rule; for a case of one event with one clock a rule."""
        return {c["rule"]: c["status"] for c in self.ward.clocks(case_id=case)}

    def submit(self, rule: str, at: str, *, case: str = "TOC-0031", status: int = 201, **facts: Any) -> Any:
        """A submission at the clock of this rule that is open, by the safety team."""
        found = [c for c in self.ward.clocks(case_id=case) if c["rule"] == rule]
        clock = next((c for c in found if c["open"]), found[0])
        body = {"at": at, "kind": "initial", "reference": f"{rule} {at}", **facts}
        return self.post(f"/v1/clocks/{clock['clock_id']}/submissions", body, by="safety_team", status=status)

    def _token(self, name: str, roles: Sequence[str] | None) -> str:
        held = tuple(roles or [name])
        if (name, held) not in self._tokens:
            of = (STUDY, "S01") if held == ("site",) else (None, None)
            person = Person(name, frozenset(held), *of)
            self._tokens[name, held] = sign_person(person, KEY, self.ward.wall_at, timedelta(days=365))
        return self._tokens[name, held]


def said(ward: Ward, topic: str = "decisions.recorded.v1") -> list[Envelope[Any]]:
    """What this house put on the bus."""
    with ward.store.reading() as tx:
        rows = tx.execute(select(outbox).where(outbox.c.topic == topic).order_by(outbox.c.seq)).all()
    return [decode(Received(r.topic, 0, n, r.key, r.value, r.headers)) for n, r in enumerate(rows)]


def trail(ward: Ward) -> list[dict[str, Any]]:
    """The audit trail, oldest first."""
    with ward.store.reading() as tx:
        return [dict(row._mapping) for row in tx.execute(select(audit).order_by(audit.c.seq))]


def every_word(ward: Ward) -> str:
    """Every value of every row, whole: the text of a row by itself leaves out the middle of what is long."""
    with ward.store.reading() as tx:
        tables = [*metadata.sorted_tables, *ledger.sorted_tables]
        return repr([tuple(row) for table in tables for row in tx.execute(select(table))])


def only_study(ward: Ward, protocol: Protocol) -> None:
    """Let the ward serve this form of its first study from now on."""
    assert protocol.id == STUDY
    ward.studies[STUDY] = protocol
