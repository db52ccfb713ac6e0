"""Reading a message back: the envelope of a record, or why there is none.

Unknown type or version is `Poison`, never a guess.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from tocsin.bus.port import Received
from tocsin.errors import Poison
from tocsin.messages.envelope import Envelope
from tocsin.messages.topics import BODIES


def decode(received: Received) -> Envelope[Any]:
    """The envelope of a record; Poison says which header or field is wrong."""
    headers = received.headers
    try:
        kind = headers["ce_type"]
        if headers["ce_specversion"] != "1.0":
            raise Poison(f"ce_specversion {headers['ce_specversion']!r} is not 1.0")
        if kind not in BODIES:
            raise Poison(f"no message is called {kind!r}; known are {', '.join(sorted(BODIES))}")
        return Envelope(
            id=UUID(headers["ce_id"]),
            type=kind,
            key=received.key,
            source=headers["ce_source"],
            study=headers["ce_study"],
            occurred_at=_instant(headers["ce_time"]),
            recorded_at=_instant(headers["ce_recordedat"]),
            body=BODIES[kind].model_validate_json(received.value),
            traceparent=headers.get("traceparent"),
        )
    except KeyError as missing:
        raise Poison(f"header {missing} is missing") from None
    except ValidationError as broken:
        places = "; ".join(f"/{'/'.join(map(str, e['loc']))}: {e['msg']}" for e in broken.errors()[:5])
        raise Poison(f"{kind} breaks its contract at {places}") from None
    except ValueError as wrong:
        raise Poison(f"a header cannot be read: {wrong}") from None


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.utcoffset() is None:
        raise ValueError(f"{text!r} has no zone")
    return at.astimezone(UTC)
