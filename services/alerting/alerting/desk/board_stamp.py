"""A short stamp that differs when the board may, worked out once for however many pages are open.

It names the newest of what is only ever added, counts what is written over, and the minute: what is left of a clock is
told by the minute.
"""

from __future__ import annotations

import hashlib
import threading
import time
from typing import Final

from sqlalchemy import Connection, Executable, func, select

from alerting.parts import Parts
from alerting.tables import acknowledgements, alerts, attempts, clocks, deliveries, notices, snapshots, verdict_history
from tocsin.store.tables import audit_head, outbox

FRESH_S: Final = 0.4


class Stamps:
    """The stamp as it was a moment ago at most."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._stamp = ""

    def now(self) -> str:
        """The stamp; raises StoreAway."""
        with self._lock:
            if time.monotonic() - self._looked_at >= FRESH_S:
                minute = f"{self._parts.now():%Y-%m-%dT%H:%M}"
                with self._parts.store.reading() as tx:
                    self._stamp = stamp(tx, minute)
                self._looked_at = time.monotonic()
            return self._stamp


def stamp(tx: Connection, minute: str) -> str:
    """The stamp of everything that the board shows."""
    seen = [tuple(map(str, row)) for query in _QUERIES for row in tx.execute(query)]
    return hashlib.sha256(repr((minute, seen)).encode()).hexdigest()[:16]


_QUERIES: tuple[Executable, ...] = (
    select(audit_head.c.seq),
    select(func.max(outbox.c.seq)),
    select(func.max(snapshots.c.at)).where(snapshots.c.source == "report"),
    select(func.max(snapshots.c.at)).where(snapshots.c.source == "coding"),
    select(alerts.c.state, func.count()).group_by(alerts.c.state).order_by(alerts.c.state),
    select(func.count()).select_from(acknowledgements),
    select(func.count()).select_from(notices),
    select(deliveries.c.state, func.count()).group_by(deliveries.c.state).order_by(deliveries.c.state),
    select(func.count()).select_from(attempts),
    select(func.count()).select_from(clocks).where(clocks.c.is_open.is_(True)),
    select(func.count()).select_from(verdict_history),
)
