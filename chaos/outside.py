"""What is outside of the house and may fail: a mail server, receivers of webhooks. What came whole is in the record.

Real servers on loopback. `mood` says how each behaves: "takes" keeps and answers, the others are its faults.
"""

from __future__ import annotations

import json
import threading
from asyncio import WriteTransport
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks.webhooks import Webhook

from chaos.record import Arrived, Record
from tests.support.shapes import free_port

TAKES = "takes"
MAIL_FAULTS = ("refuses", "refuses after the data", "hangs up")
HOOK_FAULTS = ("answers 500", "answers 503 and later", "hangs up", "takes and hangs up")


@dataclass
class Mood:
    """How a receiver behaves at present."""

    now: str = TAKES


@dataclass
class Outside:
    """Both, with their addresses; of the webhook its id and its secret, once they are known."""

    record: Record
    mail: Mood = field(default_factory=Mood)
    hook: Mood = field(default_factory=Mood)
    mail_port: int = 0
    hook_port: int = 0
    secret: str = ""
    webhook_id: str = ""

    @property
    def hook_url(self) -> str:
        return f"http://127.0.0.1:{self.hook_port}/hook"

    def heal(self) -> None:
        """Both take what comes."""
        self.mail.now = self.hook.now = TAKES


@contextmanager
def outside(record: Record) -> Iterator[Outside]:
    """Both servers, open until this is left."""
    world = Outside(record)
    with _mail(world), _hooks(world):
        yield world


class _Letters:
    """aiosmtpd's handler: takes a mail, or does not."""

    def __init__(self, world: Outside) -> None:
        self._world = world

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if self._world.mail.now == "hangs up":
            assert isinstance(server.transport, WriteTransport)
            server.transport.abort()
        if self._world.mail.now == "refuses":
            return "451 4.3.2 the queue is full, try again later"
        envelope.mail_from = address
        return "250 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self._world.mail.now == "refuses after the data":
            return "452 4.3.1 no space is left, try again later"
        mail = message_from_bytes(envelope.original_content or b"", policy=default)
        assert isinstance(mail, EmailMessage)
        body = mail.get_body(("plain",))
        assert body is not None
        text = str(body.get_content())
        for address in envelope.rcpt_tos:
            self._world.record.add(Arrived("mail", address, str(mail["Message-ID"])[1:37], _alert_in(text), text))
        return "250 2.0.0 taken"


def _alert_in(text: str) -> str:
    """The alert that a mail tells of, by its link; "" in a letter to a site."""
    return text.partition("/a/")[2][:36]


@contextmanager
def _mail(world: Outside) -> Iterator[None]:
    controller = Controller(_Letters(world), hostname="127.0.0.1", port=free_port())
    controller.start()
    world.mail_port = controller.port
    try:
        yield
    finally:
        controller.stop()


@contextmanager
def _hooks(world: Outside) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            mood = world.hook.now
            if mood in (TAKES, "takes and hangs up"):
                data = json.loads(body)["data"]
                world.record.add(
                    Arrived(
                        "webhook", world.webhook_id, self.headers["webhook-id"], data["alert_id"],
                        json.dumps(data, sort_keys=True), _holds(world.secret, body, self.headers),
                    )
                )  # fmt: skip
            _ANSWERS[mood](self)

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:  # whoever called was killed
            ...

    server = Server(("127.0.0.1", 0), Handler)
    world.hook_port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _answer(status: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        with suppress(OSError):
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.send_header("content-length", "0")
            handler.end_headers()

    return answer


def _hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    with suppress(OSError):
        handler.connection.shutdown(2)


_ANSWERS: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {
    TAKES: _answer(204),
    "answers 500": _answer(500),
    "answers 503 and later": _answer(503, retry_after="1"),
    "hangs up": _hang_up,
    "takes and hangs up": _hang_up,
}


def _holds(secret: str, body: bytes, headers: Any) -> bool:
    """Whether it is signed with the secret. Not by `verify`: the time of the house is not this machine's."""
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    made = Webhook(secret).sign(headers["webhook-id"], at, body.decode())
    return any(compare_digest(made, one) for one in headers["webhook-signature"].split())
