"""A site at its keyboard: builders of what it sends, and what it, the bus and the audit trail got from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import httpx
from sqlalchemy import select

from ae_intake.keys import create_key
from tests.support.houses import STUDY, House, Moment
from tocsin.bus.port import Received
from tocsin.messages.envelope import Envelope
from tocsin.messages.reading import decode
from tocsin.store import tables as ledger
from tocsin.store.engine import Store, open_store

AWARE = "2026-03-02T08:30"


def an_event(**facts: Any) -> dict[str, Any]:
    """A serious event of which nothing is missing and nothing contradicts. None takes a fact out."""
    whole = {
        "ref": "AE-1",
        "verbatim": "pneumonia",
        "onset": "2026-03-01",
        "serious": True,
        "seriousness": ["hospitalisation"],
        "outcome": "not_recovered",
        "grade": {"ctcae": 3},
        "investigator_aware_at": AWARE,
        **facts,
    }
    return {name: value for name, value in whole.items() if value is not None}


def a_report(*events: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """A complete report of one event, or of these. None takes a fact out."""
    whole = {
        "subject": "S01-001",
        "reporter": {"name": "Dr Li Example", "role": "investigator"},
        "product": "KQ-2003",
        "events": list(events) or [an_event()],
        **facts,
    }
    return {name: value for name, value in whole.items() if value is not None}


@dataclass
class Site:
    """One asker with one key, and a look behind the counter."""

    house: House
    store: Store

    @property
    def now(self) -> Moment:
        return self.house.now

    def post(self, path: str, body: Any, **how: Any) -> httpx.Response:
        return self.house.post(path, body, **how)

    def get(self, path: str, **how: Any) -> httpx.Response:
        return self.house.get(path, **how)

    def report(self, *events: dict[str, Any], **facts: Any) -> dict[str, Any]:
        """Send a report that must be accepted; the receipt."""
        return accepted(self.post("/v1/reports", a_report(*events, **facts)))

    def follow_up(self, case_id: str, body: dict[str, Any]) -> dict[str, Any]:
        return accepted(self.post(f"/v1/reports/{case_id}/follow-ups", body))

    def answer(self, query_id: str, body: dict[str, Any]) -> dict[str, Any]:
        return accepted(self.post(f"/v1/queries/{query_id}/answers", body))

    def case(self, case_id: str) -> dict[str, Any]:
        answer = self.get(f"/v1/reports/{case_id}")
        assert answer.status_code == 200, answer.text
        return cast("dict[str, Any]", answer.json())

    def queries(self, **asked: Any) -> list[dict[str, Any]]:
        answer = self.get("/v1/queries", params=asked)
        assert answer.status_code == 200, answer.text
        return cast("list[dict[str, Any]]", answer.json()["queries"])

    def said(self, topic: str) -> list[Envelope[Any]]:
        """The messages of this topic, in the order in which they were put into the outbox."""
        with self.store.reading() as connection:
            query = select(ledger.outbox).where(ledger.outbox.c.topic == topic).order_by(ledger.outbox.c.seq)
            rows = connection.execute(query).all()
        return [decode(Received(row.topic, 0, row.seq, row.key, row.value, row.headers)) for row in rows]

    def audited(self) -> list[tuple[str, str, str]]:
        """Who did what to what, in order."""
        with self.store.reading() as connection:
            rows = connection.execute(select(ledger.audit).order_by(ledger.audit.c.seq)).all()
        return [(row.who, row.did, row.about) for row in rows]

    def with_key(self, study: str = STUDY, site: str | None = "S01") -> Site:
        """Somebody else at the same house, with a key of their own."""
        with self.store.transaction() as tx:
            key = create_key(tx, study, site, self.now())
        return Site(self.house.as_key(key), self.store)


def accepted(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    return cast("dict[str, Any]", answer.json())


def refused(answer: httpx.Response, status: int = 422) -> dict[str, dict[str, str]]:
    """The wrong places of a refusal, by pointer."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return {wrong["pointer"]: wrong for wrong in answer.json().get("errors", [])}


def at(house: House, database: str) -> Site:
    """Site S01 of the trial, with a fresh key."""
    store = open_store(database, "intake")
    with store.transaction() as tx:
        key = create_key(tx, STUDY, "S01", house.now())
    return Site(house.as_key(key), store)


__all__ = ["AWARE", "Site", "a_report", "accepted", "an_event", "at", "refused"]
