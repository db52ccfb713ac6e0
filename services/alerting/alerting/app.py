"""Wires alerting: store, consumers, chores, couriers, routes. `build` is what a house calls."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection, insert, select

from alerting import (
    alert_deeds_api,
    api,
    call_plan_api,
    cases,
    contacts_api,
    dead_letters,
    deeds_api,
    handle,
    reconciling,
    tables,
    trial,
    undelivered,
    verdicts,
    webhooks,
)
from alerting.chores import Chores, owes
from alerting.delivery.courier import Courier, Couriers
from alerting.delivery.ledger import MAIL, WEBHOOK
from alerting.delivery.mailbox import Mailbox
from alerting.delivery.outcome import Outcome
from alerting.delivery.parcel import Deliverer, Parcel
from alerting.desk import routes as desk
from alerting.judge import judge_all_again
from alerting.parts import NAME, Parts
from alerting.sessions import Logins
from alerting.watch import Troubled, Watch
from alerting.watchdog import Looks, Watchdog
from tocsin.bus.consume import Consumer, Handler
from tocsin.bus.dead import dead_topic
from tocsin.bus.port import Bus
from tocsin.bus.verdict import DeadLimit
from tocsin.domain.protocol import Protocol
from tocsin.messages.envelope import Envelope
from tocsin.messages.topics import ALERTING, CONTRACTS, read_by
from tocsin.now import Now, wall
from tocsin.settings import Settings
from tocsin.store.audit_watch import AuditWatch
from tocsin.store.engine import Store, open_store
from tocsin.store.migrate import bring_up
from tocsin.store.outbox import Relay
from tocsin.web.app import Service
from tocsin.web.pages import Warming
from tocsin.workers import Worker

if TYPE_CHECKING:
    from alerting.delivery.mail import Server

WEBHOOK_WORKERS = 4

HANDLERS = {
    "reports.received.v1": handle.on_report_received,
    "events.coded.v1": handle.on_events_coded,
    "doses.recorded.v1": handle.on_dose_recorded,
    "observations.recorded.v1": handle.on_observations_recorded,
    "grades.derived.v1": handle.on_grades_derived,
    "queries.raised.v1": handle.on_query_raised,
    "decisions.recorded.v1": handle.on_decision_recorded,
}


def build(
    settings: Settings, studies: Mapping[str, Protocol], bus: Bus, *, now: Now, is_rehearsal: bool = False
) -> Service:
    """The service, wired and not yet running. Raises StoreAway while its database does not answer."""
    if settings.smtp_url is not None:
        _mail_server(settings)  # A wrong address is refused now, not at the first alarm.
    store = open_store(settings.database_for(NAME), NAME)
    parts = Parts(store, studies, now, wall, settings.public_url, is_rehearsal=is_rehearsal)
    try:
        if prepare(store, studies):
            judge_all_again(parts, why="judged anew by a newer version", at=now())
            verdicts.look_at_all(parts, why="judged anew by a newer version", at=now())
        trial.look_at_all(parts, now())
    except BaseException:
        store.close()
        raise
    relay = Relay(store, bus, wall, name="alerting relay")
    consumers = consumers_of(parts, bus)
    chores = Chores(parts)
    couriers = couriers_of(parts, settings)
    chain = AuditWatch(NAME, store, wall)
    every = timedelta(minutes=settings.heartbeat_minutes)
    watchdog = Watchdog(parts, Looks(consumers, settings.data.absolute(), wall(), every, chain=chain))
    troubled: list[Troubled] = [relay, chores, watchdog, *couriers]
    watch = Watch(parts, consumers, troubled, watchdog, chain, has_mail_server=settings.smtp_url is not None)
    # In a rehearsal time stands, and nothing lasts.
    watchers: list[Worker] = [] if is_rehearsal else [watchdog, chain]
    # Stopped in reverse: what was taken in is still sent on.
    workers: list[Worker] = [relay, *couriers, chores, *watchers, *consumers]
    routes = api.router(parts, settings)
    deeds_api.add(routes, parts)
    contacts_api.add(routes, parts)
    call_plan_api.add(routes, parts)
    alert_deeds_api.add(routes, parts)
    reconciling.add(routes, parts)
    workers.append(Warming(desk.add(routes, parts, settings, watch.degraded)))
    return Service(
        name=NAME,
        router=routes,
        workers=workers,
        durable=watch.durable,
        degraded=watch.degraded,
        metrics=watch.metrics,
        close=store.close,
        logins=Logins(store),
        owes=partial(owes, parts),
    )


def prepare(store: Store, studies: Mapping[str, Protocol]) -> bool:
    """Bring the tables up, and give each study the row that is locked while its cases are judged.

    True when tables of an older version were there: what they lack follows from judging their cases anew.
    """
    outcome = bring_up(store, tables.metadata, migrations=str(Path(__file__).parent / "migrations"), head=tables.HEAD)
    with store.transaction() as tx:
        known = set(tx.scalars(select(tables.studies.c.id)))
        if new := [{"id": study} for study in sorted(studies) if study not in known]:
            tx.execute(insert(tables.studies), new)
    return outcome == "upgraded"


def consumers_of(parts: Parts, bus: Bus) -> list[Consumer]:
    """One reader of facts, and one of dead letters, for which nothing may ever be a dead letter again."""
    bind: dict[str, Handler] = {kind: partial(_call, handler, parts) for kind, handler in HANDLERS.items()}
    topics = [t for t in bind if t in read_by(ALERTING)]
    return [
        Consumer(NAME, bus, parts.store, topics, bind, parts.wall, alone=_alone),
        Consumer(
            f"{NAME}.dead",
            bus,
            parts.store,
            [dead_topic(contract.topic) for contract in CONTRACTS],
            {dead_letters.TYPE: partial(_call, dead_letters.on_dead_letter, parts)},
            parts.wall,
            decode=dead_letters.decode,
            limit=DeadLimit(most=0),
        ),
    ]


def _alone(envelope: Envelope[Any], tx: Connection) -> None:
    cases.lock_study(tx, envelope.study)


def couriers_of(parts: Parts, settings: Settings) -> list[Couriers]:
    """One for mail (it keeps its connection), several for webhooks (one slow receiver must not hold up the others)."""

    def given_up(tx: Connection, channel: str, parcel: Parcel, outcome: Outcome) -> None:
        undelivered.ring_for(tx, parts, channel, parcel, outcome)

    def tried(tx: Connection, channel: str, parcel: Parcel, outcome: Outcome) -> None:
        undelivered.note_try(tx, parts, channel, parcel, outcome)

    make = partial(
        Courier,
        store=parts.store,
        now=parts.now,
        wall=parts.wall,
        draw=_always_the_middle if parts.is_rehearsal else secrets.SystemRandom().random,
        on_tried=tried,
        on_dead=given_up,
    )
    mail = make(MAIL, 1, make=partial(mail_of, parts, settings))
    hooks = [make(WEBHOOK, n, make=partial(webhooks_of, parts, settings)) for n in range(1, WEBHOOK_WORKERS + 1)]
    return [Couriers("mail", [mail]), Couriers("webhooks", hooks)]


def _always_the_middle() -> float:
    """A rehearsal that is played again goes the same way: no pause is longer or shorter by chance."""
    return 0.5


def mail_of(parts: Parts, settings: Settings) -> Deliverer:
    """To the mail server, or into the mailbox folder when none is set."""
    if settings.smtp_url is None:
        return Mailbox(settings.data / "mailbox", settings.mail_from, is_rehearsal=parts.is_rehearsal)
    from alerting.delivery.mail import Mail

    return Mail(_mail_server(settings), settings.mail_from, is_rehearsal=parts.is_rehearsal)


def _mail_server(settings: Settings) -> Server:
    from alerting.delivery.mail import Server  # late: a house without a mail server needs none of it

    return Server.of(settings.smtp_url.get_secret_value() if settings.smtp_url else "")


def webhooks_of(parts: Parts, settings: Settings) -> Deliverer:
    """One deliverer of webhooks."""
    from alerting.delivery.webhook import Endpoint, Webhooks  # late: the HTTP client costs start-up time

    def find(address: str) -> Endpoint | None:
        with parts.store.reading() as connection:
            found = webhooks.endpoint(connection, UUID(address), parts.wall())
        return Endpoint(*found) if found else None

    return Webhooks(find, parts.wall, allow=settings.webhook_allow, is_rehearsal=parts.is_rehearsal)


def _call(handler: Any, parts: Parts, envelope: Envelope[Any], tx: Connection) -> None:
    handler(envelope, tx, parts)
