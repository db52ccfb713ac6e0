"""`tocsin ctcae`: NCI's official text of the criteria, loaded from the workbook that NCI publishes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

ctcae = typer.Typer(help="The official text of CTCAE.", no_args_is_help=True)


@ctcae.callback()
def _ctcae() -> None:
    """The official text of CTCAE."""


@ctcae.command("load")
def load(
    file: Annotated[
        Path, typer.Argument(help="NCI's workbook of CTCAE v5.0 or v6.0.", exists=True, dir_okay=False, readable=True)
    ],
    data: Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Load the official text of an edition of CTCAE, to be shown beside its grades. Works beside a running house.

    Takes the place of what was loaded of that edition before. A file that is wrong in any row changes nothing.

    Example: tocsin ctcae load CTCAE_v5.0_2017-11-27.xlsx
    """
    from meddra_coder.official_text import keep
    from standalone.progress import progress
    from standalone.rehearsal import time_of
    from standalone.stores import open_existing
    from tocsin.criteria.workbook import read_workbook
    from tocsin.settings import Settings

    settings = Settings(**({"data": data} if data else {}))
    with open_existing(settings, "coder") as store:
        workbook = read_workbook(file)
        with progress("Loading texts") as tell, store.transaction() as tx:
            texts = keep(tx, workbook, time_of(settings)(), tell=tell)
    if as_json:
        print(json.dumps({"edition": workbook.edition, "terms": len(workbook.rows), "texts": texts}, indent=2))
        return
    print(f"CTCAE {workbook.edition}: {len(workbook.rows)} terms, {texts} texts loaded")
