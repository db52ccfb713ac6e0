"""The yardstick is fair: it takes the same reports as the intake, refuses the same bad one, and keeps what it took."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from sqlalchemy import create_engine, select

from ae_intake import app as intake
from ae_intake.keys import create_key
from bench import invented
from tests.reference_app.app import make, open_engine, reports
from tests.support.houses import in_process
from tocsin import studies
from tocsin.now import wall
from tocsin.store.engine import open_store

STUDY = "BENCH-01"
SENT = [invented.report(n, invented.subject(n)) for n in range(1, 31)]


@pytest.fixture
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as found:
        yield found


def _misspelt() -> dict[str, Any]:
    wrong = copy.deepcopy(SENT[0])
    wrong["events"][0]["onsett"] = wrong["events"][0].pop("onset")
    return wrong


def _by_reference(portal: BlockingPortal, folder: Path, path: str, bodies: list[dict[str, Any]]) -> list[int]:
    app = make(f"sqlite:///{folder / 'reference.db'}")

    async def ask() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://reference") as client:
            return [(await client.post(path, json=body)).status_code for body in bodies]

    return portal.call(ask)


def _by_intake(folder: Path, bodies: list[dict[str, Any]]) -> list[int]:
    protocols = studies.load([invented.study_file(folder, STUDY)])
    (folder / "house").mkdir()
    with in_process(folder / "house", [intake.build], served=protocols) as house:
        store = open_store(f"sqlite:///{folder / 'house' / 'intake.db'}", "intake")
        with store.transaction() as tx:
            key = create_key(tx, STUDY, "S01", wall())
        store.close()
        return [house.as_key(key).post("/v1/reports", body).status_code for body in bodies]


def test_both_take_the_same_reports_and_refuse_the_same_bad_one(portal: BlockingPortal, tmp_path: Path) -> None:
    bodies = [*SENT, _misspelt()]
    expected = [201] * 30 + [422]
    assert _by_intake(tmp_path, bodies) == expected
    assert _by_reference(portal, tmp_path, "/reports", bodies) == expected
    assert _by_reference(portal, tmp_path, "/validated", bodies) == expected


def test_the_reference_keeps_each_report_it_took(portal: BlockingPortal, tmp_path: Path) -> None:
    _by_reference(portal, tmp_path, "/reports", SENT[:3])
    engine = create_engine(f"sqlite:///{tmp_path / 'reference.db'}")
    with engine.connect() as connection:
        kept = connection.execute(select(reports.c.subject, reports.c.body)).all()
    engine.dispose()
    assert sorted(row.subject for row in kept) == ["S01-000001", "S01-000002", "S01-000003"]
    assert {row.body["product"] for row in kept} == {"KQ-2003"}


def test_the_reference_is_as_durable_as_the_intake(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'reference.db'}")
    store = open_store(f"sqlite:///{tmp_path / 'intake.db'}", "intake")
    with engine.connect() as theirs, store.transaction() as ours:
        for pragma, value in (("synchronous", 2), ("journal_mode", "wal")):
            found = [tx.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() for tx in (theirs, ours)]
            assert found == [value, value], pragma
    engine.dispose()
    store.close()
