"""What every test may ask for. The fixtures themselves are in tests/support."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

pytest_plugins = [
    "tests.support.fixtures_kafka",
    "tests.support.fixtures_postgres",
    "tests.support.environment",
]

SLOWEST_FIRST = (
    "flow/test_import_of_the_pilot", "flow/test_promises", "flow/test_kill_and_restart", "standalone/test_rehearsal",
    "standalone/test_rebuild", "flow/test_stories", "flow/test_fast_forward", "standalone/test_rebuild_on_kafka",
    "standalone/test_demo", "standalone/test_up", "desk/test_page_behind_the_mail", "bus/test_contract",
    "alerting/test_packet", "alerting/test_dlt", "coder/test_lab_columns",
)  # fmt: skip
"""The files that take longest, in the order in which they are begun: none of them is left to run alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slowest files. The order within a file stays."""
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    return next((n for n, name in enumerate(SLOWEST_FIRST) if f"/{name}" in nodeid), len(SLOWEST_FIRST))
