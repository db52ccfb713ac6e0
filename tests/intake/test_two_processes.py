"""Two intakes on one PostgreSQL take turns: no receipt twice, no number twice, no duplicate overlooked, no deadlock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from ae_intake.app import build
from ae_intake.cases import take_turn
from tests.intake.at_site import Site, a_report, accepted, an_event, at
from tests.support.houses import Moment, in_process

pytestmark = pytest.mark.postgres


@pytest.fixture
def two_sites(fresh_database: Callable[[], str], tmp_path: Path) -> Iterator[tuple[Site, Site]]:
    """Site S01 before either of two houses on one database. Each has its own writer, as two processes would."""
    database = fresh_database()
    with ExitStack() as open_houses:
        sites = []
        for name in ("one", "two"):
            folder = tmp_path / name
            folder.mkdir()
            house = open_houses.enter_context(
                in_process(folder, [build], now=Moment(), database=database, without=("intake-relay", "ae-intake"))
            )
            sites.append(at(house, database))
            open_houses.callback(sites[-1].store.close)
        yield sites[0], sites[1]


def test_a_second_writer_waits_for_its_turn(two_sites: tuple[Site, Site]) -> None:
    done: list[str] = []

    def second() -> None:
        with two_sites[1].store.transaction() as tx:
            take_turn(tx)
            done.append("second")

    thread = threading.Thread(target=second)
    with two_sites[0].store.transaction() as tx:
        take_turn(tx)
        thread.start()
        thread.join(0.5)
        waits = thread.is_alive()
        done.append("first")
    thread.join(10)

    assert waits
    assert done == ["first", "second"]


def test_one_key_at_both_at_once_is_one_case(two_sites: tuple[Site, Site]) -> None:
    def send(n: int) -> bytes:
        answer = two_sites[n % 2].post("/v1/reports", a_report(), headers={"Idempotency-Key": f"k{n // 8}"})
        assert answer.status_code == 201, answer.text
        return answer.content

    with ThreadPoolExecutor(8) as pool:
        receipts = set(pool.map(send, range(64)))

    assert len(receipts) == 8
    assert len(two_sites[0].get("/v1/reports").json()["reports"]) == 8


def test_numbers_are_given_once_whichever_process_gives_them(two_sites: tuple[Site, Site]) -> None:
    def send(n: int) -> str:
        return str(two_sites[n % 2].report(an_event(verbatim=f"event {n}"))["case_id"])

    with ThreadPoolExecutor(8) as pool:
        numbers = sorted(pool.map(send, range(40)))

    assert numbers == [f"TOC-{n:04d}" for n in range(1, 41)]


def test_two_halves_of_a_pair_that_come_at_once_are_linked(two_sites: tuple[Site, Site]) -> None:
    def send(n: int) -> int:
        report = a_report(subject=f"S01-{n // 2:03d}", reporter={"name": f"person {n}"})
        return len(accepted(two_sites[n % 2].post("/v1/reports", report))["possible_duplicates"])

    with ThreadPoolExecutor(8) as pool:
        links = list(pool.map(send, range(40)))

    assert sum(links) == 20


def test_a_key_made_through_one_is_known_to_the_other(two_sites: tuple[Site, Site]) -> None:
    one, two = two_sites
    case_id = one.report()["case_id"]

    assert two.case(case_id)["subject"] == "S01-001"
    assert two.follow_up(case_id, {"narrative": "seen by the other process"})["revision"] == 2
