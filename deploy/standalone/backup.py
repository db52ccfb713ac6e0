"""`tocsin backup`: a running house as it was at one instant, in a folder of its own that a house can be started from.

For the house in one process. PostgreSQL has its own way: see docs/backup.md.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from standalone.names import SERVICES

if TYPE_CHECKING:
    from standalone.backup_files import Copied
    from tocsin.settings import Settings


@dataclass(frozen=True, slots=True)
class Backup:
    """What was written, and the head of each audit trail in it. `held_ms`: for how long nobody could write."""

    folder: str
    at: str
    held_ms: float
    files: tuple[Copied, ...]
    audit: dict[str, tuple[int, str]]


def backup(
    to: Annotated[Path, typer.Argument(help="A new folder, best on another disk.", metavar="TO_FOLDER")],
    data: Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Copy a house at one instant into a new folder; works beside a running house, and on one that is stopped.

    Databases and log are cut at the same moment, written down to the disk, checked page by page and along the audit
    chain, and only then stand under that name. The folder is a data folder: a copy of it is what is restored. It
    holds patients' data and the secrets of the house. See docs/backup.md.

    Example: tocsin backup /backup/2026-03-02 --data ./tocsin-data
    """
    from tocsin.settings import Settings

    settings = Settings(**({"data": data} if data else {}))
    made = take(settings, to)
    if as_json:
        print(json.dumps({**asdict(made), "ok": True}, indent=2))
    else:
        _print(made)


def take(settings: Settings, to: Path) -> Backup:
    """Take a backup of the house of these settings. TocsinError, saying what to do, when there is none to be had."""
    from standalone import backup_files as files
    from tocsin.errors import SettingsError

    if settings.database or not settings.bus.startswith("embedded:"):
        raise SettingsError(
            "this copies a house on SQLite and the embedded log, but TOCSIN_BUS or TOCSIN_DATABASE names another "
            "place; for PostgreSQL use pg_dump and keep Kafka's log: see docs/backup.md"
        )
    sources = files.sources_of(settings.data.absolute(), Path(settings.bus.removeprefix("embedded:")))
    with files.new_folder(to) as part:
        held_s = files.copy_at_one_instant(sources, part)
        at = datetime.now(UTC)
        files.copy_beside(settings.data.absolute(), part)
        files.must_be_sound(part, list(sources))
        heads = _heads(part)
        written = files.seal(part)
    return Backup(str(to.absolute()), at.isoformat(timespec="seconds"), round(held_s * 1000, 1), tuple(written), heads)


def _heads(folder: Path) -> dict[str, tuple[int, str]]:
    """Rows and last hash of each audit trail. NotWhole for a broken one, which is then broken in the house, too."""
    from standalone.backup_files import NotWhole
    from standalone.stores import open_existing
    from tocsin.settings import Settings
    from tocsin.store.audit import Broken, verify

    found: dict[str, tuple[int, str]] = {}
    for service in SERVICES:
        with open_existing(Settings(data=folder, database=""), service) as store, store.reading() as tx:
            trail = verify(tx)
        if isinstance(trail, Broken):
            raise NotWhole(
                f"the audit trail of {service} is broken at row {trail.seq}: {trail.why}. It is so in the house, too: "
                "see docs/runbook.md, and keep the last backup in which it was whole"
            )
        found[service] = (trail.rows, trail.head)
    return found


def _print(made: Backup) -> None:
    print(f"{made.folder}: the house as it was at {made.at}; nobody waited longer than {made.held_ms:g} ms")
    for one in made.files:
        print(f"  {one.name:<14} {one.bytes:>12} bytes  {one.sha256}")
    for service, (rows, head) in made.audit.items():
        print(f"  audit of {service:<9} whole, {rows} rows, head {head}")
    print("Every page and every link of the audit trails was checked. Next:")
    print("  1. Take it to another machine, and check it there: sha256sum --check SHA256SUMS")
    print("  2. Write the head hashes down elsewhere: they prove later that no line was changed.")
    print("  3. Try a restore now and then, of a copy of this folder: docs/backup.md has the drill.")
