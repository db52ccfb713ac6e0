"""Leases: one process at a time does a thing, and a dead one's turn ends by itself.

A conditional UPDATE, the same on both databases (SQLite silently ignores SKIP LOCKED). A lease keeps work from being
done twice; nothing may go *wrong* when it is, because a process can always be paused past its lease.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, or_, select, update

from tocsin.store.insert import insert_unless_there
from tocsin.store.tables import leases
from tocsin.store.types import Instant


def claim(tx: Connection, name: str, holder: str, *, now: datetime, lasts: timedelta) -> bool:
    """Take or renew the lease `name` for `holder`; False while another holds it.

    `now` is real time, also in a rehearsal. On PostgreSQL the server's clock is used instead: the holders may sit on
    machines whose clocks differ.
    """
    if tx.dialect.name == "postgresql":
        now = tx.scalars(select(func.clock_timestamp(type_=Instant))).one()
    taken = tx.execute(
        update(leases)
        .where(leases.c.name == name, or_(leases.c.holder == holder, leases.c.until <= now))
        .values(holder=holder, until=now + lasts)
    )
    if taken.rowcount == 1:
        return True
    new = {"name": name, "holder": holder, "until": now + lasts}
    return tx.execute(insert_unless_there(leases, tx.dialect.name), new).rowcount == 1


def release(tx: Connection, name: str, holder: str) -> None:
    """Give the lease back, if `holder` still has it."""
    tx.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))
