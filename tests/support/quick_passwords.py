"""Accounts that tests make have a password that is quick to check: a pytest plugin.

What a hash costs stands in the hash, so that a house which is asked checks it at that price. At the price of a real
one, each account and each login of a test took a quarter of a second of a core. What a real one costs is in
`tests/alerting/test_accounts.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from alerting import accounts

_AS_SHIPPED = accounts._hasher
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Iterator[None]:
    """In this process; what is forked from a warm one hashes as ever."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_hasher", lambda: _QUICK)
        yield


@pytest.fixture
def real_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this test a password is hashed as in a house."""
    monkeypatch.setattr(accounts, "_hasher", _AS_SHIPPED)
