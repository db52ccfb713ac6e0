"""Apache Kafka as the bus, by kafka-python 3. The only file that imports it.

Clients are made when first needed and made anew after a failure, so a broker may be away at start and come back.
`acks=all` with an idempotent producer: `publish` waits for the broker's answer to every record. kafka-python's consumer
is one thread each, so is a reader; its producer and its admin client are shared by the threads of a bus.
"""

# kafka-python says few of its types.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from types import TracebackType
from typing import Any, Self

import structlog
from kafka import (
    ConsumerRebalanceListener,
    KafkaAdminClient,
    KafkaConsumer,
    KafkaProducer,
    OffsetAndMetadata,
    TopicPartition,
)
from kafka.admin import OffsetSpec
from kafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    RetriableError,
    TopicAlreadyExistsError,
    UnknownMemberIdError,
)
from kafka.net.compat import KafkaNetClient

from tocsin.bus.port import Received, Record, Redelivery, Topic
from tocsin.errors import BusAway

log = structlog.get_logger(__name__)

PATIENCE_MS = 2000
"""How long an answer is waited for before the bus counts as away."""

MAX_RECORD_BYTES = 16 * 1024 * 1024
"""Far above any report, and above a dead letter, which is its original with more headers."""

_MOVED = (CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError)


class KafkaBus:
    """The bus on the brokers `servers` ("host:port"). Topics get at least `replication` copies."""

    def __init__(
        self,
        servers: Sequence[str],
        *,
        replication: int = 1,
        session_timeout_ms: int = 10_000,
        max_hold_ms: int = 300_000,
        patience_ms: int = PATIENCE_MS,
    ) -> None:
        self._servers = list(servers)
        self._replication = replication
        self._session_timeout_ms = session_timeout_ms
        self._max_hold_ms = max_hold_ms
        self.patience_ms = patience_ms
        self._producer_lock = Lock()
        self._admin_lock = Lock()
        self._producer: KafkaProducer | None = None
        self._admin: KafkaAdminClient | None = None
        self._readers: set[KafkaReader] = set()

    def ensure(self, topics: Sequence[Topic]) -> None:
        with self._asking("topics") as admin:
            there = set(admin.list_topics())
            wanted = {topic.name: self._new_topic(topic) for topic in topics if topic.name not in there}
            for name, settings in wanted.items():
                try:
                    admin.create_topics({name: settings}, timeout_ms=self.patience_ms)
                except TopicAlreadyExistsError:
                    log.info("topic_was_made_by_another", topic=name)
            # A record for a topic without a leader would only wait in vain.
            admin.wait_for_topics([topic.name for topic in topics], timeout_ms=2 * self.patience_ms)

    def publish(self, records: Sequence[Record]) -> None:
        for record in records:
            size = len(record.value) + sum(len(n) + len(t) for n, t in record.headers.items())
            if size > MAX_RECORD_BYTES // 2:
                raise ValueError(f"a record of {size} bytes for {record.topic}; at most {MAX_RECORD_BYTES // 2}")
        if not records:
            return
        producer = self._connected_producer()
        try:
            for topic in {record.topic for record in records}:
                producer.partitions_for(topic)
            answers = []
            for record in records:
                answer = producer.send(
                    record.topic,
                    key=_bytes(record.key),
                    value=record.value,
                    headers=[(name, _bytes(text)) for name, text in record.headers.items()],
                )
                # At the first failure nothing more may go out: a later record of the same key would arrive first.
                answer.add_errback(lambda _: _halt(producer))
                answers.append(answer)
            for answer in answers:
                answer.get(timeout=self.patience_ms / 1000)
        except Exception as error:
            if not _is_of_the_bus(error, is_discarded=self._producer is not producer):
                raise
            self._discard(producer)
            raise self._away("publish", error) from error

    def reader(self, group: str, topics: Sequence[str]) -> KafkaReader:
        reader = KafkaReader(self, group, topics)
        self._readers.add(reader)
        return reader

    def ping(self) -> None:
        with self._asking("ping") as admin:
            # Not `describe_cluster`, which kafka-python reads wrongly from brokers before 3.7.
            admin.describe_topics([])

    def close(self) -> None:
        for reader in list(self._readers):
            reader.close()
        with self._producer_lock:
            producer, self._producer = self._producer, None
        with self._admin_lock:
            admin, self._admin = self._admin, None
        if producer is not None:
            _halt(producer)
            producer.close(timeout=self.patience_ms / 1000)
        if admin is not None:
            admin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _new_topic(self, topic: Topic) -> dict[str, Any]:
        copies = max(topic.replication, self._replication)
        retention_ms = -1 if topic.retention is None else int(topic.retention.total_seconds() * 1000)
        return {
            "num_partitions": topic.partitions,
            "replication_factor": copies,
            "configs": {
                "cleanup.policy": "delete",
                "retention.ms": str(retention_ms),
                "retention.bytes": "-1",
                # With three copies one may be away, and a record is still on two before it counts.
                "min.insync.replicas": "2" if copies >= 3 else "1",
                "max.message.bytes": str(MAX_RECORD_BYTES),
            },
        }

    def _common(self) -> dict[str, Any]:
        return {
            "bootstrap_servers": self._servers,
            "bootstrap_timeout_ms": self.patience_ms,
            "client_id": "tocsin",
            # The default waits up to 30 s before it looks whether a broker is back.
            "reconnect_backoff_max_ms": 500,
        }

    def _connected_producer(self) -> KafkaProducer:
        with self._producer_lock:
            if self._producer is None:
                try:
                    self._producer = _make(
                        KafkaProducer,
                        **self._common(),
                        acks="all",
                        enable_idempotence=True,
                        max_block_ms=self.patience_ms,
                        request_timeout_ms=self.patience_ms,
                        # No batch may expire by itself while its successor goes out: `publish` has the only watch.
                        delivery_timeout_ms=24 * 3600 * 1000,
                        max_request_size=MAX_RECORD_BYTES,
                        # A batch of the relay in one or two requests for each partition: measured the best of four.
                        batch_size=256 * 1024,
                        allow_auto_create_topics=False,
                    )
                except (KafkaError, OSError) as error:
                    raise self._away("connect", error) from error
            return self._producer

    def _discard(self, producer: KafkaProducer) -> None:
        with self._producer_lock:
            if self._producer is producer:
                self._producer = None
        _halt(producer)
        try:
            producer.close(timeout=self.patience_ms / 1000)
        except KafkaError as error:
            log.warning("producer_did_not_close", error=type(error).__name__)

    @contextmanager
    def _asking(self, what: str) -> Iterator[KafkaAdminClient]:
        """The admin client; whatever it cannot answer leaves as `BusAway`, and the next call makes a new one."""
        try:
            with self._admin_lock:
                if self._admin is None:
                    self._admin = _make(KafkaAdminClient, **self._common(), request_timeout_ms=self.patience_ms)
                admin = self._admin
        except (KafkaError, OSError) as error:
            raise self._away(what, error) from error
        try:
            yield admin
        except Exception as error:
            with self._admin_lock:
                is_discarded = self._admin is not admin
                is_of_the_bus = _is_of_the_bus(error, is_discarded=is_discarded)
                if is_of_the_bus and not is_discarded:
                    self._admin = None
            if not is_of_the_bus:
                raise
            if not is_discarded:
                admin.close()
            raise self._away(what, error) from error

    def _consumer(self, group: str) -> KafkaConsumer:
        consumer: KafkaConsumer = _make(
            KafkaConsumer,
            **self._common(),
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=self._session_timeout_ms,
            heartbeat_interval_ms=min(1000, self._session_timeout_ms // 3),
            max_poll_interval_ms=self._max_hold_ms,
            # Topics that are made later are found within this time.
            metadata_max_age_ms=3_000,
            allow_auto_create_topics=False,
        )
        return consumer

    def _away(self, what: str, error: BaseException) -> BusAway:
        return BusAway(f"kafka {','.join(self._servers)}: {what}: {type(error).__name__}: {error}")

    def _left(self, group: str, topics: Sequence[str]) -> int:
        """How many records of these topics the group has not committed, whoever holds them."""
        with self._asking("lag") as admin:
            places = [
                TopicPartition(topic["name"], partition["partition_index"])
                for topic in admin.describe_topics(list(topics))
                for partition in topic["partitions"]
            ]
            if not places:
                return 0
            done = admin.list_group_offsets({group: places})[group]
            first = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
            last = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
            left = 0
            for at in places:
                begin = first[at].offset
                if at in done:
                    begin = max(begin, done[at].offset)
                left += max(0, last[at].offset - begin)
            return left


class KafkaReader:
    """One member of a group; see `port.Reader`. Joins at the first read."""

    def __init__(self, bus: KafkaBus, group: str, topics: Sequence[str]) -> None:
        self._bus = bus
        self._group = group
        self._topics = tuple(topics)
        self._consumer: KafkaConsumer | None = None
        # Of the partitions held: the first record not committed, and the one after the last handed out.
        self._first: dict[TopicPartition, int] = {}
        self._handed: dict[TopicPartition, int] = {}
        self._rewound = False
        self._answered_at = 0.0
        self._closed = False

    def read(self, max_records: int, wait_s: float) -> list[Received]:
        if self._closed:
            raise BusAway(f"group {self._group}: the reader was closed")
        with self._talking("read") as consumer:
            if self._rewound:
                for at in consumer.assignment():
                    if at in self._first:
                        consumer.seek(at, self._first[at])
                self._handed.clear()
                self._rewound = False
            _finish_joining(consumer)
            found = consumer.poll(timeout_ms=max(1, int(wait_s * 1000)), max_records=max_records)
            if found:
                self._answered_at = time.monotonic()
            elif time.monotonic() - self._answered_at > 1:
                # `poll` is silent about a broker that is gone.
                self._prove_that_it_answers(consumer)
            received = []
            for at, records in found.items():
                self._first.setdefault(at, records[0].offset)
                self._handed[at] = records[-1].offset + 1
                received += [_received(record) for record in records]
            return received

    def commit(self, done: Sequence[Received]) -> None:
        upto: dict[TopicPartition, int] = {}
        for record in done:
            at = TopicPartition(record.topic, record.partition)
            upto[at] = max(upto.get(at, 0), record.offset + 1)
        if not upto:
            return
        with self._talking("commit") as consumer:
            held = consumer.assignment()
            # The broker would take a commit for another reader's partition from any member of the group.
            lost = sorted(at for at, next_offset in upto.items() if self._is_lost(at, next_offset, held))
            mine = {at: next_offset for at, next_offset in upto.items() if at not in lost}
            ahead = {at: offset for at, offset in mine.items() if offset > self._first.get(at, -1)}
            if ahead:
                offsets = {at: OffsetAndMetadata(offset, "", -1) for at, offset in ahead.items()}
                try:
                    consumer.commit(offsets, timeout_ms=self._bus.patience_ms)
                except _MOVED as error:
                    raise Redelivery(f"group {self._group}: {type(error).__name__} at the commit") from error
                self._first.update(ahead)
        if lost:
            places = ", ".join(f"{at.topic}/{at.partition}" for at in lost)
            raise Redelivery(f"group {self._group}: {places} moved to another reader before the commit")

    def rewind(self) -> None:
        self._rewound = True

    def lag(self) -> int:
        held = set() if self._consumer is None else self._consumer.assignment()
        if not held:
            return self._bus._left(self._group, self._topics)
        with self._talking("lag") as consumer:
            last = consumer.end_offsets(list(held), timeout_ms=self._bus.patience_ms)
            unknown = [at for at in held if at not in self._first]
            for at in unknown:
                done = consumer.committed(at, timeout_ms=self._bus.patience_ms)
                if done is None:
                    done = consumer.beginning_offsets([at], timeout_ms=self._bus.patience_ms)[at]
                self._first[at] = done
            self._answered_at = time.monotonic()
            return sum(max(0, last[at] - self._first[at]) for at in held)

    def close(self) -> None:
        self._closed = True
        self._bus._readers.discard(self)
        self._leave()

    def _leave(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is None:
            return
        try:
            consumer.close(autocommit=False, timeout_ms=self._bus.patience_ms)
        except (KafkaError, OSError) as error:
            # The session runs out by itself; the others only wait longer.
            log.warning("reader_could_not_say_goodbye", group=self._group, error=type(error).__name__)

    def _is_lost(self, at: TopicPartition, next_offset: int, held: set[TopicPartition]) -> bool:
        return at not in held or next_offset > self._handed.get(at, -1)

    def _prove_that_it_answers(self, consumer: KafkaConsumer) -> None:
        held = consumer.assignment()
        if held:
            consumer.end_offsets([next(iter(held))], timeout_ms=self._bus.patience_ms)
        else:
            self._bus.ping()
        self._answered_at = time.monotonic()

    @contextmanager
    def _talking(self, what: str) -> Iterator[KafkaConsumer]:
        try:
            if self._consumer is None:
                self._forget_places()
                self._consumer = self._bus._consumer(self._group)
                self._consumer.subscribe(topics=self._topics, listener=_Listener(self))
            yield self._consumer
        except (KafkaError, OSError) as error:
            # A member that only lost its connection keeps its place in the group; anything else begins anew.
            if not isinstance(error, RetriableError):
                self._leave()
            raise self._bus._away(what, error) from error

    def _forget_places(self, places: Sequence[TopicPartition] | None = None) -> None:
        for at in list(self._first) + list(self._handed) if places is None else places:
            self._first.pop(at, None)
            self._handed.pop(at, None)


class _Listener(ConsumerRebalanceListener):
    """What moved, in either direction, starts from the group's commit. Called with empty lists too."""

    def __init__(self, reader: KafkaReader) -> None:
        self._reader = reader

    def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        self._reader._forget_places(revoked)

    def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        self._reader._forget_places(assigned)


def _make(kind: Callable[..., Any], **settings: Any) -> Any:
    """A client of kafka-python. One that fails to connect leaves its thread and its sockets behind: end them here."""
    begun: list[KafkaNetClient] = []

    def connect(**more: Any) -> KafkaNetClient:
        begun.append(KafkaNetClient(**more))
        return begun[-1]

    try:
        return kind(**settings, kafka_client=connect)
    except BaseException:
        for client in begun:
            client.close()
        raise


def _is_of_the_bus(error: Exception, *, is_discarded: bool) -> bool:
    """Whether it says that the bus is away. A client that another thread has given up and closed raises anything."""
    return is_discarded or isinstance(error, KafkaError | OSError)


def _halt(producer: KafkaProducer) -> None:
    """Send nothing more, and fail what waits. `close(timeout=0)` waits for the very answers that do not come."""
    producer._sender.force_close()


def _finish_joining(consumer: KafkaConsumer) -> None:
    """Take up the end of a rebalance that came while nobody was in `poll`.

    kafka-python 3.0.12 forgets it when the rebalance had begun because of new metadata: the broker has then given out
    the partitions, the client sends no heartbeat and never asks again. A consumer would wait for ever and look well.
    """
    coordinator = consumer._coordinator
    if coordinator.rejoining and not coordinator.need_rejoin():
        coordinator.request_rejoin()


def _received(record: Any) -> Received:
    return Received(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=_text(record.key),
        value=record.value or b"",
        headers={name: _text(value) for name, value in record.headers or ()},
    )


def _bytes(text: str) -> bytes:
    # What another program wrote may not be UTF-8; as a dead letter it leaves with the very bytes it came with.
    return text.encode("utf-8", "surrogateescape")


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "surrogateescape")
