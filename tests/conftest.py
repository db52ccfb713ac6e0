"""What every test may ask for. The fixtures themselves are in tests/support."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = [
    "tests.support.fixtures_kafka",
    "tests.support.fixtures_postgres",
    "tests.support.environment",
    "tests.support.quick_passwords",
]

# How long an example takes is the machine's affair; a test that hangs is seen all the same.
settings.register_profile("tocsin", settings.default, deadline=None)
settings.load_profile("tocsin")
