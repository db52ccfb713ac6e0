"""A small invented MedDRA distribution, whole or to be damaged by a test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from meddra_coder.dictionary.meddra_files import DistributionRefused, read_distribution
from tests.support.invented_meddra import write_distribution

EXTRA = (("10002272", "Anemia", None, True), ("10016558", "Fever", "10500005", False))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    write_distribution(folder, llts=300, pts=100, extra=EXTRA)
    return folder


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    """A good distribution that a test may damage."""
    return Path(shutil.copytree(good, tmp_path / "MedAscii"))


def refusal(folder: Path) -> list[str]:
    """What is told of a distribution that is refused."""
    with pytest.raises(DistributionRefused) as refused:
        read_distribution(folder)
    assert refused.value.exit_code == 1
    told = [str(finding) for finding in refused.value.findings]
    assert str(refused.value).splitlines()[: len(told)] == told
    return told


def put(path: Path, line: int, text: bytes | None) -> None:
    """Put another text in the place of one line, or take the line out."""
    lines = path.read_bytes().split(b"\r\n")
    lines[line - 1 : line] = [] if text is None else [text]
    path.write_bytes(b"\r\n".join(lines))


def line_of(path: Path, line: int) -> bytes:
    return path.read_bytes().split(b"\r\n")[line - 1]
