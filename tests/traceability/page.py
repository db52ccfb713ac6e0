"""The matrix as a page: as it stands in docs/traceability.md, or with the results of one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from tests.architecture.imports import ROOT
from tests.traceability.matrix import Matrix
from tests.traceability.register import Requirement
from tests.traceability.results import Results, counted

PAGE = ROOT / "docs" / "traceability.md"

_HEAD = """\
# Traceability

Each requirement, the clause it comes from, the rule in our words, the code that makes it hold, and the tests that would
fail if it did not. `make traceability` writes this page from the markers of the tests, from
[requirements.toml](../tests/traceability/requirements.toml) and from the rules that are shipped; nobody edits it
([decision 16](decisions/0016-traceability-from-markers.md)). The build fails when a requirement has no test, when a
marker names nothing known, and when this page is not what the markers give.

There are no results here: they belong to a run. Each run of the whole suite writes `build/traceability.md`, the same
page with what that run found. Names such as "rules.md 1.4" and "readings.md clocks 5" are sections of the project's
working papers; the words here are our own. *Choice* stands where no law decides.
"""


def page(matrix: Matrix) -> str:
    """docs/traceability.md."""
    return "\n".join([_HEAD, *_counts(matrix), *_body(matrix, None)])


def page_of_a_run(matrix: Matrix, results: Results, used: Sequence[str]) -> str:
    """The same with results; `used`: what the run ran on, a line each."""
    head = ["# Traceability: one run", "", *(f"- {line}" for line in used), ""]
    return "\n".join([*head, *_counts(matrix), *_body(matrix, results)])


def _counts(matrix: Matrix) -> Iterator[str]:
    pending = sum(row.is_pending for row in matrix.requirements)
    yield (
        f"{counted(len(matrix.requirements), 'requirement')}, {counted(len(matrix.traced), 'test')}, "
        f"{pending} not tested yet (pending)."
    )
    yield ""


def _body(matrix: Matrix, results: Results | None) -> Iterator[str]:
    for part, rows in groupby(matrix.requirements, key=lambda row: row.part):
        yield f"## {part}"
        yield ""
        yield from _table(["id", "clause", "rule", "code", "tests", "result"][: None if results else 5])
        for row in rows:
            yield _line(_cells(row, matrix, results))
        yield ""
    for title, named in (
        ("Names wider than one row: they count for none", matrix.wider),
        ("Other standards and papers that tests name", matrix.sources),
    ):
        if named:
            yield f"## {title}"
            yield ""
            yield from _table(["name", "tests"])
            yield from (_line([name, _tests(tests, results)]) for name, tests in named.items())
            yield ""


def _cells(row: Requirement, matrix: Matrix, results: Results | None) -> list[str]:
    tests = matrix.tests.get(row.id, ())
    code = "<br>".join(f"[{name}](../{path})" for name, path in row.code)
    held = _tests(tests, results) if tests else "none yet: pending" if row.is_pending else "none"
    cells = [row.id, row.clause, row.rule, code, held]
    return cells if results is None else [*cells, results.verdict(row, tests)]


def _tests(tests: Sequence[str], results: Results | None) -> str:
    return "<br>".join(_test(test, results) for test in tests)


def _test(test: str, results: Results | None) -> str:
    path, _, name = test.partition("::")
    shown = f"[{path.removeprefix('tests/')}::{name}](../{path})"
    return shown if results is None else f"{shown}: {results.said_of(test)}"


def _table(names: Sequence[str]) -> Iterator[str]:
    yield _line(names)
    yield _line(["---"] * len(names))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
