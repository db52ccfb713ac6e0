"""`tocsin reconcile`: sends a list of serious events and deaths to be compared with what a running Tocsin holds."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer


def reconcile(
    file: Annotated[Path, typer.Argument(help="The list: CSV with a header, in UTF-8 or Chinese GB18030.")],
    study: Annotated[str, typer.Option(help="The study of the list.")],
    source: Annotated[str, typer.Option(help="Whose list it is, as sites should read it: EDC, site log.")],
    url: Annotated[str, typer.Option(help="The address of Tocsin, as in TOCSIN_PUBLIC_URL.")],
    site: Annotated[str | None, typer.Option(help="The site whose list it is; without it, of all sites.")] = None,
    token: Annotated[
        str | None, typer.Option(help="A token of `POST /v1/sessions`.", envvar="TOCSIN_TOKEN", show_envvar=True)
    ] = None,
    login: Annotated[str | None, typer.Option(help="A name to log in with; asks for the password.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as one JSON document.")] = False,
) -> None:
    """Compare a list of a site's or an EDC's serious events and deaths with ours.

    Each difference becomes a query to its site, once, however often the list is sent; a death that nobody reported
    rings the safety physician. Exit code 1 when there are differences, or when the list cannot be understood.

    Example: tocsin reconcile sae.csv --study NCT06223646 --site S01 --source EDC --url http://127.0.0.1:8088 --login wu
    """
    from standalone.posting import Desk
    from tocsin.table_file import open_table

    if (token is None) == (login is None):
        raise typer.BadParameter("give one of --token and --login", param_hint="--token")
    table = open_table(file)
    text = file.read_text(table.encoding)
    with Desk(url, token) as desk:
        if login is not None:
            desk.sign_in(login, _password())
        made = desk.send_list(text, {"study": study, "source": source, **({"site": site} if site else {})})
    if as_json:
        print(json.dumps(made, ensure_ascii=False, indent=2))
    else:
        _print_table(file, made)
    if made["differences"]:
        raise typer.Exit(1)


def _password() -> str:
    """Asked for on a terminal, unseen; else the first line of standard input."""
    from standalone.people import read_password

    return getpass.getpass("Password: ") if sys.stdin.isatty() else read_password()


def _print_table(file: Path, made: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    of = made["site"] or "all sites"
    print(f"{file.name}, {made['source']}, {made['study']}, {of}: {made['rows']} rows, {made['agreed']} agree")
    if made["not_read"]:
        print(f"columns that were not looked at: {', '.join(made['not_read'])}")
    if made["differences"]:
        table = Table(title=f"{made['differ']} differences, each asked of its site", title_justify="left")
        for name in ("row", "subject", "event", "what", "theirs", "ours"):
            table.add_column(name, no_wrap=name not in ("theirs", "ours"))
        for one in made["differences"]:
            what = f"{one['kind'].replace('_', ' ')}: {one['field']}" + (" (rings)" if one["unheard_death"] else "")
            cells = (one["row"], one["subject"], one["event_id"], what, one["theirs"], one["ours"])
            table.add_row(*("" if cell is None else escape(str(cell)) for cell in cells))
        Console().print(table)
    print(f"kept as {made['reconciliation_id']}")
