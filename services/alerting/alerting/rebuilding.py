"""How alerting is rebuilt: the log handled by its own handlers, with nothing rung and nothing sent.

`tocsin rebuild alerting` asks for this. Not on the log, and so kept: logins, receivers of webhooks with their
secrets, call plans, and what was sent to whom with every try (`deliveries`, `attempts`). An alert that rang never goes,
although no fact gives it: those about the house itself (nobody reachable, a delivery given up) follow from no message,
and others may follow from rules that are not those of today. The log says that it rang; its row is taken over. Timers
are set anew by what is owed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from alerting import (
    answers,
    app,
    chores,
    contacts,
    dead_letters,
    decisions,
    follow_ups,
    queries,
    ringing,
    tables,
    timers,
    verdicts,
)
from alerting.alarm import OPEN
from alerting.parts import NAME, Parts
from tocsin.bus.dead import dead_topic
from tocsin.messages.envelope import Envelope
from tocsin.messages.reading import decode
from tocsin.messages.topics import ALERTING, CONTRACTS, read_by
from tocsin.now import wall

if TYPE_CHECKING:
    from tocsin.bus.port import Received
    from tocsin.domain.protocol import Protocol
    from tocsin.messages.bodies import DecisionRecordedV1
    from tocsin.store.engine import Store

RAISED, SETTLED = "alerts.raised.v1", "alerts.settled.v1"
SENT = (tables.deliveries, tables.attempts)
_TOGETHER = 500
_HANDLERS: Mapping[str, Any] = {**app.HANDLERS, dead_letters.TYPE: dead_letters.on_dead_letter}


class AlertingWay:
    """What `tocsin rebuild` asks of a service. Time stands where the log is: a handler stamps the message's time."""

    service: str = "alerting"
    source: str = NAME
    reads: Mapping[str, Sequence[str]] = {
        NAME: read_by(ALERTING),
        f"{NAME}.dead": [dead_topic(contract.topic) for contract in CONTRACTS],
    }
    tells: Sequence[str] = (decisions.TOPIC, RAISED, SETTLED)
    metadata = tables.metadata
    head: str = tables.HEAD
    stays = frozenset(
        {"studies", "accounts", "sessions", "drafts", "webhooks", "call_plans", "overrides", "heartbeats"}
    )
    set_anew = frozenset({"timers"})
    follows_its_inbox = True  # What rang with which reasons, and what a clock was before, say what was known by then.

    def __init__(self, studies: Mapping[str, Protocol], public_url: str) -> None:
        self._studies = studies
        self._public_url = public_url
        self._at = datetime.min.replace(tzinfo=UTC)
        self._raised_at: dict[UUID, datetime] = {}
        self._parts: Parts | None = None

    @property
    def parts(self) -> Parts:
        assert self._parts is not None, "begin() makes the tables first"
        return self._parts

    def decode(self, received: Received) -> Envelope[Any]:
        return dead_letters.decode(received) if received.topic.endswith(dead_topic("")) else decode(received)

    def begin(self, scratch: Store, records: Callable[[str], Iterator[Received]]) -> None:
        """The tables, and a row for each study."""
        self._parts = Parts(
            scratch, self._studies, lambda: self._at, wall, self._public_url, is_rebuilding=True
        )  # fmt: skip
        app.prepare(scratch, self._studies)

    def handle(self, envelope: Envelope[Any], tx: Connection) -> None:
        self._at = max(self._at, envelope.recorded_at)
        body = envelope.body
        if envelope.type == RAISED:
            self._raised_at[UUID(body.alert_id)] = body.raised_at
        elif envelope.type != SETTLED:
            _HANDLERS[envelope.type](envelope, tx, self.parts)
        if envelope.type == decisions.TOPIC and envelope.source == NAME and body.what == decisions.FIRED:
            self._fired(body, tx)

    def finish(self, tx: Connection, kept: Connection) -> list[str]:
        """When each alert rang first, with which address a notice went out, and what was sent to whom.

        Answers what stands in the way, in words.
        """
        verdicts.catch_up(tx, self.parts)
        alerts = tables.alerts
        for alert_id, at in self._raised_at.items():
            if ringing.load(tx, alert_id) is None:
                self._take_over(alert_id, at, tx, kept)
            tx.execute(update(alerts).where(alerts.c.id == alert_id, alerts.c.raised_at != at).values(raised_at=at))
        _same_links(tx, kept)
        if lost := _without_notice(tx, kept):
            return lost
        for table in reversed(SENT):
            tx.execute(delete(table))
        for table in SENT:
            for rows in kept.execute(select(table)).mappings().partitions(_TOGETHER):
                tx.execute(insert(table), [dict(row) for row in rows])
        return []

    def _fired(self, deed: DecisionRecordedV1, tx: Connection) -> None:
        """What a timer did that live only its chore knows how to do."""
        chores.restore_uncoded(tx, self.parts, deed)
        queries.restore(tx, self.parts, deed)
        contacts.restore(tx, self.parts, deed)
        if deed.detail.get("kind") == follow_ups.FOLLOW_UP:
            kind = follow_ups.FOLLOW_UP
            timer = timers.Timer(timers.timer_id(kind, deed.about), kind, deed.about, deed.study, deed.at)
            follow_ups.ask(tx, self.parts, timer, deed.at)  # It was done: nothing is asked, what it told is restored.

    def _take_over(self, alert_id: UUID, at: datetime, tx: Connection, kept: Connection) -> None:
        """An alert that the log says rang, as it is kept; what was done about it comes from the log."""
        row = kept.execute(select(tables.alerts).where(tables.alerts.c.id == alert_id)).mappings().one_or_none()
        if row is None:
            return
        tx.execute(insert(tables.alerts), dict(row))
        alert = ringing.load(tx, alert_id)
        assert alert is not None
        if alert.state == OPEN:
            answers.restore(tx, self.parts, alert, (), at)
        for deed in decisions.about(tx, str(alert_id)):
            answers.apply(tx, self.parts, alert, deed)


def _same_links(tx: Connection, kept: Connection) -> None:
    """The address in a link was the house's when the notice went out; today's setting may be another."""
    notices = tables.notices
    for row in kept.execute(select(notices.c.id, notices.c.bell)):
        bell = tx.scalars(select(notices.c.bell).where(notices.c.id == row.id)).one_or_none()
        if bell is not None and bell["link"] != row.bell["link"]:
            changed = {**bell, "link": row.bell["link"]}
            tx.execute(update(notices).where(notices.c.id == row.id).values(bell=changed))


def _without_notice(tx: Connection, kept: Connection) -> list[str]:
    there = set(tx.scalars(select(tables.notices.c.id)))
    number = sum(1 for notice_id in kept.scalars(select(tables.deliveries.c.notice_id)) if notice_id not in there)
    if not number:
        return []
    return [
        f"{number} deliveries belong to notices that the log does not tell of: the tables cannot be rebuilt without "
        "losing what was sent to whom. Restore a backup"
    ]
