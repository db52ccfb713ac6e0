"""Every link of every page leads somewhere, and every function that a page names is in the file that it names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, anchors, links, named, pages, prose

_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:")
_FUNCTION = re.compile(r"\[`(?P<file>[\w./-]+\.py):(?P<name>[\w.]+)`\]\((?P<to>[^)\s]+)\)")
_PLAIN_FUNCTION = re.compile(r"(?<!\[)`(?P<file>[\w./-]+/[\w.-]+\.py):(?P<name>[A-Za-z_][\w.]*)`")
_PLAIN_FILE = re.compile(
    r"`(?P<path>(?:shared|services|deploy|tests|docs|alerting|ae_intake|meddra_coder|tocsin)/[\w./-]+\.\w+)(?::[\w.]+)?`"
)
_ROOTS = ("", "shared", "services/ae-intake", "services/meddra-coder", "services/alerting", "deploy")
PAGES = [pytest.param(path, id=named(path)) for path in pages()]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [f"line {line}: {to}" for line, to in links(page) if not _leads_somewhere(page, to)] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_function_that_is_named_is_in_its_file(page: Path) -> None:
    assert [f"line {line}: {name} in {path}" for line, path, name in _functions(page) if not _holds(path, name)] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    found = [(line, m["path"]) for line, text in prose(page) for m in _PLAIN_FILE.finditer(text)]
    assert [f"line {line}: {path}" for line, path in found if _file(path) is None] == []


def test_the_tour_names_its_way_by_functions() -> None:
    names = {name for _, _, name in _functions(ROOT / "docs" / "tour.md")}
    assert {"post_report", "keep_report", "Relay.turn", "assess", "raise_for", "Courier.turn", "acknowledge"} <= names


def test_a_wrong_link_would_be_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One\n\n[a](#one) [b](#two) [c](gone.md) [d](page.md) [`page.py:gone`](page.py)\n", "utf-8")
    (tmp_path / "page.py").write_text("def here() -> None: ...\n", "utf-8")
    assert [to for _, to in links(page) if not _leads_somewhere(page, to)] == ["#two", "gone.md"]
    assert [name for _, path, name in _functions(page) if not _holds(path, name)] == ["gone"]


def _leads_somewhere(page: Path, to: str) -> bool:
    if _ELSEWHERE.match(to):
        return True
    address, _, place = to.partition("#")
    target = (page.parent / address).resolve() if address else page
    if not target.exists():
        return False
    return not place or (target.suffix == ".md" and place in anchors(target))


def _functions(page: Path) -> Iterator[tuple[int, Path, str]]:
    """Line, file and name of each function that a page names."""
    for line, text in prose(page):
        for found in _FUNCTION.finditer(text):
            target = (page.parent / found["to"]).resolve()
            assert target.name == Path(found["file"]).name, f"{named(page)}, line {line}: {found[0]}"
            yield line, target, found["name"]
        for found in _PLAIN_FUNCTION.finditer(text):
            yield line, _file(found["file"]) or Path(found["file"]), found["name"]


def _file(path: str) -> Path | None:
    return next((ROOT / root / path for root in _ROOTS if (ROOT / root / path).exists()), None)


def _holds(path: Path, name: str) -> bool:
    return path.is_file() and name in _defined(path)


@cache
def _defined(path: Path) -> frozenset[str]:
    """Every function, class, method and constant of a file, as `name` and as `Class.name`."""
    return frozenset(_names(ast.parse(path.read_text("utf-8")), ""))


def _names(node: ast.AST, within: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from {child.name, f"{within}{child.name}"}
            yield from _names(child, f"{child.name}." if isinstance(child, ast.ClassDef) else within)
        elif isinstance(child, ast.Assign | ast.AnnAssign):
            targets = child.targets if isinstance(child, ast.Assign) else [child.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))
