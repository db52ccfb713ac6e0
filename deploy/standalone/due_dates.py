"""`tocsin due`: which clocks the facts of one moment start, and when each is due. Needs no server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from standalone.due_file import Summary
    from standalone.due_rows import Rules


def due(
    file: Annotated[Path | None, typer.Option(help="A CSV file of facts, a row for each moment.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write: the same rows with the clocks added.")] = None,
    authority: Annotated[str | None, typer.Option(help="Whose rules hold: CN, US, EU, UK, JP, ICH, or yours.")] = None,
    seriousness: Annotated[str | None, typer.Option(help="Such as fatal, hospitalisation, nonserious.")] = None,
    causality: Annotated[str | None, typer.Option(help="Such as related, unrelated, not_assessed.")] = None,
    expectedness: Annotated[str | None, typer.Option(help="expected, unexpected, not_assessed or any.")] = None,
    aware: Annotated[str | None, typer.Option(help="When it was received, such as 2026-03-02T09:15.")] = None,
    tz: Annotated[str | None, typer.Option(help="The receiver's IANA time zone, such as Asia/Shanghai.")] = None,
    rules: Annotated[
        list[Path] | None, typer.Option(help="A file of your own clock rules; may be repeated. See docs/clocks.md.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say which regulatory clocks the facts of one moment start. Needs no server.

    A fact that is left out is unknown and taken at its worst, and the clock is provisional; only the time must be
    known. A file has the columns seriousness, causality, expectedness, jurisdiction, awareness_local and tz; what
    comes out has computed, reason and error beside them.

    Example: tocsin due --authority CN --seriousness fatal --causality related --expectedness unexpected
    --aware 2026-03-02T09:15 --tz Asia/Shanghai

    Example: tocsin due --file facts.csv --out due.csv

    Example: tocsin due --file facts.csv --out due.csv --rules rules/acme.toml
    """
    facts = {
        "seriousness": seriousness,
        "causality": causality,
        "expectedness": expectedness,
        "jurisdiction": authority,
        "awareness_local": aware,
        "tz": tz,
    }
    of_a_file = [file, out]
    if any(of_a_file) == any(fact is not None for fact in facts.values()):
        raise typer.BadParameter("give either --file and --out, or the facts: at least --aware and --tz")
    if file is not None and out is not None:
        _due_file(file, out, _rules(rules or []), as_json)
    elif any(of_a_file):
        raise typer.BadParameter("--file and --out go together")
    elif aware is None or tz is None:
        raise typer.BadParameter("--aware and --tz are needed: no time is taken for granted")
    else:
        _due_once({name: fact or "" for name, fact in facts.items()}, _rules(rules or []), as_json)


def _rules(files: list[Path]) -> Rules:
    """Our rules with the sponsor's files over them, and aloud what those take away from ours."""
    from tocsin.clockrules.own_rules import with_files
    from tocsin.departures import of_rules
    from tocsin.errors import ProtocolError

    if missing := [str(path) for path in files if not path.is_file()]:
        raise typer.BadParameter(f"no such rule file: {', '.join(missing)}")
    try:
        rules = with_files(files).rules
    except ProtocolError as wrong:
        print("\n".join(f"tocsin due: {line}" for line in str(wrong).splitlines()), file=sys.stderr)
        raise typer.Exit(1) from None
    for sentence in of_rules(rule for of in rules.values() for rule in of):
        print(f"Caution: {sentence}", file=sys.stderr)
    return rules


def _due_once(row: dict[str, str], rules: Rules, as_json: bool) -> None:
    from standalone.due_rows import Unread, answer, cells, why, written

    try:
        facts, found = answer(row, rules)
    except Unread as wrong:
        print(f"tocsin due: {wrong}", file=sys.stderr)
        raise typer.Exit(1 if wrong.is_time_wrong else 2) from None
    clocks: list[dict[str, Any]] = [
        {
            "rule": clock.rule,
            "due": written(clock, facts, rules),
            "recipient": clock.recipient,
            "clause": clock.clause,
            "day_zero": clock.day_zero.isoformat(),
            "due_at": clock.due_at.isoformat(),
            "is_provisional": clock.is_provisional,
            "confidence": clock.confidence,
            "reasons": list(clock.reasons),
        }
        for clock in found.clocks
    ]
    if as_json:
        computed, reason, _ = cells(facts, found, rules)
        whole = {**row, "computed": computed, "reason": reason, "clocks": clocks, "reasons": list(found.reasons)}
        print(json.dumps(whole, ensure_ascii=False, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if clocks:
        table = Table(title="Clocks that run", title_justify="left")
        for name in ("rule", "due", "recipient", "provisional"):
            table.add_column(name, no_wrap=name in ("rule", "due"))
        for clock in clocks:
            table.add_row(clock["rule"], clock["due"], clock["recipient"], "yes" if clock["is_provisional"] else "no")
        console.print(table)
    for reason in why(found):
        console.print(reason, markup=False, highlight=False)


def _due_file(file: Path, out: Path, rules: Rules, as_json: bool) -> None:
    from standalone.due_file import due_file
    from standalone.progress import progress
    from tocsin.table_file import FileRefused

    try:
        with progress("Computing rows") as tell:
            summary = due_file(file, out, rules, tell)
    except FileRefused as refused:
        print(f"tocsin due: {refused}", file=sys.stderr)
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
            "with_clocks": summary.with_clocks,
            "without_clocks": summary.without_clocks,
            "absent_columns": list(summary.absent),
            "renamed_columns": [list(pair) for pair in summary.renamed],
            "findings": findings,
        }
        print(json.dumps(whole, ensure_ascii=False, indent=2))
        return
    print(
        f"{summary.rows} rows to {out}: {summary.with_clocks} start clocks, {summary.without_clocks} start none, "
        f"{len(findings)} cannot be read"
    )
    if summary.absent:
        print(f"  not in the file, so unknown: {', '.join(summary.absent)}")
    for name, new in summary.renamed:
        print(f'  the column "{name}" of the file is now "{new}"')
    for found in findings:
        print(f"  line {found['line']}: {found['problem']}")
