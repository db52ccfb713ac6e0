"""`tocsin dose`: what a dose-escalation design decides, for a file of counts or as its whole table. Needs no server."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from standalone.dose_file import Summary
    from standalone.dose_rows import Design
    from tocsin.domain.escalation import Here, Table

MOST_ROWS = 100


def dose(
    design: Annotated[str, typer.Option(help="3+3 or boin.")],
    file: Annotated[Path | None, typer.Option(help="A CSV file of counts, a row for each dose.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write: the same rows with the decisions added.")] = None,
    target: Annotated[str | None, typer.Option(help="The target rate of DLTs, for boin; 0.30 if left out.")] = None,
    table: Annotated[bool, typer.Option("--table", help="Print the design's whole decision table instead.")] = False,
    up_to: Annotated[
        int | None, typer.Option(min=1, max=MOST_ROWS, help="The table's most evaluable, for boin; 30 if left out.")
    ] = None,
    position: Annotated[str | None, typer.Option(help="lowest, middle or highest, for the table of 3+3.")] = None,
    here: Annotated[str | None, typer.Option(help="Mark a place in the table: 2/6 for two DLTs of six.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say what 3+3 or BOIN decides from how many are evaluable and how many had a DLT. Needs no server.

    A file for 3+3 has the columns dose_position (lowest, middle, highest), higher_dose_exceeds_mtd (0, 1), n_evaluable
    and n_dlt; a file for boin has n_treated and n_dlt. What comes out has computed_decision and reason beside them.

    A decision to go up always needs the committee's signed review besides.

    Example: tocsin dose --file counts.csv --design 3+3 --out decided.csv

    Example: tocsin dose --file counts.csv --design boin --target 0.30 --out decided.csv

    Example: tocsin dose --design boin --table --up-to 12 --here 2/6
    """
    from standalone.dose_rows import DESIGNS

    if design not in DESIGNS:
        raise typer.BadParameter(f"design is {design!r}; allowed are {', '.join(DESIGNS)}")
    of_a_file = [file, out]
    if table == any(of_a_file) or (not table and None in of_a_file):
        raise typer.BadParameter("give either --file and --out, or --table")
    if design == "3+3" and up_to is not None:
        raise typer.BadParameter("--up-to is for boin: 3+3 holds six")
    if design == "3+3" and target is not None:
        print("Caution: 3+3 has no target rate; --target is not used.", file=sys.stderr)
    if not table and any(option is not None for option in (up_to, position, here)):
        raise typer.BadParameter("--up-to, --position and --here are for --table")
    if design == "boin" and position is not None:
        raise typer.BadParameter("--position is for 3+3: the bounds of boin are the same everywhere")
    if table:
        tables = _tables(design, target or "0.30", up_to or 30, position, here)
        bounds = _bounds(target or "0.30", up_to or 30) if design == "boin" else None
        _print_tables(tables, bounds, as_json)
    else:
        assert file is not None
        assert out is not None
        _dose_file(file, out, _design(design, target or "0.30"), as_json)


def _design(name: str, target: str) -> Design:
    from standalone.dose_rows import design
    from tocsin.domain.escalation import Impossible

    try:
        return design(name, target)
    except Impossible as wrong:
        raise typer.BadParameter(str(wrong)) from None


def _tables(name: str, target: str, up_to: int, position: str | None, here: str | None) -> list[Table]:
    from standalone.dose_rows import boin_of
    from tocsin.domain.escalation import Impossible, Position, three_plus_three

    try:
        place = _place(here, three_plus_three.FULL if name == "3+3" else up_to)
        if name == "boin":
            return [boin_of(target).table(up_to, place)]
        positions = list(Position) if position is None else [position]
        return [
            three_plus_three.table(each, exceeds, place)
            for each in positions
            for exceeds in ((False,) if each == Position.HIGHEST else (False, True))
        ]
    except Impossible as wrong:
        raise typer.BadParameter(str(wrong)) from None


def _place(here: str | None, most: int) -> Here | None:
    """The place that "2/6" names: two with a DLT of six evaluable."""
    from tocsin.domain.escalation import Here

    if here is None:
        return None
    dlt, stroke, n = (part.strip() for part in here.partition("/"))
    if not (stroke and _is_whole(dlt) and _is_whole(n) and 1 <= int(n) <= most and int(dlt) <= int(n)):
        raise typer.BadParameter(f"here is {here!r}; allowed is DLTs/evaluable, such as 2/6, up to {most} evaluable")
    return Here(int(n), int(dlt))


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _bounds(target: str, up_to: int) -> list[dict[str, int | None]]:
    from standalone.dose_rows import boin_of

    boin = boin_of(target)
    return [asdict(boin.boundaries(n)) for n in range(1, up_to + 1)]


def _print_tables(tables: list[Table], bounds: list[dict[str, int | None]] | None, as_json: bool) -> None:
    from tocsin.domain.escalation import render

    if not as_json:
        print("\n\n".join(render(table) for table in tables))
        return
    whole: list[dict[str, Any]] = [
        {
            "title": table.title,
            "columns": list(table.columns),
            "rows": [list(row) for row in table.rows],
            "here": None if table.here is None else {"row": table.here[0], "column": table.here[1]},
        }
        for table in tables
    ]
    document: dict[str, Any] = {"parameters": dict(tables[0].parameters), "tables": whole}
    if bounds is not None:
        document["boundaries"] = bounds
    print(json.dumps(document, ensure_ascii=False, indent=2))


def _dose_file(file: Path, out: Path, design: Design, as_json: bool) -> None:
    from standalone.dose_file import dose_file
    from standalone.progress import progress
    from tocsin.table_file import FileRefused

    try:
        with progress("Deciding rows") as tell:
            summary = dose_file(file, out, design, tell)
    except FileRefused as refused:
        print(f"tocsin dose: {refused}", file=sys.stderr)
        raise typer.Exit(refused.exit_code) from None
    _print_summary(summary, design, out, as_json)
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)


def _print_summary(summary: Summary, design: Design, out: Path, as_json: bool) -> None:
    if as_json:
        whole = {
            "out": str(out),
            "parameters": dict(design.parameters),
            "rows": summary.rows,
            "decided": summary.decided,
            "decisions": dict(summary.decisions),
            "renamed_columns": [list(pair) for pair in summary.renamed],
            "findings": [{"line": found.line, "problem": found.problem} for found in summary.findings],
        }
        print(json.dumps(whole, ensure_ascii=False, indent=2))
        return
    print(f"{summary.rows} rows to {out}: {summary.decided} decided, {len(summary.findings)} cannot be")
    for word, count in summary.decisions.items():
        print(f"  {word}: {count}")
    print("  " + "; ".join(f"{name}: {value}" for name, value in design.parameters))
    for name, new in summary.renamed:
        print(f'  the column "{name}" of the file is now "{new}"')
    for found in summary.findings:
        print(f"  line {found.line}: {found.problem}")
