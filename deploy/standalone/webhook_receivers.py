"""`tocsin webhooks`: who else hears the bell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

if TYPE_CHECKING:
    from tocsin.now import Now
    from tocsin.store.engine import Store

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


_DATA = Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")]
_HOOK = Annotated[UUID, typer.Argument(help="The id of the webhook, as `tocsin webhooks list` shows it.")]
_BY = Annotated[str, typer.Option(help="Who does this, by name: it stands on the record.")]


@webhooks.command("list")
def list_webhooks(data: _DATA = None) -> None:
    """Every receiver with its id, and whether it works. Secrets are never shown.

    Example: tocsin webhooks list
    """
    from alerting.webhooks import listed

    with _alerting(data) as (store, _), store.reading() as tx:
        found = listed(tx)
    for hook in found:
        state = f"DISABLED: {hook.disabled_why}" if hook.disabled_at else "enabled"
        failing = f", failing since {hook.failing_since:%Y-%m-%d %H:%M} UTC" if hook.failing_since else ""
        both = f", two secrets sign until {hook.earlier_until:%Y-%m-%d %H:%M} UTC" if hook.earlier_until else ""
        print(f"{hook.id}  {hook.url}  {hook.study}: {hook.role}  {state}{failing}{both}")


@webhooks.command("rotate")
def rotate(
    hook: _HOOK,
    by: _BY,
    both_sign_hours: Annotated[
        float, typer.Option(help="How long the earlier secret signs as well; 0 when it was stolen.", min=0)
    ] = 24,
    data: _DATA = None,
) -> None:
    """Give a receiver a new secret and print it, once, alone. Both sign for a while, so that nothing is refused.

    Example: tocsin webhooks rotate 5f2f7c51-6a39-5a30-8f0f-3d0a8a1f3c55 --by "Lin Wei"
    """
    from alerting.webhooks import rotate as new_secret

    with _alerting(data) as (store, now), store.transaction() as tx:
        secret = new_secret(tx, hook, now(), who=by, both_sign=timedelta(hours=both_sign_hours))
    print(secret)


@webhooks.command("disable")
def disable(
    hook: _HOOK, by: _BY, reason: Annotated[str, typer.Option(help="Why.")], data: _DATA = None
) -> None:  # fmt: skip
    """Send nothing more to a receiver. What waits for it is given up, which rings.

    Example: tocsin webhooks disable 5f2f7c51-6a39-5a30-8f0f-3d0a8a1f3c55 --by "Lin Wei" --reason "moved"
    """
    from alerting.webhooks import disable as stop

    with _alerting(data) as (store, now), store.transaction() as tx:
        stop(tx, hook, reason, now(), who=by)


@webhooks.command("enable")
def enable(hook: _HOOK, by: _BY, data: _DATA = None) -> None:
    """Send to a disabled receiver again. What was given up meanwhile is not sent by itself.

    Example: tocsin webhooks enable 5f2f7c51-6a39-5a30-8f0f-3d0a8a1f3c55 --by "Lin Wei"
    """
    from alerting.webhooks import enable as start

    with _alerting(data) as (store, now), store.transaction() as tx:
        start(tx, hook, now(), who=by)


@contextmanager
def _alerting(data: Path | None) -> Iterator[tuple[Store, Now]]:
    """The store of alerting, and the clock of the house."""
    from standalone.rehearsal import time_of
    from standalone.stores import open_existing
    from tocsin.settings import Settings

    settings = Settings(**({"data": data} if data else {}))
    with open_existing(settings, "alerting") as store:
        yield store, time_of(settings)
