"""pytest plugin: a real Apache Kafka for the whole run, and the words for the report's header.

Use: `pytest_plugins = ["tests.support.fixtures_kafka"]` in the top-level conftest, and the fixture `kafka_broker`; or
`own_kafka` where another test's messages must not be read.
With `TOCSIN_REQUIRE_KAFKA=1` a Kafka that cannot be had fails the tests that need it instead of skipping them.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import kafka_broker as kafka
from tests.support.kafka_broker import Broker


def chosen_kafka() -> str:
    """Which Kafka the tests use, or why none."""
    missing = kafka.why_not()
    if missing is None:
        return f"Apache Kafka {kafka.VERSION} (real, jars by Maven, Java {kafka.java_version()})"
    return f"no Kafka, its tests are left out: {missing}"


def pytest_configure(config: pytest.Config) -> None:
    # kafka-python 3.0 loads its message schemas in a way that Python 3.11 and 3.12 call deprecated and 3.13 does not.
    config.addinivalue_line("filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # And leaves sockets of connections that were refused or cut short to the garbage collector. Only where a broker
    # is taken away on purpose, so that every other test still notices a socket of ours.
    for item in items:
        if "kafka_broker" in getattr(item, "fixturenames", ()) or item.get_closest_marker("kafka"):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket.socket:ResourceWarning"))


def need_kafka() -> None:
    """Without a Kafka the test is left out; it fails where one must be."""
    missing = kafka.why_not()
    if missing is not None:
        if os.environ.get("TOCSIN_REQUIRE_KAFKA") == "1":
            pytest.fail(f"TOCSIN_REQUIRE_KAFKA=1, but {missing}")
        pytest.skip(f"no real Kafka: {missing}")


def _running(folder: Path) -> Iterator[Broker]:
    """A broker that runs for as long as it is used."""
    need_kafka()
    broker = Broker(folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


@pytest.fixture(scope="session")
def kafka_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    yield from _running(tmp_path_factory.mktemp("kafka"))


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[Broker]:
    """A running broker for this test alone, which it may stop, kill and start."""
    yield from _running(tmp_path / "kafka")


@pytest.fixture
def kafka_broker(kafka_of_the_run: Broker) -> Iterator[Broker]:
    """The broker of the run, up before each test and up again after it, whatever the test did to it."""
    kafka_of_the_run.start()
    try:
        yield kafka_of_the_run
    finally:
        kafka_of_the_run.resume()
        # Whatever was left to the collector is found in the test that left it.
        gc.collect()
