"""The decision records: each has its number, and the tests that keep it are there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.imports import ROOT

PAGES = sorted((ROOT / "docs" / "decisions").glob("0*.md"))


def test_numbers_have_no_twins() -> None:
    numbers = [page.name[:4] for page in PAGES]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_begins_with_its_number(page: Path) -> None:
    first = page.read_text(encoding="utf-8").splitlines()[0]
    assert re.match(rf"# 0*{int(page.name[:4])}[.:] \w", first), first


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tests_that_a_page_names_are_there(page: Path) -> None:
    named = re.findall(r"`(tests/[\w/.-]+)`", page.read_text(encoding="utf-8"))
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_dependency_has_a_row() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "decisions" / "0013-the-libraries-we-depend-on.md").read_text(encoding="utf-8").lower()
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["build"]]
    names = [match[0] for text in wanted if (match := re.match(r"[A-Za-z0-9-]+", text))]
    assert [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name.lower())}(?![\w-])", page)] == []
