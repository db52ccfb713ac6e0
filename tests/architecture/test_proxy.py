"""The proxy of the three services sends every address to the service that answers it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ae_intake.app
import alerting.app
import meddra_coder.app
from tests.support.houses import in_process
from tocsin.web.app import routes_of

CONF = Path(__file__).parents[2] / "deploy" / "compose" / "nginx.conf"
SHARED = ("/look/", "/icon.svg", "/health", "/ready", "/metrics")
"""Every service answers these, with the same."""


def service_of(path: str) -> str:
    """Where the proxy's map sends an address."""
    (lines,) = re.findall(r"map \$uri \$tocsin_service \{(.*?)\}", CONF.read_text("utf-8"), re.DOTALL)
    found = re.findall(r"^\s*(\S+)\s+(\w+);", lines, re.MULTILINE)
    for pattern, name in found:
        if pattern.startswith("~") and re.search(pattern[1:], path):
            return str(name)
    return str(dict(found)["default"])


@pytest.mark.parametrize(
    ("name", "build"),
    [("intake", ae_intake.app.build), ("coder", meddra_coder.app.build), ("alerting", alerting.app.build)],
)
def test_every_route_of_a_service_is_sent_to_it(tmp_path: Path, name: str, build: object) -> None:
    with in_process(tmp_path, [build]) as house:  # type: ignore[list-item]
        paths = {route.path for route in routes_of(house.app) if not route.path.startswith(SHARED)}
    assert len(paths) > 5
    astray = {path: service_of(path) for path in paths if service_of(path) != name}
    assert astray == {}
