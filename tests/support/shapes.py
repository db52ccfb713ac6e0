"""The two shapes Tocsin runs in, as real processes: one house on one folder, or three services on Kafka and PostgreSQL.

A flow test works on either through the same few words: start, kill, post, look. Nothing here knows a rule.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
from sqlalchemy import Connection, func, select

from ae_intake.keys import create_key
from alerting import tables as alerting_tables
from alerting.accounts import Of
from alerting.accounts import add as add_account
from tests.support.warm import Forked
from tests.support.warm import run as run_warm
from tocsin.messages.topics import ALERTING, CODER, INTAKE, read_by
from tocsin.now import wall
from tocsin.store.engine import Store, open_store
from tocsin.store.tables import inbox, outbox

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
STUDIES = (ROOT / "deploy" / "protocols" / "nct06223646.toml", ROOT / "deploy" / "protocols" / "cdiscpilot01.toml")
IMPORT_ROOTS = ("shared", "services/ae-intake", "services/meddra-coder", "services/alerting", "deploy")
NAMES = {"intake": INTAKE, "coder": CODER, "alerting": ALERTING}
SERVICES = tuple(NAMES)


def wait_until(
    condition: Callable[[], T], what: str, within_s: float = 30.0, told: Callable[[], object] = lambda: ""
) -> T:
    """What `condition` answers as soon as that is true; a failure naming `what` after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what} {told()}")
        time.sleep(0.05)  # the pause of a poll that has a deadline, not a wait for luck
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Process:
    """One process of Tocsin, started, killed and started again on the same port and data."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    port: int
    folder: Path
    running: Forked | None = None
    starts: int = 0
    fork: Callable[[Sequence[str], Path, Path, Mapping[str, str]], Forked] = Forked

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start it; `ready` waits for it."""
        assert self.running is None or self.running.poll() is not None, f"{self.name} runs already"
        self.starts += 1
        self.running = self.fork(self.arguments, self.log, self.log, {**os.environ, **self.environment})

    def ready(self, within_s: float = 30.0) -> None:
        """Wait until `/ready` answers 200."""

        def answers() -> bool:
            assert self.running is not None
            assert self.running.poll() is None, f"{self.name} ended with {self.running.poll()}:\n{self.tail()}"
            try:
                return httpx.get(f"{self.url}/ready", timeout=5).status_code == 200
            except httpx.TransportError:
                return False

        wait_until(answers, f"{self.name} is ready", within_s, self.tail)

    def kill(self) -> None:
        """SIGKILL: no goodbye, nothing flushed."""
        assert self.running is not None
        self.running.kill()
        self.running.wait(10)

    def stop(self) -> int:
        """SIGTERM, and the exit code; a process that does not end within 12 seconds fails the test."""
        assert self.running is not None
        if self.running.poll() is None:
            self.running.send_signal(signal.SIGTERM)
        return self.running.wait(12)

    def tail(self) -> str:
        """The end of what it said, for a failing test."""
        return self.log.read_text("utf-8", errors="replace")[-4000:] if self.log.exists() else ""


@dataclass
class Shape:
    """Processes, and the databases behind them."""

    processes: dict[str, Process]
    environment: dict[str, str]
    databases: dict[str, str]
    folder: Path
    urls: dict[str, str] = field(default_factory=dict)

    @property
    def intake(self) -> str:
        return self.urls["intake"]

    @property
    def alerting(self) -> str:
        return self.urls["alerting"]

    @property
    def coder(self) -> str:
        return self.urls["coder"]

    def start(self) -> None:
        for process in self.processes.values():
            process.start()
        for process in self.processes.values():
            process.ready()

    def end(self) -> None:
        """Kill what still runs; for the end of a test, whatever happened in it."""
        for process in self.processes.values():
            if process.running is not None and process.running.poll() is None:
                process.kill()

    def tocsin(self, *arguments: str, stdin: str = "") -> str:
        """Run a command of the CLI beside the house; its stdout."""
        done = run_warm(arguments, {**os.environ, **self.environment}, cwd=self.folder, stdin=stdin)
        assert done.returncode == 0, f"tocsin {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def key(self, study: str, site: str) -> str:
        """A new key of a site, or of a feed for `all`; what `tocsin keys add` does is in tests/standalone."""
        with closing(open_store(self.databases["intake"], "intake")) as store, store.transaction() as tx:
            return create_key(tx, study, None if site == "all" else site, wall(), by="a test")

    def person(self, name: str, password: str, *roles: str, of: Sequence[str] = ()) -> None:
        """An account with these roles; `of`: the study and the site of a person of a site."""
        with closing(open_store(self.databases["alerting"], "alerting")) as store, store.transaction() as tx:
            add_account(tx, name, password, roles, wall(), who="a test", of=Of(*of) if of else None)

    @contextmanager
    def reading(self, service: str) -> Any:
        """A snapshot of one service's tables."""
        store = open_store(self.databases[service], service)
        try:
            with store.reading() as connection:
                yield connection
        finally:
            store.close()

    def stores(self, stack: ExitStack) -> dict[str, Store]:
        """All three stores, open until the stack is left."""
        found = {name: open_store(url, name) for name, url in self.databases.items()}
        for store in found.values():
            stack.callback(store.close)
        return found

    def count(self, service: str, query: Any) -> int:
        with self.reading(service) as connection:
            number: int = connection.execute(query).scalar_one()
            return number

    def is_quiet(self) -> bool:
        """Whether every accepted report was said, coded, judged, and everything rung was delivered or given up."""
        return not self.what_waits()

    def what_waits(self) -> dict[str, Any]:
        """What is not done yet, by name: messages not said, those not handled by a reader, deliveries by state."""
        its = alerting_tables.deliveries.c
        with ExitStack() as stack:
            tx = {name: stack.enter_context(self.reading(name)) for name in SERVICES}
            found: dict[str, Any] = {f"not said by {name}": _unsent(tx[name]) for name in SERVICES}
            said = [
                (topic, one)
                for of in tx.values()
                for topic, one in of.execute(select(outbox.c.topic, outbox.c.message_id))
            ]
            for name, service in NAMES.items():
                topics = read_by(service)
                handled = set(tx[name].scalars(select(inbox.c.message_id)))
                found[f"not handled by {name}"] = Counter(t for t, one in said if t in topics and one not in handled)
            by_state = select(its.state, func.count()).where(its.state.in_(["pending", "sending"])).group_by(its.state)
            found["deliveries"] = dict(tx["alerting"].execute(by_state).all())
        return {name: waiting for name, waiting in found.items() if waiting}


def _unsent(tx: Connection) -> int:
    number: int = tx.execute(select(func.count()).select_from(outbox).where(outbox.c.sent_at.is_(None))).scalar_one()
    return number


def _base(folder: Path) -> dict[str, str]:
    return {
        "PYTHONPATH": os.pathsep.join(str(ROOT / root) for root in IMPORT_ROOTS),
        "TOCSIN_STUDIES": os.pathsep.join(map(str, STUDIES)),
        "TOCSIN_DATA": str(folder / "data"),
        "TOCSIN_SIGNING_KEY": secrets.token_urlsafe(48),
        "TOCSIN_WEBHOOK_ALLOW": "loopback",
        "TOCSIN_HEARTBEAT_MINUTES": "0",  # what is on the log is what a test has put there
        "TOCSIN_LOG_LEVEL": "warning",
    }


def one_process(folder: Path, **settings: str) -> Shape:
    """`tocsin up`: one process, one folder."""
    environment = {**_base(folder), **settings}
    port = free_port()
    process = Process("up", ["up", "--port", str(port)], environment, port, folder)
    data = folder / "data"
    return Shape(
        {"up": process},
        environment,
        {name: f"sqlite:///{data / name}.db" for name in SERVICES},
        folder,
        dict.fromkeys(SERVICES, process.url),
    )


def three_processes(folder: Path, *, bus: str, database: str, **settings: str) -> Shape:
    """`tocsin serve …`: three processes on Kafka and PostgreSQL."""
    environment = {**_base(folder), "TOCSIN_BUS": bus, "TOCSIN_DATABASE": database, **settings}
    processes = {}
    for name in SERVICES:
        port = free_port()
        processes[name] = Process(name, ["serve", name], {**environment, "TOCSIN_PORT": str(port)}, port, folder)
    return Shape(
        processes,
        environment,
        dict.fromkeys(SERVICES, database),
        folder,
        {name: process.url for name, process in processes.items()},
    )
