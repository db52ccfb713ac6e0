"""What a store promises: durable at COMMIT, one snapshot to read, errors that say what to do and hide passwords."""

from __future__ import annotations

import sqlite3
import stat
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import exc, insert, select, text

from tests.store.conftest import NOON, on_postgresql
from tests.support.postgres_server import PostgresServer
from tocsin.errors import SettingsError, StoreAway
from tocsin.store import sqlite, tables
from tocsin.store.engine import Store, open_store

LEASE = {"name": "relay", "holder": "one", "until": NOON}


def leases(store: Store) -> list[str]:
    with store.reading() as connection:
        return list(connection.scalars(select(tables.leases.c.name).order_by(tables.leases.c.name)))


def test_what_was_committed_is_there_and_what_failed_is_not(store: Store) -> None:
    with store.transaction() as tx:
        tx.execute(insert(tables.leases), LEASE)
    with pytest.raises(ValueError, match="half way"), store.transaction() as tx:  # noqa: PT012
        tx.execute(insert(tables.leases), LEASE | {"name": "other"})
        raise ValueError("half way")
    assert leases(store) == ["relay"]


def test_reading_sees_one_snapshot(store: Store) -> None:
    query = select(tables.leases.c.name)
    with store.reading() as connection:
        assert connection.execute(query).all() == []
        with store.transaction() as tx:
            tx.execute(insert(tables.leases), LEASE)
        assert connection.execute(query).all() == []
    assert leases(store) == ["relay"]


def test_reading_cannot_write_and_that_is_no_outage(store: Store) -> None:
    with store.reading() as connection, pytest.raises(exc.DBAPIError, match=r"read.?only"):
        connection.execute(insert(tables.leases), LEASE)


@on_postgresql
def test_a_swallowed_failure_is_not_committed_in_silence(store: Store) -> None:
    """PostgreSQL answers COMMIT after a failed statement with a rollback, and no error."""
    with pytest.raises(RuntimeError, match="its error was swallowed"), store.transaction() as tx:  # noqa: PT012
        tx.execute(insert(tables.leases), LEASE)
        with pytest.raises(exc.IntegrityError):
            tx.execute(insert(tables.leases), LEASE)
    assert leases(store) == []


def test_a_transaction_that_sqlite_ended_itself_is_not_committed_in_silence(tmp_path: Path) -> None:
    """On a full disk SQLite may roll back by itself; Python's commit() then does nothing, and says nothing."""
    store = open_store(f"sqlite:///{tmp_path}/a.db", "trial")
    with pytest.raises(RuntimeError, match="nothing is kept"), store.transaction() as tx:  # noqa: PT012
        tx.execute(text("CREATE TABLE a (id INTEGER)"))
        tx.connection.driver_connection.rollback()  # type: ignore[union-attr]
    store.close()


def test_a_savepoint_that_fails_harms_nothing_around_it(store: Store) -> None:
    with store.transaction() as tx:
        tx.execute(insert(tables.leases), LEASE | {"name": "before"})
        with pytest.raises(exc.IntegrityError), store.savepoint(tx):
            tx.execute(insert(tables.leases), [LEASE, LEASE])
        with store.savepoint(tx):
            tx.execute(insert(tables.leases), LEASE | {"name": "inside"})
        tx.execute(insert(tables.leases), LEASE | {"name": "later"})
    assert leases(store) == ["before", "inside", "later"]


@on_postgresql
def test_a_failure_swallowed_in_a_savepoint_is_the_savepoints_own(store: Store) -> None:
    with store.transaction() as tx:
        tx.execute(insert(tables.leases), LEASE)
        with pytest.raises(RuntimeError, match="swallowed"), store.savepoint(tx), pytest.raises(exc.IntegrityError):
            tx.execute(insert(tables.leases), LEASE)
    assert leases(store) == ["relay"]


def test_a_second_transaction_on_the_same_thread_is_a_mistake(store: Store) -> None:
    with store.transaction(), pytest.raises(RuntimeError, match="on this thread already"), store.transaction():
        pass
    with store.transaction():
        pass


def test_many_writers_lose_no_update(open_ledger: Callable[[], Store]) -> None:
    """Each reads a number and writes the next: SQLite by BEGIN IMMEDIATE, PostgreSQL by a row lock."""
    count = tables.audit_head.c.seq
    store, other_process = open_ledger(), open_ledger()

    def count_on(one: Store) -> None:
        for _ in range(20):
            with one.transaction() as tx:
                seen = tx.scalars(select(count).with_for_update()).one()
                tx.execute(tables.audit_head.update().values(seq=seen + 1))

    threads = [threading.Thread(target=count_on, args=(one,)) for one in (store, other_process) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with store.reading() as connection:
        assert connection.scalars(select(count)).one() == 120


def test_listeners_hear_of_a_commit_and_of_nothing_else(store: Store) -> None:
    from tocsin.store.pending import announce

    heard: list[list[str]] = []
    store.after_commit("outbox", lambda: heard.append(leases(store)))
    with store.transaction() as tx:
        tx.execute(insert(tables.leases), LEASE)
        announce(tx, "outbox")
        announce(tx, "outbox")
    with pytest.raises(ValueError, match="no"), store.transaction() as tx:  # noqa: PT012
        announce(tx, "outbox")
        raise ValueError("no")
    with store.transaction() as tx:
        tx.execute(insert(tables.leases), LEASE | {"name": "other"})
    assert heard == [["relay"]]


def test_errors_show_no_values(store: Store) -> None:
    """Values are patients' data, and errors end up in logs."""
    secret = "-".join(["S01", "004"])  # Put together here, so that no source line in the traceback shows it.
    with pytest.raises(exc.DBAPIError) as caught, store.transaction() as tx:
        tx.execute(insert(tables.leases), {"name": secret, "holder": None, "until": NOON})
    assert secret not in "".join(traceback.format_exception(caught.value))
    assert "leases" in str(caught.value)


def test_sqlite_is_durable_private_and_checks_references(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "intake.db"
    store = open_store(f"sqlite:///{path}", "intake")
    with store.transaction() as tx:
        found = {name: tx.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")}
        found["foreign_keys"] = tx.exec_driver_sql("PRAGMA foreign_keys").scalar()
        found["busy_timeout"] = tx.exec_driver_sql("PRAGMA busy_timeout").scalar()
        files = sorted(file.name for file in path.parent.iterdir())
        modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    with store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    store.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}  # 2 is FULL
    assert files == ["intake.db", "intake.db-shm", "intake.db-wal"]
    assert modes == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_postgresql_is_asked_for_durable_commits(fresh_database: Callable[[], str]) -> None:
    store = open_store(fresh_database(), "intake")
    with store.transaction() as tx:
        shown = {
            name: tx.scalars(text(f"SHOW {name}")).one()
            for name in ("synchronous_commit", "fsync", "search_path", "timezone", "statement_timeout")
        }
    store.close()
    assert shown == {
        "synchronous_commit": "on",
        "fsync": "on",
        "search_path": "intake",
        "timezone": "UTC",
        "statement_timeout": "30s",
    }


def test_schemas_of_one_database_are_apart(fresh_database: Callable[[], str]) -> None:
    url = fresh_database()
    intake, coder = open_store(url, "intake"), open_store(url, "coder")
    for store in (intake, coder):
        with store.altering() as tx:
            tables.ledger.create_all(tx)
    with intake.transaction() as tx:
        tx.execute(insert(tables.leases), LEASE)
    assert (leases(intake), leases(coder)) == (["relay"], [])
    intake.close()
    coder.close()


def test_a_locked_sqlite_file_is_away_and_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "WAIT_S", 0.1)
    store = open_store(f"sqlite:///{tmp_path}/a.db", "trial")
    store.ping()
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreAway, match="another process has been writing"), store.transaction():
        pass
    store.ping()  # Readers never wait for writers.
    other.execute("ROLLBACK")
    other.close()
    with store.transaction():
        pass
    store.close()


def test_a_full_disk_is_away_and_nothing_half_is_kept(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/a.db", "trial")
    with store.transaction() as tx:
        tx.execute(text("CREATE TABLE notes (text TEXT)"))
    with store.transaction() as tx:
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
        tx.exec_driver_sql(f"PRAGMA max_page_count={pages + 10}")  # As a full disk answers: SQLITE_FULL.
    with pytest.raises(StoreAway, match="the disk is full; free space"), store.transaction() as tx:  # noqa: PT012
        for _ in range(100):
            tx.execute(text("INSERT INTO notes VALUES (:text)"), {"text": "x" * 4000})
    with store.reading() as connection:
        assert connection.scalars(text("SELECT count(*) FROM notes")).one() == 0
    with store.transaction() as tx:
        tx.execute(text("INSERT INTO notes VALUES ('short')"))
    store.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary, " * 100)
    store = open_store(f"sqlite:///{path}", "trial")
    with pytest.raises(SettingsError, match=r"notes\.txt is not an SQLite database"), store.transaction():
        pass
    assert path.read_text().startswith("dear diary")
    store.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"file/a\.db cannot be made"):
        open_store(f"sqlite:///{tmp_path}/file/a.db", "trial")


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///relative.db",
        "sqlite:////tmp/a.db?mode=ro",
        "mysql://user:secret@host/db",
        "postgresql+psycopg://user:secret@host:port/db",
        "postgresql+asyncpg://user:secret@host/db",
        "secret",
        "",
    ],
)
def test_a_wrong_address_is_refused_with_what_is_allowed_and_never_printed(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_store(url, "trial")
    assert "sqlite:////absolute/path" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_away_and_keeps_the_password_to_itself() -> None:
    started = time.monotonic()
    store = open_store("postgresql+psycopg://tocsin:secret@127.0.0.1:1/tocsin", "trial")
    for use in (store.ping, lambda: store.transaction().__enter__()):
        with pytest.raises(StoreAway, match=r"PostgreSQL at 127\.0\.0\.1:1/tocsin does not answer") as caught:
            use()
        assert "secret" not in repr(caught.value) + repr(caught.value.__cause__) + repr(store)
    assert time.monotonic() - started < 5


@pytest.mark.postgres
def test_a_server_that_goes_and_comes_back_needs_no_new_store(own_postgres: PostgresServer) -> None:
    store = open_store(own_postgres.fresh_database(), "trial")
    with store.altering() as tx:
        tables.ledger.create_all(tx)

    with pytest.raises(StoreAway, match="does not answer"), store.transaction() as tx:  # noqa: PT012
        tx.execute(insert(tables.leases), LEASE)
        own_postgres.kill()
        tx.execute(select(tables.leases))
    for _ in range(2):
        with pytest.raises(StoreAway, match="does not answer"):
            store.ping()
    own_postgres.start()
    with store.transaction() as tx:
        tx.execute(insert(tables.leases), LEASE | {"name": "after"})
    assert leases(store) == ["after"]

    own_postgres.restart()  # Pooled connections are dead now, and nobody must notice.
    assert leases(store) == ["after"]

    with pytest.raises(StoreAway), store.transaction() as tx:  # noqa: PT012
        tx.execute(insert(tables.leases), LEASE | {"name": "lost at commit"})
        own_postgres.kill()
    own_postgres.start()
    assert leases(store) == ["after"]
    store.close()


@pytest.mark.postgres
def test_a_long_lock_is_away_rather_than_for_ever(
    fresh_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tocsin.store import postgresql

    monkeypatch.setattr(postgresql, "LOCK_S", 0.2)
    monkeypatch.setattr(postgresql, "STATEMENT_S", 1)
    store = open_store(fresh_database(), "trial")
    with store.altering() as tx:
        tables.ledger.create_all(tx)
    other = open_store(store._writing.url.render_as_string(hide_password=False), "trial")
    with store.transaction() as tx:
        tx.execute(text("LOCK TABLE leases"))
        with pytest.raises(StoreAway, match="look for a long transaction"), other.transaction() as second:
            second.execute(insert(tables.leases), LEASE)
    store.close()
    other.close()
