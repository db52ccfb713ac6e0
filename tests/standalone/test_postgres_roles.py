"""The roles that compose's PostgreSQL starts with: each service owns its schema and sees no other."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from tests.architecture.imports import ROOT
from tests.support.postgres_server import PostgresServer, Programs, find_programs
from tocsin.store.engine import open_store

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
