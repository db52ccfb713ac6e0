"""What a courier carries: one notice to one address, and the shape of whoever can send it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from alerting.delivery.bell import Bell
from alerting.delivery.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Parcel:
    """One try, numbered `attempt` for ever and `failures` counting those of this round of back-off, this one included.

    `notice_id` names the notice to the other side and is the same at every try.
    """

    delivery_id: UUID
    notice_id: UUID
    address: str
    attempt: int
    failures: int
    bell: Bell


class Deliverer(Protocol):
    """One way out of the house. Used by one thread. Answers for everything that can go wrong outside."""

    def send(self, parcel: Parcel) -> Outcome: ...

    def rest(self) -> None:
        """Nothing more to send for now: let go of what is held open."""
