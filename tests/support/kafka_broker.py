"""A real Apache Kafka for the tests: one KRaft node on loopback, from jars that Maven gets once.

The jars are kept in `${XDG_CACHE_HOME:-~/.cache}/tocsin/kafka-<version>`. `Broker` starts, stops, kills, freezes and
starts again one broker on the same ports and the same data. Where Java or Maven is missing `why_not()` says so.
"""

from __future__ import annotations

import base64
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path

VERSION = "4.3.1"
_POM = Path(__file__).parent / "kafka" / "pom.xml"
_READY_S = 60.0


def cache() -> Path:
    """Where this machine keeps the jars."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "tocsin" / f"kafka-{VERSION}"


def java_version() -> int | None:
    """The major version of the Java on the path, None without one."""
    if shutil.which("java") is None:
        return None
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else None


def why_not() -> str | None:
    """Why no real Kafka can be had here, None when it can."""
    java = java_version()
    if java is None:
        return "no java on the path (Apache Kafka 4 needs Java 17 or newer)"
    if java < 17:
        return f"Java {java} is on the path, Apache Kafka 4 needs 17 or newer"
    if not _jars(cache()) and shutil.which("mvn") is None:
        return "no mvn on the path to get Kafka's jars with"
    return None


def fetch() -> Path:
    """The folder of the jars, got by Maven if they are not there yet: whole or not at all."""
    home = cache()
    if _jars(home):
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".kafka-", dir=home.parent) as scratch:
        jars = Path(scratch) / "jars"
        command = ["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        if ran.returncode != 0:
            raise RuntimeError(f"Maven could not get Kafka's jars:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
        try:
            jars.rename(home)
        except OSError:
            # Another run was quicker; what it put there is as whole as ours.
            if not _jars(home):
                raise
    return home


def _jars(home: Path) -> bool:
    return (home / f"kafka_2.13-{VERSION}.jar").is_file()


class Broker:
    """One broker with its own folder `home`. `bootstrap` is its address, the same over all restarts."""

    def __init__(self, home: Path, *, jars: Path | None = None, behind: str | None = None) -> None:
        """`behind`: the address that clients are sent to, where something stands before the broker."""
        self._home = home
        self._jars = jars or fetch()
        self._port, self._controller = _free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False
        self._settings = home / "server.properties"
        self.bootstrap = f"127.0.0.1:{self._port}"
        self._advertised = behind or self.bootstrap
        self._format()

    def start(self) -> None:
        """Start, or start again on the same data; returns when the broker takes connections."""
        if self._process is not None and self._process.poll() is None:
            return
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", str(self._settings)), stdout=output, stderr=subprocess.STDOUT
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """End it gracefully."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""
        self._running().send_signal(signal.SIGSTOP)
        self._paused = True

    def resume(self) -> None:
        """Let it go on after `pause`; nothing to do when it was not paused."""
        if self._paused:
            self._running().send_signal(signal.SIGCONT)
        self._paused = False

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of the running broker."""
        return self._running().pid

    @property
    def _log(self) -> Path:
        return self._home / "broker.log"

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the broker was not started")
        return self._process

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self.resume()
        self._process.send_signal(how)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process = None

    def _java(self, *main: str) -> list[str]:
        quiet = ["-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        return [
            "java",
            *quiet,
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp",
            f"{self._jars}/*",
            *main,
        ]

    def _format(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        own = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://127.0.0.1:{self._controller}",
            "advertised.listeners": f"PLAINTEXT://{self._advertised}",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self._controller}",
            "log.dirs": str(self._home / "data"),
        }
        fixed = (Path(__file__).parent / "kafka" / "server.properties").read_text("utf-8")
        self._settings.write_text(fixed + "".join(f"{name}={value}\n" for name, value in own.items()), "utf-8")
        # An id that begins with a hyphen would be read as an option.
        cluster = "T" + base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()[1:]
        command = self._java("kafka.tools.StorageTool", "format", "--standalone", "-t", cluster)
        ran = subprocess.run(
            [*command, "-c", str(self._settings)], capture_output=True, text=True, check=False, timeout=60
        )
        if ran.returncode != 0:
            raise RuntimeError(f"Kafka's storage could not be formatted:\n{ran.stdout}{ran.stderr}")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            if self._running().poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", self._port), timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        said = self._log.read_text("utf-8", "replace")[-4000:]
        self.kill()
        raise RuntimeError(f"Kafka did not come up within {_READY_S:g} s:\n{said}")


def _free_ports(count: int) -> list[int]:
    """Ports that the system gives to nobody by itself: nobody else may answer there while a broker is stopped."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in found:
                found.append(port)
    return found
