"""How many bytes a report takes: `PYTHONPATH=… python -m tests.operations.sizes [REPORTS]`, one JSON document.

A house in this process is given so many invented serious reports, one event each, and is left to code, judge and ring.
What its files, or its schemas on PostgreSQL where there is one, grew by is divided by their number.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from ae_intake import app as intake
from ae_intake.keys import create_key
from alerting import app as alerting
from meddra_coder import app as coder
from standalone.names import SERVICES
from tests.flow.people import hospital
from tests.support.houses import STUDY, House, in_process
from tests.support.postgres_server import PostgresServer as Server
from tests.support.postgres_server import Programs, find
from tests.support.shapes import wait_until
from tocsin import observe
from tocsin.store.engine import open_store

REPORTS = 500
BUILDS = [intake.build, coder.build, alerting.build]


def grown_by(house: House, url: str, reports: int, sizes: Callable[[], dict[str, int]]) -> dict[str, int]:
    """Bytes a report, by file or schema."""
    with closing(open_store(url, "intake")) as store, store.transaction() as tx:
        key = create_key(tx, STUDY, "S01", datetime.now(UTC), by="sizes")
    site = house.as_key(key)
    for number in range(20):  # What is made once is not counted.
        assert site.post("/v1/reports", hospital(f"S01-{number:03d}")).status_code == 201
    _quiet(house)
    before = sizes()
    for number in range(reports):
        assert site.post("/v1/reports", hospital(f"S01-{number + 100:03d}")).status_code == 201
    _quiet(house)
    return {name: round((size - before[name]) / reports) for name, size in sizes().items()}


def _quiet(house: House) -> None:
    def rests() -> bool:
        lines = house.get("/metrics").text.splitlines()
        waits = [line for line in lines if line.startswith(("tocsin_outbox_waiting{", "tocsin_consumer_lag{"))]
        return len(waits) > 5 and all(line.endswith(" 0.0") for line in waits)

    for _ in range(2):
        wait_until(rests, "everything is read", within_s=300)


def on_sqlite(reports: int) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)

        def sizes() -> dict[str, int]:
            found = {}
            for name in (*SERVICES, "log"):
                with closing(open_store(f"sqlite:///{data / name}.db", "sizes")) as store, store.reading() as tx:
                    pages = tx.execute(text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"))
                    found[f"{name}.db"] = int(pages.scalar_one())
            return found

        with in_process(data, BUILDS) as house:
            return grown_by(house, f"sqlite:///{data}/intake.db", reports, sizes)


def on_postgresql(reports: int) -> dict[str, int] | str:
    found = find()
    if not isinstance(found, Programs):
        return "no PostgreSQL of our own here"
    server = Server(found)
    try:
        server.start()
        url = server.fresh_database()
        by_schema = text(
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :name AND c.relkind = 'r'"
        )

        def sizes() -> dict[str, int]:
            with closing(open_store(url, "intake")) as store, store.reading() as tx:
                return {name: int(tx.execute(by_schema, {"name": name}).scalar_one()) for name in SERVICES}

        with tempfile.TemporaryDirectory() as folder, in_process(Path(folder), BUILDS, database=url) as house:
            return grown_by(house, url, reports, sizes)
    finally:
        server.remove()


def main() -> None:
    observe.set_up("error", as_json=False)
    reports = int(sys.argv[1]) if len(sys.argv) > 1 else REPORTS
    print(json.dumps({
        "reports": reports, "bytes a report, SQLite": on_sqlite(reports),
        "bytes a report, PostgreSQL": on_postgresql(reports),
    }, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()
