"""Both carriers, for every test that asks for `carrier`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bus.carriers import Carrier, EmbeddedCarrier, KafkaCarrier
from tocsin.bus.port import Bus


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def carrier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Carrier]:
    """One carrier, up; every bus that the test opened on it is closed at the end."""
    made: EmbeddedCarrier | KafkaCarrier
    if request.param == "embedded":
        made = EmbeddedCarrier(tmp_path / "log")
    else:
        made = KafkaCarrier(request.getfixturevalue("kafka_broker"))
    yield made
    for bus in made.opened:
        bus.close()


@pytest.fixture
def bus(carrier: Carrier) -> Bus:
    """A bus on the carrier."""
    return carrier.open()
