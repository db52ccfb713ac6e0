"""What becomes of a message that did not go through: another try, a dead letter, or the end of the consumer.

Decides only. What is away is no message's fault and never comes here; see `consume.py` for what is then done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import exc

from tocsin.bus.dead import Reason
from tocsin.errors import Away, Poison

Verdict = Literal["try again", "stop"] | Reason


@dataclass(frozen=True, slots=True)
class DeadLimit:
    """At most `most` dead letters among the last `of` messages, counted since the worker began."""

    most: int = 10
    of: int = 100


def verdict(error: Exception, may_try_again: bool, died: Sequence[bool], limit: DeadLimit) -> Verdict:
    """`died` says of every earlier message, oldest first, whether it became a dead letter.

    Answers "try again", or "stop" when this dead letter would be one too many, or the reason of the dead letter.
    """
    reason: Reason = "poison" if isinstance(error, Poison) else "handler_error"
    if reason == "handler_error" and may_try_again:
        return "try again"
    # This message is the last one of the window.
    before = died[max(0, len(died) - limit.of + 1) :]
    return "stop" if sum(before) >= limit.most else reason


def is_away(error: BaseException) -> bool:
    """Whether waiting helps: something we depend on does not answer. Such an error says nothing about a message."""
    if isinstance(error, Away | exc.OperationalError | exc.InterfaceError | exc.TimeoutError):
        return True
    return isinstance(error, exc.DBAPIError) and error.connection_invalidated
