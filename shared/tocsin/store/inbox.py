"""Which messages a consumer has handled: what turns "at least once" on the wire into "once" in effect.

The entry is written in the handler's own transaction: handled and known, or neither.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from tocsin.store.insert import insert_unless_there
from tocsin.store.tables import inbox


def first_time(tx: Connection, consumer: str, message_id: UUID, at: datetime) -> bool:
    """Note that `consumer` handles this message, at `at`; False when it already did.

    On PostgreSQL a second transaction with the same message waits here until the first has ended.
    """
    done = tx.execute(
        insert_unless_there(inbox, tx.dialect.name), {"consumer": consumer, "message_id": message_id, "at": at}
    )
    return done.rowcount == 1


def known(tx: Connection, consumer: str, message_ids: Collection[UUID]) -> set[UUID]:
    """Which of these the consumer has handled. A hint for a batch; `first_time` still decides."""
    if not message_ids:
        return set()
    query = select(inbox.c.message_id).where(inbox.c.consumer == consumer, inbox.c.message_id.in_(message_ids))
    return set(tx.scalars(query))
