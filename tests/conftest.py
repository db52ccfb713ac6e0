"""What every test may ask for. The fixtures themselves are in tests/support."""

from __future__ import annotations

pytest_plugins = [
    "tests.support.fixtures_kafka",
    "tests.support.fixtures_postgres",
    "tests.support.environment",
]
