"""What the calls of ae-intake work with, put together once by `app`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection

from tocsin.domain.protocol import Protocol
from tocsin.now import Now
from tocsin.store.engine import Store
from tocsin.store.writer import Writer

T = TypeVar("T")

KINDS = ("report", "follow_up", "answer", "dose", "observations")
"""What may be accepted."""


@dataclass(frozen=True, slots=True)
class Parts:
    """`accepted` counts what was taken, by kind, since the start."""

    store: Store
    writer: Writer
    studies: Mapping[str, Protocol]
    now: Now
    accepted: Counter[str] = field(default_factory=Counter)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Do the work in the writer's thread; answers after COMMIT. Raises StoreAway when nothing was kept."""
        return await asyncio.wrap_future(self.writer.submit(work))
