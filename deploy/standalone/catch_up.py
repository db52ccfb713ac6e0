"""`tocsin catch-up`: gives an intake that was restored from a backup what the log, which is newer, holds since.

See docs/backup.md. The coder and alerting are rebuilt instead (`tocsin rebuild`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from standalone.rebuild_log import LogCopy
    from tocsin.settings import Settings
    from tocsin.store.engine import Store


@dataclass(slots=True)
class CaughtUp:
    """What was taken up, by topic; what on the log is no message; and what stands in the way: then nothing changed."""

    taken: dict[str, int] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class _Undone(Exception):
    """Something stands in the way: the transaction is to be given up."""


def catch_up(
    data: Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")] = None,
    study: Annotated[
        list[Path] | None,
        typer.Option(help="A study file that the house serves; may be repeated.", show_default="as `tocsin up`"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Give an intake restored from a backup what a newer log holds. The intake must not be running.

    Needed whenever the database of the intake is older than the log: before the intake starts again. Case numbers go on
    after the last one on the log. Nothing rings by it; again it changes nothing. Exit code 1 when something stands in
    the way: each is named, and the tables are as they were.

    Example: tocsin catch-up --data ./tocsin-data
    """
    from tocsin import observe
    from tocsin.settings import Settings

    given = {"data": data, "studies": study or None}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    observe.set_up("error", as_json=settings.log_json)
    found = run(settings)
    if as_json:
        print(json.dumps({**asdict(found), "ok": not found.failures}, ensure_ascii=False, indent=2))
    else:
        _print(found)
    if found.failures:
        raise typer.Exit(1)


def run(settings: Settings) -> CaughtUp:
    """Catch up, in one transaction. TocsinError, saying what to do, when that is not possible."""
    from ae_intake.catching_up import TOPICS, prepare
    from standalone.progress import progress
    from standalone.rebuild_log import LogCopy
    from standalone.rebuild_run import alone_with
    from tocsin.bus.embedded import EmbeddedBus

    with (
        alone_with("intake", settings) as (kept, bus, scratch),
        LogCopy(scratch / "log.db", is_ordered=isinstance(bus, EmbeddedBus)) as log,
    ):
        prepare(kept)
        with progress("reading the log") as told:
            log.read(bus, "tocsin.catch-up.intake", TOPICS, told)
        found = CaughtUp(failures=[f"{gap}: what is gone cannot be taken up" for gap in log.gaps()])
        if not found.failures:
            _take(settings, log, kept, found)
        return found


def _take(settings: Settings, log: LogCopy, kept: Store, found: CaughtUp) -> None:
    from ae_intake.catching_up import Catcher
    from standalone.study_files import load_studies
    from tocsin.bus.consume import place
    from tocsin.errors import Poison
    from tocsin.messages.reading import decode

    catcher = Catcher(load_studies(settings.studies))
    try:
        with kept.transaction() as tx:
            for received in log.records():
                try:
                    envelope = decode(received)
                except Poison as poison:
                    found.unreadable.append(f"{place(received)}: {poison}")
                    continue
                try:
                    is_new = catcher.take(envelope, tx)
                except Poison as poison:
                    found.failures.append(f"{place(received)}: {poison}")
                    continue
                if is_new:
                    found.taken[received.topic] = found.taken.get(received.topic, 0) + 1
            if found.failures:
                raise _Undone
            if number := catcher.finish(tx):
                found.taken["queries.raised.v1"] = found.taken.get("queries.raised.v1", 0) + number
    except _Undone:
        found.taken.clear()


def _print(found: CaughtUp) -> None:
    for topic, number in found.taken.items():
        print(f"{topic:<32} {number} taken up")
    for one in found.unreadable:
        print(f"left, as no message of ours: {one}")
    for failure in found.failures:
        print(failure)
    if found.failures:
        print(f"{len(found.failures)} things stand in the way: the tables of the intake are as they were")
    elif found.taken:
        print("the intake has caught up with the log; rebuild the coder and alerting if they were restored, too")
    else:
        print("the intake holds everything that is on the log; nothing was changed")
