"""A Kafka of its own for each flow test: another test's reports must not be read again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import kafka_broker as kafka
from tests.support.kafka_broker import Broker


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[Broker]:
    """A running broker for this test alone, which it may stop, kill and start."""
    missing = kafka.why_not()
    if missing is not None:
        if os.environ.get("TOCSIN_REQUIRE_KAFKA") == "1":
            pytest.fail(f"TOCSIN_REQUIRE_KAFKA=1, but {missing}")
        pytest.skip(f"no real Kafka: {missing}")
    broker = Broker(tmp_path / "kafka")
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()
