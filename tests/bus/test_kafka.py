"""What only Apache Kafka can be asked: how its topics are made, and what its client leaves behind."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from tests.bus.carriers import KafkaCarrier, read_until, records, texts, until_it_answers
from tests.support.kafka_broker import Broker
from tocsin.bus.kafka import KafkaBus
from tocsin.bus.port import Record, Topic
from tocsin.errors import BusAway

pytestmark = pytest.mark.kafka


def test_a_topic_is_made_as_stated_and_kept_for_ever_by_default(kafka_broker: Broker) -> None:
    names = KafkaCarrier(kafka_broker)
    kept, passing = names.topic("kept"), names.topic("passing")
    with KafkaBus([kafka_broker.bootstrap]) as bus:
        bus.ensure([Topic(kept, partitions=4), Topic(passing, partitions=1, retention=timedelta(days=7))])
    admin = KafkaAdminClient(bootstrap_servers=[kafka_broker.bootstrap])
    try:
        shape = {topic["name"]: topic["partitions"] for topic in admin.describe_topics([kept, passing])}
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in (kept, passing)]
        settings = admin.describe_configs(asked, config_filter="all")["topic"]
    finally:
        admin.close()
    assert len(shape[kept]) == 4
    assert len(shape[passing]) == 1
    assert settings[kept]["retention.ms"]["value"] == "-1"
    assert settings[kept]["retention.bytes"]["value"] == "-1"
    assert settings[kept]["cleanup.policy"]["value"] == "delete"
    assert settings[kept]["min.insync.replicas"]["value"] == "1"
    assert settings[passing]["retention.ms"]["value"] == "604800000"


def test_more_copies_than_brokers_is_said(kafka_broker: Broker) -> None:
    with (
        KafkaBus([kafka_broker.bootstrap], replication=3) as bus,
        pytest.raises(BusAway, match="InvalidReplicationFactor"),
    ):
        bus.ensure([Topic(KafkaCarrier(kafka_broker).topic("t"))])


def test_waiting_for_a_broker_leaves_no_thread_behind(kafka_broker: Broker) -> None:
    before = set(threading.enumerate())
    kafka_broker.pause()
    bus = KafkaBus([kafka_broker.bootstrap])
    reader = bus.reader("g", ["t"])
    with pytest.raises(BusAway):
        bus.ping()
    with pytest.raises(BusAway):
        bus.publish(records("t", "1"))
    with pytest.raises(BusAway):
        reader.read(1, 0.1)
    bus.close()
    assert {thread.name for thread in threading.enumerate() if thread not in before} == set()


def test_a_name_that_does_not_resolve_is_a_bus_that_is_away() -> None:
    with KafkaBus(["no-such-host.invalid:9092"]) as bus, pytest.raises(BusAway):
        bus.ping()


def test_bytes_of_another_program_survive_as_they_are(kafka_broker: Broker) -> None:
    topic = KafkaCarrier(kafka_broker).topic("foreign")
    with KafkaBus([kafka_broker.bootstrap]) as bus:
        bus.ensure([Topic(topic, partitions=1)])
        bus.publish([Record(topic, "k\udcff", b"v", {"h": "\udc80x"})])
        (found,) = read_until(bus.reader("g", [topic]), 1)
    assert (found.key, found.headers["h"]) == ("k\udcff", "\udc80x")


def test_a_record_that_no_broker_takes_is_refused_before_anything_is_sent(kafka_broker: Broker) -> None:
    topic = KafkaCarrier(kafka_broker).topic("large")
    with KafkaBus([kafka_broker.bootstrap]) as bus:
        bus.ensure([Topic(topic, partitions=1)])
        with pytest.raises(ValueError, match="at most 8388608"):
            bus.publish([Record(topic, "k", b"small"), Record(topic, "k", b"x" * 9_000_000)])
        bus.publish(records(topic, "after"))
        assert texts(read_until(bus.reader("g", [topic]), 1)) == ["after"]


def test_a_client_that_another_thread_has_given_up_and_closed_is_a_bus_that_is_away(
    kafka_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It raises what it likes ("NetworkSelector closed!"); a worker must wait and try again, and not end by it."""
    topic = KafkaCarrier(kafka_broker).topic("given-up")
    with KafkaBus([kafka_broker.bootstrap]) as bus:
        bus.ensure([Topic(topic)])
        admin = bus._admin
        assert admin is not None

        def list_after_the_other_has_closed_it() -> None:
            bus._admin = None
            admin.close()
            admin.describe_topics([topic])

        monkeypatch.setattr(admin, "list_topics", list_after_the_other_has_closed_it)
        with pytest.raises(BusAway, match="topics: "):
            bus.ensure([Topic(topic)])

        producer = bus._connected_producer()

        def ask_after_the_other_has_closed_it(_: str) -> None:
            bus._discard(producer)
            raise RuntimeError("NetworkSelector closed!")

        monkeypatch.setattr(producer, "partitions_for", ask_after_the_other_has_closed_it)
        with pytest.raises(BusAway, match="publish: RuntimeError"):
            bus.publish(records(topic, "one"))
        bus.publish(records(topic, "one"))
        assert texts(read_until(bus.reader("g", [topic]), 1)) == ["one"]


def test_many_threads_share_one_bus_and_lose_nothing_over_a_freeze(kafka_broker: Broker) -> None:
    topic = KafkaCarrier(kafka_broker).topic("busy")
    bus = KafkaBus([kafka_broker.bootstrap])
    bus.ensure([Topic(topic, partitions=3)])

    def publish(name: str) -> None:
        for number in range(30):
            record = Record(topic, name, f"{name}{number:02}".encode())
            until_it_answers(partial(bus.publish, [record]))

    threads = [threading.Thread(target=publish, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    kafka_broker.pause()
    with pytest.raises(BusAway):
        bus.ping()
    kafka_broker.resume()
    for thread in threads:
        thread.join(30)
    reader = bus.reader("g", [topic])
    found: list[str] = []
    while len(set(found)) < 90:
        found += texts(read_until(reader, 1))
    for name in "abc":
        first_copies = list(dict.fromkeys(text for text in found if text.startswith(name)))
        assert first_copies == [f"{name}{number:02}" for number in range(30)]
    bus.close()
