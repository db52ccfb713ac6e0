"""Decision 0011: no MedDRA text is in the project beside what NCI publishes in CTCAE."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tocsin.criteria import EDITIONS, load_terms

ROOT = Path(__file__).parents[2]
NOT_OURS = {"__pycache__", "node_modules", "tocsin-data", "dist", "build"}

# A line of a distribution file: a code, or two, then fields that each end with a dollar sign.
DISTRIBUTION_LINE = re.compile(rb"^[0-9]{8}\$[^\n]*\$\r?$", re.MULTILINE)
CODE = re.compile(rb"(?<![0-9A-Za-z])10[0-9]{6}(?![0-9A-Za-z])")
MOST_LINES = 3
MOST_OTHER_CODES = 40
"""A test may invent a few codes and lines to show a reader at work; a table of terms has far more."""


def project_files(root: Path) -> Iterator[Path]:
    for path in sorted(root.iterdir()):
        if path.name.startswith(".") or path.name in NOT_OURS or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from project_files(path)
        elif path.is_file():
            yield path


def licensed(path: Path, published: frozenset[bytes]) -> str | None:
    """Why a file looks like licensed MedDRA, or None."""
    if path.suffix.lower() == ".asc":
        return "is named like a file of the MedDRA distribution"
    raw = path.read_bytes()
    if len(DISTRIBUTION_LINE.findall(raw)) > MOST_LINES:
        return "holds lines of the MedDRA distribution"
    other = set(CODE.findall(raw)) - published
    if len(other) > MOST_OTHER_CODES:
        return f"holds {len(other)} MedDRA codes that CTCAE does not publish"
    return None


def published_codes() -> frozenset[bytes]:
    return frozenset(term.code.encode() for version in EDITIONS for term in load_terms(version))


@pytest.mark.rule("decision 0011")
def test_no_file_of_the_project_carries_licensed_meddra() -> None:
    published = published_codes()
    found = {str(path.relative_to(ROOT)): licensed(path, published) for path in project_files(ROOT)}
    assert "shared/tocsin/criteria/ctcae_v5_terms.csv" in found
    assert {path: why for path, why in found.items() if why} == {}


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("llt.asc", "", "named like"),
        ("terms.txt", "".join(f"1000000{n}$Invented {n}$10000001$$\r\n" for n in range(9)), "lines of the"),
        ("terms.csv", "".join(f"{10000000 + n},Invented {n}\n" for n in range(60)), "codes that CTCAE does not"),
    ],
)
def test_such_a_file_would_be_seen(tmp_path: Path, name: str, text: str, why: str) -> None:
    path = tmp_path / name
    path.write_text(text, newline="")
    assert why in str(licensed(path, published_codes()))
