"""How alerting is: what waits or fails, in sentences for `/ready`, and numbers for `/metrics`. Nothing of patients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection, Select, func, or_, select

from alerting import heartbeats, timers
from alerting.alarm import OPEN
from alerting.delivery.ledger import DEAD, MAIL, PENDING, SENDING, WEBHOOK
from alerting.kinds import LEVELS
from alerting.parts import Parts
from alerting.tables import alerts, clocks, dead_letters, deliveries
from alerting.tables import timers as timer_rows
from tocsin.errors import Away, StoreAway
from tocsin.store.audit_watch import AuditWatch
from tocsin.web.ledger_measures import Counted, of_ledger
from tocsin.web.metrics import Measure

LAG_LIMIT = 1000
"""More messages than this unread is said aloud."""

_NO_MAIL_SERVER = "no mail server is set: mail goes to the mailbox folder and rings nobody"
TROUBLES = ("consumer", "lag", "disk", "mail", "heartbeat", "nobody", "clock", "audit")
"""Every kind of trouble that the watchdog knows: how a key begins. Each has its section in docs/runbook.md."""
_OF_THE_HOUSE = frozenset({"disk", "clock", "heartbeat", "nobody", "audit"})
_PATIENCE = timedelta(minutes=1)


class Troubled(Protocol):
    """A worker that says why it does nothing at present."""

    @property
    def name(self) -> str: ...
    @property
    def trouble(self) -> str | None: ...


class Found(Protocol):
    """One thing that is wrong with the house: for good by its key, and in words."""

    @property
    def key(self) -> str: ...
    @property
    def said(self) -> str: ...


class Looked(Protocol):
    """Whoever looks for what is wrong with the house, and what was found last."""

    @property
    def found(self) -> Sequence[Found]: ...


class Watch:
    """Asks the tables and the workers. Cheap enough for every few seconds."""

    def __init__(
        self, parts: Parts, consumers: Sequence[Counted], workers: Sequence[Troubled], looked: Looked,
        chain: AuditWatch, *, has_mail_server: bool,
    ) -> None:  # fmt: skip
        self._parts = parts
        self._consumers = tuple(consumers)
        self._workers = tuple(workers)
        self._looked = looked
        self._chain = chain
        self._has_mail_server = has_mail_server

    def durable(self) -> None:
        """Raises StoreAway when nothing can be kept."""
        self._parts.store.ping()

    def degraded(self) -> list[str]:
        """What a person should look at, one sentence each; empty when all is well."""
        found = [] if self._has_mail_server else [_NO_MAIL_SERVER]
        for status in (c.status() for c in self._consumers):
            if status.state in ("waiting", "stopped") and status.why != "asked to stop":
                found.append(f"{status.name} is {status.state}: {_first_words(status.why)}")
            if (status.lag or 0) > LAG_LIMIT:
                found.append(f"{status.name} has {status.lag} messages to read")
        found += [f"{worker.name}: {worker.trouble}" for worker in self._workers if worker.trouble]
        # What a consumer or the tables say below is said once.
        found += [one.said for one in self._looked.found if one.key.partition("|")[0] in _OF_THE_HOUSE]
        try:
            with self._parts.store.reading() as connection:
                return [*found, *self._from_tables(connection)]
        except Away as error:
            return [*found, str(error)]

    def _from_tables(self, connection: Connection) -> list[str]:
        n = {name: connection.scalars(query).one() for name, query in _counts(self._parts.now()).items()}
        said = []
        if n["nobody_reachable"]:
            said.append(f"{n['nobody_reachable']} open alerts have reached NOBODY: no role has an address")
        if n["mail_waiting"]:
            said.append(
                f"{n['mail_waiting']} mails wait after a failed try: the mail server refuses or does not answer"
            )
        if n["webhooks_waiting"]:
            said.append(f"{n['webhooks_waiting']} webhooks wait after a failed try")
        if n["deliveries_dead"]:
            said.append(
                f"{n['deliveries_dead']} deliveries of open alerts were given up: see /v1/deliveries?state=dead"
            )
        if n["dead_letters"]:
            said.append(f"{n['dead_letters']} dead letters are in alerts that nobody has acknowledged")
        if n["uncoded"]:
            said.append(f"{n['uncoded']} reports are uncoded past their time, unacknowledged")
        if n["timers_late"]:
            said.append(f"{n['timers_late']} timers are due and not done")
        return said

    def metrics(self) -> Iterable[Measure]:
        """Numbers as they are now. Without a database they are fewer, and the first of them says why."""
        parts = self._parts
        yield from of_ledger(parts.store, self._consumers, self._chain, parts.now, parts.wall)
        found = Counter(one.key.partition("|")[0] for one in self._looked.found)
        for kind in TROUBLES:
            yield Measure("troubles", "What is wrong with the house, by kind", found[kind], labels={"kind": kind})
        for worker in self._workers:
            waits, labels = int(bool(worker.trouble)), {"worker": worker.name}
            yield Measure("worker_waits", "Whether it does nothing at present", waits, labels=labels)
        with suppress(StoreAway), parts.store.reading() as connection:
            yield from self._measures(connection)

    def _measures(self, connection: Connection) -> Iterable[Measure]:
        now = self._parts.now()
        for leg, age in heartbeats.ages(connection, self._parts.wall()).items():
            seconds = age.total_seconds()
            yield Measure("heartbeat_age_seconds", "Age of the last heartbeat", seconds, labels={"leg": leg})
        for name, query in _counts(now).items():
            yield Measure(f"alerting_{name}", f"{name.replace('_', ' ')}, now", connection.scalars(query).one())
        for state, level, number in connection.execute(
            select(alerts.c.state, alerts.c.level, func.count()).group_by(alerts.c.state, alerts.c.level)
        ):
            yield Measure("alerts", "Alerts by state and level", number, labels={"state": state, "level": level})
        rung = {row[0]: row[1] for row in connection.execute(_OLDEST_OPEN)}
        for level in LEVELS:
            seconds = _seconds_since(rung.get(level), now)
            yield Measure("alert_unanswered_seconds", "Age of the oldest open alert", seconds, labels={"level": level})
        for status, number in connection.execute(select(clocks.c.status, func.count()).group_by(clocks.c.status)):
            yield Measure("clocks", "Regulatory clocks by status", number, labels={"status": status})
        for channel, state, number in connection.execute(
            select(deliveries.c.channel, deliveries.c.state, func.count()).group_by(
                deliveries.c.channel, deliveries.c.state
            )
        ):
            labels = {"channel": channel, "state": state}
            yield Measure("deliveries", "Deliveries by channel and state", number, labels=labels)
        owed = {row[0]: row[1] for row in connection.execute(_oldest_owed(now))}
        for channel in (MAIL, WEBHOOK):
            seconds = _seconds_since(owed.get(channel), now)
            said = "Age of the oldest that is due and not sent"
            yield Measure("delivery_waiting_seconds", said, seconds, labels={"channel": channel})


_OLDEST_OPEN = (
    select(alerts.c.level, func.min(alerts.c.raised_at)).where(alerts.c.state == OPEN).group_by(alerts.c.level)
)


def _oldest_owed(now: datetime) -> Select[Any]:
    """Of each channel: when the oldest was planned that should be gone by now. What quiet hours hold is not due."""
    its = deliveries.c
    owed = its.state.in_((PENDING, SENDING)), or_(its.attempts > 0, its.next_attempt_at <= now)
    return select(its.channel, func.min(its.created_at)).where(*owed).group_by(its.channel)


def _seconds_since(at: datetime | None, now: datetime) -> float:
    return 0.0 if at is None else max((now - at).total_seconds(), 0.0)


def _counts(now: datetime) -> dict[str, Any]:
    open_alerts = select(alerts.c.id).where(alerts.c.state == OPEN)
    failed = deliveries.c.attempts > 0
    count = select(func.count())
    return {
        "nobody_reachable": count.select_from(alerts).where(alerts.c.state == OPEN, alerts.c.nobody_since.is_not(None)),
        "mail_waiting": count.select_from(deliveries).where(
            deliveries.c.state == PENDING, deliveries.c.channel == MAIL, failed
        ),
        "webhooks_waiting": count.select_from(deliveries).where(
            deliveries.c.state == PENDING, deliveries.c.channel != MAIL, failed
        ),
        "deliveries_dead": count.select_from(deliveries).where(
            deliveries.c.state == DEAD, deliveries.c.alert_id.in_(open_alerts)
        ),
        "dead_letters": count.select_from(dead_letters).where(dead_letters.c.alert_id.in_(open_alerts)),
        "clocks_overdue": count.select_from(clocks).where(clocks.c.is_open.is_(True), clocks.c.due_at < now),
        "uncoded": count.select_from(alerts).where(alerts.c.state == OPEN, alerts.c.kind == timers.UNCODED),
        "timers_late": count.select_from(timer_rows).where(
            timer_rows.c.done_at.is_(None), timer_rows.c.due_at < now - _PATIENCE
        ),
    }


def _first_words(why: str | None) -> str:
    """The kind of a fault, not its message, which may hold what nobody outside may read."""
    return (why or "").partition(":")[0]
