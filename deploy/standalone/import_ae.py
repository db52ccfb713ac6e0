"""`tocsin import`: posts an SDTM AE data set through the public API, one report for each row."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from standalone.ae_rows import Finding, Mapped
    from standalone.posting import Answer


def import_file(
    file: Annotated[Path, typer.Argument(help="An SDTM AE data set: .xpt, .csv, or Dataset-JSON (.json, .ndjson).")],
    url: Annotated[str, typer.Option(help="The address of Tocsin, as in TOCSIN_PUBLIC_URL.")],
    key: Annotated[str, typer.Option(help="A key of `tocsin keys add --site all`.", envvar="TOCSIN_KEY")],
    study: Annotated[
        list[Path] | None, typer.Option(help="Study files that say which site a subject's number names.")
    ] = None,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="How many rows are posted at the same time.")] = 8,
    patience: Annotated[float, typer.Option(min=0, help="Seconds that the server may be away before giving up.")] = 300,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON document.")] = False,
) -> None:
    """Post an SDTM AE data set, a report for each row, to the study that its STUDYID names.

    Running it again adds nothing. A server that is away or restarts is waited for. Ends with a summary; exit code 1
    when a row was refused or contradicts itself: each is named, and all others went through.

    Example: tocsin import ae.xpt --url http://127.0.0.1:8088 --key "$KEY"
    """
    from standalone.ae_files import read_ae
    from standalone.ae_rows import map_rows
    from standalone.posting import Poster, ToPost
    from standalone.progress import progress

    rows = map_rows(read_ae(file), subject_patterns(study))
    to_post = [ToPost(row.row, row.idempotency_key, row.body) for row in rows if row.body is not None]
    answers: dict[int, Answer] = {}
    poster = Poster(url, key, at_once=at_once, patience_s=patience)
    with progress("Posting rows") as tell:

        def keep(answer: Answer) -> None:
            answers[answer.name] = answer
            tell(len(answers), len(to_post))

        poster.post_all(to_post, keep)
    summary = summarise(rows, answers)
    if as_json:
        print(json.dumps(summary, ensure_ascii=False, indent=2))
    else:
        _print_table(file, summary)
    if summary["refused"] or summary["unsent"] or summary["contradictions"] or summary["findings"]:
        raise typer.Exit(1)


def subject_patterns(study: Sequence[Path] | None) -> dict[str, re.Pattern[str]]:
    """The subject pattern of every study known here."""
    from standalone.study_files import load_studies

    return {name: protocol.subject_pattern for name, protocol in load_studies(study or ()).items()}


def summarise(rows: Sequence[Mapped], answers: Mapping[int, Answer]) -> dict[str, Any]:
    """The report of an import: every row counted once, every contradiction and finding named.

    `contradictions` are the row's own, and those that the server names in its receipt about anything else.
    """
    counts = dict.fromkeys(("accepted", "already_known", "refused", "unsent"), 0)
    contradictions: list[dict[str, Any]] = []
    findings: list[dict[str, Any]] = []
    for row in rows:
        answer = answers.get(row.row)
        counts[answer.outcome if answer else "refused"] += 1
        contradictions += map(_named, row.contradictions)
        findings += map(_named, row.findings)
        if answer is None:
            continue
        findings += [_entry(row, problem) for problem in answer.problems]
        contradictions += [
            _entry(row, f"{told.get('pointer')}: {told.get('problem')}")
            for told in answer.receipt.get("contradictions", [])
            if not (row.contradictions and _is_of_seriousness(told))
        ]
    return {
        "rows": len(rows),
        **counts,
        "serious": sum(row.is_serious for row in rows),
        "contradictions": contradictions,
        "findings": findings,
    }


def _is_of_seriousness(told: Mapping[str, Any]) -> bool:
    """Whether the server names what the row's own contradiction said already: not serious beside a criterion."""
    return "/serious" in str(told.get("pointer"))


def _named(finding: Finding) -> dict[str, Any]:
    return {"row": finding.row, "subject": finding.subject, "seq": finding.seq, "problem": finding.problem}


def _entry(row: Mapped, problem: str) -> dict[str, Any]:
    return {"row": row.row, "subject": row.subject, "seq": row.seq, "problem": problem}


def _print_table(file: Path, summary: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Import of {file.name}", title_justify="left")
    table.add_column("")
    table.add_column("rows", justify="right")
    for name in ("rows", "accepted", "already_known", "refused", "unsent", "serious"):
        table.add_row(name.replace("_", " "), str(summary[name]))
    for name in ("contradictions", "findings"):
        table.add_row(name, str(len(summary[name])))
    Console().print(table)
    for name in ("contradictions", "findings"):
        if summary[name]:
            print(f"\n{name.capitalize()}:")
        for entry in summary[name]:
            print(f"  row {entry['row']}, subject {entry['subject']}, AESEQ {entry['seq']}: {entry['problem']}")
