"""Requirements and markers joined, and what is wrong with the join."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.imports import ROOT
from tests.traceability.marks import Mark, marks
from tests.traceability.register import Register, Requirement, TraceError, register


@dataclass(frozen=True, slots=True)
class Matrix:
    """Which tests hold which requirement. `wider` and `sources` hold what markers name besides.

    `unread`: each marker that names nothing known, with its place.
    """

    requirements: tuple[Requirement, ...]
    tests: dict[str, tuple[str, ...]]
    wider: dict[str, tuple[str, ...]]
    sources: dict[str, tuple[str, ...]]
    unread: tuple[str, ...]

    @property
    def traced(self) -> frozenset[str]:
        """Every test that holds a requirement."""
        return frozenset(test for tests in self.tests.values() for test in tests)

    def wrong(self) -> Iterator[str]:
        """Each thing that fails the build, with its place and what to do."""
        yield from self.unread
        for row in self.requirements:
            tests = self.tests.get(row.id, ())
            if not tests and not row.is_pending:
                yield f"{row.id}: no test names it; mark one with @pytest.mark.rule({row.id!r})"
            elif tests and row.is_pending:
                yield f"{row.id}: is marked pending, but {tests[0]} names it; take the flag away"


def join(requirements: Register, found: Iterable[Mark]) -> Matrix:
    """The matrix of these requirements and these markers."""
    tests: dict[str, list[str]] = {}
    wider: dict[str, list[str]] = {}
    sources: dict[str, list[str]] = {}
    unread: list[str] = []
    for mark in found:
        try:
            named = requirements.named(mark.text)
        except TraceError as wrong:
            unread.append(f"{mark.test.partition('::')[0]}:{mark.line}: {wrong}")
            continue
        for into, names in ((tests, named.requirements), (wider, named.wider), (sources, named.sources)):
            for name in names:
                if mark.test not in into.setdefault(name, []):
                    into[name].append(mark.test)
    return Matrix(requirements.requirements, _sorted(tests), _sorted(wider), _sorted(sources), tuple(unread))


def matrix(root: Path = ROOT) -> Matrix:
    """The matrix of this checkout."""
    return join(register(root), marks(root))


def _sorted(part: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(part[name]) for name in sorted(part)}
