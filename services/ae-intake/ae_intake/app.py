"""ae-intake, wired: its store, its writer, its relay and its calls.

The one place of this service, beside `__main__`, that knows the time, the settings and the bus.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import get_args

from fastapi import APIRouter

from ae_intake import api, asking, showing
from ae_intake.desk import routes as desk
from ae_intake.handle import on_decision_recorded, on_query_raised
from ae_intake.heartbeat import Heart
from ae_intake.keys import KeyRing
from ae_intake.parts import KINDS, Parts
from ae_intake.tables import HEAD, MIGRATIONS, metadata
from tocsin.bus.consume import Consumer, Handler
from tocsin.bus.port import Bus
from tocsin.domain.protocol import Protocol
from tocsin.errors import StoreAway
from tocsin.messages.bodies import QueryKind
from tocsin.messages.topics import INTAKE, read_by
from tocsin.now import Now, wall
from tocsin.settings import Settings
from tocsin.store.audit_watch import AuditWatch
from tocsin.store.engine import open_store
from tocsin.store.migrate import bring_up
from tocsin.store.outbox import Relay
from tocsin.store.writer import Writer
from tocsin.web.app import Service
from tocsin.web.ledger_measures import of_ledger
from tocsin.web.metrics import Measure

SCHEMA = "intake"

_HANDLERS: dict[str, Handler] = {"queries.raised.v1": on_query_raised, "decisions.recorded.v1": on_decision_recorded}


def build(
    settings: Settings, studies: Mapping[str, Protocol], bus: Bus, *, now: Now, is_rehearsal: bool = False
) -> Service:
    """The service on its own database, made or brought up here; not yet running. Raises StoreAway."""
    store = open_store(settings.database_for(SCHEMA), SCHEMA)
    try:
        bring_up(store, metadata, migrations=str(MIGRATIONS), head=HEAD)
        writer = Writer(store, name="intake-writer")
        relay = Relay(store, bus, wall, name="intake-relay")  # Real time, also in a rehearsal: leases need it.
        consumer = Consumer(INTAKE, bus, store, read_by(INTAKE), _HANDLERS, now)
        chain = AuditWatch(SCHEMA, store, wall)
        parts = Parts(store, writer, studies, now)
        routes = APIRouter()
        routes.include_router(api.router(parts))
        routes.include_router(showing.router(parts))
        desk.add(routes, parts, settings, is_rehearsal=is_rehearsal)
    except BaseException:
        store.close()
        raise
    every = timedelta(minutes=settings.heartbeat_minutes)
    # In a rehearsal time stands, and nothing beats.
    hearts = [Heart(store, wall, every)] if every and not is_rehearsal else []
    return Service(
        name=INTAKE,
        router=routes,
        workers=(writer, relay, consumer, chain, *hearts),
        durable=store.ping,
        degraded=partial(_degraded, relay, consumer, hearts, chain),
        metrics=partial(_measures, parts, consumer, chain),
        close=store.close,
        machines=KeyRing(store),
    )


def _degraded(relay: Relay, consumer: Consumer, hearts: Sequence[Heart], chain: AuditWatch) -> list[str]:
    found = [] if chain.trouble is None else [chain.trouble]
    if relay.trouble is not None:
        found.append(f"what was accepted waits for the bus: {relay.trouble}")
    status = consumer.status()
    if status.why is not None and status.state != "running":
        found.append(f"queries of other services are not read: {status.why}")
    if status.dead:
        found.append(f"{status.dead} messages became dead letters")
    found += [f"the heartbeat waits: {heart.trouble}" for heart in hearts if heart.trouble is not None]
    return found


def _measures(parts: Parts, consumer: Consumer, chain: AuditWatch) -> Iterator[Measure]:
    for kind in KINDS:
        yield Measure("accepted", "Requests accepted, by kind", parts.accepted[kind], "counter", {"kind": kind})
    yield Measure("writer_waiting", "Works that wait for the writer", parts.writer.waiting())
    yield from of_ledger(parts.store, [consumer], chain, parts.now, wall)
    with suppress(StoreAway), parts.store.reading() as connection:  # That it is away is said above.
        asked = asking.open_by_kind(connection)
        for kind in get_args(QueryKind):
            yield Measure("queries_open", "What is asked of sites and open", asked.get(kind, 0), labels={"kind": kind})
