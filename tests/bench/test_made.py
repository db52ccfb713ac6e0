"""What benchmarks make is what a house makes: messages that can be read, and a trail that is whole."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ae_intake import tables as intake
from alerting import tables as alerting
from bench import filled, invented, made_log, rebuild
from standalone.rebuild_run import run
from tocsin import studies
from tocsin.bus.port import Received
from tocsin.messages.envelope import encode
from tocsin.messages.reading import decode
from tocsin.settings import Settings
from tocsin.store import audit
from tocsin.store.engine import open_store


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [invented.study_file(tmp_path, f"BENCH-{n:02d}") for n in (1, 2)]


def test_the_same_number_gives_the_same_report() -> None:
    assert invented.report(7, "S01-000007") == invented.report(7, "S01-000007")
    assert invented.report(7, "S01-000007") != invented.report(8, "S01-000007")


def test_a_made_log_is_of_every_kind_of_fact_and_can_be_read(files: list[Path]) -> None:
    made = list(made_log.messages(200, list(studies.load(files).values()), 4))
    read = [decode(Received(r.topic, 0, n, r.key, r.value, r.headers)) for n, r in enumerate(map(encode, made))]
    assert [one.body for one in read] == [one.body for one in made]
    assert len({one.id for one in made}) == 200
    assert set(Counter(one.type for one in made)) == {
        "reports.received.v1", "events.coded.v1", "doses.recorded.v1", "observations.recorded.v1", "grades.derived.v1",
    }  # fmt: skip


def test_a_made_log_is_rebuilt_whole(files: list[Path], tmp_path: Path) -> None:
    settings = Settings(data=rebuild.made(tmp_path / "data", files, 60, 2), studies=files)
    rebuild.emptied(settings)
    found = run("alerting", settings, is_check=False)
    assert (found.failures, found.in_place) == ((), True)
    assert sum(of["handled"] for of in found.log.values()) == 60
    assert sum(sum(of.values()) for of in found.log.values()) == 60


def test_filled_tables_hold_each_case_once_under_an_unbroken_trail(tmp_path: Path) -> None:
    files = [invented.study_file(tmp_path, f"BENCH-{n:02d}") for n in range(1, 21)]
    filled.fill(tmp_path, files, 400)
    for name, table, rows in (("intake", intake.cases, 400), ("alerting", alerting.snapshots, 800)):
        store = open_store(f"sqlite:///{tmp_path / name}.db", name)
        with store.reading() as tx:
            assert tx.scalar(select(func.count()).select_from(table)) == rows
            assert isinstance(audit.verify(tx), audit.Verified)
            if name == "alerting":
                # One report in twenty is serious, beside the one that was played.
                assert tx.scalar(select(func.count()).select_from(alerting.alerts)) == 21
                # Each subject has 150: these are of three, and each is of another study.
                assert len(set(tx.scalars(select(table.c.study)))) == 3
        store.close()
