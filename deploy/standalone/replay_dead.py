"""`tocsin replay`: puts dead letters back on the topic they came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def replay(
    topic: Annotated[str, typer.Argument(help="The dead letters' topic.", metavar="TOPIC.dead")],
    data: Annotated[Path | None, typer.Option(help="The data folder of `tocsin up`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Put every dead letter of a topic back, once the cause is mended; works beside a running house.

    Nothing is put back twice by running it again, and whoever handled a message already knows it.

    Example: tocsin replay reports.received.v1.dead
    """
    from tocsin.bus import open_bus
    from tocsin.bus.dead import dead_topic
    from tocsin.bus.replay import replay as replay_letters
    from tocsin.errors import SettingsError
    from tocsin.messages.topics import BODIES
    from tocsin.settings import Settings

    known = [dead_topic(name) for name in BODIES]
    if topic not in known:
        raise typer.BadParameter(f"{topic} holds no dead letters; known are {', '.join(known)}")
    settings = Settings(**({"data": data} if data else {}))
    log = Path(settings.bus.removeprefix("embedded:"))
    if settings.bus.startswith("embedded:") and not log.is_file():
        raise SettingsError(f"{log}: no such log; name the folder of `tocsin up` with --data, or set TOCSIN_BUS")
    with open_bus(settings.bus, replication=settings.kafka_replication) as bus:
        try:
            count = replay_letters(bus, topic)
        except ValueError as error:
            raise SettingsError(f"{topic}: {error}") from None
    print(json.dumps({"topic": topic, "put_back": count}) if as_json else f"{count} dead letters put back from {topic}")
