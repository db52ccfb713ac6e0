"""The drill of the other shape: PostgreSQL is dumped while it works and lost; the log of Kafka is kept."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from ae_intake import tables as intake_tables
from alerting import tables as alerting_tables
from standalone import rebuild_run
from standalone.names import SERVICES
from tests.flow.people import FATAL, hospital, site
from tests.standalone.test_rebuild import HOT, INFUSION, LOW, TABLES, rows_of
from tests.support.fixtures_postgres import need_programs
from tests.support.kafka_broker import Broker
from tests.support.shapes import STUDIES, three_processes, wait_until
from tocsin.settings import Settings
from tocsin.store.engine import open_store

ON_NO_LOG = {"accounts", "sessions", "drafts", "webhooks", "deliveries", "attempts", "studies", "notices"}
"""What docs/backup.md says is lost, or stays as it was at the dump."""
OF_THE_INTAKE = [
    intake_tables.cases, intake_tables.events, intake_tables.duplicate_links, intake_tables.counters,
]  # fmt: skip


def run(program: str, *words: str) -> None:
    """One of PostgreSQL's own programs: it lies beside those that make a server."""
    found = need_programs().folder / program
    done = subprocess.run([str(found), *words], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def address(url: str) -> str:
    """As PostgreSQL's own programs read it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.mark.kafka
@pytest.mark.postgres
@pytest.mark.rule("promise: a restored house is whole")
def test_the_drill_on_kafka_and_postgresql(
    tmp_path: Path, own_kafka: Broker, fresh_database: Callable[[], str]
) -> None:
    shape = three_processes(tmp_path, bus=f"kafka://{own_kafka.bootstrap}", database=fresh_database())
    dump = tmp_path / "tocsin.dump"

    def rows(service: str) -> dict[str, list[str]]:
        with closing(open_store(shape.databases[service], service)) as store:
            found = rows_of(store, OF_THE_INTAKE if service == "intake" else TABLES[service])
        return {name: of for name, of in found.items() if name not in ON_NO_LOG}

    def said() -> list[str]:
        with shape.reading("intake") as tx:
            order = intake_tables.revisions.c
            return list(tx.scalars(select(order.body).order_by(order.case_id, order.revision)))

    def questions() -> list[str]:
        with shape.reading("intake") as tx:
            return sorted(tx.scalars(select(intake_tables.queries.c.query_id)))

    try:
        shape.start()
        feed = site(shape)
        assert feed.post(INFUSION, "/v1/doses").status_code == 201
        first = feed.report(FATAL)["case_id"]
        schemas = [f"--schema={name}" for name in ("intake", "coder", "alerting")]
        run("pg_dump", "--format=custom", f"--file={dump}", *schemas, address(shape.databases["intake"]))

        second = feed.report(hospital("S01-004"))["case_id"]
        more = {"reason": "more is known", "events": [{"verbatim": "rash"}]}
        assert feed.post(more, f"/v1/reports/{first}/follow-ups").status_code == 201
        assert feed.post({"observations": [LOW, HOT]}, "/v1/observations").status_code == 201
        wait_until(shape.is_quiet, "everything was read, judged and delivered")
        assert rows("alerting")["grades"], "the values were graded"
        before = {name: rows(name) for name in shape.databases}
        told, asked = said(), questions()
        shape.end()

        lost = shape.databases["intake"]
        empty = fresh_database()
        assert empty != lost
        shape.environment["TOCSIN_DATABASE"] = empty
        for name, process in shape.processes.items():
            shape.databases[name] = empty
            process.environment = {**process.environment, "TOCSIN_DATABASE": empty}
        run("pg_restore", "--exit-on-error", f"--dbname={address(empty)}", str(dump))
        assert len(said()) < len(told)
        assert "has caught up with the log" in shape.tocsin("catch-up")
        settings = Settings(
            data=tmp_path / "data", database=empty, bus=f"kafka://{own_kafka.bootstrap}", studies=list(STUDIES)
        )
        for service in SERVICES[1:]:
            assert rebuild_run.run(service, settings, is_check=False).is_well
        assert {name: rows(name) for name in shape.databases} == before
        assert (said(), questions()) == (told, asked)

        shape.start()
        third = feed.report(hospital("S01-005"))["case_id"]
        assert [first, second, third] == ["TOC-0001", "TOC-0002", "TOC-0003"], "no number is given twice"
        rung = select(alerting_tables.alerts.c.case_id).where(alerting_tables.alerts.c.case_id == third)

        def has_rung() -> bool:
            with shape.reading("alerting") as tx:
                return tx.execute(rung).first() is not None

        wait_until(has_rung, "the report after the restore has rung")
        for process in shape.processes.values():
            assert process.stop() == 0
    finally:
        shape.end()
