"""What is wrong with the house itself rings a person, by a channel that still works, and rings again while it lasts.

A page that nobody opens tells nobody: what stands in `degraded[]` of `/ready` for some minutes is an alert. One alert
for one trouble, whoever of several processes sees it; acknowledged and still there, it rings again after four hours.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection, func, select, text

from alerting import alerts, call_plans, heartbeats, timers
from alerting.delivery.ledger import MAIL, PENDING, To
from alerting.parts import ALL_STUDIES, Parts
from alerting.tables import alerts as alert_rows
from alerting.tables import deliveries
from alerting.watch import LAG_LIMIT
from tocsin.errors import Away
from tocsin.store.audit_watch import AuditWatch
from tocsin.web.ledger_measures import Counted

log = structlog.get_logger(__name__)

WATCH: Final = "watch"
"""The kind of timer whose row is locked while a trouble is looked at: it is never due."""
LASTS: Final = timedelta(minutes=5)
"""What passes sooner rings nobody: a restart, a broker that elects a leader."""
AGAIN: Final = timedelta(hours=4)
MAIL_REFUSED: Final = timedelta(minutes=5)
"""A mail that waits after a failed try for so long says that the server takes none."""
LEAST_FREE_BYTES: Final = 500_000_000
MOST_SKEW: Final = timedelta(seconds=30)
EVERY_CHANNEL: Final = ""
"""In place of an address: the whole channel fails."""
_EVERY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something wrong with the house. `key` names it for good, `said` is for people; `avoid` is what fails with it."""

    key: str
    said: str
    avoid: To | None = None


def free_on_disk(folder: Path) -> int:
    """Bytes that are free on the disk that holds this folder, or would: with a mail server nobody makes it."""
    whole = folder.absolute()
    return shutil.disk_usage(next(one for one in (whole, *whole.parents) if one.exists())).free


@dataclass(frozen=True, slots=True)
class Looks:
    """Where trouble is looked for. `folder`: whose disk must not be full. `heartbeat`: how often it beats; 0 never.

    `up_since`: what could not have come before then is not missed.
    """

    consumers: Sequence[Counted]
    folder: Path
    up_since: datetime
    heartbeat: timedelta
    free: Callable[[Path], int] = free_on_disk
    chain: AuditWatch | None = None


def troubles(tx: Connection, parts: Parts, looks: Looks) -> Iterator[Trouble]:
    """What is wrong at this moment."""
    for status in (consumer.status() for consumer in looks.consumers):
        if status.state in ("waiting", "stopped") and status.why != "asked to stop":
            yield Trouble(f"consumer|{status.name}", f"{status.name} is {status.state}: messages are not handled")
        if (status.lag or 0) > LAG_LIMIT:
            yield Trouble(f"lag|{status.name}", f"{status.name} has {status.lag} messages to read")
    free = looks.free(looks.folder)
    if free < LEAST_FREE_BYTES:
        yield Trouble("disk", f"{free / 1e6:.0f} MB are free on the disk of the house: a full disk takes no report")
    if looks.chain is not None and looks.chain.trouble is not None:
        yield Trouble("audit", f"{looks.chain.trouble}: keep everything as it is, and find out who could write there")
    waiting = _oldest_failed_mail(tx)
    if waiting is not None and parts.now() - waiting >= MAIL_REFUSED:
        minutes = int((parts.now() - waiting).total_seconds() // 60)
        yield Trouble("mail", f"no mail has got through for {minutes} minutes", To(MAIL, EVERY_CHANNEL))
    beat = heartbeats.missed(tx, parts.wall(), looks.heartbeat, looks.up_since) if looks.heartbeat else None
    if beat is not None:
        yield Trouble("heartbeat", beat)
    for study, role in call_plans.unreachable(tx, parts, parts.now()):
        yield Trouble(f"nobody|{study}|{role}", f"nobody is reachable as {role} in {study}: its alarms ring others")
    skew = _skew(tx, parts.wall())
    if abs(skew) > MOST_SKEW:
        seconds = int(skew.total_seconds())
        yield Trouble("clock", f"the clocks of this machine and of the database are {seconds} s apart")


def _oldest_failed_mail(tx: Connection) -> datetime | None:
    """Since when the oldest mail waits that has failed, where none was taken since."""
    its = deliveries.c
    waiting = tx.scalar(
        select(func.min(its.created_at)).where(its.channel == MAIL, its.state == PENDING, its.attempts > 0)
    )
    if waiting is None:
        return None
    taken = tx.scalar(
        select(its.id).where(its.channel == MAIL, its.state == "delivered", its.ended_at > waiting).limit(1)
    )
    return None if taken is not None else waiting


def _skew(tx: Connection, wall: datetime) -> timedelta:
    """How far the database's clock is ahead of ours. SQLite has no clock of its own."""
    if tx.dialect.name != "postgresql":
        return timedelta(0)
    there: datetime = tx.execute(text("SELECT clock_timestamp()")).scalar_one()
    return there - wall


class Watchdog:
    """The worker. Several processes may run it at once."""

    name = "alerting watchdog"

    def __init__(self, parts: Parts, looks: Looks, *, every_s: float = _EVERY_S) -> None:
        self._parts = parts
        self._looks = looks
        self._every_s = every_s
        self._since: dict[str, datetime] = {}
        self._trouble: str | None = None
        self.found: tuple[Trouble, ...] = ()
        """What was wrong at the last look."""

    @property
    def trouble(self) -> str | None:
        """Why nobody watches at present; None when all is well."""
        return self._trouble

    def run(self, stop: threading.Event) -> None:
        """Look until `stop`. Waits out a database that is away: intake refuses by itself then."""
        while not stop.wait(self._every_s):
            try:
                self.look()
                self._trouble = None
            except Away as error:
                self._trouble = str(error)
            except Exception as error:  # noqa: BLE001  whoever watches the others must not end with one fault
                log.error("watchdog_failed", error=type(error).__name__)
                self._trouble = f"it fails with {type(error).__name__}"

    def look(self) -> list[Trouble]:
        """Ring for every trouble that lasts; answers those that are there."""
        now = self._parts.now()
        with self._parts.store.reading() as connection:
            found = list(troubles(connection, self._parts, self._looks))
        self.found = tuple(found)
        self._since = {one.key: self._since.get(one.key, now) for one in found}
        for one in found:
            if now - self._since[one.key] >= LASTS:
                with self._parts.store.transaction() as tx:
                    ring(tx, self._parts, one, self._since[one.key], now)
        return found


def ring(tx: Connection, parts: Parts, trouble: Trouble, since: datetime, now: datetime) -> bool:
    """Ring for a trouble that lasts since then; False while its last alert is open, or was answered lately."""
    group = f"{WATCH}|{trouble.key}"
    # One row that is locked: of several processes, one looks and rings.
    timers.begin_once(tx, WATCH, trouble.key, study=ALL_STUDIES, due_at=now, urgency=0)
    timers.stop(tx, WATCH, trouble.key, now, "a row to lock, and never due")
    timers.lock(tx, WATCH, trouble.key)
    if alerts.open_in_group(tx, group) is not None:
        return False
    last = tx.scalar(select(func.max(alert_rows.c.raised_at)).where(alert_rows.c.group_key == group))
    if last is not None and last >= since and now - last < AGAIN:
        return False
    minutes = int((now - since).total_seconds() // 60)
    alert = alerts.Alert(
        key=f"{group}|{now.isoformat()}",
        study=ALL_STUDIES,
        kind="house_in_trouble",
        level="warn",
        reasons=(trouble.said, f"it has been so for {minutes} minutes; /ready says what else there is"),
        roles=("administrator", "safety_team"),
        avoid=trouble.avoid,
        group_key=group,
    )
    return alerts.raise_one(tx, parts, alert, now)
