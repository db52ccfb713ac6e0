"""The house of the demo: a rehearsal house in this process, on a folder of its own, with people who only act in it."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from standalone.demo_stage import Cast

if TYPE_CHECKING:
    from standalone.rehearsal import Standing
    from standalone.server import Server
    from tocsin.domain.protocol import Protocol
    from tocsin.settings import Settings

STUDY, FILE = "NCT06223646", "nct06223646.toml"
LOGIN = "demo"
ACTORS = ("safety_physician", "safety_team", "committee", "cell_lab")
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Open:
    """A house that answers: its address, who acts in it, and the password of `LOGIN`, made for looking.

    `pause` waits that many seconds, or until the house is told to end; whether it was.
    """

    url: str
    cast: Cast
    password: str
    pause: Callable[[float], bool]


Play = Callable[[Open], bool]
"""Plays on an open house; whether it came to its end."""


def serve(data: Path, port: int, begins_at: str, play: Play) -> bool:
    """Open the house on this folder and hand it to `play`, on a thread of its own; the house closes when that is done.

    Answers whether `play` came to its end: False where Ctrl-C or SIGTERM closed the house before. Raises SettingsError
    for a folder that holds a house already and for a port in use, and what `play` raised. Must be called on the main
    thread, which takes the signals.
    """
    from standalone import rehearsal as rehearsals
    from standalone.folder import Folder
    from standalone.server import bind
    from standalone.study_files import default_studies
    from tocsin.errors import SettingsError
    from tocsin.settings import Settings

    (study,) = [path for path in default_studies() if path.name == FILE]
    if rehearsals.reached_in(data) is not None:
        raise SettingsError(
            f"{data} holds a rehearsal already, and a story begins in a new folder: name one with --data. To look at "
            f"what was played there: tocsin up --rehearsal --data {data}"
        )
    with bind("127.0.0.1", port) as listener, Folder(data) as folder:
        clock = rehearsals.begin(folder.path, begins_at)
        # Nothing of the environment changes the story: one study, one folder, mail into its mailbox.
        settings = Settings(
            data=folder.path, bus="", database="", studies=[study], host="127.0.0.1", public_url="", smtp_url=None,
            port=listener.getsockname()[1], signing_key=folder.signing_key(), log_level="error",
        )  # fmt: skip
        return _serve(settings, clock, listener, play)


def _serve(settings: Settings, clock: Standing, listener: socket.socket, play: Play) -> bool:
    from standalone.house import TopicMaker, build
    from standalone.names import SERVICES
    from standalone.rehearsal_house import rehearsing
    from standalone.server import Server
    from standalone.study_files import load_studies
    from tocsin import observe
    from tocsin.bus import open_bus
    from tocsin.errors import Away

    observe.set_up(settings.log_level)
    studies = load_studies(settings.studies)
    with open_bus(settings.bus) as bus:
        TopicMaker(bus, settings.partitions, 1).make()
        services = build(SERVICES, settings, studies, bus, now=clock, is_rehearsal=True)
        app = rehearsing(services, bus, clock, signing_key=settings.signing_key.get_secret_value().encode())
        player = _Player(play, settings.public_url, *_people(settings, studies[STUDY], clock))
        server = Server(app, on_ready=player.start)
        player.server = server
        app.state.is_ending = lambda: server.should_exit
        server.run(sockets=[listener])
        server.live_on()
        if not server.started:
            raise Away("the house of the demo did not open; what it said of that stands above")
        return player.is_done()


class _Player:
    """Plays on a thread of its own while the main thread serves, and closes the house when it has played."""

    server: Server

    def __init__(self, play: Play, url: str, cast: Cast, password: str) -> None:
        self._play = play
        self._house = Open(url, cast, password, self._pause)
        self._thread = threading.Thread(target=self._run, name="story")
        self._was_played = False
        self._failed: Exception | None = None

    def start(self) -> None:
        self._thread.start()

    def is_done(self) -> bool:
        """Whether all was played, once the house is closed. Raises what went wrong before it was told to end."""
        if self._thread.ident is not None:
            self._thread.join()
        if self._failed is not None:
            raise self._failed
        return self._was_played

    def _run(self) -> None:
        try:
            self._was_played = self._play(self._house)
        except Exception as error:  # noqa: BLE001  raised again by the main thread, once the house is closed
            if not self.server.should_exit:
                self._failed = error
        self.server.should_exit = True

    def _pause(self, seconds: float) -> bool:
        ends = time.monotonic() + seconds
        while not self.server.should_exit and (left := ends - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_EVERY_S))
        return self.server.should_exit


def _people(settings: Settings, study: Protocol, clock: Standing) -> tuple[Cast, str]:
    """Keys of the sites, somebody for each role that acts, and the login for looking with its password."""
    from ae_intake.keys import create_key
    from alerting.accounts import add
    from standalone.first_start import FIRST_ROLES
    from standalone.stores import open_existing

    def secret() -> str:
        return secrets.token_urlsafe(12)

    password, acting = secret(), {role: (f"demo-{role.replace('_', '-')}", secret()) for role in ACTORS}
    with open_existing(settings, "intake") as store, store.transaction() as tx:
        keys = {site.id: create_key(tx, study.id, site.id, clock(), by="demo") for site in study.sites}
    with open_existing(settings, "alerting") as store, store.transaction() as tx:
        add(tx, LOGIN, password, FIRST_ROLES, clock(), who="demo")
        for role, (name, its_own) in acting.items():
            add(tx, name, its_own, {role}, clock(), who="demo")
    return Cast(keys, acting), password
