"""The house on each kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.alerting.ward import Ward, studies, ward


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Ward]:
    """A house on SQLite."""
    with ward(f"sqlite:///{tmp_path}/alerting.db", tmp_path) as found:
        yield found


@pytest.fixture
def any_house(any_database: Callable[[], str], tmp_path: Path) -> Iterator[Ward]:
    """A house on SQLite, and one on PostgreSQL."""
    with ward(any_database(), tmp_path) as found:
        yield found


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Ward]:
    """A house that serves the study with its dose levels."""
    with ward(f"sqlite:///{tmp_path}/alerting.db", tmp_path, studies()) as found:
        yield found
