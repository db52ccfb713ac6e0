"""A house as a real process, and strangers who speak to its socket byte by byte."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.standalone.processes import House, environment
from tests.support.warm import fork

PATIENCE_S = 2.0
"""How long this house waits for a head, and for the first of a body: a tenth of what it does in life."""

REPORT = {
    "subject": "S01-001", "reporter": {"name": "Dr Li"}, "product": "KQ-2003",
    "events": [{"verbatim": "found dead at home", "outcome": "fatal", "onset": "2026-05-12", "serious": True}],
}  # fmt: skip


@dataclass
class Wire:
    """A running house, its address, and its first site key."""

    house: House
    host: str
    port: int
    key: str

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=10)

    def open(self, first: bytes = b"") -> socket.socket:
        """A connection on which this was said."""
        made = socket.create_connection((self.host, self.port), timeout=15)
        made.sendall(first)
        return made

    def head(self, method: str = "POST", path: str = "/v1/reports", **headers: str) -> bytes:
        named = {"Host": "house", "Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name.replace('_', '-')}: {text}" for name, text in named.items())]
        return "\r\n".join([*lines, "", ""]).encode()

    def resident_mb(self) -> float:
        """The memory of the process, in MB."""
        pages = int(Path(f"/proc/{self.house.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 1e6


def serve(folder: str, patience_s: float, settings: dict[str, str]) -> None:
    """`tocsin up` in this process, less patient than in life."""
    import sys

    from standalone import impatience
    from standalone.__main__ import main
    from tocsin.web import arriving

    os.environ.clear()
    os.environ.update(environment(**settings))
    impatience.HEAD_WITHIN_S = arriving.FIRST_S = patience_s  # type: ignore[misc]
    sys.argv = ["tocsin", "up", "--data", folder, "--port", "0"]
    main()


@contextmanager
def on_the_wire(folder: Path, *, patience_s: float = PATIENCE_S, **settings: str) -> Iterator[Wire]:
    """A house on a free port that has said that it is ready."""
    out = folder / "said"
    out.write_bytes(b"")
    process = fork(serve, (str(folder / "data"), patience_s, settings), out)
    house = House(process, out, out)
    try:
        house._when("Tocsin is ready at", ["up"], time.monotonic())
        host, port = house.url.removeprefix("http://").split(":")
        [key] = re.findall(r"tocsin_site_[\w-]{43}", house.said)
        yield Wire(house, host, int(port), key)
    finally:
        house.kill()


def answered(of: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """All that comes on a connection until it ends: status, headers, body. (0, {}, b"") when it ends without a word."""
    raw = b""
    try:
        while part := of.recv(65_536):
            raw += part
    except ConnectionResetError:
        pass
    head, _, body = raw.partition(b"\r\n\r\n")
    if not head:
        return 0, {}, b""
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
    return int(first.split()[1]), headers, body


def refusal(of: socket.socket) -> tuple[int, str]:
    """The problem document that a connection ends with: its status and the last part of its type."""
    status, headers, body = answered(of)
    assert headers.get("content-type") == "application/problem+json", (status, headers, body)
    said = json.loads(body)
    assert said["status"] == status
    assert said["errors"][0]["problem"]
    assert said["errors"][0]["allowed"]
    return status, said["type"].rpartition(":")[2]
