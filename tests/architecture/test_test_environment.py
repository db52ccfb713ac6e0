"""The test environment keeps its own promises: no stray sockets, and what is left out is said."""

from __future__ import annotations

import socket

import pytest

from tests.support.environment import StraySocketError, left_out_because, lines


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.org", 443), ("2001:db8::1", 80)])
def test_no_test_reaches_beyond_this_machine(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as stray, pytest.raises(StraySocketError, match="only this machine"):
        stray.connect(address)


def test_loopback_is_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()[:2]):
        pass


def test_the_report_says_which_broker_database_and_browser_it_used() -> None:
    kafka, postgres, browser, reference = lines()
    assert "Kafka" in kafka
    assert postgres.startswith("PostgreSQL: ")
    assert browser.startswith("Browser: ")
    assert reference.startswith("Reference files: ")


def test_what_was_left_out_is_counted_by_its_reason() -> None:
    class Skipped:
        def __init__(self, why: str) -> None:
            self.longrepr = ("file.py", 3, f"Skipped: {why}")

    assert left_out_because([Skipped("no Kafka"), Skipped("no browser"), Skipped("no Kafka")]) == {
        "no Kafka": 2,
        "no browser": 1,
    }
