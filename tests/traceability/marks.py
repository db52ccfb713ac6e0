"""Which test carries which marker, read from the test files without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.imports import ROOT
from tests.traceability.register import TraceError

_MARK = "pytest.mark.rule"


@dataclass(frozen=True, slots=True)
class Mark:
    """One text of one marker. `test` is the node id without parameters: `tests/x/test_y.py::test_z`."""

    test: str
    text: str
    line: int


def marks(root: Path = ROOT) -> tuple[Mark, ...]:
    """Every marker of the suite, file by file, in the order of the lines."""
    found: list[Mark] = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        found += marks_in(path.read_text("utf-8"), path.relative_to(root).as_posix())
    return tuple(found)


def marks_in(text: str, file: str) -> list[Mark]:
    """The markers of one file. TraceError where one stands elsewhere than above a test or a class of tests."""
    tree = ast.parse(text, file)
    seen: set[int] = set()
    found = list(_within(tree, file, (), seen))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) == _MARK and id(node) not in seen:
            raise TraceError(f"{file}:{node.lineno}: a rule marker stands above a test or a class, and nowhere else")
    return sorted(found, key=lambda mark: mark.line)


def _within(parent: ast.AST, name: str, above: tuple[tuple[str, int], ...], seen: set[int]) -> Iterator[Mark]:
    for node in ast.iter_child_nodes(parent):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        texts = (*above, *_texts(node, name, seen))
        here = f"{name}::{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from _within(node, here, texts, seen)
        elif node.name.startswith("test_"):
            yield from (Mark(here, text, line) for text, line in texts)


def _texts(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, name: str, seen: set[int]
) -> Iterator[tuple[str, int]]:
    is_test = isinstance(node, ast.ClassDef) or node.name.startswith("test_")
    for decorator in node.decorator_list:
        if not (isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == _MARK and is_test):
            continue
        seen.add(id(decorator.func))
        where = f"{name.partition('::')[0]}:{decorator.lineno}"
        if decorator.keywords or not decorator.args:
            raise TraceError(f"{where}: a rule marker takes one text or more")
        for argument in decorator.args:
            if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
                raise TraceError(f"{where}: a rule marker takes texts written out, not {ast.unparse(argument)}")
            yield argument.value, argument.lineno
