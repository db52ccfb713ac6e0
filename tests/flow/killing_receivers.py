"""A mail server and receivers of webhooks that kill whoever sends to them, at a step that is set beforehand.

Real servers on loopback, as small as their protocols allow, so that they can kill between any two lines. What came
whole is kept in `World.arrived`.
"""

from __future__ import annotations

import json
import os
import signal
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

AT_RANDOM = "at a random moment"
"""The step that no receiver reaches: whoever set it kills."""
STEPS = (
    "mail: connected", "mail: sender told", "mail: recipient told", "mail: before the answer", "mail: after the answer",
    "webhook: connected", "webhook: before the answer", "webhook: half an answer", "webhook: after the answer",
    AT_RANDOM,
)  # fmt: skip
REFUSES = "gone@sponsor.example"
"""The mail server does not know this address."""


@dataclass
class Trap:
    """Kills the process at a step. Each receiver calls `at` when it is there."""

    step: str = ""
    pid: int = 0
    sprung: threading.Event = field(default_factory=threading.Event)

    def set(self, step: str) -> None:
        self.sprung.clear()
        self.step, self.pid = step, 0

    def at(self, step: str) -> None:
        if step == self.step and self.pid and not self.sprung.is_set():
            self.kill()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.sprung.set()


@dataclass(frozen=True)
class Arrived:
    """A notice that somebody has: its id, the address, and the alert that it is about."""

    notice_id: UUID
    address: str
    alert_id: UUID


@dataclass
class World:
    """What is outside of the house, and what arrived there."""

    trap: Trap
    arrived: list[Arrived] = field(default_factory=list)
    mail_port: int = 0
    hook_ports: dict[str, int] = field(default_factory=dict)
    answered: set[UUID] = field(default_factory=set)


@contextmanager
def mail_server(world: World) -> Iterator[None]:
    """A mail server, as small as SMTP allows, so that it can kill between any two lines."""

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError, ValueError):
                self._talk()

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def _talk(self) -> None:
            world.trap.at("mail: connected")
            self._say("220 ready")
            to = ""
            while line := self.rfile.readline().decode("ascii", "replace").strip():
                word = line.upper()
                if word.startswith("MAIL"):
                    world.trap.at("mail: sender told")
                    self._say("250 ok")
                elif word.startswith("RCPT"):
                    to = line.partition("<")[2].partition(">")[0]
                    world.trap.at("mail: recipient told")
                    self._say("550 5.1.1 gone" if to == REFUSES else "250 ok")
                elif word.startswith("DATA"):
                    self._say("354 go on")
                    self._keep(to)
                elif word.startswith("QUIT"):
                    self._say("221 bye")
                    return
                else:
                    self._say("250 ok")

        def _keep(self, to: str) -> None:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line)
            if line != b".\r\n":
                return  # it was killed while it spoke: a server keeps nothing of half a mail
            mail = message_from_bytes(b"".join(lines), policy=default)
            assert isinstance(mail, EmailMessage)
            body = mail.get_body(("plain",))
            assert body is not None
            link = str(body.get_content()).partition("/a/")[2][:36]
            world.arrived.append(Arrived(UUID(str(mail["Message-ID"])[1:37]), to, UUID(link)))
            world.trap.at("mail: before the answer")
            self._say("250 taken")
            world.trap.at("mail: after the answer")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Session) as server:
        world.mail_port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield
        server.shutdown()


@contextmanager
def hook(world: World, name: str, status: int) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            world.trap.at("webhook: connected")
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if status == 204:
                data = json.loads(body)["data"]
                world.arrived.append(Arrived(UUID(self.headers["webhook-id"]), name, UUID(data["alert_id"])))
            world.trap.at("webhook: before the answer")
            with suppress(OSError):
                self.wfile.write(f"HTTP/1.1 {status} ".encode())
                self.wfile.flush()
                world.trap.at("webhook: half an answer")
                self.wfile.write(b"done\r\ncontent-length: 0\r\n\r\n")
                self.wfile.flush()
            world.trap.at("webhook: after the answer")

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:  # whoever called was killed
            ...

    server = Server(("127.0.0.1", 0), Handler)
    world.hook_ports[name] = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
