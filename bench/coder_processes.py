"""One, two and three processes of the coder on one Kafka and one PostgreSQL: how codings a second grow.

The processes are up and have shared the partitions out before the reports are published, all at once. The time runs
from then until the last of them is coded and committed. Broker, database and every process share the machine's cores.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select

from bench import invented, made_log
from bench.harness import Progress
from bench.running import kafka, postgres, service, settings
from meddra_coder import tables
from tests.support.shapes import wait_until
from tocsin import studies
from tocsin.bus import open_bus
from tocsin.messages.envelope import encode
from tocsin.messages.topics import INTAKE, all_topics
from tocsin.store.engine import Store, open_store

PROCESSES: Final = (1, 2, 3)
REPORTS: Final = 3_000
TIMES: Final = 3


def measure(progress: Progress = lambda _: None, *, is_quick: bool = False) -> dict[str, Any]:
    """Reports coded a second by number of processes: the median of three, each on a broker and database of its own."""
    found: dict[str, float] = {}
    count = 200 if is_quick else REPORTS
    for processes in PROCESSES:
        speeds: list[float] = []
        for _ in range(1 if is_quick else TIMES):
            speed = _of(processes, count)
            if isinstance(speed, str):
                return {"left_out": speed}
            speeds.append(speed)
        found[str(processes)] = sorted(speeds)[len(speeds) // 2]
        progress(f"{processes} coders: {found[str(processes)]} reports a second")
    return {"reports": count, "coded_per_s": found, "growth": {n: round(v / found["1"], 2) for n, v in found.items()}}


def _of(processes: int, count: int) -> float | str:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        server, broker = stack.enter_context(postgres()), stack.enter_context(kafka(folder / "kafka"))
        if isinstance(server, str) or isinstance(broker, str):
            return "; ".join(one for one in (server, broker) if isinstance(one, str))
        file, database, url = (
            invented.study_file(folder, "BENCH-01"),
            server.fresh_database(),
            f"kafka://{broker.bootstrap}",
        )
        environment = settings(folder / "data", [file], TOCSIN_BUS=url, TOCSIN_DATABASE=database)
        (folder / "data").mkdir()
        bus = stack.enter_context(open_bus(url, replication=1))
        bus.ensure(all_topics(6, 1))
        for _ in range(processes):
            stack.enter_context(service("coder", folder, environment))
        store = open_store(database, "coder")
        stack.callback(store.close)
        protocol = studies.load([file])["BENCH-01"]
        made = [_report(n, protocol) for n in range(1, processes * 6 + count + 1)]
        # A few first: whoever codes one has its partitions, and all that it makes once.
        warm = processes * 6
        bus.publish([encode(one) for one in made[:warm]])
        wait_until(lambda: _coded(store) >= warm, "the first reports are coded", 120)
        begun = time.monotonic()
        rest = iter(made[warm:])
        while some := list(islice(rest, 500)):
            bus.publish([encode(one) for one in some])
        wait_until(lambda: _coded(store) >= warm + count, "every report is coded", 600)
        return round(count / (time.monotonic() - begun), 1)


def _report(number: int, protocol: Any) -> Any:
    body = made_log.reported(number, invented.subject(number), protocol, made_log.FIRST)
    return made_log.Said("reports.received.v1", body.case_id, INTAKE, body).at(made_log.FIRST, number)


def _coded(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(tables.revisions)).scalar_one())
