"""Sending from a form on the path of the API: the same document, judged, kept and answered the same way, once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from ae_intake import cases, taking
from ae_intake.desk import drafts
from ae_intake.desk.visit import Desk, Visit
from ae_intake.keeping import Sender
from ae_intake.receipts import Answer, scope_of
from ae_intake.taking import Work
from tocsin.web.reading import Sent, parse

Guard = Callable[[Connection], None]
"""What is looked at and done in the same transaction."""


def sent_of(facts: dict[str, Any]) -> Sent:
    """The document as a system would post it. Raises Refused for characters that cannot be kept."""
    raw = json.dumps(facts, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return Sent(raw, parse(raw))


def send(
    desk: Desk,
    visit: Visit,
    kind: str,
    facts: dict[str, Any],
    prepare: Callable[[Sent, Sender], Work],
    *,
    key: str,
    path: str,
    before: Guard,
    after: Guard | None = None,
) -> dict[str, Any]:
    """The receipt, as it was answered. Raises Refused, and Conflict for another document under the same key.

    `before` is asked only when nothing was answered under this key; `after` runs either way.
    """
    sent = sent_of(facts)
    sender = Sender(visit.sender.key_id, desk.parts.now(), sent.raw.decode(), None)
    scope = scope_of(visit.sender, key, sent.digest("POST", path))
    assert scope is not None
    work = prepare(sent, sender)

    def write(tx: Connection) -> Answer:
        # The turn comes before anything is read.
        cases.take_turn(tx)
        if drafts.is_new(tx, scope):
            before(tx)
        answer = taking.once_in_turn(tx, scope, sender.at, work)
        if after is not None:
            after(tx)
        return answer

    answer = desk.write(write)
    if not answer.is_replay:
        desk.parts.accepted[kind] += 1
    receipt: dict[str, Any] = json.loads(answer.body)
    return receipt
