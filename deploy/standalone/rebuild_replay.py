"""The log handled once more, into the empty tables of a scratch database.

What the service had handled is handled again, and nothing else: what it had set aside as a dead letter stays aside, and
what it has not read yet is left for it. Its inbox says what it had handled; where that was lost, its position does.
What the service itself said of its deeds is always taken, however far it has read: it had done them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, func, select

from standalone.rebuild_log import Handled, LogCopy, Place, Said, Told
from tocsin.bus.consume import place
from tocsin.bus.dead import dead_topic, read_dead
from tocsin.bus.port import Received
from tocsin.errors import Poison
from tocsin.messages.envelope import Envelope
from tocsin.store.inbox import note_again
from tocsin.store.tables import inbox, outbox

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from tocsin.store.engine import Store

Outcome = Literal["handled", "repeated", "set_aside", "left", "of_others", "failed"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
OF_THE_LOG = "the log"
"""The scratch inbox of what no consumer of the service reads."""
_TOGETHER = 200
_HANDLED = select(inbox.c.at, inbox.c.after_seq).where(
    inbox.c.consumer == bindparam("of_consumer"), inbox.c.message_id == bindparam("of_message")
)


class Way(Protocol):
    """How one service is rebuilt.

    `reads`: its consumers and their topics. `tells`: topics on which its own word is taken. `stays`: tables that are
    left as they are. `set_anew`: tables that are rebuilt but hold what time makes of them, so that they are not
    compared.
    """

    service: str
    source: str
    reads: Mapping[str, Sequence[str]]
    tells: Sequence[str]
    metadata: MetaData
    head: str
    stays: frozenset[str]
    set_anew: frozenset[str]
    follows_its_inbox: bool
    """Whether what stands in the tables depends on which message was handled first."""

    def decode(self, received: Received) -> Envelope[Any]:
        """The message of a record. Poison when there is none."""

    def begin(self, scratch: Store, records: Callable[[str], Iterator[Received]]) -> None:
        """Make the tables of the scratch database. `records`: those of a topic, to look ahead."""

    def handle(self, envelope: Envelope[Any], tx: Connection) -> None:
        """One message, in a transaction of the scratch database."""

    def finish(self, tx: Connection, kept: Connection) -> list[str]:
        """After the last message: carry over what is on no log. Answers what stands in the way, in words."""


def topics_of(way: Way) -> list[str]:
    """Every topic of the log that a rebuild reads: facts before what was said of them, then the dead letters."""
    from tocsin.messages.topics import CONTRACTS

    wanted = {*way.tells, *(topic for topics in way.reads.values() for topic in topics)}
    dead = {dead_topic(topic) for topic in wanted if topic in {c.topic for c in CONTRACTS}}
    ranked = [c.topic for c in CONTRACTS]
    return [*(t for t in ranked if t in wanted), *(dead_topic(t) for t in ranked if dead_topic(t) in wanted | dead)]


@dataclass(slots=True)
class Replayed:
    """What became of the messages, by topic, and what went wrong, in words."""

    topics: dict[str, dict[Outcome, int]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def count(self, topic: str, outcome: Outcome) -> None:
        of = self.topics.setdefault(topic, dict.fromkeys(OUTCOMES, 0))
        of[outcome] += 1


def replay(
    log: LogCopy, way: Way, scratch: Store, kept: Connection, unread: Mapping[str, set[Place]], told: Told
) -> Replayed:
    """Handle the log. `kept` is a snapshot of the service's own tables, `unread` what each consumer has not read."""
    done, number, of = Replayed(), 0, log.count()
    one = _One(way, kept, unread, _set_aside(log, way))
    for batch in _batches(log.records()):
        with scratch.transaction() as tx:
            for received in batch:
                try:
                    with scratch.savepoint(tx):
                        outcome = one.handle(received, tx)
                except Exception as error:  # noqa: BLE001  each is told, and nothing is put in place
                    outcome = "failed"
                    said = str(error) if isinstance(error, Poison) else "see the log of the service for such an error"
                    done.failures.append(f"{place(received)} fails with {type(error).__name__}: {said}")
                done.count(received.topic, outcome)
        number += len(batch)
        told(number, of)
    if not done.failures:
        done.failures += _not_on_the_log(kept, way, one.known)
    return done


class _One:
    """Decides about one message after the other. `known` counts by consumer those that the inbox knew."""

    def __init__(
        self, way: Way, kept: Connection, unread: Mapping[str, set[Place]], aside: Mapping[str, set[Place]]
    ) -> None:
        self._way = way
        self._kept = kept
        self._unread = unread
        self._aside = aside
        self._consumers = {topic: consumer for consumer, topics in way.reads.items() for topic in topics}
        self.known = dict.fromkeys(way.reads, 0)

    def handle(self, received: Received, tx: Connection) -> Outcome:
        way, consumer = self._way, self._consumers.get(received.topic)
        stands_at = _where(received)
        if consumer is None and received.topic not in way.tells:
            return "of_others"
        if consumer is not None and stands_at in self._aside[consumer]:
            return "set_aside"
        is_unread = consumer is not None and stands_at in self._unread[consumer]
        try:
            envelope = way.decode(received)
        except Poison:
            if is_unread:
                return "left"
            raise
        is_own = received.topic in way.tells and envelope.source == way.source
        if consumer is None and not is_own:
            return "of_others"
        before = None if consumer is None else self._handled_before(consumer, envelope.id)
        if is_unread and before is None and not is_own:
            return "left"
        at, after_seq = (envelope.recorded_at, None) if before is None else (before.at, before.after_seq)
        if not note_again(tx, consumer or OF_THE_LOG, envelope.id, at, after_seq):
            return "repeated"
        if consumer is not None and before is not None:
            self.known[consumer] += 1
        way.handle(envelope, tx)
        return "handled"

    def _handled_before(self, consumer: str, message_id: UUID) -> Row[Any, Any] | None:
        return self._kept.execute(_HANDLED, {"of_consumer": consumer, "of_message": message_id}).one_or_none()


def follow_inbox(log: LogCopy, way: Way, kept: Connection) -> None:
    """Each message has the turn that it had, as the outbox and the inbox of the service say."""
    aside = {place for places in _set_aside(log, way).values() for place in places}
    log.order_as_handled(_said(kept), _handled(kept, way), letters=dict(_letters(log, way)), aside=aside)


def _letters(log: LogCopy, way: Way) -> Iterator[tuple[Place, UUID]]:
    """Under which id each dead letter is handled: its header bears that of the message in it."""
    for topic in topics_of(way):
        if topic.endswith(dead_topic("")):
            for received in log.records(topic):
                with suppress(Poison):  # told when it has its turn
                    yield _where(received), way.decode(received).id


def _where(received: Received) -> Place:
    return (received.topic, received.partition, received.offset)


def _handled(kept: Connection, way: Way) -> Iterator[Handled]:
    """What the consumers of the service have handled, as its inbox says."""
    row = inbox.c
    for found in kept.execute(select(row.message_id, row.at, row.after_seq).where(row.consumer.in_(way.reads))):
        yield Handled(found.message_id, found.at, found.after_seq)


def _said(kept: Connection) -> Iterator[Said]:
    """What the service has said, as its outbox holds it."""
    row = outbox.c
    for found in kept.execute(select(row.message_id, row.seq, row.created_at)):
        yield Said(found.message_id, found.seq, found.created_at)


def _set_aside(log: LogCopy, way: Way) -> dict[str, set[Place]]:
    """Where each consumer gave a message up: what it put back afterwards stands on the topic once more."""
    aside: dict[str, set[Place]] = {consumer: set() for consumer in way.reads}
    for topic in topics_of(way):
        if not topic.endswith(dead_topic("")):
            continue
        for received in log.records(topic):
            try:
                letter = read_dead(received)
            except ValueError:
                continue  # no dead letter of ours: it says of no message that it was given up
            if letter.consumer in aside:
                aside[letter.consumer].add((letter.topic, letter.partition, letter.offset))
    return aside


def _not_on_the_log(kept: Connection, way: Way, known: Mapping[str, int]) -> list[str]:
    """What the inbox says was handled and the log does not hold: then it is not the whole log, or another's."""
    found = []
    for consumer in way.reads:
        query = select(func.count()).select_from(inbox).where(inbox.c.consumer == consumer)
        if missing := kept.execute(query).scalar_one() - known[consumer]:
            found.append(
                f"{consumer} has handled {missing} messages that are not on this log: name the log that it reads in "
                "TOCSIN_BUS, or restore a backup of both"
            )
    return found


def _batches(records: Iterator[Received]) -> Iterator[list[Received]]:
    while batch := list(islice(records, _TOGETHER)):
        yield batch
