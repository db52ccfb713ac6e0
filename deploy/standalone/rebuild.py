"""`tocsin rebuild`: rebuilds the tables of a service from the log, or compares them with what the log gives.

The log is handled into a scratch database, which then takes the place of the tables in one transaction. Nothing is
sent meanwhile, and nothing is in place before the last message went through. See docs/rebuild.md.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from standalone.names import ServiceName
from tocsin.errors import SettingsError

if TYPE_CHECKING:
    from standalone.rebuild_run import Outcome

INTAKE_IS_THE_SOURCE = (
    "the intake cannot be rebuilt from the log, and nothing was touched: it is where facts are written first. The keys "
    "of the sites, each report word for word as it was sent, what was answered under an Idempotency-Key and the "
    "answers in words stand in its database alone. Restore its backup, then `tocsin catch-up` where the log is newer; "
    "the coder and alerting can be rebuilt after that"
)


def rebuild(
    service: Annotated[ServiceName, typer.Argument(help="Which of the three services.")],
    data: Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")] = None,
    study: Annotated[
        list[Path] | None,
        typer.Option(help="A study file that the house serves; may be repeated.", show_default="as `tocsin up`"),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing: compare the tables with what the log gives.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Rebuild the tables of a service from the log, with delivery off. The service must not be running.

    Give it the same studies and settings as the service. Of `tocsin up` the whole house is stopped first, else this is
    refused; on PostgreSQL stop every process of the service, this finds out only while one is connected. Logins,
    webhooks, the audit trail and what was sent to whom stay; the intake is refused, as it writes facts first.

    With --check the tables are compared and left as they are: exit code 1 when one differs. Without it, exit code 1
    when a message of the log fails: each is named, and the tables are as they were.

    Example: tocsin rebuild alerting --data ./tocsin-data --check
    """
    if service == "intake":
        raise SettingsError(INTAKE_IS_THE_SOURCE)
    from standalone.rebuild_run import run
    from tocsin import observe
    from tocsin.settings import Settings

    given = {"data": data, "studies": study or None}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    observe.set_up("error", as_json=settings.log_json)
    found = run(service, settings, is_check=check)
    if as_json:
        print(json.dumps(_as_json(found), indent=2))
    else:
        _print(found)
    if not found.is_well:
        raise typer.Exit(1)


def _as_json(found: Outcome) -> dict[str, Any]:
    return {
        **asdict(found),
        "tables": [{**asdict(table), "differs": table.differs} for table in found.tables],
        "differing": found.differing,
        "ok": found.is_well,
    }


def _print(found: Outcome) -> None:
    for topic, of in found.log.items():
        told = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in of.items() if number)
        print(f"{topic:<32} {told}")
    for table in found.tables:
        said = "set anew" if not table.is_compared else "the same"
        if table.differs:
            said = f"DIFFERS: {table.missing} rows are not on the log, {table.new} are only there"
        print(f"{table.table:<32} {table.before} rows before, {table.after} after: {said}")
    for topic, number in found.said_anew.items():
        print(f"{number} messages of {topic} are owed that were never sent")
    for failure in found.failures:
        print(failure)
    print(_last_line(found))


def _last_line(found: Outcome) -> str:
    if found.failures:
        return f"{len(found.failures)} things stand in the way: the tables of {found.service} are as they were"
    if found.is_check:
        how = (
            f"{', '.join(found.differing)} differ" if found.differing else "every compared table is what the log gives"
        )
        return f"nothing was changed; {how}"
    also = f"; other than before: {', '.join(found.differing)}" if found.differing else ""
    return f"the tables of {found.service} were rebuilt from the log{also}"
