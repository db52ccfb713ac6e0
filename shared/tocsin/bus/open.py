"""Which bus a URL names. The broker's client is imported only when a URL asks for it: it costs start-up time."""

from __future__ import annotations

from pathlib import Path

from tocsin.bus.port import Bus
from tocsin.errors import SettingsError

_ALLOWED = "embedded:/path/to/log.db or kafka://host:port[,host:port]"


def open_bus(url: str, *, replication: int = 1) -> Bus:
    """The bus at `url`. Nothing is connected yet: a bus that is away says so at the first call, and may come back.

    `replication` is the least number of copies that every topic gets on Kafka; the embedded log has one.
    Raises SettingsError for a URL that names no bus.
    """
    kind, _, rest = url.partition(":")
    if kind == "embedded" and rest:
        from tocsin.bus.embedded import EmbeddedBus

        return EmbeddedBus(Path(rest))
    if kind == "kafka" and rest.startswith("//"):
        servers = [server.strip() for server in rest[2:].rstrip("/").split(",")]
        if all(_names_a_server(server) for server in servers):
            from tocsin.bus.kafka import KafkaBus

            return KafkaBus(servers, replication=replication)
    raise SettingsError(f"bus URL {url!r} names no bus; allowed is {_ALLOWED}")


def _names_a_server(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 65536
