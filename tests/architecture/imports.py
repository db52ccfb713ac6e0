"""Reads what each module imports and calls, with the standard library's `ast`; the laws are in `test_import_laws`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PLACES = {
    "tocsin": ROOT / "shared" / "tocsin",
    "ae_intake": ROOT / "services" / "ae-intake" / "ae_intake",
    "meddra_coder": ROOT / "services" / "meddra-coder" / "meddra_coder",
    "alerting": ROOT / "services" / "alerting" / "alerting",
    "standalone": ROOT / "deploy" / "standalone",
}


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file: its dotted name, its place, its tree."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    @classmethod
    def read(cls, name: str, path: Path, text: str) -> Module:
        return cls(name, path, ast.parse(text, str(path)))

    def imports(self) -> Iterator[tuple[int, str]]:
        """Every import, wherever it stands: the line, and the dotted name as far as the statement tells."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
            elif isinstance(node, ast.Call) and _name(node.func) in ("importlib.import_module", "__import__"):
                for argument in node.args[:1]:
                    if isinstance(argument, ast.Constant):
                        yield node.lineno, str(argument.value)

    def calls(self) -> Iterator[tuple[int, str]]:
        """Every call, by the dotted words before its bracket: `datetime.now`, `open`, `tx.commit`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and (name := _name(node.func)):
                yield node.lineno, name

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        inside = self.name.split(".")
        if self.path.name != "__init__.py":
            inside = inside[:-1]
        base = inside[: len(inside) - node.level + 1]
        return ".".join([*base, *([node.module] if node.module else [])])


def _name(node: ast.expr) -> str:
    """`a.b.c` of an expression; what stands before a call or an index is left out: `x().now` is `.now`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return ""


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the project, the tests left out."""
    found = []
    for package, folder in PLACES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = [package, *path.relative_to(folder).with_suffix("").parts]
            if parts[-1] == "__init__":
                parts.pop()
            found.append(Module.read(".".join(parts), path, path.read_text(encoding="utf-8")))
    return tuple(found)


def is_within(name: str, package: str) -> bool:
    """Whether a dotted name is a package or something in it."""
    return name == package or name.startswith(package + ".")
