"""What must hold of a backup: databases and log are of one instant, so that what each says of the other is true."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

SERVICES = {"intake": "ae-intake", "coder": "meddra-coder", "alerting": "alerting"}


def contradictions(folder: Path) -> Iterator[str]:
    """Where the databases and the log of this folder contradict each other, in words."""
    with closing(sqlite3.connect(folder / "log.db")) as log:
        on_the_log = {
            UUID(row[0]): (row[1], row[2], row[3])
            for row in log.execute(
                "SELECT json_extract(headers, '$.ce_id'), json_extract(headers, '$.ce_source'), partition_id,"
                ' "offset" FROM record'
            )
        }
        done = {(group, at): end for group, at, end in log.execute("SELECT * FROM committed")}
        read = dict.fromkeys((group, partition) for group, partition in done)
    for schema, source in SERVICES.items():
        with closing(sqlite3.connect(folder / f"{schema}.db")) as database:
            outbox = {UUID(row[0]): row[1] for row in database.execute("SELECT message_id, sent_at FROM outbox")}
            inbox = {
                UUID(row[0]) for row in database.execute("SELECT message_id FROM inbox WHERE consumer = ?", (source,))
            }
        for message_id, sent_at in outbox.items():
            if sent_at is not None and message_id not in on_the_log:
                yield f"{schema} has sent {message_id}, and the log has never heard of it"
        for message_id, (by, partition, offset) in on_the_log.items():
            if by == source and message_id not in outbox:
                yield f"{message_id} is on the log, and {schema} has never said it"
            if (source, partition) in read and offset < done[source, partition] and message_id not in inbox:
                yield f"{schema} stands behind {message_id}, and has never handled it"
