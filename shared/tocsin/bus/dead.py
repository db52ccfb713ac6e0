"""Dead letters: what was read and could not be handled, kept on `<topic>.dead` as it came, with the reason.

A dead letter carries the original bytes, key and headers, and beside them `dead_*` headers that say why, who gave up,
where it was read and when. Nothing is dropped by becoming one; `replay.py` puts it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tocsin.bus.port import Received, Record, Topic

Reason = Literal["poison", "handler_error"]

_ENDING = ".dead"
_ERROR_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter, read: the record as it was, and its `dead_*` headers."""

    original: Record
    reason: str
    error: str
    consumer: str
    topic: str
    partition: int
    offset: int
    at: str


def dead_topic(topic: str) -> str:
    """Where the dead letters of a topic are kept."""
    return topic + _ENDING


def dead_topics(topics: Sequence[str]) -> list[Topic]:
    """How those are created: one partition, so that they are read in the order in which they died; for ever."""
    return [Topic(dead_topic(topic), partitions=1) for topic in topics]


def dead_letter(received: Received, *, reason: Reason, error: BaseException, consumer: str, at: datetime) -> Record:
    """The record to publish for something that cannot be handled."""
    return Record(
        topic=dead_topic(received.topic),
        key=received.key,
        value=received.value,
        headers={
            **received.headers,
            "dead_reason": reason,
            "dead_error": f"{type(error).__name__}: {error}"[:_ERROR_LENGTH],
            "dead_consumer": consumer,
            "dead_topic": received.topic,
            "dead_partition": str(received.partition),
            "dead_offset": str(received.offset),
            "dead_at": at.isoformat(),
        },
    )


def read_dead(received: Received) -> DeadLetter:
    """What a dead letter says. Raises ValueError naming the header that a dead letter must have."""
    headers = received.headers
    try:
        return DeadLetter(
            original=Record(
                topic=headers["dead_topic"],
                key=received.key,
                value=received.value,
                headers={name: text for name, text in headers.items() if not name.startswith("dead_")},
            ),
            reason=headers["dead_reason"],
            error=headers["dead_error"],
            consumer=headers["dead_consumer"],
            topic=headers["dead_topic"],
            partition=int(headers["dead_partition"]),
            offset=int(headers["dead_offset"]),
            at=headers["dead_at"],
        )
    except KeyError as missing:
        place = f"{received.topic}/{received.partition}/{received.offset}"
        raise ValueError(f"{place} is no dead letter: header {missing} is missing") from None
