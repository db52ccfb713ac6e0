"""`tocsin audit verify`: reads the audit trail of each service and names the first broken link."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from standalone.names import chosen

audit = typer.Typer(help="The audit trail.", no_args_is_help=True)


@audit.callback()
def _audit() -> None:
    """The audit trail."""


@audit.command("verify")
def verify(
    data: Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")] = None,
    service: Annotated[list[str] | None, typer.Option(help="Only this service; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check the audit chain of every service; works beside a running house.

    Exit code 1 when a link is broken or a trail is missing: the first broken row is named. Write the printed head
    hashes down elsewhere: they prove later that these rows are the same.

    Example: tocsin audit verify --data ./tocsin-data
    """
    from standalone.stores import open_existing
    from tocsin.errors import TocsinError
    from tocsin.settings import Settings
    from tocsin.store.audit import Broken
    from tocsin.store.audit import verify as verify_chain

    settings = Settings(**({"data": data} if data else {}))
    answers: dict[str, dict[str, Any]] = {}
    for schema in chosen(service):
        try:
            with open_existing(settings, schema) as store, store.reading() as tx:
                found = verify_chain(tx)
        except TocsinError as error:
            answers[schema] = {"ok": False, "problem": str(error)}
            continue
        if isinstance(found, Broken):
            answers[schema] = {"ok": False, "row": found.seq, "problem": found.why}
        else:
            answers[schema] = {"ok": True, "rows": found.rows, "head": found.head}
    ok = all(answer["ok"] for answer in answers.values())
    if as_json:
        print(json.dumps({"ok": ok, "services": answers}, indent=2))
    else:
        for name, answer in answers.items():
            print(f"{name:<9} {_line(answer)}")
    if not ok:
        raise typer.Exit(1)


def _line(answer: dict[str, Any]) -> str:
    if answer["ok"]:
        return f"whole, {answer['rows']} rows, head {answer['head']}"
    return (
        f"BROKEN at row {answer['row']}: {answer['problem']}"
        if "row" in answer
        else f"NOT CHECKED: {answer['problem']}"
    )
