"""`tocsin up`: the three services in one process, on SQLite and the embedded log in one folder."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from standalone.rehearsal import Standing
    from tocsin.settings import Settings


def up(
    data: Annotated[
        Path | None, typer.Option(help="The data folder; made if missing.", show_default="./tocsin-data")
    ] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option(help="The port to listen on; 0 takes a free one.", show_default="8088")
    ] = None,
    study: Annotated[
        list[Path] | None,
        typer.Option(help="A study file to serve; may be repeated.", show_default="every file of deploy/protocols/"),
    ] = None,
    rehearsal: Annotated[
        bool, typer.Option("--rehearsal", help="For training and validation: time stands, and moves only when told.")
    ] = False,
    at: Annotated[
        str | None,
        typer.Option(help="With --rehearsal: where time stands at first, with its offset.", show_default="now"),
    ] = None,
) -> None:
    """Run all three services in one process, on SQLite and the embedded log.

    Prints the addresses, and at the first start one site key and one desk login, once. Ends within ten seconds of
    SIGTERM or Ctrl-C; what was accepted is kept, and what was under way goes on at the next start.

    With --rehearsal the same house runs on time that stands, and moves only by POST /v1/rehearsal/now. Its folder is
    marked, and never serves a real house; a folder that does is refused. See docs/rehearsal.md.

    Example: tocsin up --data ./tocsin-data --port 8088
    Example: tocsin up --rehearsal --at 2026-03-01T09:00+08:00 --data ./rehearsal
    """
    # Nothing is garbage yet: the collector rests while everything is imported, until the server is ready.
    gc.disable()
    from standalone import rehearsal as rehearsals
    from tocsin import observe
    from tocsin.cautions import cautions
    from tocsin.errors import SettingsError
    from tocsin.settings import Settings

    if at is not None and not rehearsal:
        raise SettingsError("--at sets the time of a rehearsal: give it together with --rehearsal")
    given = {"data": data, "host": host, "port": port, "studies": study or None}
    asked = {name: value for name, value in given.items() if value is not None}
    settings = Settings(**asked)
    observe.set_up(settings.log_level, as_json=settings.log_json)
    _on_one_machine(settings)
    if rehearsal:
        rehearsals.must_stay_here(settings)

    from standalone.folder import Folder
    from standalone.server import bind

    with Folder(settings.data) as folder, bind(settings.host, settings.port) as listener:
        clock = None
        if rehearsal:
            clock = rehearsals.begin(folder.path, at)
        else:
            rehearsals.refuse(settings)
        own = {"port": listener.getsockname()[1]}
        if not settings.signing_key.get_secret_value():
            own["signing_key"] = folder.signing_key()
        settings = Settings(**{**asked, **own})
        of_rehearsal = rehearsals.cautions(settings) if rehearsal else []
        for caution in [*cautions(settings), *folder.cautions(), *of_rehearsal]:
            print(f"Caution: {caution}", file=sys.stderr)
        _run(settings, listener, clock)


def _on_one_machine(settings: Settings) -> None:
    from tocsin.errors import SettingsError

    if settings.database or not settings.bus.startswith("embedded:"):
        raise SettingsError(
            "`tocsin up` keeps everything in its data folder, but TOCSIN_BUS or TOCSIN_DATABASE names another place; "
            "empty them, or run `tocsin serve intake`, `coder` and `alerting`"
        )


def _run(settings: Settings, listener: object, clock: Standing | None) -> None:
    import socket

    from standalone.first_start import first_start
    from standalone.house import TopicMaker, build
    from standalone.names import SERVICES
    from standalone.rehearsal import in_words
    from standalone.server import Server
    from standalone.study_files import load_studies, say_departures
    from tocsin.bus import open_bus
    from tocsin.now import wall
    from tocsin.web.app import house
    from tocsin.web.limits import Limits

    assert isinstance(listener, socket.socket)
    studies = load_studies(settings.studies)
    say_departures(studies)
    with open_bus(settings.bus) as bus:
        TopicMaker(bus, settings.partitions, 1).make()
        services = build(SERVICES, settings, studies, bus, now=clock or wall, is_rehearsal=clock is not None)
        key = settings.signing_key.get_secret_value().encode()
        # Logins run by the machine's clock, also in a rehearsal: a jump of days must not end everybody's session.
        if clock is None:
            app = house(services, now=wall, signing_key=key, limits=Limits.of(settings))
        else:
            from standalone.rehearsal_house import rehearsing

            app = rehearsing(services, bus, clock, signing_key=key, limits=Limits.of(settings))
        welcome = [*first_start(settings, studies, clock or wall), *(in_words(settings, clock) if clock else [])]

        def ready() -> None:
            print("\n".join([*addresses(settings, list(studies)), *welcome]), flush=True)

        server = Server(app, on_ready=ready)
        app.state.is_ending = lambda: server.should_exit  # A long call sees it before its time is up.
        server.run(sockets=[listener])


def addresses(settings: Settings, studies: list[str]) -> list[str]:
    """Where everything is, for the terminal."""
    url = settings.public_url
    mail = "by SMTP" if settings.smtp_url else f"not sent, kept in {settings.data.absolute() / 'mailbox'}"
    return [
        f"Tocsin is ready at {url}",
        f"  report   POST {url}/v1/reports",
        f"  alerts   {url}/v1/alerts",
        f"  mailbox  {url}/mailbox",
        f"  API      {url}/openapi.json",
        f"  studies  {', '.join(studies)}",
        f"  mail     {mail}",
        f"  data     {settings.data.absolute()}",
    ]
