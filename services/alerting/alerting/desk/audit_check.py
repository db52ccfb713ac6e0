"""Whether the audit chain is whole: read on a thread of its own when somebody asks, and the last answer remembered.

It takes as long as the trail is long, so no page waits for it longer than a moment.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from tocsin.errors import TocsinError
from tocsin.now import Now
from tocsin.store import audit
from tocsin.store.audit import Broken
from tocsin.store.engine import Store

log = structlog.get_logger(__name__)

PATIENCE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Checked:
    """What the last reading found. `rows`: whole up to this one. `broken`: the first bad row and what is wrong."""

    at: datetime
    rows: int = 0
    head: str = ""
    broken: tuple[int, str] | None = None
    unread: str = ""


class Checker:
    """Reads the chain, one reading at a time."""

    def __init__(self, store: Store, now: Now) -> None:
        self._store = store
        self._now = now
        self._lock = threading.Lock()
        self._running: threading.Thread | None = None
        self.last: Checked | None = None

    @property
    def is_reading(self) -> bool:
        return self._running is not None and self._running.is_alive()

    def check(self, patience_s: float = PATIENCE_S) -> None:
        """Begin to read unless somebody reads already, and wait for the answer for no longer than this."""
        with self._lock:
            if not self.is_reading:
                self._running = threading.Thread(target=self._read, name="audit check", daemon=True)
                self._running.start()
            running = self._running
        if running is not None:
            running.join(patience_s)

    def _read(self) -> None:
        try:
            with self._store.reading() as tx:
                found = audit.verify(tx)
        except TocsinError as error:
            self.last = Checked(self._now(), unread=str(error))
            return
        except Exception as error:
            self.last = Checked(self._now(), unread=type(error).__name__)
            raise
        if isinstance(found, Broken):
            log.error("audit_broken", row=found.seq, why=found.why)
            self.last = Checked(self._now(), broken=(found.seq, found.why))
        else:
            self.last = Checked(self._now(), found.rows, found.head)
