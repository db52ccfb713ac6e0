"""Programs that a measurement starts: each a process of its own from a fresh interpreter, ended with the block."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from ae_intake.keys import create_key
from bench.invented import ROOT
from tests.support import kafka_broker
from tests.support.kafka_broker import Broker
from tests.support.postgres_server import NoPostgres, PostgresServer, find_programs
from tests.support.shapes import IMPORT_ROOTS, free_port
from tocsin.now import wall
from tocsin.store.engine import open_store

READY_S = 60.0


@dataclass
class Running:
    """A process that answers on `port`. `ready_after_s`: from its start to the first 200 of its ready page."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    ready_after_s: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def memory_mb(self) -> float:
        """What of its memory is resident now (VmRSS)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return round(int(line.split()[1]) / 1024, 1)

    def cpu_s(self) -> float:
        """Seconds of a core that it has used since its start, of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def settings(folder: Path, studies: Sequence[Path], **more: str) -> dict[str, str]:
    """The environment of a house of its own: nothing beats in it, and only warnings are logged."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(ROOT), *(str(ROOT / root) for root in IMPORT_ROOTS)]),
        "TOCSIN_DATA": str(folder),
        "TOCSIN_STUDIES": os.pathsep.join(map(str, studies)),
        "TOCSIN_SIGNING_KEY": secrets.token_urlsafe(48),
        "TOCSIN_WEBHOOK_ALLOW": "loopback",
        "TOCSIN_HEARTBEAT_MINUTES": "0",
        "TOCSIN_LOG_LEVEL": "warning",
        "TOCSIN_RATE_PER_KEY": "0",  # one site posts what a hundred would
        **more,
    }


@contextmanager
def running(
    words: Sequence[str], port: int, folder: Path, environment: Mapping[str, str], ready: str
) -> Iterator[Running]:
    """`python -m …words` until the block is left, from when the page `ready` answers 200."""
    log = folder / f"{words[0]}-{port}.log"
    with log.open("wb") as said:
        begun = time.monotonic()
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", *words], env=dict(environment), stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
    one = Running(process, port, log)
    try:
        _wait(one, ready)
        one.ready_after_s = round(time.monotonic() - begun, 3)
        yield one
    finally:
        one.end()


def _wait(one: Running, ready: str) -> None:
    until = time.monotonic() + READY_S
    with httpx.Client(timeout=5) as client:
        while True:
            try:
                if client.get(f"{one.url}{ready}").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            if one.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"it did not get ready:\n{one.log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.01)


@contextmanager
def service(name: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Running]:
    """`tocsin serve …` on a free port; `up` is the whole house."""
    port = free_port()
    words = ["standalone", "up"] if name == "up" else ["standalone", "serve", name]
    with running(words, port, folder, {**environment, "TOCSIN_PORT": str(port)}, "/ready") as one:
        yield one


@contextmanager
def reference(database: str, folder: Path) -> Iterator[Running]:
    """The reference app on this database."""
    port = free_port()
    environment = settings(folder, [])
    with running(["tests.reference_app", database, str(port)], port, folder, environment, "/openapi.json") as one:
        yield one


def site_keys(database: str, studies: Sequence[str], site: str = "S01") -> list[str]:
    """A key of this site for each study, in the intake's database: valid at once, also while it runs."""
    store = open_store(database, "intake")
    try:
        with store.transaction() as tx:
            return [create_key(tx, study, site, wall()) for study in studies]
    finally:
        store.close()


@contextmanager
def postgres() -> Iterator[PostgresServer | str]:
    """A PostgreSQL of our own; or why there is none."""
    programs = find_programs()
    if isinstance(programs, NoPostgres):
        yield programs.why
        return
    server = PostgresServer(programs)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@contextmanager
def kafka(folder: Path) -> Iterator[Broker | str]:
    """A Kafka of our own in `folder`; or why there is none."""
    if (missing := kafka_broker.why_not()) is not None:
        yield missing
        return
    with ExitStack() as stack:
        broker = Broker(folder)
        stack.callback(broker.kill)
        broker.start()
        yield broker
