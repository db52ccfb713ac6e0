"""The floor under the ringing of an alarm: the same hops with nothing in them, as a program.

HTTP post -> one row, commit -> the log -> a consumer -> one row, commit -> HTTP post. The log is the house's own
(`tocsin.bus`), the databases are as durable as the house's. `both` is one process, as `tocsin up` is; `front` and
`back` are two.

    python -m bench.floor both|front|back PORT BUS FRONT_DATABASE BACK_DATABASE RECEIVER
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any, Final
from uuid import uuid4

import httpx
import uvicorn
from fastapi import FastAPI
from sqlalchemy import insert

from tests.reference_app.app import metadata, open_engine, reports
from tocsin.bus import open_bus
from tocsin.bus.port import Bus, Record, Topic
from tocsin.messages.facts import ReportFacts
from tocsin.now import wall

TOPIC: Final = "bench.floor.v1"
"""Its own: what it says is no message of the house, which may read the same broker."""


def make(roles: str, bus: Bus, databases: tuple[str, str], receiver: str) -> FastAPI:
    """The app; `back` runs in a thread beside it."""
    stop = threading.Event()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        thread = threading.Thread(target=_back, args=(bus, databases[1], receiver, stop), daemon=True)
        if roles != "front":
            thread.start()
        yield
        stop.set()
        if roles != "front":
            thread.join(10)

    app = FastAPI(lifespan=lifespan)
    if roles != "back":
        engine = open_engine(databases[0])
        metadata.create_all(engine)

        @app.post("/v1/reports", status_code=201)
        def post(report: ReportFacts) -> dict[str, str]:
            case_id = str(uuid4())
            with engine.begin() as connection:
                connection.execute(insert(reports), _row(case_id, report.subject))
            bus.publish([Record(TOPIC, case_id, report.model_dump_json().encode(), {})])
            return {"case_id": case_id}

    return app


def _back(bus: Bus, database: str, receiver: str, stop: threading.Event) -> None:
    engine = open_engine(database)
    metadata.create_all(engine)
    with closing(bus.reader("floor", [TOPIC])) as reader, httpx.Client(timeout=30) as client:
        while not stop.is_set():
            found = reader.read(100, 0.5)
            for one in found:
                with engine.begin() as connection:
                    connection.execute(insert(reports), _row(str(uuid4()), json.loads(one.value)["subject"]))
                client.post(receiver, json={"data": {"case_id": one.key}}).raise_for_status()
            if found:
                reader.commit(found)


def _row(case_id: str, subject: str | None) -> dict[str, Any]:
    return {"id": case_id, "subject": subject, "received_at": wall(), "body": {"case_id": case_id}}


if __name__ == "__main__":
    role, port, bus_url, front, back, to = sys.argv[1:]
    with open_bus(bus_url, replication=1) as carrier:
        carrier.ensure([Topic(TOPIC, partitions=6)])
        uvicorn.run(make(role, carrier, (front, back), to), port=int(port), access_log=False, log_level="warning")
