"""Every decision record is a page that names the test which keeps it, and that test is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

FOLDER = ROOT / "docs" / "decisions"
RECORDS = [pytest.param(path, id=path.name) for path in sorted(FOLDER.glob("[0-9]*.md"))]
_TEST = re.compile(r"tests/[\w/.-]+")


@pytest.mark.parametrize("record", RECORDS)
def test_every_decision_names_a_test_that_is_there(record: Path) -> None:
    tests = [name.rstrip("./") for name in _TEST.findall(record.read_text("utf-8"))]
    assert tests, f"{record.name} names no test that keeps it"
    assert [name for name in tests if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("record", RECORDS)
def test_every_decision_is_one_page_whose_heading_bears_its_number(record: Path) -> None:
    text = record.read_text("utf-8")
    heading = re.match(r"# 0*(\d+)[.:] \S", text)
    assert heading is not None
    assert int(heading[1]) == int(record.name[:4])
    assert len(text.splitlines()) <= 100, "a decision is one page"


def test_no_number_is_given_twice() -> None:
    numbers = [path.name[:4] for path in FOLDER.glob("[0-9]*.md")]
    assert sorted(numbers) == sorted(set(numbers))
