"""Which messages a consumer has handled: what turns "at least once" on the wire into "once" in effect.

The entry is written in the handler's own transaction: handled and known, or neither. It says too after which message
of the service's own that was, so that a replay can give each its turn (`tocsin rebuild`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Executable, func, select

from tocsin.store.insert import insert_unless_there
from tocsin.store.tables import inbox, outbox


def first_time(tx: Connection, consumer: str, message_id: UUID, at: datetime) -> bool:
    """Note that `consumer` handles this message, at `at`; False when it already did.

    On PostgreSQL a second transaction with the same message waits here until the first has ended.
    """
    row = {"consumer": consumer, "message_id": message_id, "at": at}
    return tx.execute(_with_last_said(tx.dialect.name), row).rowcount == 1


def note_again(tx: Connection, consumer: str, message_id: UUID, at: datetime, after_seq: int | None) -> bool:
    """As `first_time`, for a message whose turn is known from before: a replay keeps it."""
    row = {"consumer": consumer, "message_id": message_id, "at": at, "after_seq": after_seq}
    return tx.execute(insert_unless_there(inbox, tx.dialect.name), row).rowcount == 1


@cache
def _with_last_said(dialect: str) -> Executable:
    insert: Any = insert_unless_there(inbox, dialect)
    statement: Executable = insert.values(after_seq=select(func.coalesce(func.max(outbox.c.seq), 0)).scalar_subquery())
    return statement


def known(tx: Connection, consumer: str, message_ids: Collection[UUID]) -> set[UUID]:
    """Which of these the consumer has handled. A hint for a batch; `first_time` still decides."""
    if not message_ids:
        return set()
    query = select(inbox.c.message_id).where(inbox.c.consumer == consumer, inbox.c.message_id.in_(message_ids))
    return set(tx.scalars(query))
