"""The lock files: every package by its hash, no address of any index, and the shorter one inside the longer."""

from __future__ import annotations

import re

import pytest

from tests.architecture.imports import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-supply.lock")


def pins(lock: str) -> dict[str, list[str]]:
    """Each package with its version and marker, and its hashes."""
    found: dict[str, list[str]] = {}
    for requirement in (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        text = requirement.partition("#")[0].strip()
        if text:
            name, *hashes = re.split(r"\s+--hash=", text)
            found[name.strip()] = hashes
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes(lock: str) -> None:
    found = pins(lock)
    assert len(found) > 20
    for name, hashes in found.items():
        assert re.match(r"^[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==\S+( ; .+)?$", name), name
        assert hashes, name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", text) for text in hashes), name


@pytest.mark.parametrize("lock", LOCKS)
def test_no_address_of_an_index_is_in_it(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*(-i|--index-url|--extra-index-url|--find-links|-f)\b", text, re.MULTILINE)


def test_what_runs_is_what_is_tested() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()
