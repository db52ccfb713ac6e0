"""The worker that says the heartbeat. Several processes may run it: each beat is one message."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.exc import IntegrityError

from tocsin.errors import Away
from tocsin.messages.heartbeat import beat, last_beat
from tocsin.messages.topics import INTAKE
from tocsin.now import Now
from tocsin.store import outbox
from tocsin.store.engine import Store

log = structlog.get_logger(__name__)

_EVERY_S: Final = 15.0


class Heart:
    """Beats when it begins, and then with every beat that comes due. What was missed while away is not made up for."""

    name = "intake heartbeat"

    def __init__(self, store: Store, now: Now, every: timedelta, *, look_every_s: float = _EVERY_S) -> None:
        self._store = store
        self._now = now
        self._every = every
        self._look_every_s = look_every_s
        self._last: datetime | None = None
        self.trouble: str | None = None

    def run(self, stop: threading.Event) -> None:
        """Beat until `stop`. Waits out a database that is away: alerting hears that nothing comes."""
        while not stop.is_set():
            try:
                self.beat()
                self.trouble = None
            except Away as error:
                self.trouble = str(error)
            stop.wait(self._look_every_s)

    def beat(self) -> bool:
        """Say the newest beat, unless it was said by this process or another."""
        due = last_beat(self._now(), self._every)
        if due == self._last:
            return False
        try:
            with self._store.transaction() as tx:
                outbox.put(tx, beat(due, INTAKE))
        except IntegrityError:
            said = False  # Another process, or this one before it was started anew.
        else:
            said = True
            log.info("heartbeat_said", at=due.isoformat())
        self._last = due
        return said
