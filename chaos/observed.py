"""What the house holds after a run: plain rows of its tables, read once and handed to the checker."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from ae_intake import tables as intake
from alerting import tables as alerting
from chaos.expected import Clock
from chaos.releases import Release, is_of_the_next, is_too_new
from meddra_coder import tables as coder
from tocsin.bus.dead import dead_topic, read_dead
from tocsin.bus.port import Received
from tocsin.store import audit
from tocsin.store import tables as ledger
from tocsin.store.engine import Store

Revision = tuple[str, int]
"""A case's id and the number of one of its revisions."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notice on its way to one address."""

    notice_id: str
    alert_id: str
    channel: str
    address: str
    state: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Alert:
    """Something rang."""

    id: str
    kind: str
    level: str
    case_id: str | None
    group_key: str | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that a consumer gave up. `place`: topic/partition/offset. `key`: the case, of a report or its coding.

    `is_too_new`: only because a later release wrote it. `has_rung`: alerting has told of it. `is_handled`: the consumer
    has handled the message after all.
    """

    place: str
    consumer: str
    reason: str
    key: str = ""
    is_too_new: bool = False
    has_rung: bool = True
    is_handled: bool = False


@dataclass
class Observed:
    """The tables of all three services, as far as the promises speak of them."""

    revisions: dict[Revision, Any] = field(default_factory=dict)
    """What was sent, by case and revision, as intake keeps it."""
    receipts: dict[str, Any] = field(default_factory=dict)
    doses: Counter[str] = field(default_factory=Counter)
    observations: Counter[str] = field(default_factory=Counter)
    seen_by_coder: Counter[Revision] = field(default_factory=Counter)
    codings: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    """How often the coder itself coded an event of a revision: never more than once."""
    judged: Counter[Revision] = field(default_factory=Counter)
    judged_codings: dict[Revision, tuple[str, ...]] = field(default_factory=dict)
    """The events that the coding of a revision named, as alerting has it."""
    doses_in_alerting: Counter[str] = field(default_factory=Counter)
    observations_in_alerting: Counter[str] = field(default_factory=Counter)
    clocks: list[Clock] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    notices: dict[str, str | None] = field(default_factory=dict)
    """The alert that each notice is about."""
    deliveries: list[Delivery] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    submitted: Counter[str] = field(default_factory=Counter)
    """By reference: a submission is entered once."""
    dead_letters: list[DeadLetter] = field(default_factory=list)
    written_by: Counter[Release] = field(default_factory=Counter)
    """How many messages of each release stand on the log: those of the next one, and those as they are today."""
    unsent: dict[str, int] = field(default_factory=dict)
    broken_audit: dict[str, str] = field(default_factory=dict)
    rebuilt: dict[str, list[str]] = field(default_factory=dict)
    """By service: the tables that a replay of the log gives otherwise, and what stood in its way."""


def observe(stores: Mapping[str, Store], log: Iterable[Received]) -> Observed:
    """Read all three services and the log. `stores` are those of intake, coder and alerting."""
    found = Observed()
    handled: set[tuple[str, str]] = set()
    for name, read in (("intake", _intake), ("coder", _coder), ("alerting", _alerting)):
        with stores[name].reading() as tx:
            read(tx, found)
            unsent = select(func.count()).select_from(ledger.outbox).where(ledger.outbox.c.sent_at.is_(None))
            found.unsent[name] = tx.execute(unsent).scalar_one()
            if isinstance(verdict := audit.verify(tx), audit.Broken):
                found.broken_audit[name] = str(verdict)
            its = ledger.inbox.c
            handled.update(
                (row.consumer, str(row.message_id)) for row in tx.execute(select(its.consumer, its.message_id))
            )
    with stores["alerting"].reading() as tx:
        rung = {_place(row): row.reason for row in tx.execute(select(alerting.dead_letters))}
    _read_log(log, rung, handled, found)
    return found


def _place(of: Any) -> tuple[str, str]:
    """Where a dead letter stood, and who gave it up: of a row of alerting's, or of the letter itself."""
    return f"{of.topic}/{of.partition}/{of.offset}", of.consumer


def _read_log(
    log: Iterable[Received], rung: dict[tuple[str, str], str], handled: set[tuple[str, str]], found: Observed
) -> None:
    letters: dict[tuple[str, str], DeadLetter] = {}
    for record in log:
        if record.topic.endswith(dead_topic("")):
            letter = read_dead(record)
            letters[_place(letter)] = DeadLetter(
                *_place(letter), letter.error, letter.original.key, is_too_new(letter.error), _place(letter) in rung,
                (letter.consumer, letter.original.headers.get("ce_id", "")) in handled,
            )  # fmt: skip
        elif "replayed_from" not in record.headers:
            found.written_by[Release.NEXT if is_of_the_next(record.value) else Release.TODAY] += 1
    letters |= {place: DeadLetter(*place, why) for place, why in rung.items() if place not in letters}
    found.dead_letters = list(letters.values())


def _intake(tx: Connection, found: Observed) -> None:
    for row in tx.execute(select(intake.revisions)):
        found.revisions[row.case_id, row.revision] = json.loads(row.sent)
    for row in tx.execute(select(intake.receipts)):
        found.receipts[row.key] = json.loads(row.body)
    found.doses.update(tx.scalars(select(intake.doses.c.record_id)))
    found.observations.update(tx.scalars(select(intake.observations.c.record_id)))


def _coder(tx: Connection, found: Observed) -> None:
    its = coder.codings.c
    found.seen_by_coder.update(
        (row.case_id, row.revision) for row in tx.execute(select(coder.revisions.c.case_id, coder.revisions.c.revision))
    )
    found.codings.update(
        (row.case_id, row.revision, row.event_id) for row in tx.execute(select(its.case_id, its.revision, its.event_id))
    )


def _alerting(tx: Connection, found: Observed) -> None:
    for row in tx.execute(select(alerting.snapshots)):
        if row.source == "report":
            found.judged[row.case_id, row.revision] += 1
        else:
            found.judged_codings[row.case_id, row.revision] = tuple(e["event_id"] for e in row.body["events"])
    found.doses_in_alerting.update(tx.scalars(select(alerting.doses.c.record_id)))
    found.observations_in_alerting.update(tx.scalars(select(alerting.observations.c.record_id)))
    rows = {row.id: row for row in tx.execute(select(alerting.clocks))}
    found.clocks = sorted(
        Clock(
            row.case_id, row.event_id or "", row.rule, row.day_zero, row.due_on, row.status,
            rows[row.superseded_by].rule if row.superseded_by else "",
        )
        for row in rows.values()
    )  # fmt: skip
    found.alerts = [
        Alert(str(row.id), row.kind, row.level, row.case_id, row.group_key)
        for row in tx.execute(select(alerting.alerts))
    ]
    found.notices = {
        str(row.id): None if row.alert_id is None else str(row.alert_id)
        for row in tx.execute(select(alerting.notices.c.id, alerting.notices.c.alert_id))
    }
    found.deliveries = [
        Delivery(str(row.notice_id), str(row.alert_id or ""), row.channel, row.address, row.state, row.attempts)
        for row in tx.execute(select(alerting.deliveries))
    ]
    found.acknowledged = {str(one) for one in tx.scalars(select(alerting.acknowledgements.c.alert_id))}
    found.submitted.update(tx.scalars(select(alerting.submissions.c.reference)))
