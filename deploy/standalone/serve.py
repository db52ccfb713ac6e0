"""`tocsin serve`: one of the three services, from settings."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from standalone.names import ServiceName

if TYPE_CHECKING:
    from tocsin.settings import Settings


def serve(
    service: Annotated[ServiceName, typer.Argument(help="Which of the three services.")],
) -> None:
    """Run one service, from settings (see docs/settings.md).

    A broker or database that is away is waited for. When a worker fails the process ends with exit code 1, so that
    its supervisor starts it anew.

    Example: TOCSIN_BUS=kafka://kafka:9092 TOCSIN_DATABASE=postgresql+psycopg://intake@db/tocsin tocsin serve intake
    """
    gc.disable()  # until the server is ready, see up.py
    from standalone.rehearsal import refuse
    from tocsin import observe
    from tocsin.cautions import cautions
    from tocsin.settings import Settings

    settings = Settings()
    observe.set_up(settings.log_level, as_json=settings.log_json)
    refuse(settings)
    _has_a_key(settings)
    for caution in cautions(settings):
        print(f"Caution: {caution}", file=sys.stderr)
    if (why := _run(service, settings)) is not None:
        print(f"tocsin serve {service} ended: {why}", file=sys.stderr)
        raise typer.Exit(1)


def _has_a_key(settings: Settings) -> None:
    from tocsin.errors import SettingsError

    if not settings.signing_key.get_secret_value():
        raise SettingsError(
            "TOCSIN_SIGNING_KEY is missing: set the same secret of at least 32 characters for all three services, "
            "such as `openssl rand -base64 48` makes, or name its file in TOCSIN_SIGNING_KEY_FILE"
        )


def _run(service: ServiceName, settings: Settings) -> str | None:
    """Serve until asked to end (None), or until something failed (why)."""
    from standalone.house import TopicMaker, build, failed_workers
    from standalone.server import Server, bind
    from standalone.study_files import load_studies, say_departures
    from standalone.waiting import Waiting
    from tocsin.bus import open_bus
    from tocsin.now import wall
    from tocsin.web.app import house
    from tocsin.web.limits import Limits
    from tocsin.workers import Crew

    studies = load_studies(settings.studies)
    say_departures(studies)
    with (
        bind(settings.host, settings.port) as listener,
        open_bus(settings.bus, replication=settings.kafka_replication) as bus,
    ):
        topics = Crew([TopicMaker(bus, settings.partitions, settings.kafka_replication)])
        key = settings.signing_key.get_secret_value().encode()

        def make() -> Any:
            services = build([service], settings, studies, bus)
            app = house(services, now=wall, signing_key=key, limits=Limits.of(settings))
            app.state.is_ending = lambda: server.should_exit  # An open page is let go before its time is up.
            return app

        waiting = Waiting(make)

        def ready() -> None:
            print(f"tocsin {service} listens on {settings.host} port {listener.getsockname()[1]}", flush=True)

        def must_end() -> str | None:
            if waiting.failed is not None:
                return f"{type(waiting.failed).__name__}: {waiting.failed}"
            return failed_workers(waiting.app) or _failed(topics)

        topics.start()
        server = Server(waiting, on_ready=ready, must_end=must_end)
        server.run(sockets=[listener])
        topics.stop(1.0)
    return server.ended_because


def _failed(crew: Any) -> str | None:
    return "; ".join(f"{name}: {error}" for name, error in crew.failed.items()) or None
