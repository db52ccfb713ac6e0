"""How long the desk's pages take on the server with five thousand cases, beside fifty: the first view, and the next.

One real case is played through the handlers; its rows are then copied under other numbers, subjects and ids, so that
every table holds what five thousand such cases leave behind. The page is asked for in process: the figures are the
server's own, without network or browser.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, Table, insert, select

from alerting import api, tables
from alerting.desk import routes as desk
from tests.alerting.desk import KEY
from tests.alerting.test_dlt import AS_CRS, CRS
from tests.alerting.test_trial import infused
from tests.alerting.ward import Ward, coding, report, studies, ward
from tocsin.settings import Settings
from tocsin.web.app import Service, house
from tocsin.web.identity import Person, sign_person
from tocsin.web.pages import COOKIE

CASES = (50, 5_000)
CASES_OF_A_SUBJECT = 50
PAGES = ("/desk", "/desk/doses", "/desk/cases", "/desk/cases/TOC-0031", "/desk/toxicity?study=NCT06223646")
"""Without the dose board: what it would say otherwise is worked out for each open event, and it is for tens of them."""
TIMES = 7

_COPIED: tuple[Table, ...] = (
    tables.snapshots, tables.clocks, tables.clock_history, tables.verdicts, tables.verdict_history, tables.alerts,
    tables.notices, tables.deliveries, tables.attempts, tables.decisions, tables.timers, tables.doses,
    tables.subject_watch, tables.concerns,
)  # fmt: skip


def measure(progress: Callable[[str], None] = lambda _: None, *, is_quick: bool = False) -> dict[str, Any]:
    """Milliseconds of the first view of each page, the median of the next ones, and its size, by number of cases."""
    found: dict[str, Any] = {}
    for number in CASES[:1] if is_quick else CASES:
        progress(f"desk pages: {number} cases")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            with ward(f"sqlite:///{path}/alerting.db", path, studies()) as house_of:
                _fill(house_of, number)
                found[str(number)] = asyncio.run(_asked(house_of))
    return {"store": "SQLite", "pages": found}


def _fill(found: Ward, number: int) -> None:
    found.receive(infused("S01-003", "DL1", "2026-05-11T10:00+08:00"), report(CRS, subject="S01-003"), coding(AS_CRS))
    found.send()
    with found.store.transaction() as tx:
        kept = {table.name: [dict(row._mapping) for row in tx.execute(select(table))] for table in _COPIED}
        for start in range(1, number, 500):
            _copy(tx, kept, range(start, min(start + 500, number)))


def _copy(tx: Connection, kept: Mapping[str, list[dict[str, Any]]], numbers: range) -> None:
    for table in _COPIED:
        rows = [row for n in numbers for one in kept[table.name] if (row := _as(n, table, one)) is not None]
        if rows:
            tx.execute(insert(table), rows)


def _as(number: int, table: Table, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The row as the case with this number would have left it."""
    subject = f"S01-{100 + number // CASES_OF_A_SUBJECT}"
    if table.name in ("doses", "subject_watch") and number % CASES_OF_A_SUBJECT:
        return None
    case = f"TOC-{1000 + number}"

    def other(value: Any, name: str) -> Any:
        if isinstance(value, uuid.UUID):
            return uuid.uuid5(value, str(number))
        if isinstance(value, str):
            return value.replace("TOC-0031", case).replace("S01-003", subject)
        if isinstance(value, dict):
            return {key: other(one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [other(one, name) for one in value]
        return value

    made = {name: other(value, name) for name, value in row.items() if name != "seq"}
    for name in ("record_id", "dedupe_key", "group_key"):
        if isinstance(made.get(name), str):
            made[name] = f"{made[name]}-{number}"
    if table.name == "decisions":
        made["id"] = f"{made['id']}-{number}"
    if table.name == "alerts" and number >= CASES[0]:
        made |= {"state": "acknowledged", "settled_at": made["raised_at"] + timedelta(minutes=5), "settled_by": "lin"}
    return made


async def _asked(found: Ward) -> dict[str, Any]:
    settings = Settings(data=found.folder, signing_key=KEY.decode())
    routes = api.router(found.parts, settings)
    desk.add(routes, found.parts, settings).warm()  # as the house does when it starts
    app = house([Service("alerting", routes)], now=lambda: found.wall_at, signing_key=KEY)
    token = sign_person(Person("lin", frozenset({"safety_physician"})), KEY, found.wall_at, timedelta(hours=8))
    transport = httpx.ASGITransport(app)
    said: dict[str, Any] = {}
    async with httpx.AsyncClient(transport=transport, base_url="http://bench.test", cookies={COOKIE: token}) as client:
        await client.get("/desk/me")  # the templates' library is loaded once by whichever page is first
        for path in PAGES:
            took, size = [], 0
            for _ in range(TIMES):
                begun = time.perf_counter()
                answer = await client.get(path)
                took.append(round((time.perf_counter() - begun) * 1000, 1))
                size = len(answer.content)
                assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])
            said[path] = {"first_ms": took[0], "median_ms": statistics.median(took[1:]), "bytes": size}
    return said


if __name__ == "__main__":
    import json
    import sys

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    print(json.dumps(measure(lambda said: print(said, file=sys.stderr)), indent=2))
