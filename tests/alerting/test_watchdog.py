"""What is wrong with the house itself rings somebody, by a channel that works, and again while it lasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerting import watchdog
from alerting.delivery.outcome import Delivered, TryAgain
from alerting.watchdog import LEAST_FREE_BYTES, Looks, Watchdog
from tests.alerting.receivers import Receiver, receiver
from tests.alerting.test_delivery import Told
from tests.alerting.test_webhooks import with_hook
from tests.alerting.ward import FATAL, Ward, report
from tocsin.bus.consume import Status

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass
class Consumer:
    """A consumer whose state the test sets."""

    now: Status

    def status(self) -> Status:
        return self.now


def a_house(ward: Ward, consumer: Consumer | None = None, free: list[int] | None = None) -> Watchdog:
    left = free or [LEAST_FREE_BYTES]
    consumers = [consumer] if consumer else []
    return Watchdog(ward.parts, Looks(consumers, Path("/nowhere"), lambda _: left[0]))


def look(ward: Ward, dog: Watchdog, span: timedelta = timedelta(0)) -> list[str]:
    """Look each minute for so long; answers what is wrong at the end."""
    until = ward.at + span
    found = dog.look()
    while ward.at < until:
        ward.move(MINUTE)
        found = dog.look()
    ward.send()
    return [one.key for one in found]


def rung(ward: Ward) -> list[str]:
    return [alert["reasons"][0] for alert in ward.alerts(kind="house_in_trouble")]


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.mark.parametrize(
    ("status", "key", "said"),
    [
        (Status("alerting", "waiting", "KafkaError: gone"), "consumer|alerting",
         "alerting is waiting: messages are not handled"),
        (Status("alerting", "stopped", "a fault"), "consumer|alerting",
         "alerting is stopped: messages are not handled"),
        (Status("alerting", "running", lag=1001), "lag|alerting", "alerting has 1001 messages to read"),
    ],
)  # fmt: skip
def test_a_consumer_that_stands_or_lags_rings_after_five_minutes(
    house: Ward, status: Status, key: str, said: str
) -> None:
    dog = a_house(house, Consumer(status))
    assert look(house, dog, 4 * MINUTE) == [key]
    assert rung(house) == []
    look(house, dog, MINUTE)
    assert rung(house) == [said]
    assert {mail.to.partition("@")[0] for mail in house.mails()} == {"tocsin-admin", "safety-team"}


@pytest.mark.parametrize(
    "status", [Status("alerting", "running", lag=1000), Status("alerting", "stopped", "asked to stop")]
)
def test_what_is_well_rings_nobody(house: Ward, status: Status) -> None:
    assert look(house, a_house(house, Consumer(status)), HOUR) == []
    assert rung(house) == []


def test_what_passes_within_five_minutes_rings_nobody_however_often_it_comes(house: Ward) -> None:
    consumer = Consumer(Status("alerting", "waiting", "x"))
    dog = a_house(house, consumer)
    for _ in range(10):
        consumer.now = Status("alerting", "waiting", "x")
        look(house, dog, 4 * MINUTE)
        consumer.now = Status("alerting", "running")
        look(house, dog, MINUTE)
    assert rung(house) == []


def test_a_disk_that_fills_up_rings_before_it_is_full(house: Ward) -> None:
    look(house, a_house(house, free=[499_999_999]), 5 * MINUTE)
    assert rung(house) == ["500 MB are free on the disk of the house: a full disk takes no report"]


def test_while_its_alert_is_open_it_rings_once_and_after_an_answer_again_in_four_hours(house: Ward) -> None:
    dog = a_house(house, free=[0])
    look(house, dog, 3 * HOUR)
    (alert,) = house.alerts(kind="house_in_trouble")
    house.acknowledge(alert["alert_id"], by="root", roles=("administrator",))
    look(house, dog, 54 * MINUTE)
    assert len(rung(house)) == 1
    look(house, dog, 12 * MINUTE)
    assert len(rung(house)) == 2


def test_what_was_over_and_comes_again_rings_again(house: Ward) -> None:
    free = [0]
    dog = a_house(house, free=free)
    look(house, dog, 5 * MINUTE)
    house.acknowledge(house.alerts(kind="house_in_trouble")[0]["alert_id"], by="root", roles=("administrator",))
    free[0] = LEAST_FREE_BYTES
    look(house, dog, MINUTE)
    free[0] = 0
    look(house, dog, 6 * MINUTE)
    assert len(rung(house)) == 2


def test_a_mail_server_that_takes_nothing_rings_by_webhook(house: Ward, hook: Receiver) -> None:
    """A mail about it would wait with the rest."""
    with_hook(house, hook.url)
    house.deliverers["mail"] = Told(always=TryAgain("451 later"))
    house.receive(report(FATAL))
    dog = a_house(house)
    before = len(hook.asked)
    for _ in range(9):
        look(house, dog, MINUTE)
    assert rung(house) == []
    look(house, dog, MINUTE)
    assert rung(house) == ["no mail has got through for 10 minutes"]
    assert len(hook.asked) == before + 1


def test_one_mail_that_got_through_says_that_the_server_works(house: Ward) -> None:
    class Refuses(Told):
        def send(self, parcel):  # type: ignore[no-untyped-def]
            return TryAgain("451") if parcel.address.startswith("safety-physician") else Delivered("ok")

    house.deliverers["mail"] = Refuses()
    house.receive(report(FATAL))
    dog = a_house(house)
    house.fast_forward(HOUR, step=MINUTE)
    look(house, dog, 6 * MINUTE)
    assert [said for said in rung(house) if "no mail" in said] == []


def test_of_two_processes_one_rings(house: Ward) -> None:
    first, second = a_house(house, free=[0]), a_house(house, free=[0])
    first.look()
    second.look()
    house.move(5 * MINUTE)
    first.look()
    second.look()
    assert len(rung(house)) == 1


def test_clocks_that_are_apart_are_seen(house: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    def ahead(tx: object, wall: datetime) -> timedelta:
        return timedelta(seconds=31)

    monkeypatch.setattr(watchdog, "_skew", ahead)
    look(house, a_house(house), 5 * MINUTE)
    assert rung(house) == ["the clocks of this machine and of the database are 31 s apart"]


def test_the_clock_of_a_real_database_is_asked(any_house: Ward) -> None:
    """The ward's wall is in May, a PostgreSQL's is today's; SQLite has no clock of its own."""
    with any_house.store.reading() as tx:
        apart = watchdog._skew(tx, any_house.wall_at)
        expected = tx.dialect.name == "postgresql"
    assert (apart != timedelta(0)) is expected
