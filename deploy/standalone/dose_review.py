"""`tocsin dose-review`: writes the dose-review packet of a study, beside a running house or without one."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from alerting.packet import Packet
    from tocsin.settings import Settings


def dose_review(
    study: Annotated[str, typer.Option(help="The study.")],
    out: Annotated[Path, typer.Option(help="The folder to write the file into.")],
    data: Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")] = None,
    at: Annotated[
        str | None, typer.Option(help="The data cut, such as 2026-06-02T12:00+08:00; now if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write the dose-review packet: one HTML file with the board, its verdicts, tables, decisions and hashes.

    The same facts and the same data cut give the same bytes, as `GET /v1/dose-board/packet` does. A cut that lies
    before a fact that is held is refused. A file that is there with other content is never replaced.

    Example: tocsin dose-review --data ./tocsin-data --study NCT06223646 --out ./reviews
    """
    from tocsin.errors import SettingsError
    from tocsin.settings import Settings

    settings = Settings(**({"data": data} if data else {}))
    if not out.is_dir():
        raise SettingsError(f"{out}: no such folder; name one that is there with --out")
    made = _made(settings, study, None if at is None else _instant(at))
    path = out / made.name
    _write(made, path)
    if as_json:
        print(json.dumps({"file": str(path), "sha256": made.sha256}, ensure_ascii=False, indent=2))
    else:
        print(f"{made.sha256}  {path}")


def _made(settings: Settings, study: str, as_of: datetime | None) -> Packet:
    from alerting.packet import packet
    from alerting.parts import Parts
    from standalone.rehearsal import reached_in, time_of
    from standalone.stores import open_existing
    from standalone.study_files import must_be_known
    from tocsin.errors import SettingsError
    from tocsin.now import wall

    protocol = must_be_known(settings, study)
    if not protocol.levels:
        raise SettingsError(f"study {study!r} has no dose levels: there is no dose to review")
    with open_existing(settings, "alerting") as store:
        parts = Parts(
            store, {protocol.id: protocol}, time_of(settings), wall, settings.public_url,
            is_rehearsal=reached_in(settings.data.absolute()) is not None,
        )  # fmt: skip
        with store.reading() as tx:
            return packet(tx, parts, protocol, as_of)


def _instant(text: str) -> datetime:
    from standalone.rehearsal import ALLOWED, Unreadable, instant

    try:
        return instant(text)
    except Unreadable as wrong:
        raise typer.BadParameter(f"--at {text} {wrong}; allowed is {ALLOWED}") from None


def _write(made: Packet, path: Path) -> None:
    """The file, whole or not at all. What was reviewed is a record: it is never written over by something else."""
    from tocsin.errors import SettingsError
    from tocsin.whole_file import whole_file

    if path.exists():
        if path.read_bytes() != made.body:
            raise SettingsError(
                f"{path} is there with other content: it may have been reviewed, so it is kept. Name another folder "
                "with --out, or a later data cut with --at"
            )
        return
    with whole_file(path, "utf-8") as file:
        file.write(made.body.decode())
