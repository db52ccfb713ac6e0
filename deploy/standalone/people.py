"""`tocsin users`: who may log in, and the way back in for a lost administrator."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from alerting.accounts import Of
    from tocsin.settings import Settings

users = typer.Typer(help="People who log in.", no_args_is_help=True)

Data = Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")]


@users.callback()
def _users() -> None:
    """People who log in."""


@users.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The name to log in with.")],
    role: Annotated[list[str], typer.Option(help="What this person is; may be repeated.")],
    study: Annotated[str | None, typer.Option(help="The study of somebody with the role site.")] = None,
    site: Annotated[str | None, typer.Option(help="The site whose reports somebody with the role site sends.")] = None,
    data: Data = None,
) -> None:
    """Add a person; the password is read from standard input. Works beside a running house.

    Example: tocsin users add lin --role safety_physician --role administrator < password.txt

    Example: tocsin users add wang --role site --study NCT06223646 --site S01 < password.txt
    """
    from alerting.accounts import add as add_account
    from standalone.rehearsal import time_of
    from standalone.stores import open_existing
    from tocsin.settings import Settings

    settings = Settings(**({"data": data} if data else {}))
    roles = frozenset(known_role(text) for text in role)
    of = of_site(settings, roles, study, site)
    with open_existing(settings, "alerting") as store:
        password = read_password()
        with store.transaction() as tx:
            add_account(tx, name, password, roles, time_of(settings)(), who="command line", of=of)
    print(f"{name} may log in as {', '.join(sorted(roles))}" + (f" for {of.study} {of.site}" if of else ""))


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


def of_site(settings: Settings, roles: Collection[str], study: str | None, site: str | None) -> Of | None:
    """The site of somebody with the role site, which must be one of a study that is served; None for all others."""
    from alerting.accounts import Of
    from standalone.study_files import must_be_known
    from tocsin.errors import SettingsError

    if "site" not in roles:
        if study is not None or site is not None:
            raise typer.BadParameter("only somebody with the role site is of a site", param_hint="--site")
        return None
    if len(roles) > 1:
        raise typer.BadParameter("somebody of a site has no other role", param_hint="--role")
    if study is None or site is None:
        raise typer.BadParameter("somebody with the role site needs --study and --site", param_hint="--site")
    protocol = must_be_known(settings, study)
    if protocol.site(site) is None:
        known = ", ".join(one.id for one in protocol.sites)
        raise SettingsError(f"study {study} has no site {site!r}; its sites are {known}")
    return Of(study, site)


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
