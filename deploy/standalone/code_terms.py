"""`tocsin code`: MedDRA coding of a text or of a file, without a server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from meddra_coder.batch import Summary


def code(
    text: Annotated[str | None, typer.Argument(help="An adverse event in the reporter's words.")] = None,
    top: Annotated[int, typer.Option(min=1, max=20, help="How many candidates to show.")] = 5,
    file: Annotated[Path | None, typer.Option(help="A CSV file to code instead.")] = None,
    column: Annotated[str | None, typer.Option(help="The column of the file that holds the words.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write: the same rows with the codes added.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Code an adverse event to MedDRA, or a whole file of them. Needs no server.

    What is not surely known is never coded: it is `needs_review`, with candidates for a person.

    Example: tocsin code "febrile neutropenia" --top 3

    Example: tocsin code --file events.csv --column verbatim --out coded.csv
    """
    of_a_file = [file, column, out]
    if (text is None) == (file is None) or (file is not None and None in of_a_file) or (text and any(of_a_file)):
        raise typer.BadParameter("give either a TEXT, or all of --file, --column and --out")
    if text is not None:
        _code_text(text, top, as_json)
    else:
        assert file is not None
        assert column is not None
        assert out is not None
        _code_file(file, column, out, as_json)


def _code_text(text: str, top: int, as_json: bool) -> None:
    from meddra_coder.batch import CODING_COLUMNS, cells
    from meddra_coder.coder import default_coder
    from meddra_coder.coding import code_event

    coding = code_event(text, default_coder())
    answer: dict[str, Any] = dict(zip(CODING_COLUMNS, cells(coding), strict=False))
    candidates = [
        {"code": c.code, "term": c.term, "soc": c.soc, "score": round(c.score, 4)} for c in coding.candidates[:top]
    ]
    if as_json:
        print(json.dumps({"text": text, **answer, "candidates": candidates}, ensure_ascii=False, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{answer['status']} ({answer['method']}), {coding.dictionary_version}", title_justify="left")
    for name in ("code", "term", "system organ class", "score"):
        table.add_column(name)
    for candidate in candidates:
        table.add_row(*(str(value) for value in candidate.values()))
    Console().print(table)


def _code_file(file: Path, column: str, out: Path, as_json: bool) -> None:
    from meddra_coder.batch import code_file
    from standalone.progress import progress
    from tocsin.table_file import FileRefused

    try:
        with progress("Coding rows") as tell:
            summary = code_file(file, column, out, tell)
    except FileRefused as refused:
        print(f"tocsin code: {refused}", file=sys.stderr)
        raise typer.Exit(refused.exit_code) from None
    _print_summary(summary, out, as_json)
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)


def _print_summary(summary: Summary, out: Path, as_json: bool) -> None:
    findings = [{"line": found.line, "problem": found.problem} for found in summary.findings]
    if as_json:
        whole = {
            "out": str(out),
            "rows": summary.rows,
            "coded": summary.coded,
            "needs_review": summary.needs_review,
            "findings": findings,
            "dictionary": summary.dictionary_version,
        }
        print(json.dumps(whole, ensure_ascii=False, indent=2))
        return
    print(f"{summary.rows} rows to {out}: {summary.coded} coded, {summary.needs_review} need review")
    for found in findings:
        print(f"  line {found['line']}: {found['problem']}")
