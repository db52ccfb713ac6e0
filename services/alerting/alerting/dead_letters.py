"""A dead letter is itself an alarm: something was sent, and nobody has acted on it.

One alert a topic while nobody has acknowledged; further dead letters of the topic join it. Where it died and the kind
of fault are named, never its words or its key, which may be a subject's.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from alerting import alerts
from alerting.parts import ALL_STUDIES, Parts
from alerting.tables import dead_letters
from tocsin.bus.dead import read_dead
from tocsin.bus.port import Received
from tocsin.messages.envelope import Body, Envelope, identity

TYPE = "dead.letter"
"""What a dead letter is called between this consumer's decoder and its handler; it is on no topic."""

FACTS = {
    "reports.received.v1", "events.coded.v1", "doses.recorded.v1", "observations.recorded.v1", "grades.derived.v1",
}  # fmt: skip
"""A dead letter of these may hide a serious event, so it pages; any other warns."""

_CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,60}")
_SHOWN = 50


class DeadLetterFound(Body):
    """Where a message died, and of what kind of fault."""

    topic: str
    partition: int
    offset: int
    reason: str
    fault: str
    consumer: str
    at: datetime


def decode(received: Received) -> Envelope[Any]:
    """A dead letter as a message of its own. Never Poison: one that cannot be read is told of by its own place."""
    try:
        found = read_dead(received)
        body = DeadLetterFound(
            topic=found.topic, partition=found.partition, offset=found.offset, reason=_word(found.reason),
            fault=_word(found.error.partition(":")[0]), consumer=_word(found.consumer), at=_instant(found.at),
        )  # fmt: skip
    except ValueError:
        body = DeadLetterFound(
            topic=received.topic, partition=received.partition, offset=received.offset, reason="unreadable",
            fault="unknown", consumer="unknown", at=datetime.fromtimestamp(0, UTC),
        )  # fmt: skip
    place = (body.topic, str(body.partition), str(body.offset), body.consumer)
    study = received.headers.get("ce_study", ALL_STUDIES)
    return Envelope(
        identity("dead letter", *place, received.topic, str(received.offset)), TYPE, body.topic, body.consumer, study,
        body.at, body.at, body,
    )  # fmt: skip


def on_dead_letter(envelope: Envelope[DeadLetterFound], tx: Connection, parts: Parts) -> None:
    """Ring for it, or join the alert of its topic that is open."""
    body = envelope.body
    d = dead_letters.c
    place = (d.topic == body.topic, d.partition == body.partition, d.offset == body.offset, d.consumer == body.consumer)
    if tx.execute(select(d.alert_id).where(*place)).first() is not None:
        return
    study = envelope.study if envelope.study in parts.studies else ALL_STUDIES
    group = f"dead_letter|{body.topic}"
    said = f"{body.topic}/{body.partition}/{body.offset}: {body.reason} ({body.fault}), given up by {body.consumer}"
    alert_id = alerts.open_in_group(tx, group)
    if alert_id is None:
        alert = alerts.Alert(
            key=f"{group}|{body.partition}|{body.offset}|{body.consumer}",
            study=study,
            kind="dead_letter",
            level="page" if body.topic in FACTS else "warn",
            reasons=(said,),
            roles=("administrator", "safety_team"),
            group_key=group,
        )
        alerts.raise_one(tx, parts, alert, parts.now())
        alert_id = alert.id
    else:
        alerts.join(tx, alert_id, [said], most=_SHOWN)
    row = {
        "topic": body.topic, "partition": body.partition, "offset": body.offset, "consumer": body.consumer,
        "alert_id": alert_id, "at": body.at, "reason": said,
    }  # fmt: skip
    tx.execute(insert(dead_letters), row)


def _word(text: str) -> str:
    """A name of ours: a class, a reason, a consumer. Anything else could be somebody's words and stays out."""
    return text if _CLASS.fullmatch(text.replace("-", "_")) else "unknown"


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.utcoffset() is None:
        raise ValueError(f"{text!r} has no zone")
    return at.astimezone(UTC)
