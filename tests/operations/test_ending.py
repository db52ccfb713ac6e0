"""SIGTERM in the middle of work: a house, and each of three services, ends within ten seconds and loses nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from ae_intake import tables as intake_tables
from tests.flow.people import hospital, site
from tests.support.kafka_broker import Broker
from tests.support.shapes import Process, Shape, one_process, three_processes, wait_until

ENDS_WITHIN_S = 10.0
TOGETHER = 4
PAUSE_S = 0.1
"""What a site rests after each report: enough is under way at any moment, and all of it can be read afterwards."""
AGAIN_S = 0.05
"""What it rests before it sends the same again, while the house is away."""


@dataclass
class Load:
    """Several sites at once, each sending one report after the other under a key of its own, again until it has an
    answer. `kept`: the number of each report that was accepted."""

    kept: dict[str, str] = field(default_factory=dict)
    tries: int = 0
    other: list[str] = field(default_factory=list)


@contextmanager
def under_load(shape: Shape, key: str) -> Iterator[Load]:
    """Reports are on their way all the time, until the block is left; then each is sent until it was answered."""
    load, enough = Load(), threading.Event()

    def send(number: int) -> None:
        sent = 0
        with httpx.Client(timeout=30) as client:
            while not enough.is_set():
                name, subject = f"report-{number}-{sent}", f"S01-{(250 * number + sent) % 1000:03d}"
                while name not in load.kept:
                    load.tries += 1
                    if not _is_answered(client, shape, key, name, subject, load):
                        time.sleep(AGAIN_S)
                sent += 1
                enough.wait(PAUSE_S)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(TOGETHER)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        enough.set()
        for thread in threads:
            thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


def _is_answered(client: httpx.Client, shape: Shape, key: str, name: str, subject: str, load: Load) -> bool:
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": name}
    try:
        answer = client.post(f"{shape.intake}/v1/reports", json=hospital(subject), headers=headers)
    except httpx.TransportError:
        return False
    if answer.status_code == 503:
        return False
    if answer.status_code in (200, 201):
        load.kept[name] = answer.json()["case_id"]
    else:
        load.other.append(f"{answer.status_code} {answer.text}")
        load.kept[name] = ""
    return True


def ends_in_time(process: Process) -> None:
    began = time.monotonic()
    code = process.stop()
    took_s = time.monotonic() - began
    assert (code, took_s < ENDS_WITHIN_S) == (0, True), f"{took_s:.1f} s\n{process.tail()}"
    assert "ended_by_force" not in process.tail()


def nothing_was_lost_or_doubled(shape: Shape, load: Load) -> None:
    assert load.other == []
    assert load.tries > len(load.kept), "some were under way when it ended, and were sent again"
    wait_until(shape.is_quiet, "everything was read, judged and delivered", within_s=120)
    with shape.reading("intake") as tx:
        cases = set(tx.scalars(select(intake_tables.cases.c.case_id)))
        number = tx.execute(select(func.count()).select_from(intake_tables.revisions)).scalar_one()
    assert cases == set(load.kept.values())
    assert number == len(load.kept)


@pytest.mark.rule("promise: a process ends within ten seconds and loses nothing")
def test_a_whole_house_ends_in_time_with_requests_under_way(tmp_path: Path) -> None:
    shape = one_process(tmp_path)
    try:
        shape.start()
        feed = site(shape)
        with under_load(shape, feed.key) as load:
            wait_until(lambda: len(load.kept) > 10, "the house is busy")
            ends_in_time(shape.processes["up"])
            shape.start()
            before = len(load.kept)
            wait_until(lambda: len(load.kept) > before + TOGETHER, "it goes on")
        nothing_was_lost_or_doubled(shape, load)
    finally:
        shape.end()


@pytest.mark.kafka
@pytest.mark.postgres
@pytest.mark.rule("promise: a process ends within ten seconds and loses nothing")
def test_each_of_three_services_ends_in_time_under_load(
    tmp_path: Path, own_kafka: Broker, fresh_database: Callable[[], str]
) -> None:
    shape = three_processes(tmp_path, bus=f"kafka://{own_kafka.bootstrap}", database=fresh_database())
    try:
        shape.start()
        feed = site(shape)
        with under_load(shape, feed.key) as load:
            for process in shape.processes.values():
                before = len(load.kept)
                wait_until(lambda so_far=before: len(load.kept) > so_far + 10, "it is busy")  # type: ignore[misc]
                ends_in_time(process)
                process.start()
                process.ready()
        nothing_was_lost_or_doubled(shape, load)
    finally:
        shape.end()
