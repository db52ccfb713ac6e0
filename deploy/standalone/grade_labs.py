"""`tocsin grade labs`: CTCAE grades of an SDTM LB data set. Needs no server."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from meddra_coder.lab_file import Summary


def grade_labs(
    file: Annotated[Path, typer.Argument(help="An SDTM LB data set: .csv, .csv.gz or .xpt (SAS transport).")],
    out: Annotated[
        Path, typer.Option(help="The file to write: the same rows with the grades added (.csv or .csv.gz).")
    ],
    ctcae: Annotated[str, typer.Option(help="The version of CTCAE: 5.0 or 6.0.")] = "5.0",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Grade laboratory values by CTCAE, in both directions. Needs no server.

    Adds low_term, low_grade, high_term, high_grade and reason to every row; the term stands there also for grade 0.
    What cannot be graded has no grade, and the reason says what it lacks. Ends with a table of what was lacking.

    The standard result is graded where it can be read, else the original one. The baseline is the row with LBBLFL=Y,
    else the last one with an LBDY below 1. Total calcium is corrected with the albumin of the same LBDTC or VISITNUM.

    Example: tocsin grade labs lb.csv.gz --out graded.csv

    Example: tocsin grade labs lb.xpt --out graded.csv --ctcae 6.0 --json
    """
    from meddra_coder.lab_file import grade_file
    from standalone.progress import progress
    from tocsin.criteria import EDITIONS
    from tocsin.table_file import FileRefused

    if ctcae not in EDITIONS:
        raise typer.BadParameter(f'CTCAE "{ctcae}" is not known; allowed is {" or ".join(EDITIONS)}')
    try:
        with progress("Grading rows") as tell:
            summary = grade_file(file, out, ctcae, tell)
    except FileRefused as refused:
        print(f"tocsin grade labs: {refused}", file=sys.stderr)
        raise typer.Exit(refused.exit_code) from None
    if as_json:
        print(json.dumps(_document(summary, out), ensure_ascii=False, indent=2))
    else:
        _print(summary, out)
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)


def _document(summary: Summary, out: Path) -> dict[str, Any]:
    return {
        "out": str(out),
        "ctcae": summary.edition,
        "rows": summary.rows,
        "graded": summary.graded,
        "grades": _by_term(summary),
        "lacking": dict(summary.lacking.most_common()),
        "lacking_in_one_direction": dict(summary.partly.most_common()),
        "findings": [{"line": found.line, "problem": found.problem} for found in summary.findings],
        "absent_columns": list(summary.absent),
        "renamed_columns": [list(pair) for pair in summary.renamed],
        "seconds": {part: round(took, 3) for part, took in summary.seconds.items()},
        "rows_per_second": {part: _speed(summary.rows, took) for part, took in summary.seconds.items()},
    }


def _by_term(summary: Summary) -> dict[str, dict[str, int]]:
    terms = sorted({term for term, _ in summary.grades})
    return {term: {str(grade): summary.grades[term, grade] for grade in range(6)} for term in terms}


def _speed(rows: int, took: float) -> int | None:
    return round(rows / took) if took else None


def _print(summary: Summary, out: Path) -> None:
    from rich.console import Console

    print(f"{summary.rows} rows to {out}: {summary.graded} graded by CTCAE v{summary.edition}")
    for name, new in summary.renamed:
        print(f'  the column "{name}" of the file is now "{new}"')
    if summary.absent:
        print(f"  not in the file: {', '.join(summary.absent)}")
    console = Console()
    if summary.grades:
        rows = ([term, *map(_count, grades.values())] for term, grades in _by_term(summary).items())
        console.print(_table("Values by term and grade", ["term", *map(str, range(6))], rows))
    if summary.lacking:
        counted = ([why, str(count)] for why, count in summary.lacking.most_common())
        console.print(_table("What the rows without a grade lack", ["lacking", "rows"], counted))
    if summary.partly:
        counted = ([why, str(count)] for why, count in summary.partly.most_common())
        console.print(_table("What the other direction of graded rows lacks", ["lacking", "rows"], counted))
    for part, took in summary.seconds.items():
        speed = _speed(summary.rows, took)
        print(f"{part}: {took:.2f} s" + (f", {speed} rows/s" if speed else ""))
    for found in summary.findings:
        print(f"  line {found.line}: {found.problem}")


def _count(count: int) -> str:
    return str(count) if count else ""


def _table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for place, name in enumerate(columns):
        table.add_column(name, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    return table
