"""`tocsin doctor`: checks settings, connections and clocks, and says what to do about each finding."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

import typer

from standalone.names import SERVICES, ServiceName, chosen
from tocsin.errors import Away, TocsinError

if TYPE_CHECKING:
    from tocsin.settings import Settings

LEAST_FREE_BYTES = 1_000_000_000
MOST_CLOCK_DRIFT = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `advice` says what to do unless all is well."""

    about: str
    state: Literal["ok", "caution", "wrong"]
    found: str
    advice: str = ""


def doctor(
    data: Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")] = None,
    service: Annotated[list[str] | None, typer.Option(help="Only this service; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check settings, studies, data folder, databases, bus, mail server and clocks; works beside a running house.

    Each finding says what to do. Exit code 1 when something is wrong.

    Example: tocsin doctor --data ./tocsin-data
    """
    findings = list(examine(data, chosen(service)))
    wrong = any(finding.state == "wrong" for finding in findings)
    if as_json:
        print(json.dumps({"ok": not wrong, "findings": [asdict(f) for f in findings]}, ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            print(f"{finding.state:<8} {finding.about}: {finding.found}")
            if finding.advice:
                print(f"{'':<8}   {finding.advice}")
    if wrong:
        raise typer.Exit(1)


def examine(data: Path | None, services: Sequence[ServiceName] = SERVICES) -> Iterator[Finding]:
    """Every finding, as it is made; without readable settings there is nothing else to look at."""
    from tocsin.cautions import cautions
    from tocsin.settings import Settings

    try:
        settings = Settings(**({"data": data} if data else {}))
    except TocsinError as error:
        yield Finding("settings", "wrong", str(error), "See docs/settings.md.")
        return
    yield Finding("settings", "ok", "every value is allowed")
    for caution in cautions(settings):
        yield Finding("settings", "caution", caution)
    yield from _studies(settings)
    if not settings.database or settings.bus.startswith("embedded:"):
        yield from _folder(settings)
    for schema in services:
        yield from _database(settings, schema)
    yield _bus(settings)
    if settings.smtp_url is not None:
        yield _mail_server(settings)


def _studies(settings: Settings) -> Iterator[Finding]:
    from standalone.study_files import load_studies
    from tocsin.departures import departures

    try:
        studies = load_studies(settings.studies)
    except TocsinError as error:
        yield Finding("studies", "wrong", str(error), "Mend the file, or name others in TOCSIN_STUDIES.")
        return
    yield Finding("studies", "ok", ", ".join(studies))
    if assumed := [name for name, protocol in studies.items() if protocol.assumptions]:
        advice = "The sponsor must approve them in the study file; until then every alert that rests on one says so."
        yield Finding("studies", "caution", f"{', '.join(assumed)}: rests on assumptions", advice)
    for protocol in studies.values():
        for sentence in departures(protocol):
            advice = "Keep the sponsor's decision with the study file; docs/clocks.md has the defaults."
            yield Finding("studies", "caution", sentence, advice)


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data.absolute()
    if not folder.is_dir():
        advice = "Start `tocsin up` once, or name the folder with --data or TOCSIN_DATA."
        yield Finding("data folder", "wrong", f"{folder} is not there", advice)
        return
    if folder.stat().st_mode & 0o077:
        yield Finding("data folder", "caution", f"{folder} is open to other users", f"chmod 700 {folder}")
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        found = f"{free / 1e6:.0f} MB free at {folder}"
        yield Finding("data folder", "wrong", found, "Free space: a full disk stops intake from accepting reports.")
    else:
        yield Finding("data folder", "ok", f"{folder}, {free / 1e9:.1f} GB free")


def _database(settings: Settings, schema: str) -> Iterator[Finding]:
    from sqlalchemy import func, select, text

    from standalone.stores import open_existing
    from tocsin.store.tables import audit

    about = f"database {schema}"
    try:
        with open_existing(settings, schema) as store, store.reading() as tx:
            last = tx.execute(select(func.max(audit.c.at))).scalar_one()
            theirs = (
                tx.execute(text("SELECT clock_timestamp()")).scalar_one() if store.dialect == "postgresql" else None
            )
            yield Finding(about, "ok", f"{store.name} answers")
    except Away as away:
        yield Finding(about, "wrong", str(away), "Start it, or mend TOCSIN_DATABASE; the services wait for it.")
        return
    except TocsinError as error:
        yield Finding(about, "wrong", str(error), "See docs/settings.md.")
        return
    here = datetime.now(UTC)
    if theirs is not None and abs(theirs - here) > MOST_CLOCK_DRIFT:
        drift = abs(theirs - here).total_seconds()
        found = f"its clock and this machine's differ by {drift:.1f} s"
        yield Finding(f"clock of {schema}", "wrong", found, "Run NTP on both: deadlines are reckoned by these clocks.")
    if last is not None and last - here > MOST_CLOCK_DRIFT:
        found = f"its last record is of {last.isoformat()}, which is still to come"
        yield Finding(f"clock of {schema}", "wrong", found, "This machine's clock went back: set it right (NTP).")
    else:
        yield Finding(f"clock of {schema}", "ok", f"here it is {here.isoformat(timespec='seconds')}")


def _bus(settings: Settings) -> Finding:
    from tocsin.bus import open_bus

    if settings.bus.startswith("embedded:") and not Path(settings.bus.removeprefix("embedded:")).is_file():
        return Finding("bus", "wrong", f"{settings.bus} is not there", "Start `tocsin up` once, or set TOCSIN_BUS.")

    def ping() -> None:
        with open_bus(settings.bus, replication=settings.kafka_replication) as bus:
            bus.ping()

    return _answers(
        "bus",
        ping,
        settings.bus,
        "Start the broker, or mend TOCSIN_BUS; intake goes on accepting and the rest waits.",
    )


def _mail_server(settings: Settings) -> Finding:
    assert settings.smtp_url is not None
    parts = urlsplit(settings.smtp_url.get_secret_value())
    port = parts.port or (465 if parts.scheme == "smtps" else 587)
    return _answers(
        "mail server",
        lambda: socket.create_connection((parts.hostname or "", port), timeout=5).close(),
        f"{parts.hostname} port {port}",
        "Start it, or mend TOCSIN_SMTP_URL; mail waits and is tried again.",
    )


def _answers(about: str, call: Callable[[], object], what: str, advice: str) -> Finding:
    try:
        call()
    except (OSError, TocsinError) as error:
        return Finding(about, "wrong", f"{what} does not answer: {error}", advice)
    return Finding(about, "ok", f"{what} answers")
