"""A running ae-intake and a site that posts to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ae_intake.app import build
from tests.intake.at_site import Site, at
from tests.support.houses import in_process

UNHEARD = ("intake-relay", "ae-intake")
"""The workers towards the bus: what is said stays in the outbox, where the tests look."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Site S01 at noon of 2 March 2026 in Shanghai, before a fresh house."""
    with in_process(tmp_path, [build], without=UNHEARD) as house:
        one = at(house, f"sqlite:///{tmp_path}/intake.db")
        yield one
        one.store.close()


@pytest.fixture(scope="module")
def lasting_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same, one for all tests of a file: for tables of inputs that leave nothing behind."""
    folder = tmp_path_factory.mktemp("house")
    with in_process(folder, [build], without=UNHEARD) as house:
        one = at(house, f"sqlite:///{folder}/intake.db")
        yield one
        one.store.close()
