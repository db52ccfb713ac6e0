"""Real servers on loopback that answer as they are told: one for mail, one for webhooks."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class MailServer:
    """Answers each mail with the next of `answers`; when they are used up, by taking it."""

    port: int = 0
    answers: deque[str] = field(default_factory=deque)
    recipients: deque[str] = field(default_factory=deque)
    taken: list[EmailMessage] = field(default_factory=list)
    connections: int = 0
    auth_needed: bool = False

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        answer = self.recipients.popleft() if self.recipients else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = self.answers.popleft() if self.answers else "250 OK"
        if answer == "hang up":
            server.transport.close()
            return "421 bye"
        if answer.startswith("250"):
            read = message_from_bytes(envelope.content, policy=default)
            assert isinstance(read, EmailMessage)
            self.taken.append(read)
        return answer

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses


@contextlib.contextmanager
def mail_server() -> Iterator[MailServer]:
    """A mail server on loopback."""
    handler = MailServer()
    controller = Controller(handler, hostname="127.0.0.1", port=0)
    # aiosmtpd asks its own port for a first connection to see that it runs, so a port must be known beforehand.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        controller.port = handler.port = free.getsockname()[1]
    controller.start()
    handler.connections = 0
    try:
        yield handler
    finally:
        controller.stop()


@dataclass
class Asked:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Receiver:
    """Answers each request with the next of `answers`; when they are used up, as `always` says: with 204."""

    port: int = 0
    answers: deque[Answer] = field(default_factory=deque)
    always: Answer | None = None
    asked: list[Asked] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    sent_bytes: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def then(self, *answers: Answer) -> None:
        self.answers.extend(answers)

    def a_gigabyte(self, request: BaseHTTPRequestHandler) -> None:
        """As much of it as the other side takes."""
        request.send_response(200)
        request.send_header("content-length", str(1024**3))
        request.end_headers()
        piece = b"x" * 65536
        with contextlib.suppress(OSError):
            for _ in range(16384):
                request.wfile.write(piece)
                self.sent_bytes += len(piece)

    def hang(self, request: BaseHTTPRequestHandler) -> None:
        self.release.wait(20)


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("content-length", str(len(body)))
        request.end_headers()
        with contextlib.suppress(OSError):
            request.wfile.write(body)

    return answer


def closes(request: BaseHTTPRequestHandler) -> None:
    """Half an answer, then gone."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
    request.connection.shutdown(socket.SHUT_RDWR)


def closes_at_once(request: BaseHTTPRequestHandler) -> None:
    request.connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver of webhooks on loopback."""
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            told.asked.append(Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            (told.answers.popleft() if told.answers else told.always or says(204))(self)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = False

        def handle_error(self, *_: object) -> None:  # who hung up did so because a test wanted it
            ...

    server = Server(("127.0.0.1", 0), Handler)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield told
    finally:
        told.release.set()
        server.shutdown()
        thread.join()
        server.server_close()
