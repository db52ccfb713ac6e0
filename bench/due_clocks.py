"""Finding what is due among many open clocks, in PostgreSQL: the cost must follow what is due, not what is open.

Two houses on one server, one with a hundredth of the other's open clocks, each clock with the timers that it has in
life. The same chores' query is asked of both, for different numbers of timers that are due; the figure is the ratio.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from alerting import board, chores, tables, timers
from alerting.app import prepare
from tests.support.postgres_server import NoPostgres, PostgresServer, find_programs
from tocsin.store.engine import Store, open_store

OPEN = (10_000, 1_000_000)
DUE = (0, 10, 100, 1000)
NOW = datetime(2026, 5, 14, 4, 0, tzinfo=UTC)
TIMES = 30

_CLOCKS = """
INSERT INTO clocks (id, case_id, event_id, study, rule, clause, recipient, day_zero, due_on, due_at, started_at, status,
    in_question, reasons, confidence, is_provisional, kept_at, known_at, is_open)
SELECT gen_random_uuid(), 'TOC-' || n, 'TOC-' || n || '-E1', 'S', 'CN_SUSAR_7D', 'clause', 'CDE',
    CAST(:now AS date), CAST(:now AS date) + 7, CAST(:now AS timestamptz) + interval '7 days' + n * interval '1 second',
    :now, 'RUNNING', false, '[]', 'high', false, :now, :now, true
FROM generate_series(1, :clocks) AS n
"""
_TIMERS = """
INSERT INTO timers (id, kind, about, study, due_at, urgency)
SELECT gen_random_uuid(), 'clock', 'TOC-' || n || '|' || step, 'S',
    CAST(:now AS timestamptz) + interval '1 hour' + (n + step) * interval '1 second', 400
FROM generate_series(1, :clocks) AS n, generate_series(1, 5) AS step
"""
_MAKE_DUE = """
UPDATE timers SET due_at = CAST(:now AS timestamptz) - interval '1 minute'
WHERE id IN (SELECT id FROM timers WHERE due_at > :now LIMIT :more)
"""


def measure(progress: Callable[[str], None] = lambda _: None, *, is_quick: bool = False) -> dict[str, Any]:
    """Median milliseconds of the chores' look, by open clocks and by timers due; and the desk's list of what is due."""
    programs, open_ = find_programs(), (1_000, 10_000) if is_quick else OPEN
    if isinstance(programs, NoPostgres):
        return {"left_out": programs.why}
    server = PostgresServer(programs)
    server.start()
    try:
        found = {str(clocks): _of(server, clocks, progress) for clocks in open_}
    finally:
        server.remove()
    few, many = (found[str(clocks)] for clocks in open_)
    return {
        "open_clocks": found,
        "ratio_many_to_few": {key: round(many["look_ms"][key] / few["look_ms"][key], 2) for key in many["look_ms"]},
        "postgresql": programs.title,
    }


def _of(server: PostgresServer, clocks: int, progress: Callable[[str], None]) -> dict[str, Any]:
    store = open_store(server.fresh_database(), "alerting")
    try:
        prepare(store, {})
        progress(f"{clocks:,} open clocks, {5 * clocks:,} timers: filling …")
        with store.transaction() as tx:
            tx.execute(text("SET LOCAL statement_timeout = 0"))  # filling takes minutes, and is not what is measured
            tx.execute(text(_CLOCKS), {"now": NOW, "clocks": clocks})
            tx.execute(text(_TIMERS), {"now": NOW, "clocks": clocks})
        with store.altering() as tx:
            tx.execute(text("SET LOCAL statement_timeout = 0"))
            tx.execute(text("ANALYZE"))
        look, due = {}, 0
        for wanted in DUE:
            with store.transaction() as tx:
                tx.execute(text("SET LOCAL statement_timeout = 0"))
                tx.execute(text(_MAKE_DUE), {"now": NOW, "more": wanted - due})
            due = wanted
            look[f"{wanted} due"] = _median_ms(lambda: _look(store))
            progress(f"{clocks:,} open, {wanted} due: {look[f'{wanted} due']} ms")
        return {"look_ms": look, "desk_list_ms": _median_ms(lambda: _desk_list(store)), "plan": _plan(store)}
    finally:
        store.close()


def _look(store: Store) -> int:
    """What the chores ask each half second, over every kind of timer."""
    with store.reading() as connection:
        return sum(len(timers.due(connection, kind, NOW, 200)) for kind, _ in chores.IN_ORDER)


def _desk_list(store: Store) -> int:
    """The open clocks that are due first, as the API lists them."""
    with store.reading() as connection:
        return len(
            board.clocks_like(connection, status="RUNNING", due_before=(NOW + timedelta(days=7)).date(), limit=50)
        )


def _plan(store: Store) -> list[str]:
    t = tables.timers.c
    with store.reading() as connection:
        rows = connection.execute(
            text(f"EXPLAIN SELECT id FROM timers WHERE {t.kind.name} = 'clock' AND done_at IS NULL AND due_at <= :now "  # noqa: S608
                 "ORDER BY urgency, due_at LIMIT 200"),
            {"now": NOW},
        )  # fmt: skip
        return [row[0].strip() for row in rows]


def _median_ms(work: Callable[[], object]) -> float:
    work()
    took = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        work()
        took.append((time.perf_counter() - begun) * 1000)
    return round(statistics.median(took), 2)
