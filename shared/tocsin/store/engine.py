"""A store: one database (SQLite) or one schema of one (PostgreSQL), with transactions that keep their promises.

`transaction()` is the only way to write. On leaving it writes the messages that were put, seals the audit entries,
commits, and only then tells those who listen. Any error rolls everything back. `StoreAway` means that the database does
not answer; it may come from any statement. When it comes from COMMIT itself the outcome is unknown: do the same work
again, under the same idempotency key or message id, and it takes effect once.

Leaves to others: which tables there are (`tables.py`), how they come to be (`migrate.py`), grouping (`writer.py`).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import ModuleType
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, exc, make_url, text

from tocsin.errors import SettingsError, StoreAway
from tocsin.store import audit, outbox
from tocsin.store.pending import OPTION, Pending, follow_savepoints, pending_of
from tocsin.store.turn import Turn

DialectName = Literal["sqlite", "postgresql"]

_FORMS = "sqlite:////absolute/path/file.db or postgresql+psycopg://user:password@host:5432/database"
_OUR_TURN_S = 30.0


class Store:
    """An open database. Thread-safe. Make one with `open_store`."""

    def __init__(self, url: URL, schema: str, dialect: DialectName, driver: ModuleType) -> None:
        self.dialect: DialectName = dialect
        self.schema = schema
        self.name: str = driver.name_of(url)
        self._driver = driver
        engines: tuple[Engine, Engine] = (
            driver.open_engines(url) if dialect == "sqlite" else driver.open_engines(url, schema)
        )
        self._writing, self._reading = engines
        follow_savepoints(self._writing, outbox.write)
        self._listeners: dict[str, list[Callable[[], None]]] = {}
        self._mine = threading.local()
        # Threads of one process queue here; SQLite's own queue is to sleep and try again, which starves some.
        self._turn = Turn() if dialect == "sqlite" else None

    def __repr__(self) -> str:
        return f"<Store {self.schema} in {self.name}>"

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction to read and write in. Commits on leaving, rolls back on any error.

        RuntimeError when this thread has one open already (pass that connection on instead), or when a statement
        failed inside, its error was swallowed and no savepoint was there to go back to: nothing is then kept.
        """
        pending = Pending()
        with self._alone(), self._connect(self._writing) as tx:
            tx.execution_options(**{OPTION: pending})
            with tx.begin():
                yield tx
                outbox.write(tx)
                audit.seal(tx, pending.entries)
                self._check_open(tx)
        for what in pending.announced:
            for listener in self._listeners.get(what, ()):
                listener()

    @contextmanager
    def savepoint(self, tx: Connection) -> Iterator[None]:
        """A part of a transaction that may fail by itself: on an error it alone is rolled back, with what it said.

        Better than `tx.begin_nested()`: it also notices a swallowed error, before that harms the neighbours. After
        StoreAway there is nothing to go back to; leave the transaction.
        """
        pending = pending_of(tx)
        before = len(pending.entries)
        outbox.write(tx)
        # Said to the driver itself: SQLAlchemy's own savepoint costs 0.3 ms, which is as much as a small work.
        self._say(tx, "SAVEPOINT tocsin")
        try:
            yield
            outbox.write(tx)
            self._check_open(tx)
            self._say(tx, "RELEASE SAVEPOINT tocsin")
        except StoreAway:
            raise
        except BaseException:
            del pending.entries[before:]
            pending.said.clear()
            self._say(tx, "ROLLBACK TO SAVEPOINT tocsin")
            self._say(tx, "RELEASE SAVEPOINT tocsin")
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One unchanging snapshot to read from; a write is refused by the database."""
        with self._connect(self._reading) as connection:
            yield connection

    @contextmanager
    def altering(self) -> Iterator[Connection]:
        """A transaction for changing the schema: no time-outs, and on SQLite foreign keys checked only at the end.

        For `migrate.py`. (SQLite alters a table by making another and dropping the first, which foreign keys would
        forbid; they cannot be switched off inside a transaction.)
        """
        with self._alone(), self._connect(self._writing) as tx:
            tx.execution_options(**{OPTION: Pending(), "tocsin_altering": True})
            with tx.begin():
                if self.dialect == "postgresql":
                    tx.execute(text("SET LOCAL statement_timeout = 0"))
                    tx.execute(text("SET LOCAL lock_timeout = 0"))
                yield tx
                if self.dialect == "sqlite" and (broken := tx.execute(text("PRAGMA foreign_key_check")).first()):
                    raise RuntimeError(f"the migration would break a foreign key of {broken[0]} to {broken[2]}")
                self._check_open(tx)

    def after_commit(self, what: str, listener: Callable[[], None]) -> None:
        """Call `listener` after each transaction that announced `what`, on its thread. It must be quick, not raise."""
        self._listeners.setdefault(what, []).append(listener)

    def ping(self) -> None:
        """Return if the database answers, raise StoreAway if not."""
        with self.reading() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Let go of every connection. The store works again if it is used again."""
        self._reading.dispose()
        self._writing.dispose()

    @contextmanager
    def _connect(self, engine: Engine) -> Iterator[Connection]:
        try:
            connection = engine.connect()
        except exc.TimeoutError as error:
            raise StoreAway(f"{self.name}: every connection is in use; try again in a moment") from error
        with connection:
            yield connection

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if getattr(self._mine, "open", False):
            raise RuntimeError("a transaction of this store is open on this thread already: pass its connection on")
        with self._our_turn():
            self._mine.open = True
            try:
                yield
            finally:
                self._mine.open = False

    def _our_turn(self) -> AbstractContextManager[object]:
        if self._turn is None:
            return nullcontext()
        if not self._turn.acquire(timeout=_OUR_TURN_S):
            raise StoreAway(f"{self.name} is being written to for more than {_OUR_TURN_S:.0f} s; try again")
        return _Release(self._turn)

    def _say(self, tx: Connection, statement: str) -> None:
        raw: Any = tx.connection.driver_connection
        try:
            raw.execute(statement)
        except Exception as error:
            if (away := self._driver.away(error, self.name)) is not None:
                raise away from error
            raise

    def _check_open(self, tx: Connection) -> None:
        if self._driver.lost_its_transaction(tx):
            raise RuntimeError(
                "a statement failed in here and its error was swallowed: nothing is kept. "
                "Wrap what may fail in `with store.savepoint(tx):`"
            )


class _Release:
    """Gives a lock that is already held back on leaving."""

    def __init__(self, lock: Turn) -> None:
        self._lock = lock

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def open_store(url: str, schema: str) -> Store:
    """The store at `url`. SettingsError when the address is wrong (it is never printed: it holds a password).

    SQLite's file and folder are made if missing. PostgreSQL is not called before the first use; `schema` is made
    then if missing. `schema` is also the service's name in messages.
    """
    try:
        address = make_url(url)
    except (exc.ArgumentError, ValueError):
        raise SettingsError(f"the database address cannot be read; it must look like {_FORMS}") from None
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", schema):
        raise SettingsError(f"the schema name {schema!r} must be small letters, digits and underscores")
    if address.drivername in ("sqlite", "sqlite+pysqlite"):
        from tocsin.store import sqlite

        return Store(address, schema, "sqlite", sqlite)
    if address.drivername in ("postgresql", "postgresql+psycopg"):
        from tocsin.store import postgresql

        return Store(address.set(drivername="postgresql+psycopg"), schema, "postgresql", postgresql)
    raise SettingsError(f"databases of kind {address.drivername!r} are not known; the address must look like {_FORMS}")
