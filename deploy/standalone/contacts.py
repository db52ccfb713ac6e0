"""`tocsin contacts`: every address that is rung, and trying each before it is needed."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from standalone.stores import alerting_parts
from tocsin.errors import NotFound

if TYPE_CHECKING:
    from alerting.contacts import Contact
    from tocsin.store.engine import Store

contacts = typer.Typer(help="The addresses that are rung.", no_args_is_help=True)

_DATA = Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_LOOK_S = 0.2


@contacts.callback()
def _contacts() -> None:
    """The addresses that are rung."""


@contacts.command("list")
def list_contacts(data: _DATA = None, as_json: _JSON = False) -> None:
    """Every address of people, sites and webhooks, and how the last delivery to it went.

    Example: tocsin contacts list
    """
    from alerting.contacts import listed

    with alerting_parts(data) as parts, parts.store.reading() as tx:
        found = listed(tx, parts.studies, parts.now())
    if as_json:
        print(json.dumps([one.as_json() for one in found], indent=2, ensure_ascii=False))
        return
    for one in found:
        last = f"{one.last['state']} {one.last['created_at']}" if one.last else "never used"
        off = "" if one.is_enabled else ", DISABLED"
        print(f"{one.to.channel:<8}{one.name}  [{', '.join(one.roles)}]  {last}{off}")


@contacts.command("test")
def try_them(
    by: Annotated[str, typer.Option(help="Who tests, by name: it stands on the record.")],
    address: Annotated[
        list[str] | None, typer.Argument(help="Mail addresses or ids of webhooks; none: every one that is enabled.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to wait for each outcome.", min=0)] = 60,
    data: _DATA = None,
) -> None:
    """Send a trial notice to addresses and say what became of each. A running house sends it.

    Exit code 1 when any was not delivered in time.

    Example: tocsin contacts test --by "Lin Wei"
    """
    from alerting.contacts import fire, listed

    with alerting_parts(data) as parts:
        store = parts.store
        with store.reading() as tx:
            wanted = _chosen(listed(tx, parts.studies, parts.now()), address or [])
        fired = []
        for one in wanted:
            with store.transaction() as tx:
                fired.append((one, fire(tx, parts, one.to, by, parts.now())))
        missed = 0
        for one, delivery_id in fired:
            became = _wait(store, delivery_id, seconds)
            missed += became["state"] != "delivered"
            print(f"{one.name}: {became['state']}{': ' + became['why'] if became['why'] else ''}")
    if missed:
        print(f"{missed} of {len(fired)} were not delivered within {seconds:g} s; is the house running?")
        raise typer.Exit(1)


@contacts.command("bounced")
def bounced(
    file: Annotated[Path, typer.Argument(help="The bounce as it came, or - for standard input.", allow_dash=True)],
    data: _DATA = None,
) -> None:
    """Keep a mail that came back: its delivery is shown as bounced, and somebody else is rung. A running house rings.

    For the mail server's alias of TOCSIN_MAIL_FROM, which pipes each bounce in here. Exit code 1 when it is none.

    Example: tocsin contacts bounced - < bounce.eml
    """
    from alerting.bounces import read, record

    found = read(sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes())
    with alerting_parts(data) as parts:
        for one in found:
            with parts.store.transaction() as tx:
                print(record(tx, parts, one))
    if not found:
        print("Nothing in it says that a mail failed.")


def _chosen(known: list[Contact], named: list[str]) -> list[Contact]:
    if not named:
        return [one for one in known if one.is_enabled]
    by_address = {one.to.address: one for one in known}
    for name in named:
        if name not in by_address:
            raise NotFound(f"nobody here is reached at {name}; tocsin contacts list shows who is")
    return [by_address[name] for name in named]


def _wait(store: Store, delivery_id: UUID, seconds: float) -> dict[str, Any]:
    from alerting.contacts import outcome

    until = time.monotonic() + seconds
    while True:
        with store.reading() as tx:
            became = outcome(tx, delivery_id)
        if became["state"] in ("delivered", "dead") or time.monotonic() >= until:
            return became
        time.sleep(_LOOK_S)
