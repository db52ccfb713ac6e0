"""Tables of two databases held against each other, and the rebuilt ones put in the place of those that were there.

Putting in place is one transaction on the service's own database: it happens whole or not at all, and who is killed
in it leaves everything as it was.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, Table, delete, func, insert, select, text

from standalone.rebuild_log import LogCopy
from standalone.rebuild_replay import OF_THE_LOG, Way
from tocsin.bus.port import Record
from tocsin.errors import TocsinError
from tocsin.store import audit, outbox
from tocsin.store.insert import insert_unless_there
from tocsin.store.pending import pending_of
from tocsin.store.tables import audit_head, inbox
from tocsin.store.tables import outbox as outbox_rows

if TYPE_CHECKING:
    from uuid import UUID

    from tocsin.store.engine import Store

WHO = "tocsin rebuild"
_TOGETHER = 500


class StillInUse(TocsinError):
    """Somebody else uses the tables of the service."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One table: rows kept and rebuilt, and how many of each the other does not have. Not every table can be held to
    that: `is_compared` is false for what time alone makes of it."""

    table: str
    before: int
    after: int
    missing: int
    new: int
    is_compared: bool = True

    @property
    def differs(self) -> bool:
        return self.is_compared and bool(self.missing or self.new)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a database was written when it was looked at."""

    audit: int
    outbox: int
    inbox: int


def mark_of(tx: Connection) -> Mark:
    """The mark of this snapshot: a running service moves at least one of the three."""
    return Mark(
        tx.execute(select(audit_head.c.seq)).scalar_one(),
        tx.execute(select(func.coalesce(func.max(outbox_rows.c.seq), 0))).scalar_one(),
        tx.execute(select(func.count()).select_from(inbox)).scalar_one(),
    )


def rebuilt_tables(way: Way) -> list[Table]:
    """Those that are emptied and filled, in the order in which they may be filled."""
    return [table for table in way.metadata.sorted_tables if table.name not in way.stays]


def compare(kept: Connection, rebuilt: Connection, way: Way) -> list[Compared]:
    """Every table that is rebuilt, in both databases; rows are the same whatever number they were given by counting."""
    found = []
    for table in rebuilt_tables(way):
        before, after = _rows(kept, table), _rows(rebuilt, table)
        found.append(
            Compared(table.name, before.total(), after.total(), (before - after).total(), (after - before).total(),
                     table.name not in way.set_anew)
        )  # fmt: skip
    return found


def new_words(scratch: Connection, kept: Connection, log: LogCopy) -> list[tuple[UUID, Record, datetime]]:
    """What the rebuilt tables owe the bus: said while they were rebuilt, and never before."""
    rows = scratch.execute(select(outbox_rows).order_by(outbox_rows.c.seq)).all()
    known = select(outbox_rows.c.seq)
    return [
        (row.message_id, Record(row.topic, row.key, row.value, row.headers), row.created_at)
        for row in rows
        if not log.holds(row.message_id)
        and kept.execute(known.where(outbox_rows.c.message_id == row.message_id)).first() is None
    ]


def put_in_place(
    kept: Store, scratch: Store, way: Way, mark: Mark, said: list[tuple[UUID, Record, datetime]],
    summary: dict[str, Any], at: datetime,
) -> None:  # fmt: skip
    """Empty the tables and fill them, with what the inbox must know, in one transaction.

    StillInUse when anything was written since `mark`: then nothing is changed.
    """
    tables = rebuilt_tables(way)
    with kept.altering() as tx, scratch.reading() as rebuilt:
        if kept.dialect == "postgresql":
            names = ", ".join(table.name for table in [*tables, inbox, outbox_rows])
            tx.execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
        if mark_of(tx) != mark:
            raise StillInUse(
                f"{kept.name} was written to while its tables were rebuilt: the service, or a command beside it, runs. "
                "Stop it and begin again; nothing was changed"
            )
        for table in reversed(tables):
            tx.execute(delete(table))
        for table in tables:
            for rows in rebuilt.execute(select(table)).mappings().partitions(_TOGETHER):
                tx.execute(insert(table), [dict(row) for row in rows])
            _go_on_counting(kept, tx, table)
        handled = select(inbox).where(inbox.c.consumer != OF_THE_LOG)
        for rows in rebuilt.execute(handled).mappings().partitions(_TOGETHER):
            tx.execute(insert_unless_there(inbox, tx.dialect.name), [dict(row) for row in rows])
        for message_id, record, written_at in said:
            outbox.put_record(tx, record, message_id=message_id, at=written_at)
        audit.append(
            tx, at=at, who=WHO, did="tables rebuilt from the log", about=f"service {way.service}", after=summary
        )
        # `altering` is for migrations, which say nothing to the trail; this does.
        audit.seal(tx, pending_of(tx).entries)


def _go_on_counting(kept: Store, tx: Connection, table: Table) -> None:
    """PostgreSQL counts beside the table: the next number must come after those that were put in."""
    counted = table.autoincrement_column
    if kept.dialect != "postgresql" or counted is None or counted.autoincrement is not True:
        return
    highest = tx.execute(select(func.max(counted))).scalar_one()
    if highest is not None:
        where = {"of": f"{kept.schema}.{table.name}", "name": counted.name, "to": highest}
        tx.execute(text("SELECT setval(pg_get_serial_sequence(:of, :name), :to)"), where)


def _rows(tx: Connection, table: Table) -> Counter[bytes]:
    counted = table.autoincrement_column
    columns = [c for c in table.c if c is not counted or c.autoincrement is not True]
    return Counter(_digest(row) for rows in tx.execute(select(*columns)).partitions(_TOGETHER) for row in rows)


def _digest(row: Row[Any]) -> bytes:
    cells = [json.dumps(v, sort_keys=True) if isinstance(v, dict | list) else repr(v) for v in row]
    return blake2b("\x1f".join(cells).encode(), digest_size=16).digest()
