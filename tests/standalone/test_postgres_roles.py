"""On PostgreSQL: each service owns its schema and sees no other, and the commands beside a house work there too."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from ae_intake import tables as intake_tables
from tests.architecture.imports import ROOT
from tests.standalone.processes import tocsin
from tests.support.postgres_server import PostgresServer, Programs, find_programs
from tocsin.store.engine import open_store
from tocsin.store.migrate import bring_up

pytestmark = pytest.mark.postgres


def test_each_service_may_use_its_own_schema_and_no_other(own_postgres: PostgresServer, tmp_path: Path) -> None:
    programs = find_programs()
    assert isinstance(programs, Programs)
    for service in ("intake", "coder", "alerting"):
        (tmp_path / f"{service}_password").write_text('it\'s a "secret"')
    subprocess.run(
        [str(ROOT / "deploy" / "compose" / "postgres-roles.sh")],
        env={
            "PATH": f"{programs.folder}:{os.environ['PATH']}",
            "SECRETS": str(tmp_path),
            "PGHOST": "127.0.0.1",
            "PGPORT": str(own_postgres.port),
            "POSTGRES_USER": "postgres",
            "POSTGRES_DB": "postgres",
        },
        check=True,
        capture_output=True,
    )
    address = f"127.0.0.1:{own_postgres.port}/postgres"
    store = open_store(f"postgresql+psycopg://intake@{address}", "intake")
    with store.transaction() as tx:
        tx.execute(text("CREATE TABLE mine (id int)"))
        tx.execute(text("INSERT INTO mine VALUES (1)"))
    store.close()
    with psycopg.connect(f"postgresql://coder@{address}", autocommit=True) as other:
        for refused in (
            "SELECT * FROM intake.mine",
            "CREATE TABLE intake.yours (id int)",
            "CREATE TABLE public.everybodys (id int)",
            "CREATE SCHEMA another",
            "CREATE ROLE root_again SUPERUSER",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                other.execute(refused.encode())


def test_commands_work_on_a_database_and_say_when_it_is_empty(own_postgres: PostgresServer, tmp_path: Path) -> None:
    settings = {"TOCSIN_DATA": str(tmp_path), "TOCSIN_DATABASE": own_postgres.fresh_database()}
    empty = tocsin("keys", "add", "--study", "NCT06223646", "--site", "S01", **settings)
    assert empty.returncode == 2
    assert "has no tables of intake yet: start `tocsin serve intake` once" in empty.stderr
    store = open_store(settings["TOCSIN_DATABASE"], "intake")
    bring_up(store, intake_tables.metadata, migrations="", head=intake_tables.HEAD)
    store.close()
    assert tocsin("keys", "add", "--study", "NCT06223646", "--site", "S01", **settings).returncode == 0
    verified = tocsin("audit", "verify", "--service", "intake", "--json", **settings)
    assert json.loads(verified.stdout)["services"]["intake"]["rows"] == 1
    seen = json.loads(tocsin("doctor", "--service", "intake", "--json", **settings).stdout)["findings"]
    assert {f["about"]: f["state"] for f in seen if "intake" in f["about"]} == {
        "database intake": "ok",
        "clock of intake": "ok",
    }
    with psycopg.connect(settings["TOCSIN_DATABASE"].replace("+psycopg", ""), autocommit=True) as hand:
        hand.execute("ALTER TABLE intake.audit DISABLE TRIGGER ALL; UPDATE intake.audit SET who = 'nobody'")
    broken = tocsin("audit", "verify", "--service", "intake", **settings)
    assert broken.returncode == 1
    assert broken.stdout.startswith("intake    BROKEN at row 1: it was altered")
