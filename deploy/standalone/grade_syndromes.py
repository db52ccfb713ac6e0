"""`tocsin grade syndromes`: CRS, ICANS, IEC-HS and ICAHT from the facts of a file. Needs no server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from standalone.syndrome_file import Summary


def grade_syndromes(
    file: Annotated[Path, typer.Argument(help="A CSV file with the columns scale and inputs.")],
    out: Annotated[Path, typer.Option(help="The file to write: the same rows with grade and reason added.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Grade CRS, ICANS, IEC-HS and ICAHT, a row for each moment. Needs no server.

    The column scale is CRS, CRS_CTCAE5, CRS_CTCAE6, ICANS, IEC_HS, ICAHT_EARLY or ICAHT_LATE; CRS is by ASTCT 2019 and
    says where CTCAE v5.0 differs. The column inputs holds key=value, joined by ; such as fever=1;o2=facemask. What is
    not known may be left out or written as unknown; then the grade may stay empty, and the reason says what would
    settle it.

    Left out, these mean that it was not there, not that it is unknown: antipyretic, fever_earlier, airway_only,
    seizure, motor, edema, death.

    Example: tocsin grade syndromes facts.csv --out graded.csv
    """
    from standalone.progress import progress
    from standalone.syndrome_file import grade_file
    from tocsin.table_file import FileRefused

    try:
        with progress("Grading rows") as tell:
            summary = grade_file(file, out, tell)
    except FileRefused as refused:
        print(f"tocsin grade syndromes: {refused}", file=sys.stderr)
        raise typer.Exit(refused.exit_code) from None
    _print_summary(summary, out, as_json)
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)


def _print_summary(summary: Summary, out: Path, as_json: bool) -> None:
    if as_json:
        whole = {
            "out": str(out),
            "rows": summary.rows,
            "graded": summary.graded,
            "not_settled": summary.not_settled,
            "renamed_columns": [list(pair) for pair in summary.renamed],
            "findings": [{"line": found.line, "problem": found.problem} for found in summary.findings],
        }
        print(json.dumps(whole, ensure_ascii=False, indent=2))
        return
    print(
        f"{summary.rows} rows to {out}: {summary.graded} graded, {summary.not_settled} not settled by their facts, "
        f"{len(summary.findings)} cannot be read"
    )
    for name, new in summary.renamed:
        print(f'  the column "{name}" of the file is now "{new}"')
    for found in summary.findings:
        print(f"  line {found.line}: {found.problem}")
