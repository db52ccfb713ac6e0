"""On Kafka and PostgreSQL the log gives the tables of the coder and of alerting too, and nobody is rung again."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.flow.people import FATAL, desk, site
from tests.flow.people import hospital as hospital_report
from tests.standalone.processes import tocsin
from tests.standalone.test_rebuild import HOT, INFUSION, LOW, TABLES, rows_of
from tests.support.kafka_broker import Broker
from tests.support.shapes import three_processes, wait_until
from tocsin.store.engine import open_store


@pytest.mark.kafka
@pytest.mark.postgres
def test_on_kafka_and_postgresql_the_log_gives_the_tables_too(
    tmp_path: Path, own_kafka: Broker, fresh_database: Callable[[], str]
) -> None:
    shape = three_processes(tmp_path, bus=f"kafka://{own_kafka.bootstrap}", database=fresh_database())

    def told(service: str, *words: str) -> subprocess.CompletedProcess[str]:
        return tocsin("rebuild", service, *words, **shape.environment)

    def rows(service: str) -> dict[str, list[str]]:
        with closing(open_store(shape.databases[service], service)) as store:
            return rows_of(store, TABLES[service])

    try:
        shape.start()
        hospital, physician = site(shape), desk(shape, "safety_physician")
        assert hospital.post(INFUSION, "/v1/doses").status_code == 201
        hospital.report(FATAL)
        assert hospital.post({"observations": [LOW, HOT]}, "/v1/observations").status_code == 201
        wait_until(shape.is_quiet, "everything was read, judged and delivered")
        page = physician.alerts(level="page")[0]["alert_id"]
        headers = {"Authorization": f"Bearer {physician.token}"}
        answered = httpx.post(f"{shape.alerting}/v1/alerts/{page}/acknowledgements", headers=headers, timeout=30)
        assert answered.status_code == 200, answered.text
        refused = told("alerting")
        assert refused.returncode == 1
        assert "connections to PostgreSQL" in refused.stderr
        assert "nothing was changed" in refused.stderr
        for process in shape.processes.values():
            assert process.stop() == 0
        for service in ("coder", "alerting"):
            before = rows(service)
            checked = told(service, "--check")
            assert checked.returncode == 0, checked.stdout + checked.stderr
            done = told(service)
            assert done.returncode == 0, done.stdout + done.stderr
            assert rows(service) == before
        letters = sorted((tmp_path / "data" / "mailbox").iterdir())
        shape.start()
        hospital.report(hospital_report("S01-004"))
        wait_until(lambda: len(rows("alerting")["snapshots"]) == 4, "the next report is read, coded and judged")
        assert {path.name for path in letters} <= {path.name for path in (tmp_path / "data" / "mailbox").iterdir()}
        assert len(rows("alerting")["alerts"]) > len(before["alerts"])
    finally:
        shape.end()
