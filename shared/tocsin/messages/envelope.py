"""The envelope of every message: CloudEvents 1.0 attributes as headers (binary mode), the body as JSON.

`occurred_at` is when the fact became true, `recorded_at` when this system wrote it down; day zero is computed from
the facts in the body, never from the broker's time. Reading one back is in `reading`, which knows every message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import BaseModel, ConfigDict

from tocsin.bus.port import Record

_TOCSIN = uuid5(NAMESPACE_URL, "urn:tocsin:messages")


class Body(BaseModel):
    """The base of every message body: closed and frozen, so that an unknown field is a contract broken aloud."""

    model_config = ConfigDict(extra="forbid", frozen=True)


B = TypeVar("B", bound=Body, covariant=True)


@dataclass(frozen=True, slots=True)
class Envelope(Generic[B]):
    """One message. `type` is also its topic; `key` orders it among its like; both times are aware and UTC."""

    id: UUID
    type: str
    key: str
    source: str
    study: str
    occurred_at: datetime
    recorded_at: datetime
    body: B
    traceparent: str | None = None


def identity(*parts: str) -> UUID:
    """The id that follows from what a message is about: the same fact has the same id, also on a rebuild."""
    return uuid5(_TOCSIN, "\x1f".join(parts))


def text_of(body: Body) -> str:
    """A body as JSON: what was not said is left out."""
    return body.model_dump_json(by_alias=True, exclude_unset=True)


def encode(envelope: Envelope[Body], text: str | None = None) -> Record:
    """The record to publish: topic and key as the envelope says, attributes as `ce_*` headers.

    `text`: the body's `text_of`, where it was made before.
    """
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(envelope.id),
        "ce_type": envelope.type,
        "ce_source": envelope.source,
        "ce_subject": envelope.key,
        "ce_time": _stamp(envelope.occurred_at),
        "ce_recordedat": _stamp(envelope.recorded_at),
        "ce_study": envelope.study,
        "content-type": "application/json",
    }
    if envelope.traceparent:
        headers["traceparent"] = envelope.traceparent
    return Record(
        topic=envelope.type,
        key=envelope.key,
        value=(text_of(envelope.body) if text is None else text).encode(),
        headers=headers,
    )


def _stamp(at: datetime) -> str:
    if at.utcoffset() is None:
        raise ValueError(f"a message needs aware times, not {at!r}")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
