"""`tocsin users`: who may log in, and the way back in for a lost administrator."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

users = typer.Typer(help="People who log in.", no_args_is_help=True)

Data = Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")]


@users.callback()
def _users() -> None:
    """People who log in."""


@users.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The name to log in with.")],
    role: Annotated[list[str], typer.Option(help="What this person is; may be repeated.")],
    data: Data = None,
) -> None:
    """Add a person; the password is read from standard input. Works beside a running house.

    Example: tocsin users add lin --role safety_physician --role administrator < password.txt
    """
    from alerting.accounts import add as add_account
    from standalone.rehearsal import time_of
    from standalone.stores import open_existing
    from tocsin.settings import Settings

    settings = Settings(**({"data": data} if data else {}))
    roles = frozenset(known_role(text) for text in role)
    with open_existing(settings, "alerting") as store:
        password = read_password()
        with store.transaction() as tx:
            add_account(tx, name, password, roles, time_of(settings)(), who="command line")
    print(f"{name} may log in as {', '.join(sorted(roles))}")


@users.command("reset")
def reset(name: Annotated[str, typer.Argument(help="Who needs a new password.")], data: Data = None) -> None:
    """Set a new password, read from standard input, and lift a lock. Works beside a running house.

    Example: tocsin users reset lin < password.txt
    """
    from alerting.accounts import reset as reset_account
    from standalone.rehearsal import time_of
    from standalone.stores import open_existing
    from tocsin.settings import Settings

    settings = Settings(**({"data": data} if data else {}))
    with open_existing(settings, "alerting") as store:
        password = read_password()
        with store.transaction() as tx:
            reset_account(tx, name, password, time_of(settings)(), who="command line")
    print(f"{name} has a new password")


def known_role(text: str) -> str:
    """A role of the closed list."""
    from tocsin.domain.words import Role

    if text not in set(Role):
        raise typer.BadParameter(f"no role {text!r}; roles are {', '.join(Role)}", param_hint="--role")
    return text


def read_password() -> str:
    """The first line of standard input; asked for twice, unseen, on a terminal."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("Again: "):
            raise typer.BadParameter("the two passwords differ")
        return password
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise typer.BadParameter("no password on standard input")
    return password
