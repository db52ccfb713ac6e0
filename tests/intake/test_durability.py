"""Accepted means durable: 201 comes after COMMIT, and when the database is away nothing is half kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from ae_intake import tables
from ae_intake.app import build
from tests.intake.at_site import Site, a_report, accepted, at, refused
from tests.support.houses import in_process
from tocsin.errors import BusAway, StoreAway
from tocsin.store import tables as ledger
from tocsin.store.audit import Verified, verify
from tocsin.store.engine import Store, open_store


def rows(store: Store) -> dict[str, int]:
    with store.reading() as connection:
        every = [*tables.metadata.sorted_tables, ledger.outbox, ledger.audit]
        return {t.name: connection.scalar(select(func.count()).select_from(t)) or 0 for t in every}


@pytest.mark.rule("promise: accepted means durable")
def test_what_was_answered_is_there_for_another_process(site: Site, tmp_path: Path) -> None:
    receipt = site.report()
    another = open_store(f"sqlite:///{tmp_path}/intake.db", "intake")
    with another.reading() as connection:
        held = connection.scalars(select(tables.revisions.c.case_id)).all()
    another.close()

    assert held == [receipt["case_id"]]


def test_when_commit_fails_the_answer_is_503_and_nothing_is_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows(site.store)

    @contextmanager
    def breaks_at_commit(store: Store) -> Iterator[Connection]:
        with whole(store) as tx:
            yield tx
            raise StoreAway("the disk is full")

    whole = Store.transaction
    with monkeypatch.context() as broken:
        broken.setattr(Store, "transaction", breaks_at_commit)
        answer = site.post("/v1/reports", a_report(), headers={"Idempotency-Key": "1"})
    refused(answer, 503)

    assert answer.headers["retry-after"] == "2"
    assert rows(site.store) == before
    assert accepted(site.post("/v1/reports", a_report(), headers={"Idempotency-Key": "1"}))["case_id"] == "TOC-0001"


def test_a_fault_in_the_middle_keeps_nothing_and_tells_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows(site.store)

    def fails(*_: Any) -> None:
        raise RuntimeError("pneumonia of S01-001")

    monkeypatch.setattr("ae_intake.cases.link", fails)
    answer = site.post("/v1/reports", a_report())

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "pneumonia" not in answer.text
    assert rows(site.store) == before


def test_the_audit_trail_of_all_that_is_whole(site: Site) -> None:
    site.report()
    site.follow_up("TOC-0001", {"narrative": "news"})
    site.case("TOC-0001")
    with site.store.reading() as connection:
        found = verify(connection)

    assert isinstance(found, Verified)
    assert found.rows == 4  # key, report, follow-up, reading


class AwayBus:
    """A broker that never answers."""

    def __getattr__(self, name: str) -> Any:
        def away(*_: Any, **__: Any) -> None:
            raise BusAway("the broker does not answer")

        return away


@pytest.mark.rule("promise: a broker that is away stops nobody")
def test_a_broker_that_is_away_does_not_stop_accepting(tmp_path: Path) -> None:
    with in_process(tmp_path, [build], bus=_without_topics()) as house:
        site = at(house, f"sqlite:///{tmp_path}/intake.db")
        receipt = site.report()
        ready = house.get("/ready")
        site.store.close()

    assert receipt["case_id"] == "TOC-0001"
    assert ready.status_code == 200
    assert len(site.said("reports.received.v1")) == 1
    site.store.close()


def _without_topics() -> Any:
    bus = AwayBus()
    bus.ensure = lambda topics: None  # type: ignore[attr-defined]  # the house under test does not make topics
    return bus


def test_what_was_accepted_reaches_the_bus(tmp_path: Path) -> None:
    with in_process(tmp_path, [build]) as house:
        site = at(house, f"sqlite:///{tmp_path}/intake.db")
        site.report()
        reader = house.bus.reader("a test", ["reports.received.v1"])
        (record,) = reader.read(10, 10.0)
        reader.close()
        site.store.close()

    assert record.key == "TOC-0001"
