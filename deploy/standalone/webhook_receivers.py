"""`tocsin webhooks`: who else hears the bell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

webhooks = typer.Typer(help="Receivers of webhooks.", no_args_is_help=True)


@webhooks.callback()
def _webhooks() -> None:
    """Receivers of webhooks."""


@webhooks.command("add")
def add(
    url: Annotated[str, typer.Argument(help="Where alerts are posted to.")],
    study: Annotated[str, typer.Option(help="The study whose alerts are sent, or `all`.")],
    role: Annotated[str, typer.Option(help="Only the alerts that ring this role.")] = "all",
    data: Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")] = None,
) -> None:
    """Add a receiver and print its secret, once, alone; works beside a running house.

    Deliveries follow the Standard Webhooks specification and carry no patient detail. An address inside the network
    is called only if TOCSIN_WEBHOOK_ALLOW says so.

    Example: tocsin webhooks add https://hooks.example.org/tocsin --study NCT06223646
    """
    from alerting.webhooks import add as add_webhook
    from standalone.rehearsal import time_of
    from standalone.stores import open_existing
    from standalone.study_files import must_be_known
    from tocsin.settings import Settings

    settings = Settings(**({"data": data} if data else {}))
    if study != "all":
        must_be_known(settings, study)
    with open_existing(settings, "alerting") as store, store.transaction() as tx:
        secret = add_webhook(tx, study, role, url, time_of(settings)())
    print(secret)
