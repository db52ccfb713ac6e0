"""How a database comes to its version."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, Text, UniqueConstraint, text

import tocsin
from tests.store.same_schema import assert_same_schema, schema_of
from tocsin.errors import SettingsError
from tocsin.store import migrate
from tocsin.store.engine import open_store
from tocsin.store.tables import NAMES

STEPS = str(Path(__file__).parent / "ledger_only")

notes_and_answers = MetaData(naming_convention=NAMES)
Table(
    "notes",
    notes_and_answers,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("author", Text, nullable=False, server_default="unknown"),
    UniqueConstraint("text"),
)
Table(
    "answers",
    notes_and_answers,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("note", ForeignKey("notes.id"), nullable=False),
)


def test_the_ledgers_migration_gives_what_the_tables_say(any_database: Callable[[], str]) -> None:
    assert_same_schema(any_database, MetaData(), migrations=STEPS, head="0001")


def test_a_services_migrations_give_what_its_tables_say(any_database: Callable[[], str]) -> None:
    assert_same_schema(any_database, notes_and_answers, migrations=STEPS, head="0003")


def test_the_comparison_sees_a_missing_constraint(any_database: Callable[[], str]) -> None:
    with pytest.raises(AssertionError):
        assert_same_schema(any_database, notes_and_answers, migrations=STEPS, head="0002")


def test_an_empty_database_is_made_and_then_left_alone(any_database: Callable[[], str]) -> None:
    store = open_store(any_database(), "trial")
    first = migrate.bring_up(store, notes_and_answers, migrations=STEPS, head="0003")
    again = migrate.bring_up(store, notes_and_answers, migrations=STEPS, head="0003")
    store.close()
    assert (first, again) == ("made", "as it was")


def test_an_older_database_is_upgraded_and_keeps_its_rows(any_database: Callable[[], str]) -> None:
    store = open_store(any_database(), "trial")
    migrate.upgrade_from_empty(store, MetaData(), migrations=STEPS, head="0002")
    with store.transaction() as tx:
        tx.execute(text("INSERT INTO notes VALUES (1, 'chills')"))
        tx.execute(text("INSERT INTO answers VALUES (7, 1)"))

    assert migrate.bring_up(store, notes_and_answers, migrations=STEPS, head="0003") == "upgraded"

    with store.reading() as connection:
        assert connection.execute(text("SELECT * FROM notes")).all() == [(1, "chills", "unknown")]
        assert connection.execute(text("SELECT * FROM answers")).all() == [(7, 1)]
    store.close()


def test_a_failed_upgrade_leaves_the_database_as_it_was(any_database: Callable[[], str], tmp_path: Path) -> None:
    versions = tmp_path / "steps" / "versions"
    versions.mkdir(parents=True)
    for step in Path(STEPS, "versions").glob("000[12]_*.py"):
        (versions / step.name).write_text(step.read_text())
    (versions / "0003_breaks.py").write_text(
        "from alembic import op\nrevision, down_revision = '0003', '0002'\n\n\n"
        "def upgrade():\n    op.execute('DROP TABLE answers')\n    raise RuntimeError('half way')\n"
    )
    store = open_store(any_database(), "trial")
    migrate.upgrade_from_empty(store, MetaData(), migrations=STEPS, head="0002")
    before = schema_of(store)

    with pytest.raises(RuntimeError, match="half way"):
        migrate.bring_up(store, MetaData(), migrations=str(tmp_path / "steps"), head="0003")

    assert schema_of(store) == before
    store.close()


def test_an_upgrade_that_breaks_a_reference_is_refused(tmp_path: Path) -> None:
    versions = tmp_path / "steps" / "versions"
    versions.mkdir(parents=True)
    for step in Path(STEPS, "versions").glob("000[12]_*.py"):
        (versions / step.name).write_text(step.read_text())
    (versions / "0003_orphans.py").write_text(
        "from alembic import op\nrevision, down_revision = '0003', '0002'\n\n\n"
        "def upgrade():\n    op.execute('INSERT INTO answers VALUES (7, 1)')\n"
    )
    store = open_store(f"sqlite:///{tmp_path}/a.db", "trial")
    migrate.upgrade_from_empty(store, MetaData(), migrations=STEPS, head="0002")

    with pytest.raises(RuntimeError, match="would break a foreign key of answers to notes"):
        migrate.bring_up(store, MetaData(), migrations=str(tmp_path / "steps"), head="0003")
    store.close()


def test_a_newer_database_is_refused_with_what_to_do(any_database: Callable[[], str]) -> None:
    store = open_store(any_database(), "trial")
    with store.altering() as tx:
        migrate.make(tx, MetaData(), head="0099")
    with pytest.raises(SettingsError, match=r"'0099'.*newer program; run that one"):
        migrate.bring_up(store, MetaData(), migrations=STEPS, head="0003")
    store.close()


def test_somebody_elses_tables_are_refused(any_database: Callable[[], str]) -> None:
    store = open_store(any_database(), "trial")
    with store.transaction() as tx:
        tx.execute(text("CREATE TABLE orders (id INTEGER)"))
    with pytest.raises(SettingsError, match="name an empty one"):
        migrate.bring_up(store, MetaData(), migrations=STEPS, head="0001")
    store.close()


def test_two_processes_may_bring_up_at_once(any_database: Callable[[], str]) -> None:
    url = any_database()
    outcomes: list[str] = []
    start = threading.Barrier(4)

    def one_process() -> None:
        store = open_store(url, "trial")
        start.wait(10)
        outcomes.append(migrate.bring_up(store, notes_and_answers, migrations=STEPS, head="0003"))
        store.close()

    threads = [threading.Thread(target=one_process) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["as it was", "as it was", "as it was", "made"]


def test_a_fresh_folder_is_made_without_importing_alembic_or_the_other_dialect(tmp_path: Path) -> None:
    script = f"""
import sys
from sqlalchemy import MetaData
from tocsin.store import migrate, outbox, inbox, audit, writer
from tocsin.store.engine import open_store
store = open_store("sqlite:///{tmp_path}/a.db", "trial")
migrate.bring_up(store, MetaData(), migrations="", head="0001")
store.close()
slow = ("alembic", "psycopg", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm", "pydantic", "kafka")
print([name for name in slow if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=_paths())
    assert done.stdout.splitlines()[-1] == "[]"


def _paths() -> dict[str, str]:
    return {"PYTHONPATH": str(Path(tocsin.__file__).parents[1])}
