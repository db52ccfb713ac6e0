"""`tocsin on-call`: who is rung, when, and by which steps."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from standalone.stores import alerting_parts
from tocsin.errors import Refused, Wrong

if TYPE_CHECKING:
    from alerting.call_plan import CallPlanDocument

on_call = typer.Typer(help="Who is rung: call plans, rotas and overrides.", no_args_is_help=True)

_DATA = Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_BY = Annotated[str, typer.Option(help="Who does this, by name: it stands on the record.")]
_WHY = Annotated[str, typer.Option(help="Why: it stands on the record.")]
_STUDY = Annotated[str, typer.Option(help="The study.")]
_FILE = Annotated[Path, typer.Argument(help="The plan: TOML, or JSON as the API has it.", exists=True, dir_okay=False)]


@on_call.callback()
def _on_call() -> None:
    """Who is rung."""


@on_call.command("show")
def show(
    days: Annotated[int, typer.Option(help="How many days of turns.", min=1, max=92)] = 14, data: _DATA = None,
    as_json: _JSON = False,
) -> None:  # fmt: skip
    """Who is on duty now in each role, and every turn of the days to come.

    Example: tocsin on-call show --days 28
    """
    from alerting.call_plans import now_on_duty

    with alerting_parts(data) as parts, parts.store.reading() as tx:
        found = now_on_duty(tx, parts, parts.now(), days)
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    if not found:
        print("No study has a call plan: the people of the study files are rung. tocsin on-call example prints one.")
    for duty in found:
        print(f"{duty['study']}  {duty['role']}: {', '.join(duty['on_duty']) or 'NOBODY'} ({duty['because']})")
        for turn in duty["turns"] if len(duty["turns"]) > 1 else ():
            people = ", ".join(turn["people"]) or "NOBODY"
            print(f"    {turn['begins']} to {turn['ends']}  {people} ({turn['because']})")


@on_call.command("example")
def example() -> None:
    """A plan to begin with, as JSON.

    Example: tocsin on-call example > plan.json
    """
    from alerting.call_plan import example as first

    print(json.dumps(first(), indent=2, ensure_ascii=False))


@on_call.command("check")
def check(file: _FILE, study: _STUDY, data: _DATA = None) -> None:
    """Say whether a plan could be saved, and everything in it that cannot be. Saves nothing.

    Example: tocsin on-call check plan.toml --study NCT06223646
    """
    from alerting.call_plans import cautions
    from alerting.call_plans import check as findings

    plan = _read(file)
    with alerting_parts(data) as parts, parts.store.reading() as tx:
        wrong, said = findings(tx, plan, study, parts.studies, parts.now()), cautions(tx, plan)
    if wrong:
        raise Refused("this call plan cannot be saved: somebody would not be rung", wrong)
    print("It can be saved: every step of every policy reaches somebody.")
    _caution(said)


@on_call.command("save")
def save(
    file: _FILE, study: _STUDY, by: _BY, why: _WHY,
    replaces: Annotated[int, typer.Option(help="The version it was made from; 0 for the first.", min=0)] = 0,
    data: _DATA = None,
) -> None:  # fmt: skip
    """Save a plan as the study's new version; works beside a running house, which rings by it at once.

    Example: tocsin on-call save plan.toml --study NCT06223646 --by "Zhou Min" --why "the rota of June" --replaces 3
    """
    from alerting.call_plans import cautions
    from alerting.call_plans import save as keep

    plan = _read(file)
    with alerting_parts(data) as parts, parts.store.transaction() as tx:
        version = keep(tx, parts, study, plan, replaces=replaces, by=by, reason=why, at=parts.now())
        said = cautions(tx, plan)
    print(f"Version {version} of the call plan of {study} counts from now on.")
    _caution(said)


@on_call.command("override")
def override(
    study: _STUDY, by: _BY, why: _WHY,
    role: Annotated[str, typer.Option(help="The role that is taken.")],
    person: Annotated[str, typer.Option(help="Who takes it, by the name in the plan.")],
    begins: Annotated[str, typer.Option(help="From when, with its offset: 2026-05-14T12:00+08:00.")],
    ends: Annotated[str, typer.Option(help="Until when, with its offset.")],
    data: _DATA = None,
) -> None:  # fmt: skip
    """Let somebody take a role for a time, whatever the rota says.

    Example: tocsin on-call override --study NCT06223646 --role safety_physician --person shen --begins
    2026-05-14T12:00+08:00 --ends 2026-05-15T08:00+08:00 --by lin --why "Lin is at a congress"
    """
    from alerting.call_plans import put_override

    times = [_moment(begins, "/begins"), _moment(ends, "/ends")]
    with alerting_parts(data) as parts, parts.store.transaction() as tx:
        made = put_override(tx, parts, study, role, person, *times, by=by, reason=why, at=parts.now())
    print(f"Override {made} counts: {person} is {role} from {begins} to {ends}.")


@on_call.command("withdraw")
def withdraw(
    override_id: Annotated[UUID, typer.Argument(help="The override, as it was printed or as the API lists it.")],
    by: _BY,
    data: _DATA = None,
) -> None:
    """Withdraw an override: the rota counts again.

    Example: tocsin on-call withdraw 4b1d9c0a-2f3e-4f7c-9a55-0d7f1b2c3e44 --by lin
    """
    from alerting.call_plans import withdraw_override

    with alerting_parts(data) as parts, parts.store.transaction() as tx:
        withdraw_override(tx, override_id, by=by, at=parts.now())
    print(f"Override {override_id} counts no more.")


def _caution(said: list[str]) -> None:
    for one in said:
        print(f"Caution: {one}", file=sys.stderr)


def _read(file: Path) -> CallPlanDocument:
    from alerting.call_plan_text import read

    try:
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(f"{file} cannot be read", [Wrong("", str(error), "UTF-8")]) from None
    return read(text, f"{file} is no call plan")


def _moment(text: str, where: str) -> datetime:
    try:
        found: datetime | None = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.utcoffset() is None:
        allowed = "a time with its offset, such as 2026-05-14T12:00+08:00"
        raise Refused("this override cannot be", [Wrong(where, f"{text!r} is no moment", allowed)])
    return found
