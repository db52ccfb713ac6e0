"""A lock that threads get in the order in which they asked.

`threading.Lock` goes to whoever asks at the right moment, which is the thread that has just released it: a consumer
with a backlog then keeps the couriers from the database for minutes, and alarms that were raised are not sent.
"""

from __future__ import annotations

import threading
from collections import deque


class Turn:
    """Acquired and released like a lock, by the thread that acquired it; not re-entrant."""

    def __init__(self) -> None:
        self._inside = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def acquire(self, timeout: float = -1) -> bool:
        """Wait for it, for so many seconds at most (-1: for ever); False when it did not come in time."""
        with self._inside:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=timeout):
            return True
        with self._inside:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True  # it was handed to us in the moment in which we gave up

    def release(self) -> None:
        """Hand it to whoever has waited longest."""
        with self._inside:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
