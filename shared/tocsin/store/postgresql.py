"""PostgreSQL as Tocsin wants it: one schema per service, short time-outs, and a lost server told from a wrong call."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import pq, sql
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext

from tocsin.errors import StoreAway
from tocsin.store.types import json_text

CONNECT_S = 3
STATEMENT_S = 30
LOCK_S = 10
IDLE_S = 20
"""No transaction of ours rests so long between two statements; one that does is of a process that is gone."""
READONLY = "postgresql_readonly"
POOL = 10
POOL_MORE = 30

# SQLSTATE classes and codes that say "not now": 08 connection, 53 no resources (53100 disk full, 53300 too many
# connections), 57P no longer or not yet serving, 57014 time-out, 40 deadlock or serialisation, 55P03 lock time-out,
# 25006 read-only (a standby was promoted elsewhere). The transaction is gone; doing it again is right.
_NOT_NOW = ("08", "53", "57P", "57014", "40", "55P03", "25006", "58")
_WHAT_TO_DO = {
    "53100": "its disk is full; free space",
    "53300": "it has no connection left; raise max_connections or stop others",
    "57014": f"a statement took longer than {STATEMENT_S} s; look for a long lock or a slow disk",
    "55P03": f"a lock was not given within {LOCK_S} s; look for a long transaction",
    "40001": "another transaction stood in the way; do it again",
    "40P01": "another transaction stood in the way; do it again",
    "25006": "it is read-only, perhaps a standby; name the primary",
}
_ASK = "check that it runs and that the address, user and password in the settings are right; it is tried again"


def open_engines(url: URL, schema: str) -> tuple[Engine, Engine]:
    """The writing and the reading engine, on one pool. Touches no network: the first use does.

    Reading sees one snapshot (REPEATABLE READ, READ ONLY), as it does on SQLite.
    """
    options = url.query.get("options", ())
    given = [options] if isinstance(options, str) else list(options)
    ours = [
        f"-c search_path={schema}",
        "-c timezone=UTC",
        f"-c statement_timeout={STATEMENT_S * 1000}",
        f"-c lock_timeout={LOCK_S * 1000}",
        # A client that vanished without a word must not keep its locks, and with them everybody else, for long.
        f"-c idle_in_transaction_session_timeout={IDLE_S * 1000}",
        *("-c tcp_keepalives_idle=5", "-c tcp_keepalives_interval=2", "-c tcp_keepalives_count=3"),
        "-c tcp_user_timeout=10000",
    ]
    engine = create_engine(
        url.update_query_dict({"options": " ".join([*given, *ours])}),
        hide_parameters=True,  # Parameters are patients' data; no error may print them.
        json_serializer=json_text,
        connect_args={
            "connect_timeout": CONNECT_S,
            "application_name": f"tocsin {schema}",
            # A server that vanished without a word (power, cable) is given up after about ten seconds.
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
        pool_pre_ping=True,
        pool_size=POOL,
        max_overflow=POOL_MORE,
        pool_timeout=CONNECT_S,
    )
    name = name_of(url)
    schema_is_there = False

    def connected(raw: Any, record: object) -> None:
        nonlocal schema_is_there
        if not schema_is_there:
            _make_schema(raw, schema)
            schema_is_there = True

    def failed(context: ExceptionContext) -> BaseException | None:
        if context.is_pre_ping:
            return None  # The pool throws that connection away and makes another by itself.
        reads = context.connection is not None and context.connection.get_execution_options().get(READONLY)
        if reads and isinstance(context.original_exception, psycopg.errors.ReadOnlySqlTransaction):
            return None  # A write inside reading() is a mistake of ours; waiting would not help.
        _without_values(context)
        return away(context.original_exception, name, lost=context.is_disconnect)

    event.listen(engine, "connect", connected)
    event.listen(engine, "handle_error", failed, retval=True)
    return engine, engine.execution_options(isolation_level="REPEATABLE READ", **{READONLY: True})


def name_of(url: URL) -> str:
    return f"PostgreSQL at {url.host or 'the local socket'}:{url.port or 5432}/{url.database}"


def lost_its_transaction(tx: Connection) -> bool:
    """Whether a statement failed and nobody rolled back: COMMIT would then roll back and call it a success."""
    raw: Any = tx.connection.driver_connection
    return bool(raw.info.transaction_status == pq.TransactionStatus.INERROR)


def away(error: BaseException, name: str, *, lost: bool = False) -> StoreAway | None:
    """The error as StoreAway if waiting helps, else None."""
    if not isinstance(error, psycopg.Error):
        return None
    state = error.sqlstate or ""
    # No SQLSTATE: it never came to talk to the server.
    unreached = isinstance(error, psycopg.OperationalError) and not state
    if not (lost or unreached or state.startswith(_NOT_NOW)):
        return None
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return StoreAway(f"{name} does not answer ({reason}): {_WHAT_TO_DO.get(state, _ASK)}")


def _without_values(context: ExceptionContext) -> None:
    """Take the DETAIL lines out of an error: "Failing row contains (…)" is a patient's data, and errors are logged."""
    error, wrapped = context.original_exception, context.sqlalchemy_exception
    if isinstance(error, psycopg.Error) and error.diag.message_detail:
        full, short = str(error), str(error.diag.message_primary)
        error.args = (short,)
        if wrapped is not None:
            wrapped.args = tuple(str(argument).replace(full, short) for argument in wrapped.args)


def _make_schema(raw: psycopg.Connection[Any], schema: str) -> None:
    with raw.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,))
        if cursor.fetchone() is None:
            # Two services may start at once; IF NOT EXISTS alone can still collide.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('tocsin: making a schema'))")
            cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
    raw.commit()
