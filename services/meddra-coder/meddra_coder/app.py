"""Wires the coder: its store, its dictionary, what it reads and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter
from sqlalchemy import func, select

from meddra_coder import (
    api,
    desk,
    dictionaries_api,
    grades_api,
    handle,
    review_api,
    site_questions_api,
    synonyms_api,
    tables,
)
from meddra_coder.coders import Coders
from meddra_coder.desk import coding_page
from tocsin.bus.consume import Consumer
from tocsin.bus.port import Bus
from tocsin.errors import StoreAway
from tocsin.messages.topics import CODER, read_by
from tocsin.now import Now, wall
from tocsin.store.audit_watch import AuditWatch
from tocsin.store.engine import Store, open_store
from tocsin.store.migrate import bring_up
from tocsin.store.outbox import Relay
from tocsin.store.writer import Writer
from tocsin.web.app import Service
from tocsin.web.ledger_measures import of_ledger
from tocsin.web.metrics import Measure
from tocsin.web.pages import Pages

if TYPE_CHECKING:
    from tocsin.domain.protocol import Protocol
    from tocsin.settings import Settings

SCHEMA = "coder"
MIGRATIONS = str(Path(__file__).parent / "migrations")


def build(
    settings: Settings, studies: Mapping[str, Protocol], bus: Bus, *, now: Now, is_rehearsal: bool = False
) -> Service:
    """The coder, wired and not yet running. Raises StoreAway while its database does not answer.

    `is_rehearsal`: its pages say so.
    """
    store = open_store(settings.database_for(SCHEMA), SCHEMA)
    try:
        bring_up(store, tables.metadata, migrations=MIGRATIONS, head=tables.HEAD)
        coders = Coders()
        parts = handle.Parts(coders, studies)
        writer = Writer(store)
        relay = Relay(store, bus, wall, name="coder-relay")  # Real time, also in a rehearsal: leases need it.
        consumer = Consumer(
            CODER,
            bus,
            store,
            read_by(CODER),
            {
                "reports.received.v1": partial(handle.on_report_received, parts=parts),
                "observations.recorded.v1": partial(handle.on_observations_recorded, parts=parts),
                "doses.recorded.v1": partial(handle.on_dose_recorded, parts=parts),
            },
            now,
        )
        chain = AuditWatch(SCHEMA, store, wall)
    except BaseException:
        store.close()
        raise
    served = api.Parts(store, writer, coders, studies, now)
    pages = Pages(desk.PACKAGE, settings, studies, now, is_rehearsal=is_rehearsal)
    routes = _routes(served)
    coding_page.add(routes, served, pages, lambda: [*_degraded(relay, consumer, chain), *_behind(consumer)])
    return Service(
        name=CODER,
        router=routes,
        workers=(relay, consumer, writer, chain),
        durable=store.ping,
        degraded=lambda: _degraded(relay, consumer, chain),
        metrics=lambda: _measures(store, consumer, chain, now),
        close=store.close,
    )


def _routes(parts: api.Parts) -> APIRouter:
    routes = api.router(parts)
    review_api.add(routes, parts)
    site_questions_api.add(routes, parts)
    synonyms_api.add(routes, parts)
    dictionaries_api.add(routes, parts)
    grades_api.add(routes, parts.store, parts.studies)
    return routes


def _degraded(relay: Relay, consumer: Consumer, chain: AuditWatch) -> list[str]:
    status = consumer.status()
    found = [] if chain.trouble is None else [chain.trouble]
    if relay.trouble:
        found.append(f"its messages wait: {relay.trouble}")
    if status.state != "running":
        found.append(f"it is not coding ({status.state}): {status.why or 'starting'}")
    if status.dead:
        found.append(f"{status.dead} messages became dead letters since it started")
    return found


def _behind(consumer: Consumer) -> list[str]:
    lag = consumer.status().lag or 0
    return [f"{lag} {'message is' if lag == 1 else 'messages are'} not read yet"] if lag else []


def _measures(store: Store, consumer: Consumer, chain: AuditWatch, now: Now) -> Iterable[Measure]:
    status = consumer.status()
    yield Measure("coder_messages_handled", "Messages handled since start", status.handled, "counter")
    yield Measure("coder_dead_letters", "Messages given up since start", status.dead, "counter")
    yield Measure("coder_lag", "Messages not yet handled", status.lag or 0)
    yield from of_ledger(store, [consumer], chain, now, wall)
    with suppress(StoreAway), store.reading() as connection:  # That it is away is said above.
        query = select(tables.codings.c.status, func.count()).group_by(tables.codings.c.status)
        for state, number in connection.execute(query):
            yield Measure("coder_codings", "Codings ever given, by status", number, labels={"status": state})
        given = connection.scalar(select(func.count()).select_from(tables.grades)) or 0
        yield Measure("coder_grades", "Statements of grades from observations ever given", given)
