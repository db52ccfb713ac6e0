"""The worker that reads a service's audit chain now and then, slowly, so that a broken link does not wait for a reader.

It says what it found to metrics and to `/ready`. It rests between pages, because a long trail read at once would hold
up the requests of the same process.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from tocsin.errors import Away
from tocsin.now import Now
from tocsin.store import audit
from tocsin.store.audit import Broken, Verified
from tocsin.store.engine import Store

log = structlog.get_logger(__name__)

FIRST_AFTER_S: Final = 60.0
EVERY_S: Final = 24 * 3600.0
_AGAIN_S: Final = 60.0
_REST_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Chain:
    """What the last whole reading found: how many rows were whole, and the first broken link if there is one."""

    at: datetime
    rows: int
    broken: Broken | None = None


class AuditWatch:
    """Reads the chain once a day. Several processes may each read it."""

    def __init__(
        self, service: str, store: Store, now: Now, *, first_after_s: float = FIRST_AFTER_S, every_s: float = EVERY_S
    ) -> None:
        self.name = f"{service} audit watch"
        self._store = store
        self._now = now
        self._first_after_s = first_after_s
        self._every_s = every_s
        self.since = now()
        self.last: Chain | None = None

    @property
    def trouble(self) -> str | None:
        """What is wrong with the chain, for `/ready`; None when it was whole, or was not read yet."""
        if self.last is None or self.last.broken is None:
            return None
        return f"the audit trail is broken at row {self.last.broken.seq}: {self.last.broken.why}"

    def run(self, stop: threading.Event) -> None:
        """Read until `stop`. A database that is away is tried again after a minute."""
        pause_s = self._first_after_s
        while not stop.wait(pause_s):
            try:
                pause_s = self._every_s if self.read(stop) else 0.0
            except Away as error:
                log.warning("audit_watch_waits", worker=self.name, because=str(error))
                pause_s = _AGAIN_S

    def read(self, stop: threading.Event) -> bool:
        """Read the chain as it is now, to its end; False when `stop` came first."""
        with self._store.reading() as tx:
            end = audit.end_of(tx)
        at: Verified | Broken = end if isinstance(end, Broken) else audit.BEGINNING
        while isinstance(at, Verified) and isinstance(end, Verified) and at != end:
            with self._store.reading() as tx:
                at = audit.verify_on(tx, at, end)
            if at != end and stop.wait(_REST_S):
                return False
        if isinstance(at, Broken):
            log.error("audit_broken", worker=self.name, row=at.seq, why=at.why)
            self.last = Chain(self._now(), max(at.seq - 1, 0), at)
        else:
            self.last = Chain(self._now(), at.rows)
        return True
