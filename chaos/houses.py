"""The two shapes of the house under fire, with everything that the nemesis can take from them.

`embedded`: `tocsin up` on one folder, on a disk of its own that can be full. `kafka`: three processes on a real Apache
Kafka and a real PostgreSQL, each behind a wire that can be slow, cut or silent.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import make_url

from ae_intake.keys import create_key
from alerting import webhooks
from alerting.accounts import add
from chaos.lives import Ahead, Life
from chaos.outside import Outside
from chaos.releases import Release
from chaos.wires import Wire
from standalone.rebuild_log import LogCopy
from tests.support.kafka_broker import Broker
from tests.support.postgres_server import NoPostgres, PostgresServer, find_programs
from tests.support.shapes import Process, Shape, one_process, three_processes
from tocsin.bus import open_bus
from tocsin.bus.dead import dead_topic
from tocsin.bus.port import Received
from tocsin.bus.replay import replay
from tocsin.messages.topics import BODIES

STUDY = "NCT06223646"
SITES = ("S01", "S02")
PHYSICIAN, PASSWORD = "lin", "a-long-password-of-lin"
READY_S = 60.0
DISK_MB = 256


@dataclass
class House:
    """A running house, what stands beside it, and the keys to it."""

    kind: str
    shape: Shape
    ahead: Ahead
    disk: Disk | None = None
    broker: Broker | None = None
    postgres: PostgresServer | None = None
    wires: tuple[Wire, ...] = ()
    keys: dict[str, str] = field(default_factory=dict)
    releases: dict[str, Release] = field(default_factory=dict)
    """Which release each process is, by its name; none said: today's."""

    @property
    def processes(self) -> dict[str, Process]:
        return self.shape.processes

    @property
    def bus(self) -> str:
        """Where the log is; whoever checks comes by no wire."""
        if self.broker is not None:
            return f"kafka://{self.broker.bootstrap}"
        return f"embedded:{self.shape.environment['TOCSIN_DATA']}/log.db"

    def install(self, name: str, release: Release) -> None:
        """From its next start on, a process is of this release."""
        self.releases[name] = release
        self.processes[name].fork = partial(Life, ahead=self.ahead.path, release=release)

    def records(self, topics: Sequence[str]) -> list[Received]:
        """Everything that stands on these topics, read without moving anybody's position."""
        with (
            tempfile.TemporaryDirectory() as folder,
            open_bus(self.bus) as bus,
            LogCopy(Path(folder) / "log.db", is_ordered=False) as log,
        ):
            log.read(bus, "chaos", topics, lambda *_: None)
            return list(log.records())

    def put_back(self) -> int:
        """What was set aside is put back, as `tocsin replay` does; how many that were."""
        found = {letter.topic for letter in self.records([dead_topic(topic) for topic in BODIES])}
        with open_bus(self.bus) as bus:
            return sum(replay(bus, topic) for topic in sorted(found))

    def heal(self) -> None:
        """Everything beside it works again, and every process of it runs."""
        if self.disk is not None:
            self.disk.free()
        for wire in self.wires:
            wire.heal()
        if self.broker is not None:
            self.broker.resume()
            self.broker.start()
        if self.postgres is not None:
            self.postgres.start()
        for process in self.processes.values():
            if process.running is None or process.running.poll() is not None:
                process.start()
        for process in self.processes.values():
            process.ready(READY_S)


class Disk:
    """A disk of its own for one folder, in memory, that can be full. Where it cannot be had: a limit on every file.

    The second is a stand-in: each write fails as on a broken disk, not as on a full one. `title` says which it is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ballast = folder / "ballast"
        folder.mkdir(parents=True, exist_ok=True)
        mounted = os.geteuid() == 0 and shutil.which("mount") is not None
        if mounted:
            made = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tocsin-chaos", str(folder)],
                capture_output=True, check=False,
            )  # fmt: skip
            mounted = made.returncode == 0
        self.is_real = mounted
        self.title = f"a file system of {DISK_MB} MB" if mounted else "a limit on the size of files (a stand-in)"

    def fill(self, pids: list[int]) -> None:
        """Not a byte is left."""
        if not self.is_real:
            for pid in pids:
                _limit(pid, 4096)
            return
        with suppress(OSError), self._ballast.open("wb", buffering=0) as out:
            while True:
                out.write(b"\0" * 4096)

    def free(self, pids: list[int] | None = None) -> None:
        """There is room again."""
        self._ballast.unlink(missing_ok=True)
        if not self.is_real:
            for pid in pids or []:
                _limit(pid, -1)

    def close(self) -> None:
        if self.is_real:
            subprocess.run(["umount", "--lazy", str(self._folder)], capture_output=True, check=False)


def _limit(pid: int, size: int) -> None:
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@contextmanager
def embedded(folder: Path, world: Outside) -> Iterator[House]:
    """`tocsin up`, on a disk of its own."""
    with ExitStack() as stack:
        disk = Disk(folder / "data")
        stack.callback(disk.close)
        ahead = Ahead(folder / "ahead")
        shape = _on_its_time(one_process(folder, **_settings(world)), ahead)
        stack.callback(shape.end)
        house = House("embedded", shape, ahead, disk=disk)
        _open(house, world)
        yield house


@contextmanager
def on_kafka(folder: Path, world: Outside) -> Iterator[House]:
    """Three processes on a broker and a database of their own, each behind a wire."""
    programs = find_programs()
    if isinstance(programs, NoPostgres):
        raise RuntimeError(f"no PostgreSQL that may be stopped: {programs.why}")
    with ExitStack() as stack:
        to_kafka, to_postgres = Wire(), Wire()
        stack.callback(to_kafka.close)
        stack.callback(to_postgres.close)
        broker = Broker(folder / "kafka", behind=f"127.0.0.1:{to_kafka.port}")
        stack.callback(broker.kill)
        broker.start()
        host, _, port = broker.bootstrap.rpartition(":")
        to_kafka.target = (host, int(port))
        postgres = PostgresServer(programs)
        stack.callback(postgres.remove)
        postgres.start()
        to_postgres.target = ("127.0.0.1", postgres.port)
        database = postgres.fresh_database()
        through = make_url(database).set(port=to_postgres.port).render_as_string(hide_password=False)
        ahead = Ahead(folder / "ahead")
        shape = three_processes(folder, bus=f"kafka://127.0.0.1:{to_kafka.port}", database=through, **_settings(world))
        shape.databases = dict.fromkeys(shape.databases, database)  # Whoever checks comes by no wire.
        stack.callback(_on_its_time(shape, ahead).end)
        house = House("kafka", shape, ahead, broker=broker, postgres=postgres, wires=(to_kafka, to_postgres))
        _open(house, world)
        yield house


def _settings(world: Outside) -> dict[str, str]:
    return {"TOCSIN_SMTP_URL": f"smtp://127.0.0.1:{world.mail_port}?starttls=never"}


def _on_its_time(shape: Shape, ahead: Ahead) -> Shape:
    for process in shape.processes.values():
        process.fork = partial(Life, ahead=ahead.path)
    return shape


def _open(house: House, world: Outside) -> None:
    """Start it; a key for each site, a physician, a webhook."""
    house.shape.start()
    with ExitStack() as stack:
        stores = house.shape.stores(stack)
        now = house.ahead.now()
        with stores["intake"].transaction() as tx:
            house.keys = {site: create_key(tx, STUDY, site, now, by="chaos") for site in SITES}
        with stores["alerting"].transaction() as tx:
            add(tx, PHYSICIAN, PASSWORD, {"safety_physician", "medical_director", "safety_team"}, now, who="chaos")
            world.secret = webhooks.add(tx, STUDY, "all", world.hook_url, now, who="chaos")
        with stores["alerting"].reading() as tx:
            (world.webhook_id,) = (str(hook.id) for hook in webhooks.enabled(tx))
