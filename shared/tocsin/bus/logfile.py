"""The file under the embedded log: its tables, its connections, its one writer at a time, its wake-up.

Plain `sqlite3` and not SQLAlchemy: the log is SQLite by definition, it must know exactly where a transaction begins and
what `SQLITE_BUSY` or a full disk did to it, and it opens in a few milliseconds. What a record means to a group is in
`embedded.py`; who holds which partition is in `leases.py`.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tocsin.errors import BusAway, SettingsError

PATIENCE_S = 2.0
"""How long a locked file is waited for before the bus counts as away."""

FORMAT = 1
_TABLES = """
CREATE TABLE topic (
    name TEXT PRIMARY KEY,
    retention_s REAL              -- NULL keeps for ever
);
CREATE TABLE partition (
    id INTEGER PRIMARY KEY,
    topic TEXT NOT NULL REFERENCES topic (name),
    number INTEGER NOT NULL,
    first_offset INTEGER NOT NULL DEFAULT 0,   -- the oldest record still kept
    end_offset INTEGER NOT NULL DEFAULT 0,     -- the offset the next record will get
    UNIQUE (topic, number)
);
CREATE TABLE record (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,     -- the order of publishing over the whole log
    partition_id INTEGER NOT NULL REFERENCES partition (id),
    "offset" INTEGER NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    headers TEXT NOT NULL,                     -- JSON object of texts
    published_at REAL NOT NULL,                -- seconds since 1970, used for retention only
    UNIQUE (partition_id, "offset")
);
CREATE TABLE committed (
    group_name TEXT NOT NULL,
    partition_id INTEGER NOT NULL REFERENCES partition (id),
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (group_name, partition_id)
) WITHOUT ROWID;
CREATE TABLE reader_group (
    name TEXT PRIMARY KEY,
    generation INTEGER NOT NULL                -- rises whenever somebody joins, leaves, dies or lets go
) WITHOUT ROWID;
CREATE TABLE member (
    id TEXT PRIMARY KEY,
    group_name TEXT NOT NULL,
    topics TEXT NOT NULL,                      -- JSON array of names
    process TEXT NOT NULL,                     -- machine, process id and process start, "" when not known
    seen_at REAL NOT NULL,                     -- seconds since 1970
    lease_s REAL NOT NULL
);
CREATE TABLE lease (
    group_name TEXT NOT NULL,
    partition_id INTEGER NOT NULL REFERENCES partition (id),
    member_id TEXT NOT NULL REFERENCES member (id) ON DELETE CASCADE,
    PRIMARY KEY (group_name, partition_id)
) WITHOUT ROWID;
"""


class Bell:
    """What the users of one log file in one process share: a turn to write, and a bell that wakes waiting readers."""

    def __init__(self) -> None:
        self.writing = threading.Lock()
        self._rung = threading.Condition()
        self._count = 0

    @property
    def count(self) -> int:
        return self._count

    def ring(self) -> None:
        with self._rung:
            self._count += 1
            self._rung.notify_all()

    def wait(self, since: int, seconds: float) -> None:
        """Return when the bell was rung after it stood at `since`, or after so many seconds."""
        with self._rung:
            self._rung.wait_for(lambda: self._count != since, seconds)


_bells: dict[str, Bell] = {}
_bells_lock = threading.Lock()


def bell_of(path: Path) -> Bell:
    """The one bell of this file in this process."""
    with _bells_lock:
        return _bells.setdefault(os.path.realpath(path), Bell())


class LogFile:
    """One connection to the log, opened when first needed and again after a failure. One thread at a time."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        self.bell = bell_of(path)
        self._durable = durable
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to look with. Every failure of the file leaves as `BusAway`."""
        with self._away():
            yield self._open()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: kept whole and durable on leaving, or not at all."""
        # Threads of one process queue here instead of in SQLite, whose busy handler sleeps up to 100 ms a turn.
        if not self.bell.writing.acquire(timeout=PATIENCE_S):
            raise BusAway(f"embedded log {self.path}: no turn to write within {PATIENCE_S:g} s")
        try:
            with self._away():
                connection = self._open()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
        finally:
            self.bell.writing.release()

    def close(self) -> None:
        """Let go of the file for good. Who is in the middle of a call gets `BusAway`."""
        self._closed = True
        self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @contextmanager
    def _away(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if not (_is_the_file(error) or self._closed):
                raise
            self._drop()
            raise BusAway(f"embedded log {self.path}: {error}") from error

    def _open(self) -> sqlite3.Connection:
        if self._closed:
            raise BusAway(f"embedded log {self.path}: it was closed")
        if self._connection is not None:
            self._still_there()
            return self._connection
        # The folder is not created here: a missing one may be a disk that is not mounted, and an empty log on the
        # wrong disk looks like a log that lost everything. A file that was there before must be there again.
        mode = "rw" if self._file is not None else "rwc"
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=PATIENCE_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            _prepare(connection, self.path, durable=self._durable)
            self._file = _identity(self.path)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _still_there(self) -> None:
        # SQLite goes on writing into a file that was removed or replaced, and nobody would ever read it.
        if _identity(self.path) != self._file:
            raise sqlite3.OperationalError("the file was replaced while it was open")


def _is_the_file(error: sqlite3.Error | OSError) -> bool:
    """Whether the file or the disk is to blame: locked, full, gone, damaged. The rest is a fault of this program."""
    # A damaged file has no class of its own: it is a bare DatabaseError.
    return isinstance(error, sqlite3.OperationalError | OSError) or type(error) is sqlite3.DatabaseError


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _prepare(connection: sqlite3.Connection, path: Path, *, durable: bool) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have been quicker.
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _TABLES.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {FORMAT}")
                version = FORMAT
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    if version != FORMAT:
        raise SettingsError(
            f"embedded log {path}: the file has format {version}, this Tocsin reads format {FORMAT}; "
            "use the Tocsin that wrote it, or another file"
        )
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    connection.execute("PRAGMA foreign_keys = ON")


def seconds() -> float:
    """Real time for leases and retention, comparable between processes. Never the time of a case."""
    return time.time()
