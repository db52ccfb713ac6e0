"""SQLite as Tocsin wants it: durable at COMMIT, real transactions, one writer at a time, readers never waiting.

Two engines on one file. The writing one holds a single connection and begins with BEGIN IMMEDIATE, so that a
transaction that reads and then writes can never find that somebody else wrote in between. The reading ones are
`query_only`. Python's own transaction control is off (`isolation_level=None`): it would not begin before a SELECT or
a SAVEPOINT; SQLAlchemy's `begin` event says BEGIN instead.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext

from tocsin.errors import SettingsError, StoreAway

WAIT_S = 10.0
"""How long a writer waits for another process that is writing to the same file."""

# Primary result codes (sqlite.org/rescode.html) that say "not now" rather than "wrong": waiting or a person's hand
# helps, the call may be repeated. Corruption (11) and "not a database" (26) are not among them.
_NOT_NOW = {
    sqlite3.SQLITE_BUSY: f"another process has been writing to it for {WAIT_S:.0f} s; stop that one, or wait",
    sqlite3.SQLITE_LOCKED: "a table of it is locked; wait",
    sqlite3.SQLITE_NOMEM: "there is no memory left; free some",
    sqlite3.SQLITE_READONLY: "it cannot be written to; check the owner and mode of the file and its folder",
    sqlite3.SQLITE_IOERR: "the disk answers with an error; check it",
    sqlite3.SQLITE_FULL: "the disk is full; free space",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; check that its folder exists and may be read and written",
}

ALTERING = "tocsin_altering"
"""Execution option of a transaction that changes the schema: foreign keys are off in it."""


def open_engines(url: URL) -> tuple[Engine, Engine]:
    """The writing and the reading engine on the file that `url` names; the file and its folder are made if missing.

    SettingsError when the path is not absolute, or the file cannot be made.
    """
    path = _path(url)
    _make(path)
    return _engine(url, path, writes=True), _engine(url, path, writes=False)


def name_of(url: URL) -> str:
    return f"the database {url.database}"


def lost_its_transaction(tx: Connection) -> bool:
    """Whether SQLite has already rolled everything back by itself (full disk, I/O error); COMMIT would say nothing."""
    raw: Any = tx.connection.driver_connection
    return not raw.in_transaction


def away(error: BaseException, name: str) -> StoreAway | None:
    """The error as StoreAway if waiting helps, else None."""
    what_to_do = _NOT_NOW.get(_code(error))
    return StoreAway(f"{name} does not answer ({error}): {what_to_do}") if what_to_do else None


def _code(error: BaseException) -> int:
    """The primary result code, 0 when there is none; the upper bits only refine it."""
    code = getattr(error, "sqlite_errorcode", 0) if isinstance(error, sqlite3.Error) else 0
    return int(code) & 0xFF


def _path(url: URL) -> Path:
    path = Path(url.database or "")
    if not url.database or url.database == ":memory:" or not path.is_absolute() or url.query:
        raise SettingsError(
            f"the SQLite address {url} must be sqlite:////absolute/path/file.db, with four slashes and no options; "
            "a database in memory would lose what was accepted"
        )
    return path


def _make(path: Path) -> None:
    """Only the owner may look: the file holds patients' data. A folder that exists keeps its mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            # The new name itself must survive a power cut too.
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        raise SettingsError(
            f"the database {path} cannot be made ({error.strerror}); name a folder that may be written to"
        ) from error


def _engine(url: URL, path: Path, *, writes: bool) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,  # Parameters are patients' data; no error may print them.
        connect_args={"isolation_level": None, "timeout": WAIT_S},
        pool_size=1 if writes else 8,
        max_overflow=0 if writes else 32,
        pool_timeout=WAIT_S,
    )

    def connected(raw: sqlite3.Connection, record: object) -> None:
        # FULL: COMMIT returns after fsync. "Accepted means durable" rests on this line and on WAL being real.
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute("PRAGMA fullfsync=ON")  # macOS: its fsync alone leaves data in the drive's cache.
        raw.execute("PRAGMA foreign_keys=ON")
        mode = raw.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            raise SettingsError(
                f"the database {path} cannot use a write-ahead log (it stays in mode {mode}); "
                "put it on a local disk, not on a network share"
            )
        if not writes:
            raw.execute("PRAGMA query_only=ON")

    def begins(tx: Connection) -> None:
        if writes:
            # Has no effect once a transaction is open. Said each time: no connection stays without by accident.
            raw: Any = tx.connection.driver_connection
            raw.execute(f"PRAGMA foreign_keys={'OFF' if tx.get_execution_options().get(ALTERING) else 'ON'}")
        tx.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    def failed(context: ExceptionContext) -> BaseException | None:
        error = context.original_exception
        code = _code(error)
        if code == sqlite3.SQLITE_NOTADB:
            return SettingsError(f"{path} is not an SQLite database; name another file or move this one away")
        if code == sqlite3.SQLITE_READONLY and not writes:
            return None  # A write inside reading() is a mistake of ours; waiting would not help.
        return away(error, name_of(url))

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begins)
    event.listen(engine, "handle_error", failed, retval=True)
    return engine
