"""Rows that wait to be inserted: of one work, or of all works of a group, each table by one statement.

Executing a statement costs several times what one more row in it costs. What is gathered is not there to be read until
`write`; who reads these tables in between writes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Insert


class Rows:
    """The rows gathered in one transaction. Tables are written in the order in which they were first named."""

    def __init__(self, tx: Connection) -> None:
        self.tx = tx
        self._waiting: dict[Insert, list[Mapping[str, Any]]] = {}

    def add(self, into: Insert, row: Mapping[str, Any]) -> None:
        """One more row, with the same columns as the others of this statement. `into` is built once, by its module."""
        self._waiting.setdefault(into, []).append(row)

    def write(self) -> None:
        """Insert what waits. IntegrityError as of any insert: nothing of the transaction may then be kept."""
        waiting, self._waiting = self._waiting, {}
        for into, rows in waiting.items():
            self.tx.execute(into, rows)
