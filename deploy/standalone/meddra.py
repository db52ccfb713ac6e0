"""`tocsin meddra`: a licensed MedDRA, loaded from the files that its subscribers receive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

meddra = typer.Typer(help="A licensed MedDRA.", no_args_is_help=True)


@meddra.callback()
def _meddra() -> None:
    """A licensed MedDRA."""


@meddra.command("load")
def load(
    folder: Annotated[
        Path, typer.Argument(help="The folder with the twelve .asc files.", exists=True, file_okay=False, readable=True)
    ],
    version: Annotated[str, typer.Option(help="The version of MedDRA that it is, for example 28.1.")],
    data: Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Load a version of MedDRA beside those that are there. Works beside a running house.

    Every file is checked first; one that is damaged changes nothing, and each finding says file and line. No study is
    coded with the new version before somebody decides it.

    Example: tocsin meddra load MedAscii --version 28.1
    """
    from meddra_coder.dictionary.versions import keep, read
    from standalone.progress import progress
    from standalone.rehearsal import time_of
    from standalone.stores import open_existing
    from tocsin.settings import Settings

    settings = Settings(**({"data": data} if data else {}))
    with open_existing(settings, "coder") as store:
        with progress("Reading terms") as tell:
            distribution, image = read(folder, version, tell)
        with store.transaction() as tx:
            is_new = keep(tx, distribution, image, version, at=time_of(settings)())
    found = {
        "version": version,
        "new": is_new,
        "terms": len(distribution.llts),
        "preferred_terms": len(distribution.pts),
        "encoding": distribution.encoding,
        "fingerprint": distribution.fingerprint,
    }
    if as_json:
        print(json.dumps(found, indent=2))
        return
    what = "loaded" if is_new else "was loaded already, the same"
    print(f"MedDRA {version} {what}: {found['terms']} lowest level terms, {found['preferred_terms']} preferred terms")
