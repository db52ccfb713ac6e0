"""What this machine has for the tests, and what had to be left out: a pytest plugin, and the words of the report.

Where the reference files are missing, tests marked `reference` are skipped, aloud. No test may reach beyond loopback.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter

from tests.support.fixtures_kafka import chosen_kafka
from tests.support.fixtures_postgres import chosen_postgres
from tests.traceability import run as traceability

ROOT = Path(__file__).resolve().parents[2]
_FOR_THE_TESTS = ("TOCSIN_TEST_", "TOCSIN_REQUIRE_", "TOCSIN_REFERENCE")


def reference_folder() -> Path:
    """Where the third-party reference files are: TOCSIN_REFERENCE, else beside the checkout."""
    return (ROOT / os.environ.get("TOCSIN_REFERENCE", "../shared/reference")).resolve()


def why_no_reference() -> str | None:
    """Why the reference files cannot be used; None when they can."""
    folder = reference_folder()
    return None if folder.is_dir() else f"the reference files are not at {folder}; set TOCSIN_REFERENCE"


def chosen_browser() -> str:
    """Which browser is here, or that none is."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return f"Browser: {found}" if found else "Browser: none (Debian's package chromium is not installed)"


def lines() -> list[str]:
    """What the suite runs on, a line each."""
    kafka = chosen_kafka()
    reference = why_no_reference()
    return [
        kafka if kafka.startswith("Kafka") else f"Kafka: {kafka}",
        chosen_postgres(),
        chosen_browser(),
        f"Reference files: {reference_folder() if reference is None else f'none ({reference})'}",
    ]


def pytest_configure(config: pytest.Config) -> None:
    # What a developer has set for a house of their own must not decide what a test finds.
    for name in list(os.environ):
        if name.startswith("TOCSIN_") and not name.startswith(_FOR_THE_TESTS):
            del os.environ[name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if (why := why_no_reference()) is not None:
        for item in items:
            if item.get_closest_marker("reference"):
                item.add_marker(pytest.mark.skip(reason=why))


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section("What this run used, and what it left out")
    for line in lines():
        terminalreporter.line(line)
    left_out = left_out_because(terminalreporter.stats.get("skipped", []))
    terminalreporter.line("Left out: nothing" if not left_out else "Left out:")
    for why, count in left_out.items():
        terminalreporter.line(f"  {count} {'test' if count == 1 else 'tests'}: {why}")
    # A run of some files says nothing of the whole, and must not replace what a whole run found.
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.collectonly:
        for line in traceability.record(terminalreporter.stats, lines()):
            terminalreporter.line(line)


def left_out_because(skipped: list[Any]) -> dict[str, int]:
    """How many tests were skipped for which reason, the commonest first."""
    reasons = (report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr) for report in skipped)
    return dict(Counter(why.removeprefix("Skipped: ") for why in reasons).most_common())


class StraySocketError(AssertionError):
    """A test tried to reach beyond this machine."""


def refuse_beyond_loopback(address: object) -> None:
    """Raises StraySocketError unless `address` is this machine, a path, or a descriptor of the kernel's own."""
    if not isinstance(address, tuple) or not address:
        return
    host = str(address[0]).partition("%")[0]
    if host in ("", "localhost"):
        return
    try:
        if ipaddress.ip_address(host).is_loopback:
            return
    except ValueError:
        pass
    raise StraySocketError(f"a test tried to connect to {host!r}: only this machine's loopback address is allowed")


@pytest.fixture(autouse=True, scope="session")
def no_stray_sockets() -> Iterator[None]:
    """Every connection of the suite's own process stays on loopback."""
    patch = pytest.MonkeyPatch()
    for name in ("connect", "connect_ex"):
        original = getattr(socket.socket, name)

        def guarded(self: socket.socket, address: Any, *, original: Any = original) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                refuse_beyond_loopback(address)
            return original(self, address)

        patch.setattr(socket.socket, name, guarded)
    yield
    patch.undo()


@pytest.fixture
def reference() -> Path:
    """The folder of the reference files. The test is marked `reference`, so it is there."""
    return reference_folder()
