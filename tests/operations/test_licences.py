"""What Tocsin is made of may be given on with it: each package's licence is on the list, or an exception with a reason.

Read from the installed packages themselves, without a network.
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution

import pytest

from tests.architecture.imports import ROOT
from tests.operations.vulnerabilities import CLEAN, KNOWN, NOT_ASKED, read, say

ALLOWED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "PSF-2.0", "Zlib",
}  # fmt: skip
"""By their SPDX names: whoever gives the work on may do so under Apache-2.0, and has only to name them."""

EXCEPTIONS = {
    "psycopg": ("LGPL-3.0-only", "used as the library it is: unchanged, imported, and replaceable by whoever runs it"),
    "psycopg-binary": ("LGPL-3.0-only", "the same library compiled; it is loaded by psycopg and by nothing of ours"),
    "certifi": ("MPL-2.0", "a list of certificates; its file is used unchanged"),
    "pathspec": ("MPL-2.0", "used unchanged, when the project is built and not when it runs"),
}
"""Package: its licence, and why it may be here all the same."""

WORDS = {
    "Apache Software License": "Apache-2.0", "BSD License": "BSD-3-Clause", "ISC License": "ISC",
    "ISC License (ISCL)": "ISC", "MIT License": "MIT", "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}  # fmt: skip
"""What packages wrote before there were SPDX names."""

NOT_HERE = {"colorama": "Windows alone"}
"""Packages of the lock that this machine has no use for."""


def locked() -> list[str]:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    return sorted(set(re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z,]+\])?==", text, re.MULTILINE)))


def licence_of(package: Distribution) -> str:
    """As an SPDX expression: what it says itself, else the first of its classifiers, else the free words."""
    if expression := package.metadata.get_all("License-Expression"):
        return str(expression[0])
    classified = [
        line.rpartition(" :: ")[2]
        for line in package.metadata.get_all("Classifier") or []
        if line.startswith("License :: ")
    ]
    words = classified or [str(one) for one in package.metadata.get_all("License") or [""]]
    return " OR ".join(WORDS.get(one, one) for one in words)


def is_allowed(expression: str) -> bool:
    """Every part that is joined by AND must be; of parts joined by OR one is enough."""
    parts = [re.split(r"\s+OR\s+", part.strip(" ()")) for part in re.split(r"\s+AND\s+", expression)]
    return all(any(one.strip(" ()") in ALLOWED for one in either) for either in parts)


@pytest.mark.parametrize("name", locked())
def test_each_package_may_be_given_on(name: str) -> None:
    try:
        licence = licence_of(distribution(name))
    except PackageNotFoundError:
        assert name in NOT_HERE, f"{name} is locked and not installed: install requirements.lock"
        return
    if name in EXCEPTIONS:
        assert licence == EXCEPTIONS[name][0], f"{name} has changed its licence to {licence}: judge it anew"
    else:
        assert is_allowed(licence), f"{name} is under {licence!r}; allowed are {', '.join(sorted(ALLOWED))}"


def test_no_exception_is_left_for_a_package_that_is_gone() -> None:
    assert set(EXCEPTIONS) | set(NOT_HERE) <= set(locked())


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR BSD-3-Clause", True),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("BSD-3-Clause AND (MIT OR GPL-2.0-only)", True),
        ("AGPL-3.0-only", False),
        ("", False),
    ],
)
def test_an_expression_is_read_as_it_is_meant(expression: str, allowed: bool) -> None:
    assert is_allowed(expression) is allowed


def dependency(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "version": "1.0", "vulns": [], **more}


@pytest.mark.parametrize(
    ("dependencies", "code"),
    [
        ([dependency("a")], CLEAN),
        ([dependency("a", vulns=[{"id": "PYSEC-2026-1", "fix_versions": ["1.1"]}])], KNOWN),
        ([dependency("a"), {"name": "b", "skip_reason": "not found"}], NOT_ASKED),
        ([], NOT_ASKED),
    ],
    ids=["clean", "known", "one was passed over", "nothing was asked"],
)
def test_silence_about_a_package_is_no_clean_bill(dependencies: list[dict[str, object]], code: int) -> None:
    assert read({"dependencies": dependencies}).code == code


def test_a_network_that_refuses_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert say("requirements.lock", "Failed to resolve") == NOT_ASKED
    assert "NOT CHECKED, the network refused: Failed to resolve" in capsys.readouterr().out
