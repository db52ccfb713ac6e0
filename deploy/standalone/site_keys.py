"""`tocsin keys`: what lets a site, or a sponsor's feed, post reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

keys = typer.Typer(help="Keys of sites and feeds.", no_args_is_help=True)


@keys.callback()
def _keys() -> None:
    """Keys of sites and feeds."""


@keys.command("add")
def add(
    study: Annotated[str, typer.Option(help="The study that the key is bound to.")],
    site: Annotated[str, typer.Option(help="The site that the key is bound to, or `all`: a feed for every site.")],
    data: Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")] = None,
) -> None:
    """Make a key and print it, once, alone; works beside a running house and is valid at once.

    Example: tocsin keys add --study NCT06223646 --site S01
    """
    from ae_intake.keys import create_key
    from standalone.rehearsal import time_of
    from standalone.stores import open_existing
    from standalone.study_files import must_be_known
    from tocsin.errors import SettingsError
    from tocsin.settings import Settings

    settings = Settings(**({"data": data} if data else {}))
    protocol = must_be_known(settings, study)
    if site != "all" and protocol.site(site) is None:
        known = ", ".join(s.id for s in protocol.sites)
        raise SettingsError(f"study {study} has no site {site!r}; its sites are {known}, or all")
    with open_existing(settings, "intake") as store, store.transaction() as tx:
        key = create_key(tx, study, None if site == "all" else site, time_of(settings)(), by="command line")
    print(key)
