"""ae-intake, wired: its store, its writer, its relay and its calls.

The one place of this service, beside `__main__`, that knows the time, the settings and the bus.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial

from fastapi import APIRouter

from ae_intake import api, showing
from ae_intake.desk import routes as desk
from ae_intake.handle import on_decision_recorded, on_query_raised
from ae_intake.heartbeat import Heart
from ae_intake.keys import KeyRing
from ae_intake.parts import Parts
from ae_intake.tables import HEAD, MIGRATIONS, metadata
from tocsin.bus.consume import Consumer, Handler
from tocsin.bus.port import Bus
from tocsin.domain.protocol import Protocol
from tocsin.errors import StoreAway
from tocsin.messages.topics import INTAKE, read_by
from tocsin.now import Now, wall
from tocsin.settings import Settings
from tocsin.store import outbox
from tocsin.store.engine import open_store
from tocsin.store.migrate import bring_up
from tocsin.store.outbox import Relay
from tocsin.store.writer import Writer
from tocsin.web.app import Service
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
        workers=(writer, relay, consumer, *hearts),
        durable=store.ping,
        degraded=partial(_degraded, relay, consumer, hearts),
        metrics=partial(_measures, parts, relay),
        close=store.close,
        machines=KeyRing(store),
    )


def _degraded(relay: Relay, consumer: Consumer, hearts: Sequence[Heart]) -> list[str]:
    found = []
    if relay.trouble is not None:
        found.append(f"what was accepted waits for the bus: {relay.trouble}")
    status = consumer.status()
    if status.why is not None and status.state != "running":
        found.append(f"queries of other services are not read: {status.why}")
    if status.dead:
        found.append(f"{status.dead} messages became dead letters")
    found += [f"the heartbeat waits: {heart.trouble}" for heart in hearts if heart.trouble is not None]
    return found


def _measures(parts: Parts, relay: Relay) -> Iterator[Measure]:
    for kind, number in sorted(parts.accepted.items()):
        yield Measure("accepted", "Requests accepted, by kind", number, "counter", {"kind": kind})
    yield Measure("writer_waiting", "Works that wait for the writer", parts.writer.waiting())
    try:
        with parts.store.reading() as connection:
            yield Measure("outbox_waiting", "Messages that wait for the bus", outbox.pending(connection))
            since = outbox.waiting_since(connection)
    except StoreAway:
        yield Measure("store_up", "Whether the database answers", 0)
        return
    yield Measure("store_up", "Whether the database answers", 1)
    waited = 0.0 if since is None else (parts.now() - since).total_seconds()  # it was written down by this time
    yield Measure("outbox_waiting_seconds", "How long the oldest of them waits", max(waited, 0.0))
